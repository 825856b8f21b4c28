"""Figures for people, on any page."""

from collections.abc import Mapping

NONE = "–"


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


def words(name: str) -> str:
    """A name with spaces.

    >>> words("click_world")
    'click world'
    """
    return name.replace("_", " ")
