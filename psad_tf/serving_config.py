"""How the served graph runs a request; light to import, so a run can check it first."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from psad_tf.errors import ConfigError
from psad_tf.features import FeatureSet

# Signatures that are there when asked for, by what asks for them.
EXTRA_SIGNATURES = {
    "rank_tensors": ("rank_tensors",),
    "rank_matrix": ("rank_matrix",),
    "user_side": ("user_side", "rank_with_user_side"),
}
PRECISIONS = ("float32", "bfloat16", "float16", "int8")
# What a model server replays before it calls itself ready; it refuses more.
MAX_WARMUP_RECORDS = 1000


@dataclass(frozen=True)
class ServingConfig:
    """How the served graph runs a request.

    Args:
        list_buckets: Widths at which lists are scored, increasing: a request takes the
            smallest that holds its longest list. The model's list length is always the
            last and needs no mention.
        history_buckets: The same of histories.
        batching: Whether lists of requests that come at the same time are scored
            together, inside the graph.
        batch_sizes: Lists scored at once, increasing; fewer are padded to the next
            size. A request of more lists than the last is scored by itself.
        batch_threads: Batches scored at the same time, by each signature and bucket.
        batch_timeout_micros: How long a list waits for others. With 0 a list waits
            only while all threads are busy.
        queue_batches: Full batches that may wait; a request beyond them is answered
            UNAVAILABLE at once.
        xla: Whether the scorer is compiled by XLA, for servers on GPU; then
            `rank_plain` is `rank` without. So that shapes are few, lists are filled up
            to the next of `batch_sizes`, whether or not there is `batching`.
        extra_signatures: Of `EXTRA_SIGNATURES`: `rank_tensors` takes what the transform
            makes, and `rank_matrix` the same as one matrix; `user_side` makes a user's
            side apart from the candidates, and `rank_with_user_side` takes it.
        precision: `float32`; `bfloat16` stores weights and computes in it; `float16`
            and `int8` store weights so and compute in float32.
        precision_tolerance: The most that mean NDCG@10 on validation lists may differ
            from the float32 scorer's; past it nothing is exported.
        onnx: Whether the scorer is written as an ONNX model too, beside the graph. It
            scores lists of full width, from what `rank_tensors` takes.

    Raises:
        ConfigError: A value is out of range, or two values do not fit together.
    """

    list_buckets: tuple[int, ...] = ()
    history_buckets: tuple[int, ...] = ()
    batching: bool = False
    batch_sizes: tuple[int, ...] = (1, 4, 16, 64)
    batch_threads: int = 2
    batch_timeout_micros: int = 0
    queue_batches: int = 16
    xla: bool = False
    extra_signatures: tuple[str, ...] = ()
    precision: str = "float32"
    precision_tolerance: float = 0.001
    onnx: bool = False

    def __post_init__(self):
        for name in ("list_buckets", "history_buckets", "batch_sizes"):
            _check_sizes(name, getattr(self, name))
        for name in ("batching", "xla", "onnx"):
            if not isinstance(getattr(self, name), bool):
                raise _bad(name, getattr(self, name), "must be true or false")
        least = {"batch_threads": 1, "batch_timeout_micros": 0, "queue_batches": 1}
        for name, bound in least.items():
            if not _is_whole(value := getattr(self, name)) or value < bound:
                raise _bad(name, value, f"must be a whole number from {bound} on")
        if not self.batch_sizes:
            raise _bad("batch_sizes", self.batch_sizes, "must name at least one size")
        if self.precision not in PRECISIONS:
            raise _bad("precision", self.precision, f"must be one of {PRECISIONS}")
        tolerance = self.precision_tolerance
        if not isinstance(tolerance, int | float) or not 0 <= tolerance <= 1:
            raise _bad("precision_tolerance", tolerance, "must be a number in 0..1")
        if self.onnx and self.precision == "bfloat16":
            raise _bad(
                "precision", "bfloat16", "has no ONNX form; choose another or no `onnx`"
            )
        extra = self.extra_signatures
        if not isinstance(extra, tuple) or not {*extra} <= {*EXTRA_SIGNATURES}:
            raise _bad(
                "extra_signatures", extra, f"must be of {sorted(EXTRA_SIGNATURES)}"
            )

    def to_dict(self) -> dict[str, Any]:
        """The values by name, with lists in place of tuples."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in _items(self)}

    def widths(self, features: FeatureSet) -> tuple[tuple[int, int], ...]:
        """The widths of list and history that there are, the smallest first."""
        return tuple(
            (m, n)
            for m in _with_full(self.list_buckets, features.list_length)
            for n in _with_full(self.history_buckets, features.history_length)
        )

    def signatures(self) -> tuple[str, ...]:
        """The names of the signatures."""
        found = ["serving_default", "rank", *(["rank_plain"] if self.xla else [])]
        for name in self.extra_signatures:
            found += EXTRA_SIGNATURES[name]
        return tuple(found)

    def compiled_signatures(self) -> tuple[str, ...]:
        """The names of those whose scorer XLA compiles."""
        able = {"serving_default", "rank", "rank_tensors", "rank_matrix"}
        compiled = able if self.xla else ()
        return tuple(name for name in self.signatures() if name in compiled)

    def warmup_sizes(self) -> tuple[int, ...]:
        """Of how many lists a warm-up request must be for nothing to be new later."""
        return self.batch_sizes if self.batching or self.xla else (1,)

    def check_fits(self, features: FeatureSet) -> None:
        """
        Raises:
            ConfigError: A bucket is wider than a data set's lists, or there are more
                buckets than a model server warms up.
        """
        for name, longest in (
            ("list_buckets", features.list_length),
            ("history_buckets", features.history_length),
        ):
            if max(getattr(self, name), default=0) > longest:
                raise _bad(
                    name,
                    getattr(self, name),
                    f"must not exceed {longest}, the most that {features.name} has",
                )
        shapes = len(self.widths(features)) * len(self.warmup_sizes())
        # And the smallest request of all.
        records = (shapes + 1) * len(self.signatures())
        if records > MAX_WARMUP_RECORDS:
            raise ConfigError(
                f"serving: {records} warm-up requests for list_buckets x "
                "history_buckets x batch_sizes x signatures; a model server refuses "
                f"more than {MAX_WARMUP_RECORDS}: name fewer buckets or batch_sizes"
            )


def serving_config(choices: Mapping[str, Any]) -> ServingConfig:
    """A configuration from some of its fields; lists stand for tuples.

    Raises:
        ConfigError: A field is unknown, or a value is out of range.
    """
    if not isinstance(choices, Mapping):
        raise ConfigError(f"serving: {choices!r} must be an object of named fields")
    known = [f.name for f in fields(ServingConfig)]
    if unknown := sorted(set(choices) - set(known)):
        raise ConfigError(f"serving: {unknown} are unknown; known: {known}")
    return ServingConfig(
        **{k: tuple(v) if isinstance(v, list) else v for k, v in choices.items()}
    )


def _items(config: ServingConfig):
    return asdict(config).items()


def _with_full(buckets: tuple[int, ...], full: int) -> tuple[int, ...]:
    return (*(b for b in buckets if b < full), full)


def _is_whole(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_sizes(name: str, sizes) -> None:
    is_tuple = isinstance(sizes, tuple) and all(map(_is_whole, sizes))
    if not is_tuple or sorted({*sizes}) != [*sizes] or min(sizes, default=1) < 1:
        raise _bad(name, sizes, "must be increasing whole numbers from 1 on")


def _bad(name: str, value, remedy: str) -> ConfigError:
    return ConfigError(f"serving: {name}={value!r} {remedy}")
