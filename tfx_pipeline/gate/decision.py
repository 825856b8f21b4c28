"""The decision: every bound of the configuration held against what was measured."""

from dataclasses import dataclass

import numpy as np

from tfx_pipeline.gate.check import (
    ABOVE,
    AT_MOST,
    LOW,
    VALUE,
    Check,
    Demand,
    configured,
)
from tfx_pipeline.gate.config import GateConfig
from tfx_pipeline.gate.groups import group_checks
from tfx_pipeline.gate.means import ALL, BLESSED, INITIAL, NDCG, Means, means
from tfx_pipeline.gate.resampling import Estimate
from tfx_pipeline.gate.values import ListValues

LEAK = (
    "look for a feature that knows the label, such as a count that includes the list "
    "itself; where the figure is true, raise the bound"
)
NO_BLESSED = "no model was blessed before"
SAME_MODEL = "it is the very model that clients get now"


@dataclass(frozen=True)
class Facts:
    """What is known of a model besides its scores; None where nothing is.

    Args:
        label_effect: The largest change of a score when labels are taken away from the
            lists.
        latency_ms: Of the signature, the 99th percentile over lists.
        artifact_mib: The SavedModel's size.
        teacher_gap: NDCG@10 of the teacher minus the student's, on validation lists.
        teacher_correlation: Rank correlation of the two orders there.
        not_calibrated: Why scores are no probabilities.
        is_blessed_itself: Whether the model is the one that clients get now.
        no_blessed: Why there is nothing to compare with, where there is not.
    """

    label_effect: float | None = None
    latency_ms: float | None = None
    artifact_mib: float | None = None
    teacher_gap: Estimate | None = None
    teacher_correlation: Estimate | None = None
    not_calibrated: str = ""
    is_blessed_itself: bool = False
    no_blessed: str = NO_BLESSED


def decide(values: ListValues, facts: Facts, gate: GateConfig) -> list[Check]:
    """Every check, the most telling first.

    Args:
        values: The test lists.
        facts: What else is known.
        gate: The bounds.
    """
    found = means(values, gate.min_slice_lists, gate.resamples, gate.seed)
    return [
        *_of_scores(values, facts, gate),
        *_of_quality(found, facts, gate),
        _calibration(values, facts, gate),
        *group_checks(found, gate, facts.is_blessed_itself),
        *_of_teacher(facts, gate),
        *_of_artifact(facts, gate),
    ]


def _of_scores(values: ListValues, facts: Facts, gate: GateConfig) -> list[Check]:
    finite = Demand(
        "finite",
        0.0,
        "A list with such a score has no order.",
        AT_MOST,
        VALUE,
        "find the lists with such scores; docs/training.md says what makes them",
    )
    constant = configured(
        gate,
        "max_constant_share",
        "constant",
        AT_MOST,
        VALUE,
        "train it longer or with a lower learning_rate: it has learned nothing",
    )
    leak = Demand(
        "reads_labels",
        0.0,
        "No request has labels, so a model that reads them is another one in service.",
        AT_MOST,
        VALUE,
        "export the model without what only stored lists have",
    )
    return [
        finite.check(1 - values.is_finite.mean()),
        constant.check(values.is_constant.mean()),
        *([] if facts.label_effect is None else [leak.check(facts.label_effect)]),
    ]


def _of_quality(found: Means, facts: Facts, gate: GateConfig) -> list[Check]:
    checks = [
        *_above_and_plausible(NDCG, found, gate),
        *_above_and_plausible(INITIAL, found, gate),
    ]
    if (BLESSED, ALL) in found.values and not facts.is_blessed_itself:
        return [*checks, *_above_and_plausible(BLESSED, found, gate)]
    why = SAME_MODEL if facts.is_blessed_itself else facts.no_blessed
    nothing = configured(gate, f"min_{BLESSED}", BLESSED, ABOVE, LOW)
    return [*checks, nothing.skipped(why)]


def _above_and_plausible(name: str, found: Means, gate: GateConfig) -> list[Check]:
    mean, least = found.of(name, ALL, gate.confidence), f"min_{name}"
    rise = _rise(mean, getattr(gate, least), found.sizes[ALL])
    above = configured(gate, least, name, ABOVE, LOW, rise)
    plausible = configured(gate, f"max_{name}", f"{name}_plausible", AT_MOST, LOW, LEAK)
    return [above.check(mean), plausible.check(mean)]


def _rise(found: Estimate, bound: float, size: int) -> str:
    """What would lift the lower end over the bound."""
    spread, short = found.value - found.low, bound - found.low
    text = f"a mean that is higher by {short:.4f} with the same spread"
    if found.value > bound and spread > 0:
        more = int(np.ceil(size * (spread / (found.value - bound)) ** 2))
        text += f", or the same mean on some {more:,} test lists (now {size:,})"
    return text


def _calibration(values: ListValues, facts: Facts, gate: GateConfig) -> Check:
    remedy = (
        "calibrate the scores, or raise the bound if nobody reads them as "
        "probabilities: the order does not depend on it"
    )
    demand = configured(
        gate, "max_calibration_error", "calibration", AT_MOST, VALUE, remedy
    )
    if values.excess is None:
        return demand.skipped(facts.not_calibrated)
    error = np.abs(values.excess.sum(axis=0)).sum() / values.candidates.sum()
    return demand.check(error)


def _of_teacher(facts: Facts, gate: GateConfig) -> list[Check]:
    distil = "raise distillation_weight, or train longer; see docs/training.md"
    demands = (
        (facts.teacher_gap, "max_teacher_gap", "teacher_gap", AT_MOST),
        (
            facts.teacher_correlation,
            "min_teacher_correlation",
            "teacher_correlation",
            ABOVE,
        ),
    )
    why = "the training left no teacher to compare with"
    return [
        _known(configured(gate, field, name, sign, LOW, distil), found, why)
        for found, field, name, sign in demands
    ]


def _of_artifact(facts: Facts, gate: GateConfig) -> list[Check]:
    smaller = "choose a smaller model, or `psad model size` to see what takes the room"
    demands = (
        (facts.latency_ms, "max_latency_ms", "latency"),
        (facts.artifact_mib, "max_artifact_mib", "size"),
    )
    return [
        _known(
            configured(gate, field, name, AT_MOST, VALUE, smaller),
            found,
            "it was not measured",
        )
        for found, field, name in demands
    ]


def _known(demand: Demand, found: Estimate | float | None, why: str) -> Check:
    return demand.skipped(why) if found is None else demand.check(found)
