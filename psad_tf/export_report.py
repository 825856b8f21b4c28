"""What an export cost and what it holds, written beside the model."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf

from psad_tf import metrics
from psad_tf.errors import ConfigError
from psad_tf.export_core import ServedScorer
from psad_tf.export_operations import operations
from psad_tf.serving_config import ServingConfig
from psad_tf.training_evaluation import compiled, of_any_size, score_lists

REPORT_FILE = "assets.extra/export_report.json"


def compare(served: ServedScorer, validation: Iterable | None) -> dict | None:
    """NDCG@10 of a scorer before and after export.

    The exported one is the graph that is served, with its stored weights and at its
    widths, without the queue in front of it and without XLA.

    Args:
        served: The exported scorer.
        validation: Batches of `(input tensors, labels)`, or None.

    Returns:
        `lists`, `float32`, `exported`, `difference` and `largest_score_difference`;
        None without lists.

    Raises:
        ConfigError: There are no lists and the precision is reduced; the two differ by
            more than the configuration tolerates; or a score is no number.
    """
    serving = served.serving
    if validation is None:
        if served.stored.is_own:
            return None
        raise ConfigError(
            f"serving: precision={serving.precision!r} without validation lists; give "
            "the export some, to measure what it costs, or export float32"
        )
    batches = list(validation)
    labels, before, is_valid = score_lists(compiled(served.scorer), batches)
    _, after, _ = score_lists(of_any_size(served), batches)
    if not np.isfinite(after[is_valid]).all():
        raise ConfigError(
            f"serving: precision={serving.precision!r} gives scores that are no "
            "numbers; choose another precision. Nothing was exported"
        )
    ndcg = [
        float(np.mean(metrics.ndcg(labels, scores, is_valid, k=10)))
        for scores in (before, after)
    ]
    compared = {
        "lists": len(labels),
        "float32": ndcg[0],
        "exported": ndcg[1],
        "difference": ndcg[1] - ndcg[0],
        "largest_score_difference": float(np.abs(before - after)[is_valid].max()),
    }
    _check(compared, serving)
    return compared


def _check(compared: dict, serving: ServingConfig) -> None:
    """Refuses an export that is another ranker than the one that was trained."""
    if abs(compared["difference"]) > serving.precision_tolerance:
        raise ConfigError(
            f"serving: precision={serving.precision!r} changes NDCG@10 on "
            f"{compared['lists']} validation lists by "
            f"{compared['difference']:+.5f} (from {compared['float32']:.5f} to "
            f"{compared['exported']:.5f}), more than precision_tolerance="
            f"{serving.precision_tolerance}; choose another precision or raise the "
            "tolerance. Nothing was exported"
        )


def write_report(
    path: Path, served: ServedScorer, compared: dict | None, onnx: dict | None = None
) -> None:
    """Writes `assets.extra/export_report.json` into a SavedModel's folder."""
    content = {
        "serving": served.serving.to_dict(),
        "ndcg_at_10": compared,
        "onnx": onnx,
        "bytes": {
            "artifact": _size(path),
            "weights": sum(values.nbytes for values in served.stored.arrays),
            "float32_weights": sum(w.numpy().nbytes for w in served.scorer.weights),
        },
        "weights": stored_weights(path, served),
        "operations": operations(served),
    }
    file = path / REPORT_FILE
    file.write_text(json.dumps(content, indent=1), encoding="utf-8")


def stored_weights(path: Path, served: ServedScorer) -> dict[str, int]:
    """How many arrays an artifact's weights are, how many values, and where they are.

    `variables` counts those in the checkpoint; the others are constants of each graph.
    """
    reader = tf.train.load_checkpoint(str(path / "variables" / "variables"))
    names = reader.get_variable_to_shape_map()
    arrays = served.stored.arrays
    return {
        "count": len(arrays),
        "values": sum(values.size for values in arrays),
        "variables": sum("VARIABLE_VALUE" in name for name in names),
    }


def _size(path: Path) -> int:
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
