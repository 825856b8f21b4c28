"""Names and figures for people, in HTML and in Markdown alike."""

import math

from psad_tf.report_page.formats import NONE, number, signed

_METRICS = {
    "ndcg_at_5": "NDCG@5",
    "ndcg": "NDCG@10",
    "map_at_5": "MAP@5",
    "map": "MAP@10",
    "map_relevant": "MAP@10, by relevant",
    "utility": "true utility",
    "auc": "AUC",
    "ild": "intra-list distance",
    "coverage": "category coverage",
    "popularity": "popularity percentile",
}


def measure_title(name: str) -> str:
    """A measure's name for people.

    >>> measure_title("student_ndcg"), measure_title("ndcg")
    ('student NDCG@10', 'NDCG@10')
    >>> measure_title("teacher_map_at_5")
    'teacher MAP@5'
    >>> measure_title("seconds_a_step")
    'seconds a step'
    """
    for metric, title in _METRICS.items():
        if f"_{name}".endswith(f"_{metric}"):
            branch = name.removesuffix(metric).replace("_", " ")
            return f"{branch.strip()} {title}".strip()
    return name.replace("_", " ")


def dataset_title(name: str, is_simulated: bool) -> str:
    """A data set's name for people.

    >>> dataset_title("click_world", True)
    'click world (simulated)'
    """
    return name.replace("_", " ") + (" (simulated)" if is_simulated else "")


def p_words(p_value: float) -> str:
    """A p-value.

    >>> p_words(0.03456), p_words(1e-9)
    ('p = 0.035', 'p < 0.001')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def spread(values) -> str:
    """An `OverSeeds`: mean and, of several runs, standard deviation.

    >>> from psad_tf.bench.statistics import over_seeds
    >>> spread(over_seeds([0.25, 0.75, 0.5])), spread(over_seeds([2.0]))
    ('0.5000 ± 0.2500', '2.0000')
    """
    if values.count == 1:
        return number(values.mean)
    return f"{number(values.mean)} ± {number(values.sd)}"


def difference(interval) -> str:
    """An `Interval` around a difference.

    >>> from psad_tf.bench.statistics import Interval
    >>> difference(Interval(0.01, -0.002, 0.022))
    '+0.0100 (−0.0020 to +0.0220)'
    """
    if math.isnan(interval.low):
        return f"{signed(interval.mean)} ({NONE})"
    ends = f"{signed(interval.low)} to {signed(interval.high)}"
    return f"{signed(interval.mean)} ({ends})"


def percent(share: float | None) -> str:
    """A share.

    >>> percent(0.98765), percent(None)
    ('98.8 %', '–')
    """
    return NONE if share is None else f"{100 * share:.1f} %"
