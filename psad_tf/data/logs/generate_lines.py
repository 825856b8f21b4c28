"""Lines of made-up raw files, a chunk at a time, without a loop over rows."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

CHUNK = 1 << 18  # lines that are held in memory at once
_STRIDE = 7_368_787  # a prime, larger than the steps between neighbouring ids


def chunks(total: int) -> Iterator[tuple[int, int, int]]:
    """Number, begin and end of each chunk of `total` lines."""
    for number, begin in enumerate(range(0, total, CHUNK)):
        yield number, begin, min(begin + CHUNK, total)


def texts(values) -> pa.Array:
    """Whole numbers, floats or texts as texts."""
    return pc.cast(pa.array(values), pa.string())


def constant(text: str, size: int) -> pa.Array:
    """The same text, `size` times."""
    return pa.repeat(pa.scalar(text), size)


def either(is_first: np.ndarray, first: str | pa.Array, second) -> pa.Array:
    """`[rows]` the first text where True, else the second."""
    return pc.if_else(pa.array(is_first), first, second)


def joined(columns: Sequence[pa.Array], separator: str) -> pa.Array:
    """`[rows]` one line a row, with its line end."""
    *rest, last = columns
    ended = pc.binary_join_element_wise(last, "\n", "")
    return pc.binary_join_element_wise(*rest, ended, separator)


def shuffled(parts: Sequence[pa.Array], random: np.random.Generator) -> pa.Array:
    """The lines of all parts in a random order."""
    lines = pa.concat_arrays(parts)
    return lines.take(pa.array(random.permutation(len(lines))))


def write_lines(file, lines: pa.Array) -> None:
    """Writes the lines to a file that is open for bytes."""
    lines = pa.concat_arrays([lines])  # of its own buffers, beginning at 0
    offsets = np.frombuffer(lines.buffers()[1], np.int32)
    begin, end = offsets[lines.offset], offsets[lines.offset + len(lines)]
    file.write(memoryview(lines.buffers()[2])[begin:end])


def zipf(random: np.random.Generator, size: int, kinds: int) -> np.ndarray:
    """`[size]` ranks from 0; rank r is drawn about 1/(r+1) as often as rank 0."""
    ranks = np.expm1(random.random(size) * np.log1p(kinds)).astype(np.int64)
    return np.minimum(ranks, kinds - 1)


def id_of(rank: np.ndarray, kinds: int) -> np.ndarray:
    """Ids from 1 to `kinds`, one a rank, in an order that says nothing of ranks."""
    stride = _STRIDE
    while np.gcd(stride, kinds) != 1:
        stride += 1
    return rank * stride % kinds + 1


def noise(rank: np.ndarray, salt: int) -> np.ndarray:
    """`[...]` a number in [0, 1) that belongs to a rank: no stream, so no order."""
    mixed = (rank.astype(np.uint64) + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return (mixed >> np.uint64(11)).astype(np.float64) / 2**53


def shares(total: int, kinds: Sequence[str]) -> dict[str, int]:
    """`total` dealt out to the kinds, as evenly as can be."""
    each, more = divmod(total, len(kinds))
    return {kind: each + (number < more) for number, kind in enumerate(kinds)}


def among(
    lines: pa.Array, others: Sequence[pa.Array], random: np.random.Generator
) -> pa.Array:
    """The lines in their order, with the others at random places between them."""
    size, more = len(lines), sum(map(len, others))
    place = np.concatenate([np.arange(size), random.random(more) * size])
    order = np.argsort(place, kind="stable")
    return pa.concat_arrays([lines, *others]).take(pa.array(order))
