"""What the gate asks of groups of lists: nobody is surely worse off than before."""

from itertools import groupby

from tfx_pipeline.gate.check import (
    AT_LEAST,
    AT_MOST,
    HIGH,
    LOW,
    Check,
    Demand,
    configured,
)
from tfx_pipeline.gate.config import GateConfig
from tfx_pipeline.gate.means import ALL, BLESSED, INITIAL, Means


def group_checks(
    found: Means, gate: GateConfig, is_blessed_itself: bool = False
) -> list[Check]:
    """The floors of each group, and the gap between the groups of each partition.

    A group fails only if even the favourable end of its interval is on the wrong side.
    The chance of an unjust failure is shared among all groups that are judged, so that
    looking at many of them does not make one of them fail.

    Args:
        found: The means of all groups that are large enough to be judged.
        gate: The bounds.
        is_blessed_itself: Whether the model is the one that clients get now.
    """
    checks = _floors(INITIAL, found, gate)
    checks += _gaps(found, gate)
    if (BLESSED, ALL) in found.values and not is_blessed_itself:
        checks += _floors(BLESSED, found, gate)
    return checks


def _floors(name: str, found: Means, gate: GateConfig) -> list[Check]:
    groups = [group for group in found.sizes if group != ALL]
    demand = _floor(name, gate)
    level = _level(gate, sum((name, group) in found.values for group in groups))
    checks = []
    for group in groups:
        title = f"{group[0].replace('_', ' ')}: {group[1]}"
        if (name, group) in found.values:
            checks.append(demand.check(found.of(name, group, level), title))
        else:
            few = f"{found.sizes[group]} of at least {gate.min_slice_lists} test lists"
            checks.append(demand.skipped(few, title))
    return checks


def _floor(name: str, gate: GateConfig) -> Demand:
    remedy = (
        "look at this group in the report: more of its lists in the training, or "
        "features that it has; or accept the loss and lower the bound"
    )
    return configured(gate, f"min_slice_{name}", name, AT_LEAST, HIGH, remedy)


def _level(gate: GateConfig, judged: int) -> float:
    """Bonferroni: how sure each end has to be for all of them to be."""
    return 1 - (1 - gate.confidence) / max(judged, 1)


def _gaps(found: Means, gate: GateConfig) -> list[Check]:
    remedy = (
        "help the group that gains least: more of its lists in the training, or "
        "features that it has; or raise the bound"
    )
    demand = configured(gate, "max_slice_gap", "slice_gap", AT_MOST, LOW, remedy)
    gains = {g: x for (name, g), x in found.values.items() if name == INITIAL}
    judged = groupby((g for g in gains if g != ALL), key=lambda group: group[0])
    compared = {partition: list(groups) for partition, groups in judged}
    compared = {name: groups for name, groups in compared.items() if len(groups) > 1}
    checks = []
    for partition, groups in compared.items():
        less, more = min(groups, key=gains.get), max(groups, key=gains.get)
        gap = found.gap(INITIAL, more, less, _level(gate, len(compared)))
        title = f"{partition.replace('_', ' ')}: {more[1]} over {less[1]}"
        checks.append(demand.check(gap, title))
    return checks
