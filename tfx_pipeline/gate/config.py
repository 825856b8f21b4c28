"""What a model must show; each bound with the reason that a refusal quotes."""

import inspect
import re
from dataclasses import dataclass, fields

from psad_tf.errors import ConfigError

_OF_SERVING = "serving_lists", "serving_tolerance", "max_served_latency_ms"


@dataclass(frozen=True)
class GateConfig:
    """What a model must show on the test lists before it is pushed.

    What is said after a bound's first sentence is its reason. Intervals come from a
    bootstrap over lists; "surely" means at the end of the interval that is against it.

    Args:
        confidence: How sure each end of an interval is. 0.975 gives the ends of the
            usual 95 % interval; of equal models one in 40 is pushed by chance.
        resamples: Of the bootstrap. Ends at 95 % are steady from 1,000 on; those of
            many groups lie further out and need more.
        seed: Of the bootstrap. The same lists and scores always get the same verdict.
        min_ndcg: NDCG@10 is surely above it. What can be reached depends on the data,
            so that 0 asks only for a click that is found at all; a team that knows its
            data sets more.
        max_ndcg: NDCG@10 is not surely above it. Clicks have chance in them: who ranks
            them without fault has seen them.
        min_gain_over_initial: The gain in NDCG@10 over the initial order is surely
            above it. A reranker that does not clearly help is not worth its latency.
        max_gain_over_initial: That gain is not surely above it. The truth of the
            simulated world gains 0.12; more is a leak of the label until shown
            otherwise.
        min_gain_over_blessed: The gain over the model that clients get now is surely
            above it. A push has its risk, so an equal model is not worth one; a
            negative value lets models in that are surely not worse by more.
        max_gain_over_blessed: That gain is not surely above it. No retraining makes
            such a leap, a leak of the label does.
        max_constant_share: At most this share of the lists gets one score for all its
            candidates. Such a list is not ranked at all.
        min_slice_lists: Groups of fewer test lists are told and not judged. The
            bootstrap's interval is too narrow where there are few.
        min_slice_gain_over_initial: No group's gain over the initial order is surely
            below it. A mean must not hide that some users get worse lists than before.
        min_slice_gain_over_blessed: No group's gain over the model that clients get now
            is surely below it. A small trade between groups is the price of progress, a
            large one is not for a mean to decide.
        max_slice_gap: Between two groups of one partition the gains over the initial
            order do not surely differ by more. A model that helps only some widens the
            distance between users.
        max_calibration_error: The mean distance of the predicted from the observed
            share of clicks, over ten bins. Whoever mixes scores with prices or other
            models takes them as probabilities.
        max_teacher_gap: On validation lists the student's NDCG@10 is not surely further
            below the teacher's. What the teacher knows and the student does not is a
            distillation that failed.
        min_teacher_correlation: On validation lists the rank correlation of the
            student's order with the teacher's is surely above it. A student who follows
            another order has not been taught.
        max_latency_ms: The 99th percentile over test lists of the time the signature
            takes for one list, in this process. A page waits for it.
        max_artifact_mib: The size of the SavedModel. Servers hold two versions in
            memory while they change them.
        serving_lists: How many test lists the serving check sends to each signature.
        serving_tolerance: The most that a score of the model server differs from the
            same model's score in this process; 0 takes what the export's precision
            allows. What was gated must be what is served.
        max_served_latency_ms: The 99th percentile over lists of the time a client waits
            for the model server. The page's own budget is a client's timeout of 1 s.

    Raises:
        ConfigError: A value is out of range or mistyped.
    """

    confidence: float = 0.975
    resamples: int = 4000
    seed: int = 0
    min_ndcg: float = 0.0
    max_ndcg: float = 0.98
    min_gain_over_initial: float = 0.01
    max_gain_over_initial: float = 0.15
    min_gain_over_blessed: float = 0.0
    max_gain_over_blessed: float = 0.1
    max_constant_share: float = 0.05
    min_slice_lists: int = 50
    min_slice_gain_over_initial: float = 0.0
    min_slice_gain_over_blessed: float = -0.02
    max_slice_gap: float = 0.1
    max_calibration_error: float = 0.1
    max_teacher_gap: float = 0.02
    min_teacher_correlation: float = 0.2
    max_latency_ms: float = 200.0
    max_artifact_mib: float = 512.0
    serving_lists: int = 32
    serving_tolerance: float = 0.0
    max_served_latency_ms: float = 500.0

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            kinds = int if field.type is int else int | float
            if isinstance(value, bool) or not isinstance(value, kinds):
                what = "a whole number" if field.type is int else "a number"
                raise _bad(field.name, value, f"must be {what}")
        if not 0.5 < self.confidence < 1:
            raise _bad("confidence", self.confidence, "must lie between 0.5 and 1")
        for name, least in (
            ("resamples", 1000),
            ("seed", 0),
            ("min_slice_lists", 2),
            ("serving_lists", 1),
            ("serving_tolerance", 0),
        ):
            if getattr(self, name) < least:
                raise _bad(name, getattr(self, name), f"must be at least {least}")

    def of_serving(self) -> dict[str, float]:
        """What the serving check looks at; it need not be done again for the rest."""
        return {name: getattr(self, name) for name in _OF_SERVING}


def _bad(name: str, value, remedy: str) -> ConfigError:
    return ConfigError(f"gate: {name}={value!r} {remedy}")


def reasons(kind: type = GateConfig) -> dict[str, str]:
    """Each field of a configuration to what its docstring says.

    >>> reasons()["max_latency_ms"].endswith("A page waits for it.")
    True
    """
    text = inspect.cleandoc(kind.__doc__)
    listed = text.partition("Args:\n")[2].partition("\nRaises:")[0]
    entries = re.split(r"\n(?= {4}\w+: )", "\n" + listed)
    pairs = (entry.strip().split(": ", 1) for entry in entries if entry.strip())
    return {name: " ".join(words.split()) for name, words in pairs}
