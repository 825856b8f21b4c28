"""Is the canary surely no worse, surely worse, or is it too early to tell?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

from psad_tf.errors import ConfigError
from tfx_pipeline.canary.counts import Counts, Share

PROMOTE, ROLL_BACK, WAIT = "promote", "roll back", "wait"


@dataclass(frozen=True)
class CanaryConfig:
    """How much worse a canary may be, and how sure that has to be.

    Args:
        max_error_increase: Of the share of requests that fail. Noise of a healthy
            service is far below it.
        max_slow_increase: Of the share of requests that are slow. A new version begins
            with cold caches.
        max_click_loss: Of the share of lists with a click. Clicks are what it is for,
            but they are rare, so that less takes very many lists to see.
        confidence: How sure each end of an interval is, over all looks together.
        looks: How often the metrics are looked at. Who looks more often is misled more
            often, so the chance is shared among the looks.
    """

    max_error_increase: float = 0.005
    max_slow_increase: float = 0.02
    max_click_loss: float = 0.02
    confidence: float = 0.975
    looks: int = 1

    def __post_init__(self):
        if not 0.5 < self.confidence < 1:
            raise ConfigError(
                f"confidence={self.confidence} must lie between 0.5 and 1"
            )
        if self.looks < 1:
            raise ConfigError(f"looks={self.looks} must be at least 1")

    def level(self) -> float:
        """How sure each end is at one look."""
        return 1 - (1 - self.confidence) / self.looks


class Difference(NamedTuple):
    """Canary minus stable, with the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Finding:
    """One measure.

    Args:
        name: What was compared.
        verdict: `PROMOTE` where it is surely no worse than allowed, `ROLL_BACK` where
            it surely is, else `WAIT`.
        text: All of it in a sentence, counts included.
    """

    name: str
    verdict: str
    text: str


def compare(stable: Counts, canary: Counts, config: CanaryConfig) -> list[Finding]:
    """Every measure that both have."""
    measures = [
        ("failed requests", stable.errors, canary.errors, config.max_error_increase),
        ("slow requests", stable.slow, canary.slow, config.max_slow_increase),
    ]
    if stable.clicked is not None and canary.clicked is not None:
        # Of the lists without a click, so that more is worse here too.
        missed = [Share(s.whole - s.part, s.whole) for s in (stable[2], canary[2])]
        measures.append(("lists without a click", *missed, config.max_click_loss))
    return [_finding(*measure, config.level()) for measure in measures]


def decide(findings: Sequence[Finding]) -> str:
    """`ROLL_BACK` if one says so, `PROMOTE` if all do, else `WAIT`."""
    verdicts = {finding.verdict for finding in findings}
    if ROLL_BACK in verdicts:
        return ROLL_BACK
    return PROMOTE if verdicts == {PROMOTE} else WAIT


def _finding(name, stable: Share, canary: Share, margin: float, level: float):
    told = f"{canary.part:,} of {canary.whole:,} against {stable.part:,} of "
    told = f"{name}: {told}{stable.whole:,}"
    if not stable.whole or not canary.whole:
        return Finding(name, WAIT, f"{told}; nothing to compare yet: {WAIT}")
    found = difference(stable, canary, level)
    verdict = WAIT
    if found.low > margin:
        verdict = ROLL_BACK
    elif found.high <= margin:
        verdict = PROMOTE
    text = (
        f"{told}, {found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f}), "
        f"at most {margin:+.4f} allowed: {verdict}"
    )
    return Finding(name, verdict, text)


def difference(stable: Share, canary: Share, level: float) -> Difference:
    """Of two shares, canary minus stable, with Newcombe's interval.

    It is made of the two shares' Wilson intervals and keeps its level where shares are
    near 0, as those of errors are.

    >>> [round(x, 4) for x in difference(Share(48, 80), Share(56, 70), 0.975)]
    [0.2, 0.0524, 0.3339]

    Args:
        stable, canary: Each of at least one.
        level: How sure each end is.
    """
    first, second = (_wilson(share, level) for share in (canary, stable))
    (p, low_p, high_p), (q, low_q, high_q) = first, second
    low = p - q - sqrt((p - low_p) ** 2 + (high_q - q) ** 2)
    high = p - q + sqrt((high_p - p) ** 2 + (q - low_q) ** 2)
    return Difference(p - q, low, high)


def _wilson(share: Share, level: float) -> tuple[float, float, float]:
    z, n, p = NormalDist().inv_cdf(level), share.whole, share.part / share.whole
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return p, middle - half, middle + half
