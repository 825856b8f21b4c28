"""The command line of the embedded server, checked before TensorFlow is imported.

Flags have the names and meanings of `tensorflow_model_server`; `--host` is our own.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

BAD_INPUT = 3


class OptionError(ValueError):
    """A setting that cannot work; the message names the remedy."""


@dataclass(frozen=True)
class Options:
    """What to serve and where.

    Args:
        port: The gRPC port.
        host: The address to listen on; the default is this machine alone.
        model_name: The model's name, when there is no config file.
        model_base_path: The folder of its versions, when there is no config file.
        model_config_file: A text `ModelServerConfig`; None for the two above.
        file_system_poll_wait_seconds: Seconds between two looks for new versions.
        grpc_max_threads: How many requests run at a time.
    """

    port: int = 8500
    host: str = "127.0.0.1"
    model_name: str = "psad"
    model_base_path: Path | None = None
    model_config_file: Path | None = None
    file_system_poll_wait_seconds: int = 1
    grpc_max_threads: int = 4 * (os.cpu_count() or 1)

    def check(self) -> None:
        """Raises an OptionError for what cannot work."""
        if (self.model_base_path is None) == (self.model_config_file is None):
            raise OptionError("give either --model_base_path or --model_config_file")
        if self.model_base_path and not self.model_base_path.is_dir():
            raise OptionError(
                f"--model_base_path={self.model_base_path} is no folder; give the "
                "folder whose numbered folders are the model's versions"
            )
        if self.model_config_file and not self.model_config_file.is_file():
            raise OptionError(
                f"--model_config_file={self.model_config_file} is no file; give a text "
                "ModelServerConfig such as serving/config/models.config"
            )
        if not 0 <= self.port < 2**16:
            raise OptionError(f"--port={self.port} is not in 0..65535")
        if self.file_system_poll_wait_seconds < 1:
            raise OptionError("--file_system_poll_wait_seconds must be at least 1")
        if self.grpc_max_threads < 1:
            raise OptionError("--grpc_max_threads must be at least 1")

    def flags(self) -> list[str]:
        """The command line that gives these options; its paths are absolute."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return [
            f"--{name}={value.absolute() if isinstance(value, Path) else value}"
            for name, value in given.items()
        ]


def parse(arguments: list[str] | None = None) -> Options:
    """Options from a command line.

    Raises:
        SystemExit: They cannot work; the exit code is 3 and the remedy is on stderr.
    """
    parser = argparse.ArgumentParser(prog="serving.server", exit_on_error=False)
    types = {"model_base_path": Path, "model_config_file": Path}
    for name, default in vars(Options()).items():
        kind = types.get(name) or type(default)
        parser.add_argument(f"--{name}", type=kind, default=default)
    try:
        options = Options(**vars(parser.parse_args(arguments)))
        options.check()
    except (argparse.ArgumentError, OptionError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(BAD_INPUT) from error
    return options
