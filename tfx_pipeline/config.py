"""What one pipeline run is made of; everything a team tunes stands here."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from psad_tf.data.settings import log_settings
from psad_tf.errors import ConfigError
from psad_tf.feature_sets import feature_set
from psad_tf.presets import preset
from psad_tf.serving_config import serving_config
from psad_tf.sizing import model_config
from psad_tf.training_config import training_config
from tfx_pipeline.data_gate.config import DataGateConfig
from tfx_pipeline.gate.config import GateConfig


@dataclass(frozen=True)
class PipelineConfig:
    """One pipeline.

    Args:
        raw: The folder of the raw log, or empty to use the copy that the data set's
            reader fetches and caches.
        root: The folder of all artifacts, metadata and reports.
        model_store: The folder of version folders that the model server watches.
        dataset: The data set's name.
        seed: Of the first stage, the model and the training.
        max_bad_share: The largest share of malformed lines before the run stops.
        model: `PSADConfig` choices that differ from the data set's preset (no input
            sizes: those are read from the transform).
        training: `TrainingConfig` choices that differ from the data set's preset.
        serving: `ServingConfig` choices: how the served graph runs a request.
        logs: `LogSettings` choices of a data set of raw logs, but `beam_args`.
        gate: What a model must show.
        data_gate: What data must show before a model is trained on it.
        spans: That `raw` is of, such as `3,4`; empty where the data has no spans.
        warm_start: Whether the training begins from the last blessed weights; from
            scratch where there are none, or where they do not fit the data.
        beam_args: Beam's options. Beam's own default runner looks for a binary on the
            internet; this one runs in the process. It starts no container, but a named
            image keeps TFX from building a source package for workers each time.
        beam_args_by_component: Component → options of its own, which come after, and
            so win over, `beam_args`.
    """

    raw: str
    root: str
    model_store: str
    dataset: str = "movielens_100k"
    seed: int = 0
    max_bad_share: float = 0.01
    model: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    serving: dict[str, Any] = field(default_factory=dict)
    logs: dict[str, Any] = field(default_factory=dict)
    gate: GateConfig = field(default_factory=GateConfig)
    data_gate: DataGateConfig = field(default_factory=DataGateConfig)
    spans: str = ""
    warm_start: bool = False
    beam_args: tuple[str, ...] = (
        "--runner=FnApiRunner",
        "--sdk_container_image=none",
    )
    beam_args_by_component: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self):
        # A wrong choice must not show only when the Trainer begins.
        features = feature_set(self.dataset)
        model_config(features, lambda name: 1, self.model_choices())
        training_config(self.training_choices(), self.seed)
        serving_config(self.serving).check_fits(features)
        log_settings(self.logs)
        if self.spans and not all(n.isdigit() for n in self.spans.split(",")):
            raise ConfigError(f"spans={self.spans!r}; give numbers, as in 3,4")
        if not isinstance(self.warm_start, bool):
            raise ConfigError(f"warm_start={self.warm_start!r}; give true or false")

    def model_choices(self) -> dict[str, Any]:
        """The data set's preset with this configuration's choices on top."""
        return preset(self.dataset, "model") | self.model

    def training_choices(self) -> dict[str, Any]:
        """The data set's preset with this configuration's choices on top."""
        return preset(self.dataset, "training") | self.training

    def path(self, name: str) -> str:
        """A file or folder under the root."""
        return str(Path(self.root) / name)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True)


def load_config(file: Path, **changes: Any) -> PipelineConfig:
    """Reads a JSON file of `PipelineConfig` fields; `changes` override it.

    Raises:
        ConfigError: The file is no JSON object, or a field is unknown or mistyped.
    """
    try:
        values = json.loads(file.read_text()) if file else {}
    except json.JSONDecodeError as error:
        raise ConfigError(f"{file}: not valid JSON: {error}; mend the file") from None
    changes = {name: value for name, value in changes.items() if value is not None}
    where = str(file or "configuration")
    return _build(PipelineConfig, _as_object(values, where) | changes, where)


def _as_object(values: Any, where: str) -> dict:
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: {values!r} must be an object of named fields")
    return values


def _build(kind: Callable, values: dict, where: str):
    known = {f.name: f for f in fields(kind)}
    for name, value in values.items():
        if name not in known:
            raise ConfigError(
                f"{where}: field {name!r} is unknown; known: {', '.join(known)}"
            )
        default = known[name].default_factory
        if is_dataclass(default) and not is_dataclass(value):
            inner = f"{where}: {name}"
            value = _build(default, _as_object(value, inner), inner)
            values = values | {name: value}
    if isinstance(values.get("beam_args"), list):
        values = values | {"beam_args": tuple(values["beam_args"])}
    return kind(**values)
