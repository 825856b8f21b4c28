"""What data must show; each bound with the reason that a refusal quotes."""

from dataclasses import dataclass, fields

from psad_tf.errors import ConfigError

SEVERITIES = ("WARNING", "ERROR")


@dataclass(frozen=True)
class DataGateConfig:
    """What data must show before a model is trained on it.

    What is said after a bound's first sentence is its reason. "Before" is the data of
    the last blessed model; where there is none, only absolute bounds are held. Drift
    compares training lists with those before, skew training lists with the test lists
    of the same run, the nearest to what will be asked tomorrow. Of text it is the
    largest change of one value's share, of numbers the Jensen-Shannon divergence.

    Args:
        severity: Schema anomalies of this severity or a higher one stop the run:
            `WARNING` or `ERROR`. What the schema does not allow, no later component
            was written for.
        max_text_drift: Of every text feature. A value that a third of all lists gained
            or lost is a changed log, not a changed world.
        max_number_drift: Of every numeric feature but the initial score. A divergence
            of 1 is no common value at all, a changed unit. TFDV takes it over bins, and
            one outlier moves them: the years of past films drift by 0.55 between the
            training and the test lists of MovieLens-100K.
        max_initial_score_drift: Of the initial score. The first stage gives the order
            that the model learns to mend, and the score is the model's best input.
        max_text_skew: As drift. What is asked must look like what was learned.
        max_number_skew: As drift. What is asked must look like what was learned.
        cold_text_drift: Above it the training begins anew, not from the last weights.
            Old weights are then a memory of another world.
        cold_number_drift: As `cold_text_drift`. Old weights are then a memory of
            another world.
        min_list_length: The mean of a training list's candidates. Of one candidate
            there is no order to learn.
        max_list_length_change: The share by which that mean differs from before. A
            page does not change its length unannounced.
        min_click_rate: The mean share of clicked candidates in a training list. Without
            clicks there is nothing to learn.
        max_click_rate: The same from above. Clicks on nearly everything are a label
            that is filled in wrong.
        max_click_rate_change: The share by which the click rate differs from before. A
            log that lost half of its clicks lost them on the way.
        max_unknown_share: The share of the test lists' candidates that no training list
            has offered. A model of ids cannot tell new items apart.
        max_unknown_change: By how much that share grew since before. Items that were
            given new ids look all new at once.
        max_flat_share: The share of training lists of which all candidates have one
            initial score. Such a list came without the first stage's order.
        min_lists_share: Training lists, as a share of those before. A log that ends at
            noon is complete in each of its lines.

    Raises:
        ConfigError: A value is out of range or mistyped.
    """

    severity: str = "ERROR"
    max_text_drift: float = 0.3
    max_number_drift: float = 0.7
    max_initial_score_drift: float = 0.3
    max_text_skew: float = 0.5
    max_number_skew: float = 0.8
    cold_text_drift: float = 0.1
    cold_number_drift: float = 0.6
    min_list_length: float = 2.0
    max_list_length_change: float = 0.3
    min_click_rate: float = 0.001
    max_click_rate: float = 0.9
    max_click_rate_change: float = 0.5
    max_unknown_share: float = 0.9
    max_unknown_change: float = 0.2
    max_flat_share: float = 0.5
    min_lists_share: float = 0.5

    def __post_init__(self):
        if self.severity not in SEVERITIES:
            raise _bad("severity", self.severity, f"must be of {', '.join(SEVERITIES)}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "severity":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise _bad(field.name, value, "must be a number")
            if not value >= 0:
                raise _bad(field.name, value, "must be at least 0")


def _bad(name: str, value, remedy: str) -> ConfigError:
    return ConfigError(f"data_gate: {name}={value!r} {remedy}")
