"""Means over lists, of all of them and of groups, with all their resamples at once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tfx_pipeline.gate.resampling import Estimate, estimate, resampled_sums
from tfx_pipeline.gate.values import ListValues

ALL = ("all", "all lists")
NDCG, INITIAL, BLESSED = "ndcg", "gain_over_initial", "gain_over_blessed"


@dataclass(frozen=True)
class Means:
    """Means of per-list values.

    Args:
        sizes: (partition, label) to how many lists the group has, `ALL` among them.
        values: (name, group) to the mean.
        drawn: (name, group) to float `[resamples]`, the same of the resamples; of one
            resample throughout, so that differences between groups are paired too.
    """

    sizes: Mapping[tuple[str, str], int]
    values: Mapping
    drawn: Mapping

    def of(self, name: str, group: tuple[str, str], level: float) -> Estimate:
        """A mean with the ends that each are sure to a level."""
        return estimate(self.values[name, group], self.drawn[name, group], level)

    def gap(self, name: str, more, less, level: float) -> Estimate:
        """The same of the difference between two groups."""
        first, second = (name, more), (name, less)
        value = self.values[first] - self.values[second]
        return estimate(value, self.drawn[first] - self.drawn[second], level)


def means(values: ListValues, least: int, resamples: int, seed: int) -> Means:
    """NDCG@10 and its gains, over all lists and over each group that is large enough.

    Args:
        values: The lists.
        least: How many lists a group must have.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
    """
    measured = {NDCG: values.candidate, INITIAL: values.candidate - values.initial}
    if values.blessed is not None:
        measured[BLESSED] = values.candidate - values.blessed
    sizes = {ALL: len(values)} | {g: int(x.sum()) for g, x in values.groups.items()}
    large = [g for g, size in sizes.items() if g != ALL and size >= least]
    members = [np.ones(len(values)), *(values.groups[g] for g in large)]
    is_member = np.stack(members, axis=1).astype(float)
    columns = [is_member, *(is_member * x[:, None] for x in measured.values())]
    sums = resampled_sums(np.concatenate(columns, axis=1), resamples, seed)
    counts, *totals = np.split(sums, len(columns), axis=1)
    found, drawn = {}, {}
    for name, column, total in zip(measured, columns[1:], totals, strict=True):
        mean = column.sum(axis=0) / is_member.sum(axis=0)
        # A group may be missing from a resample: it is there what it is in all lists.
        ratio = np.where(counts > 0, total / np.maximum(counts, 1), mean)
        for i, group in enumerate((ALL, *large)):
            found[name, group], drawn[name, group] = float(mean[i]), ratio[:, i]
    return Means(sizes, found, drawn)
