"""Which models a server serves, from a text `ModelServerConfig`."""

from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.options import OptionError, Options


def base_paths(options: Options) -> dict[str, Path]:
    """Model name → the folder of its versions.

    Raises:
        OptionError: The config file cannot be read, or asks for what the embedded
            server does not do.
    """
    if options.model_config_file is None:
        return {options.model_name: options.model_base_path}
    return read_config(options.model_config_file)


def read_config(path: Path) -> dict[str, Path]:
    """Model name → base path, of a config file; see `base_paths`."""
    try:
        config = text_format.Parse(
            path.read_text(), model_server_config_pb2.ModelServerConfig()
        )
    except text_format.ParseError as error:
        raise OptionError(f"{path} is no text ModelServerConfig: {error}") from error
    models = config.model_config_list.config
    if not models:
        raise OptionError(
            f"{path} names no model; add a model_config_list {{ config }}"
        )
    paths = {}
    for model in models:
        _check(model, path)
        if model.name in paths:
            raise OptionError(
                f"{path}: two models are named {model.name!r}; rename one"
            )
        paths[model.name] = Path(model.base_path)
    return paths


def _check(model, path):
    where = f"{path}: model {model.name!r}"
    if not model.name or not Path(model.base_path).is_absolute():
        raise OptionError(f"{where}: give a name and an absolute base_path")
    if not Path(model.base_path).is_dir():
        raise OptionError(f"{where}: base_path {model.base_path} is no folder")
    if model.model_platform not in ("", "tensorflow"):
        raise OptionError(f"{where}: model_platform must be 'tensorflow'")
    policy = model.model_version_policy
    is_newest = policy.WhichOneof("policy_choice") in (None, "latest")
    if not is_newest or policy.latest.num_versions > 1 or model.version_labels:
        raise OptionError(
            f"{where}: the embedded server serves the newest version alone; remove "
            "model_version_policy and version_labels, or use tensorflow_model_server"
        )
