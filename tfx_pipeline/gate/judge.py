"""Asks a model and the last blessed one the same test lists, and decides."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tensorflow as tf

from psad_tf.cold_start import known_values
from psad_tf.features import FeatureSet
from tfx_pipeline.gate.check import AT_LEAST, VALUE, Check, Demand
from tfx_pipeline.gate.config import GateConfig
from tfx_pipeline.gate.decision import NO_BLESSED, Facts, decide
from tfx_pipeline.gate.record import TEACHER_FILE
from tfx_pipeline.gate.resampling import Estimate, estimate, resampled_sums
from tfx_pipeline.gate.signature import ModelFault, Signature
from tfx_pipeline.gate.stored import ListReader, StoredList, split_files
from tfx_pipeline.gate.values import ListValues, joined, list_values
from tfx_pipeline.model_store import has_model, same_model

BATCH = 256
TIMED = 100  # lists whose time is taken


@dataclass(frozen=True)
class Judged:
    """The outcome.

    Args:
        checks: Every check.
        lists: How many test lists there were; 0 where the model could not be asked.
        answers: Whether the model answered them, and with numbers alone.
        blessed_answers: Whether there is a last blessed model that answered them.
    """

    checks: Sequence[Check]
    lists: int
    answers: bool
    blessed_answers: bool


def judge(
    model: Path,
    blessed: Path,
    split: str,
    features: FeatureSet,
    gate: GateConfig,
    model_run: Path,
) -> Judged:
    """Judges a model on a split.

    Lists are read and scored some at a time; only numbers are kept of each.

    Args:
        model: The SavedModel.
        blessed: The SavedModel that clients get now; may be no model.
        split: The folder of the test lists.
        features: The data set's features.
        gate: The bounds.
        model_run: The training's logs, for the teacher.
    """
    try:
        scorer = Signature(model)
        baseline, facts = _baseline(model, blessed, split)
        facts = replace(facts, **_about_model(model, model_run, gate))
        values, found = _ask(scorer, baseline, model, split, features, facts)
    except ModelFault as fault:
        return Judged([_cannot_be_asked(str(fault))], 0, False, False)
    checks = decide(values, found, gate)
    answers = bool(values.is_finite.all())
    return Judged(checks, len(values), answers, baseline is not None)


def _cannot_be_asked(fault: str) -> Check:
    reason = "A model that answers nothing ranks nothing."
    demand = Demand(
        "loads", 1.0, reason, AT_LEAST, VALUE, "export the model again, whole"
    )
    return replace(demand.check(0.0), finding=f"the model cannot be asked: {fault}")


def _baseline(model: Path, blessed: Path, split: str):
    """The last blessed model's signature, or None and why."""
    if not has_model(blessed):
        return None, Facts(no_blessed=NO_BLESSED)
    try:
        baseline = Signature(blessed)
        first = next(iter(_batches(split)))
        baseline(first[:1])
    except ModelFault as fault:
        why = f"the last blessed model cannot be asked: {fault}"
        return None, Facts(no_blessed=why)
    return baseline, Facts(is_blessed_itself=same_model(model, blessed))


def _about_model(model: Path, model_run: Path, gate: GateConfig) -> dict:
    """Facts that need no list."""
    size = sum(p.stat().st_size for p in model.rglob("*") if p.is_file())
    about = {"artifact_mib": size / 2**20, "not_calibrated": _not_calibrated(model)}
    file = model_run / TEACHER_FILE
    if file.is_file():
        with np.load(file) as stored:
            gap = stored["teacher"] - stored["student"]
            about["teacher_gap"] = _mean(gap, gate)
            about["teacher_correlation"] = _mean(stored["correlation"], gate)
    return about


def _not_calibrated(model: Path) -> str:
    described = json.loads((model / "assets.extra" / "psad.json").read_text())
    loss = described.get("model", {}).get("scorer_loss")
    if loss == "bce":
        return ""
    return f"scores are no probabilities under scorer_loss={loss!r}"


def _mean(values: np.ndarray, gate: GateConfig) -> Estimate:
    drawn = resampled_sums(values[:, None], gate.resamples, gate.seed)[:, 0]
    return estimate(values.mean(), drawn / len(values), gate.confidence)


def _batches(split: str) -> Iterator[list[bytes]]:
    records = tf.data.TFRecordDataset(split_files(split), "GZIP").batch(BATCH)
    for batch in records.as_numpy_iterator():
        yield list(batch)


def _ask(scorer, baseline, model, split, features, facts: Facts):
    """What the models make of all lists, and the facts that need lists."""
    read = ListReader(features, known_values(model, features))
    parts, names = [], []
    for batch in _batches(split):
        lists = [read(serialized) for serialized in batch]
        requests = [x.request for x in lists]
        scores = scorer(requests)
        if not parts:
            facts = replace(
                facts,
                label_effect=_largest_change(scores, scorer(batch)),
                latency_ms=_percentile(scorer.milliseconds(requests[:TIMED])),
            )
        others = None if baseline is None else baseline(requests)
        is_probability = not facts.not_calibrated
        parts.append(_measured(lists, scores, others, read.partitions, is_probability))
        names += [x.request_id for x in lists]
    # However the lists were spread over files, the bootstrap sees the same order.
    return joined(parts, np.argsort(np.array(names), kind="stable")), facts


def _measured(lists, scores, others, partitions, is_probability) -> ListValues:
    labels, is_valid = _padded(lists, scores.shape[1])
    groups = {
        (p.name, label): np.array([x.groups[p.name] == label for x in lists])
        for p in partitions
        for label in p.labels()
    }
    if others is not None and others.shape != scores.shape:
        others = _widened(others, scores.shape[1])
    return list_values(labels, is_valid, scores, others, groups, is_probability)


def _padded(lists: Sequence[StoredList], width: int) -> tuple[np.ndarray, np.ndarray]:
    longest = max(len(x.labels) for x in lists)
    if longest > width:
        raise ModelFault(f"it gives {width} scores to a list of {longest} candidates")
    labels = np.array([[*x.labels, *[0.0] * (width - len(x.labels))] for x in lists])
    return labels, np.arange(width) < [[len(x.labels)] for x in lists]


def _widened(scores: np.ndarray, width: int) -> np.ndarray:
    """The scores of a model of another list length: cut, or with the lowest behind."""
    room = max(width - scores.shape[1], 0)
    lowest = np.finfo(scores.dtype).min
    padded = np.pad(scores, ((0, 0), (0, room)), constant_values=lowest)
    return padded[:, :width]


def _largest_change(first: np.ndarray, second: np.ndarray) -> float:
    is_both = np.isfinite(first) & np.isfinite(second)
    return float(np.abs(np.where(is_both, first - second, 0.0)).max())


def _percentile(milliseconds: np.ndarray) -> float:
    return float(np.percentile(milliseconds, 99))
