"""Transformed lists as batches; which lists a step gets follows from its number.

The order is a function of the seed and the number of the pass, never of an iterator's
state: a training that goes on from step n reads on where another one stopped.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import tensorflow as tf

from psad_tf import tensors
from psad_tf.data.errors import DataError

MEMORY = 1 << 30  # bytes of lists that are kept in memory
_FILES_AT_ONCE = 16
_STEPS = tf.int64.max  # more than any training takes


def model_inputs(transformed: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """The model's inputs among the transform's outputs, validity as booleans."""
    inputs = {name: transformed[name] for name in tensors.INPUTS}
    for name in (tensors.CANDIDATE_IS_VALID, tensors.HISTORY_IS_VALID):
        inputs[name] = tf.cast(inputs[name], tf.bool)
    return inputs


@dataclass(frozen=True)
class Lists:
    """The transformed lists of a split.

    Args:
        files: Gzipped TFRecord files, sorted by name.
        spec: The transform's output specification.
        batch_size: Lists a step; the last one of a pass may have fewer.
        seed: Shuffles each pass in another way; None keeps one order.
        count: How many lists there are.
        size: How many bytes they have, serialized.
        fingerprint: Of their content.
        memory: Bytes to keep in memory.
        kept: All lists, sorted, where they fit into that memory.
    """

    files: tuple[str, ...]
    spec: Mapping
    batch_size: int
    seed: int | None
    count: int
    size: int
    fingerprint: str
    memory: int
    kept: tuple[bytes, ...] | None = field(repr=False)

    @property
    def steps(self) -> int:
        """Batches of one pass."""
        return math.ceil(self.count / self.batch_size)

    def batches(self, first_step: int = 0) -> tf.data.Dataset:
        """Pass after pass without end: string `[batch]`, serialized lists.

        Args:
            first_step: The number of the first batch, over all passes.
        """
        number, skipped = divmod(first_step, self.steps)
        one_pass = self._streamed if self.kept is None else self._from_memory()
        passes = tf.data.Dataset.range(number, _STEPS)
        return passes.flat_map(one_pass).skip(skipped)

    def once(self) -> tf.data.Dataset:
        """The first pass, as batches of `(inputs, labels)`."""
        return self.parsed(self.batches().take(self.steps))

    def parsed(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Serialized lists `[batch]`, and what else comes with them, as the model's.

        Args:
            batches: Of strings, or of tuples of strings and more; `(inputs, labels)`
                come in the strings' place.
        """

        def parse(batch, *more):
            transformed = tf.io.parse_example(batch, self.spec)
            return model_inputs(transformed), transformed[tensors.LABEL], *more

        batches = batches.map(parse, num_parallel_calls=2)
        return batches.prefetch(tf.data.AUTOTUNE)

    def _from_memory(self):
        """The number of a pass to its batches: a permutation of all lists."""
        lists = tf.constant(self.kept)

        def one_pass(number):
            order = self._shuffled(tf.range(self.count), number)
            dataset = tf.data.Dataset.from_tensor_slices(order).batch(self.batch_size)
            return dataset.map(lambda chosen: tf.gather(lists, chosen))

        return one_pass

    def _streamed(self, number):
        """As `_from_memory`: files and chunks of lists shuffled, never all lists."""
        # A chunk and its shuffled copy are there at once.
        chunk = max(1, self.count * self.memory // self.size // 2)
        dataset = tf.data.Dataset.from_tensor_slices(
            self._shuffled(tf.constant(self.files), number)
        ).interleave(
            lambda name: tf.data.TFRecordDataset(name, "GZIP"),
            cycle_length=_FILES_AT_ONCE,
            num_parallel_calls=2,
            deterministic=True,
        )
        if self.seed is not None:
            dataset = dataset.batch(chunk).enumerate()
            dataset = dataset.map(lambda i, x: self._shuffled(x, number + i * 2**32))
            dataset = dataset.unbatch()
        return dataset.batch(self.batch_size)

    def _shuffled(self, values, number):
        if self.seed is None:
            return values
        seed = tf.stack([tf.constant(self.seed, tf.int64), tf.cast(number, tf.int64)])
        return tf.random.experimental.stateless_shuffle(values, seed)


def read_lists(
    files, spec, batch_size: int, seed: int | None = None, memory: int = MEMORY
) -> Lists:
    """Reads the transformed lists of a split once: how many, which, do they fit.

    Where they fit into memory, neither how many files there are nor the order of lists
    and of features in them, which change from run to run, matters to their order.

    Args:
        files: File patterns.
        spec: The transform's output specification.
        batch_size: Lists a step; none is dropped.
        seed: Shuffles each pass in another way; None keeps one order.
        memory: Bytes of lists to keep; more of them are read from their files again.

    Raises:
        DataError: No list was found.
    """
    names = sorted({n for pattern in files for n in tf.io.gfile.glob(pattern)})
    kept, count, size, content = [], 0, 0, 0
    for written in tf.data.TFRecordDataset(names, "GZIP").as_numpy_iterator():
        example = tf.train.Example.FromString(written)
        record = example.SerializeToString(deterministic=True)
        count, size = count + 1, size + len(record)
        # A sum, so that the order of the files is no part of it.
        content += int.from_bytes(hashlib.sha256(record).digest()[:16])
        if kept is not None:
            kept.append(record)
        if size > memory:
            kept = None
    if not count:
        raise DataError(
            f"no lists in {list(files)}: this split is empty; check the counts of the "
            "data step (summary.json) and give it a longer log"
        )
    fingerprint = f"{count}-{content % (1 << 128):032x}"
    kept = None if kept is None else tuple(sorted(kept))
    return Lists(
        tuple(names), spec, batch_size, seed, count, size, fingerprint, memory, kept
    )
