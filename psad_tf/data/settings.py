"""How a data set of raw logs is built: what the data itself does not say."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from psad_tf.errors import ConfigError


@dataclass(frozen=True)
class LogSettings:
    """Choices for data sets of raw logs; others take none of them.

    Args:
        protocol: The list rules' name; empty for the data set's usual ones.
        user_salt: Makes pseudonyms of users' ids: a file with the secret, or `env` for
            the environment variable PSAD_USER_SALT; empty keeps the ids.
        max_user_rows: Of a user with more rows the newest are kept; 0 keeps all.
        work: A folder for files between stages, on any of Beam's file systems that all
            workers reach; empty puts them beside the output.
        beam_args: Beam's options.
    """

    protocol: str = ""
    user_salt: str = ""
    max_user_rows: int = 0
    work: str = ""
    beam_args: tuple[str, ...] = ()

    def check_unused(self, dataset: str) -> None:
        """
        Raises:
            ConfigError: Something was chosen for a data set that has no raw logs.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default and field.name != "beam_args":
                raise ConfigError(
                    f"{field.name}={value!r}: {dataset} is not built from raw logs; "
                    "leave it out"
                )


def log_settings(choices: Mapping[str, Any]) -> LogSettings:
    """The settings with these choices.

    Raises:
        ConfigError: One is unknown, or of another type.
    """
    known = {f.name: f.type for f in fields(LogSettings) if f.name != "beam_args"}
    for name, value in choices.items():
        if name not in known or not isinstance(value, known[name]):
            expected = ", ".join(f"{n} ({t.__name__})" for n, t in known.items())
            raise ConfigError(f"logs: {name}={value!r}; the choices are: {expected}")
    return LogSettings(**choices)
