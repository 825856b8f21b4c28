"""Which models a server serves, from a `ModelServerConfig`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tensorflow_serving.config import model_server_config_pb2

from serving.config_messages import read_text_message
from serving.fault import Fault, invalid
from serving.option_error import OptionError
from serving.options import Options
from serving.policy import VersionPolicy

_PLATFORM = "tensorflow"


@dataclass(frozen=True)
class ModelConfig:
    """One model: its name, folder of versions, which of them, and names for them."""

    name: str
    base_path: Path
    policy: VersionPolicy = VersionPolicy()
    labels: Mapping[str, int] = field(default_factory=dict)


def model_configs(options: Options) -> list[ModelConfig]:
    """The models that the options ask for.

    Raises:
        OptionError: The config file cannot be read, or asks for what cannot be served.
    """
    if options.model_config_file is None:
        return [ModelConfig(options.model_name, options.model_base_path)]
    return read_config(options.model_config_file)


def read_config(path: Path) -> list[ModelConfig]:
    """The models of a text `ModelServerConfig`; see `model_configs`."""
    config = read_text_message(path, model_server_config_pb2.ModelServerConfig)
    try:
        models = parse_config(config)
    except Fault as fault:
        raise OptionError(f"{path}: {fault.message}") from fault
    if not models:
        raise OptionError(
            f"{path} names no model; add a model_config_list {{ config }}"
        )
    for model in models:
        if not model.base_path.is_dir():
            raise OptionError(
                f"{path}: model {model.name!r}: base_path {model.base_path} is no "
                "folder; make it, or correct the path"
            )
    return models


def parse_config(config) -> list[ModelConfig]:
    """The models of a `ModelServerConfig` message.

    Raises:
        Fault: It asks for what cannot be served, in the words of TensorFlow Serving
            where that refuses it too.
    """
    if config.WhichOneof("config") == "custom_model_config":
        raise invalid(
            "ServerModelConfig type not supported by HandleReloadConfigRequest."
            " Only ModelConfigList is currently supported"
        )
    models = {}
    for model in config.model_config_list.config:
        if model.name in models:
            raise invalid(
                f"Illegal to list model {model.name} multiple times in config list"
            )
        models[model.name] = _model(model)
    return list(models.values())


def _model(model) -> ModelConfig:
    if not model.name:
        raise invalid("a model has no name; give each config a name")
    if not Path(model.base_path).is_absolute():
        raise invalid(
            f"Expected model {model.name} to have an absolute path or URI; got "
            f"base_path()={model.base_path}"
        )
    # Required here too: what starts here has to start there.
    if not model.model_platform:
        raise invalid(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            "ModelServerConfig::model_platform."
        )
    if model.model_platform != _PLATFORM:
        raise invalid(
            f"Model {model.name} requests unsupported platform {model.model_platform}"
        )
    if model.HasField("logging_config"):
        raise invalid(
            f"model {model.name} sets logging_config: neither this server nor "
            "tensorflow_model_server logs requests; remove it and log in the client"
        )
    return ModelConfig(
        model.name,
        Path(model.base_path),
        VersionPolicy.from_message(model.model_version_policy),
        dict(model.version_labels),
    )
