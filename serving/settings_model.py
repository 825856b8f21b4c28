"""A server's settings against the model that it is to serve."""

import json
from pathlib import Path

from psad_tf.feature_sets import feature_set
from psad_tf.serving_config import ServingConfig, serving_config
from serving.option_error import OptionError
from serving.settings import Settings

_REPORT, _ABOUT = "export_report.json", "psad.json"


def check_model(settings: Settings, model: Path, where: Path) -> None:
    """Holds settings to what an export says of itself.

    Args:
        settings: Of the server.
        model: A version's folder, as `psad pipeline run` exports it.
        where: The settings file.

    Raises:
        OptionError: The folder says nothing of itself, or a setting does not fit it.
    """
    serving, widths = _exported(model)
    graph = settings.graph
    wrong = {}
    if serving.batching:
        sizes = list(serving.batch_sizes)
        wrong["graph.batch_sizes"] = graph.batch_sizes, sizes
        wrong["graph.list_buckets"] = graph.list_buckets, widths
        wrong["batching.in_server"] = settings.batching.in_server, False
    if serving.xla:
        wrong["graph.compiled"] = graph.compiled, True
    for name, (found, needed) in wrong.items():
        if found != needed:
            raise OptionError(
                f"{where}: {name}={json.dumps(found)} must be {json.dumps(needed)}, "
                f"for so {model} was exported"
            )


def _exported(model: Path) -> tuple[ServingConfig, int]:
    """How the graph runs a request, and how many widths it has."""
    try:
        report = json.loads((model / "assets.extra" / _REPORT).read_text("utf-8"))
        about = json.loads((model / "assets.extra" / _ABOUT).read_text("utf-8"))
        serving = serving_config(report["serving"])
        features = feature_set(about["dataset"])
    except (OSError, ValueError, KeyError) as error:
        raise OptionError(
            f"--model={model}: its assets.extra/{_REPORT} and {_ABOUT} do not say how "
            f"it was exported ({error}); give a version's folder, such as models/1"
        ) from error
    return serving, len(serving.widths(features))
