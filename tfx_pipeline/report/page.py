"""Renders the page: one file, nothing loaded from anywhere."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from tfx_pipeline.report.style import Picture
from tfx_pipeline.report.words import RANKER_TITLES, group_title, metric_title

TEMPLATE = "report.html"
# With fewer lists than this, a group's interval is shown but called unsure.
FEW_LISTS = 30
NONE = "–"


def render(
    summary: Mapping[str, Any], pictures: Mapping[str, Sequence[Picture]]
) -> str:
    """The page.

    Args:
        summary: The content of `metrics.json`.
        pictures: Section name to its plots.
    """
    environment = Environment(
        loader=PackageLoader("tfx_pipeline", "templates"),
        autoescape=True,
        # A figure that is missing must not look like an empty one.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "signed": signed,
        "span": span,
        "count": count,
        "words": lambda name: name.replace("_", " "),
        "metric": metric_title,
    }
    environment.globals |= {
        "group_title": group_title,
        "few_lists": FEW_LISTS,
        "ranker_titles": RANKER_TITLES,
    }
    return environment.get_template(TEMPLATE).render(**summary, pictures=pictures)


def number(value: float | None, digits: int = 4) -> str:
    """A figure with fixed digits; a dash where there is none.

    >>> number(0.81234), number(None)
    ('0.8123', '–')
    """
    return NONE if value is None else f"{value:.{digits}f}"


def signed(value: float | None, digits: int = 4) -> str:
    """A difference, with its sign.

    >>> signed(0.02), signed(-0.02)
    ('+0.0200', '−0.0200')
    """
    if value is None:
        return NONE
    return f"{value:+.{digits}f}".replace("-", "−")


def span(interval: Mapping[str, float]) -> str:
    """The ends of an interval.

    >>> span({"mean": 0.02, "low": -0.01, "high": 0.05})
    '−0.0100 to +0.0500'
    """
    return f"{signed(interval['low'])} to {signed(interval['high'])}"


def count(value: float | None) -> str:
    """A whole number, with separators.

    >>> count(100000)
    '100,000'
    """
    return NONE if value is None else f"{value:,.0f}"
