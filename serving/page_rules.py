"""What a shop may ask of the page that a reranked list is shown on."""

from collections.abc import Mapping
from dataclasses import dataclass, field


class PageError(ValueError):
    """No order of the list keeps the rules, or none was found."""


@dataclass(frozen=True)
class AtMost:
    """No more than `count` items of one value in any `window` consecutive places.

    Args:
        feature: The candidates' feature, such as `brand`; one that holds several values
            counts under each.
        count: 1 or more.
        window: Places, more than `count`.
    """

    feature: str
    count: int
    window: int

    def __post_init__(self):
        _check_window(self)

    @property
    def title(self) -> str:
        return f"at most {self.count} of one {self.feature} in {self.window} places"


@dataclass(frozen=True)
class PriceTiers:
    """Prices mixed: no more than `count` of one tier in any `window` places.

    Args:
        feature: The candidates' feature that holds a number, such as `log_price`.
        count: 1 or more.
        window: Places, more than `count`.
        boundaries: Increasing lower bounds of all tiers but the cheapest. Without them,
            each list's own prices are cut into `tiers` parts of as many items.
        tiers: How many, without boundaries.
    """

    feature: str
    count: int
    window: int
    boundaries: tuple[float, ...] = ()
    tiers: int = 3

    def __post_init__(self):
        _check_window(self)
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ValueError(f"boundaries={self.boundaries}; give increasing numbers")
        if self.tiers < 2:
            raise ValueError(f"tiers={self.tiers}; give 2 or more")

    @property
    def title(self) -> str:
        return (
            f"at most {self.count} of one tier of {self.feature} in "
            f"{self.window} places"
        )


@dataclass(frozen=True)
class Diversity:
    """Each place's item is relevant and unlike those above it (MMR).

    Args:
        feature: The candidates' feature whose values two items may share.
        weight: 0 is the order of the scores, 1 looks at likeness alone.
    """

    feature: str
    weight: float

    def __post_init__(self):
        if not 0 <= self.weight <= 1:
            raise ValueError(f"weight={self.weight}; it must lie in 0..1")


@dataclass(frozen=True)
class PageRules:
    """The rules of a page; those that are left out do not hold.

    Args:
        at_most: Limits in windows, price tiers among them; all hold at once.
        pins: Place, from 1, to the id of the item that stands there.
        diversity: What the order of the rest is chosen by, beside the scores.
        length: Places of the page, on which the rules hold; what follows it stands in
            the order of the scores. None is the whole list.
        strict: Whether a rule that cannot be kept is an error. If not, it is broken
            where it must be, and the page says where.
        effort: The most steps of the search for an order that keeps all rules; one is
            about 0.1 ms.
    """

    at_most: tuple[AtMost | PriceTiers, ...] = ()
    pins: Mapping[int, str] = field(default_factory=dict)
    diversity: Diversity | None = None
    length: int | None = None
    strict: bool = False
    effort: int = 500

    def __post_init__(self):
        for name, value in (("length", self.length), ("effort", self.effort)):
            if value is not None and value < 1:
                raise ValueError(f"{name}={value}; give 1 or more")
        items = list(self.pins.values())
        for place, item_id in self.pins.items():
            if place < 1 or (self.length is not None and place > self.length):
                raise ValueError(
                    f"pins={dict(self.pins)}: there is no place {place} on a page of "
                    f"{self.length or 'any'} places; places count from 1"
                )
            if items.count(item_id) > 1:
                raise ValueError(
                    f"pins={dict(self.pins)}: {item_id!r} has more than one place"
                )


def _check_window(rule) -> None:
    if not 1 <= rule.count < rule.window:
        raise ValueError(
            f"count={rule.count}, window={rule.window} of {rule.feature}; give a count "
            "of 1 or more, and a window of more places than that"
        )
