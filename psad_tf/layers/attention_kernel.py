"""The kernel of `psad_tf.layers.fused_attention`, in Pallas for Triton.

A program has one list. What it reads of it is padded to powers of two, which Triton
asks for; padding weighs nothing.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

from psad_tf.masking import mask_logit

_LEAST = 16  # of a side of a product


class Layout(NamedTuple):
    """Where the kernel finds what it reads, and what it does with it.

    Args:
        heads: Heads.
        width: Of a head.
        ffn_dim: Width of the feed-forward layer.
        ffn_part: As much of that as is made at a time; divides it.
        queries: Queries of a list.
        query: The first column of the queries in their rows.
        counts: Of each source, its keys.
        columns: Of each source, the first column of its keys; its values are behind.
        places: Of a relative bias, the places of queries and of keys: see
            `RelativeBias`. () is a bias laid out, None is none.
        epsilons: Of both normalisations.
    """

    heads: int
    width: int
    ffn_dim: int
    ffn_part: int
    queries: int
    query: int
    counts: tuple[int, ...]
    columns: tuple[int, ...]
    places: tuple[int, ...] | None
    epsilons: tuple[float, float]

    @property
    def dim(self) -> int:
        return self.heads * self.width


def padded(count: int) -> int:
    """The rows of a block that holds so many."""
    return max(_LEAST, pl.next_power_of_2(count))


def apply(query, sources, is_visible, bias, rows, weights, out, *, layout):
    """What a block makes of a list, once queries, keys and values are there.

    Args:
        query: Rows of queries, `[batch, queries, ...]`.
        sources: Rows of keys and values, each `[batch, keys, ...]`.
        is_visible: int8 `[batch, 1 or queries, all keys]`.
        bias: `[batch, queries, all keys]`, `[batch, values]`, or None.
        rows: `[batch, queries, dim]`, what queries are of.
        weights: Of each layer by name what it multiplies with and what it adds.
        out: `[batch, queries, dim]`, written.
        layout: Where things are.
    """
    kernel, shift = weights["mix"]
    looks = _looks(is_visible, bias, layout)
    mixed, every = _row(shift), (0, layout.dim)
    for head in range(layout.heads):
        column = head * layout.width
        seen = _seen(query, sources, looks, column, layout)
        part = _matrix(kernel, (column, layout.width), every)
        mixed += _product(seen, part.astype(seen.dtype))
    given = _of_list(rows, layout.queries, 0, layout.dim).astype(jnp.float32)
    hidden = _normal(given + mixed, weights["attention_norm"], layout.epsilons[0])
    hidden = hidden.astype(out.dtype)
    (into, into_shift), (back, back_shift) = weights["ffn_in"], weights["ffn_out"]
    wide = hidden.astype(jnp.float32) + _row(back_shift)
    for first in range(0, layout.ffn_dim, layout.ffn_part):
        part = first, layout.ffn_part
        inner = _product(hidden, _matrix(into, every, part).astype(hidden.dtype))
        inner = jnp.maximum(inner + _row(into_shift, part), 0).astype(hidden.dtype)
        wide += _product(inner, _matrix(back, part, every).astype(hidden.dtype))
    normal = _normal(wide, weights["ffn_norm"], layout.epsilons[1])
    at, mask = _place(out, layout.queries, 0, layout.dim)
    triton.store(at, normal.astype(out.dtype), mask=mask)


def _looks(is_visible, bias, layout):
    """Of each source the bias, what is visible, and which keys there are."""
    found, first = [], 0
    for count in layout.counts:
        row, key = _indices((padded(layout.queries), padded(count)))
        is_key = key < count
        is_there = is_key & (row < layout.queries)
        # Nothing is read beyond the ends.
        row, key = jnp.where(is_there, row, 0), jnp.where(is_there, key + first, 0)
        added = 0.0
        if bias is not None:
            if layout.places:
                queries, keys = layout.places
                near = jnp.minimum(key, keys - 1) - jnp.minimum(row, queries - 1)
                at = bias.at[_list(), near + queries - 1]  # as `lay_out` says
            else:
                at = bias.at[_list(), row, key]
            added = triton.load(at, mask=is_there, other=0).astype(jnp.float32)
        row = row if is_visible.shape[1] > 1 else jnp.zeros_like(row)
        at = is_visible.at[_list(), row, key]
        visible = triton.load(at, mask=is_there, other=0) != 0
        found.append((added, visible, is_key))
        first += count
    return found


def _seen(query, sources, looks, column, layout):
    """The mean of the values that each query sees with a head: `[queries, width]`."""
    asked = _of_list(query, layout.queries, layout.query + column, layout.width)
    logits, values = [], []
    parts = zip(sources, layout.counts, layout.columns, looks, strict=True)
    for source, count, start, (added, visible, is_key) in parts:
        start += column
        key = _of_list(source, count, start, layout.width)
        values.append(_of_list(source, count, start + layout.dim, layout.width))
        found = _product(asked, key, of_b=1) * layout.width**-0.5 + added
        # What is not visible counts where nothing is; what only fills a block never.
        found = jnp.where(visible, found, mask_logit("float32"))
        logits.append(jnp.where(is_key, found, -jnp.inf))
    top = functools.reduce(jnp.maximum, (x.max(axis=1) for x in logits))
    powers = [jnp.exp(x - top[:, None]) for x in logits]
    total = sum(x.sum(axis=1) for x in powers)
    pairs = zip(powers, values, strict=True)
    seen = sum(_product(power.astype(x.dtype), x) for power, x in pairs)
    return (seen / total[:, None]).astype(asked.dtype)


def _normal(rows, weights, epsilon):
    centred = rows - rows.mean(axis=1, keepdims=True)
    variance = jnp.square(centred).mean(axis=1, keepdims=True)
    scale, shift = map(_row, weights)
    return centred * jax.lax.rsqrt(variance + epsilon) * scale + shift


def _list():
    """Which list this program has."""
    return pl.program_id(0)


def _indices(shape):
    """Row and column of each value of a block."""
    row = jnp.broadcast_to(jnp.arange(shape[0])[:, None], shape)
    return row, jnp.broadcast_to(jnp.arange(shape[1])[None], shape)


def _place(ref, rows, column, columns):
    """A reference to rows of the program's list, and which of a block there are."""
    at_row, at_column = _indices((padded(rows), columns))
    return ref.at[_list(), at_row, at_column + column], at_row < rows


def _of_list(ref, rows, column, columns):
    at, mask = _place(ref, rows, column, columns)
    return triton.load(at, mask=mask, other=0)


def _matrix(ref, rows, columns):
    """A part of a matrix: the first row and how many, columns alike."""
    at_row, at_column = _indices((rows[1], columns[1]))
    return triton.load(ref.at[at_row + rows[0], at_column + columns[0]])


def _row(ref, part=None):
    """A vector, or a part of it (the first value and how many), as a row."""
    first, count = part or (0, ref.shape[0])
    found = triton.load(ref.at[jnp.arange(count) + first])
    return found.astype(jnp.float32)[None]


def _product(a, b, of_b=0):
    """The sum over the last axis of one and an axis of the other, in float32."""
    axes = ((1,), (of_b,)), ((), ())
    return jax.lax.dot_general(a, b, axes, preferred_element_type=jnp.float32)
