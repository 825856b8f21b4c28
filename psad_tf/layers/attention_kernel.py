"""The kernel of `psad_tf.layers.fused_attention`, in Pallas for Triton.

A program has one list. What it reads is padded to powers of two, which Triton asks for;
padding weighs nothing.
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
        queries: Queries of a list.
        query: The first column of the queries in their rows.
        counts: Of each source, its keys.
        columns: Of each source, the first column of its keys; its values are behind.
        places: Of a relative bias, the places of queries and of keys: see
            `RelativeBias`. () is a bias laid out, None is none.
        epsilon: Of the normalisation.
    """

    heads: int
    width: int
    queries: int
    query: int
    counts: tuple[int, ...]
    columns: tuple[int, ...]
    places: tuple[int, ...] | None
    epsilon: float

    @property
    def dim(self) -> int:
        return self.heads * self.width


def padded(count: int) -> int:
    """The rows of a block that holds so many."""
    return max(_LEAST, pl.next_power_of_2(count))


def attend(query, sources, is_visible, bias, rows, mix, norm, out, *, layout):
    """What the queries of a list see is mixed, added to their rows and normalised.

    Args:
        query: Rows of queries, `[batch, queries, ...]`.
        sources: Rows of keys and values, each `[batch, keys, ...]`.
        is_visible: int8 `[batch, 1 or queries, all keys]`.
        bias: `[batch, queries, all keys]`, `[batch, values]`, or None.
        rows: `[batch, queries, dim]`, what is added.
        mix: Weights `[dim, dim]` and what is added, `[dim]`.
        norm: Scale and what is added, `[dim]` each.
        out: `[batch, queries, dim]`, written.
        layout: Where things are.
    """
    mixed, looks = _row(mix[1]), _looks(is_visible, bias, layout)
    for head in range(layout.heads):
        column = head * layout.width
        seen = _seen(query, sources, looks, column, layout)
        weights = _read(*_block(mix[0], (), column, layout.width, 0, layout.dim))
        mixed += _product(seen, weights.astype(seen.dtype))
    place = _block(rows, _list(), 0, layout.queries, 0, layout.dim)
    hidden = _read(*place).astype(jnp.float32) + mixed
    centred = hidden - hidden.mean(axis=1, keepdims=True)
    variance = jnp.square(centred).mean(axis=1, keepdims=True)
    normal = centred * jax.lax.rsqrt(variance + layout.epsilon)
    normal = normal * _row(norm[0]) + _row(norm[1])
    at, mask = _block(out, _list(), 0, layout.queries, 0, layout.dim)
    triton.store(at, normal.astype(out.dtype), mask=mask)


def _looks(is_visible, bias, layout):
    """Of each source the bias, what is visible, and which keys there are."""
    found, first = [], 0
    for count in layout.counts:
        row, key = _places((padded(layout.queries), padded(count)))
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
            added = _read(at, is_there).astype(jnp.float32)
        row = row if is_visible.shape[1] > 1 else jnp.zeros_like(row)
        visible = _read(is_visible.at[_list(), row, key], is_there) != 0
        found.append((added, visible, is_key))
        first += count
    return found


def _seen(query, sources, looks, column, layout):
    """The mean of the values that each query sees with a head: `[queries, width]`."""
    size = layout.queries, layout.query + column, layout.width
    asked = _read(*_block(query, _list(), 0, *size))
    logits, values = [], []
    parts = zip(sources, layout.counts, layout.columns, looks, strict=True)
    for source, count, start, (added, visible, is_key) in parts:
        start += column
        key = _read(*_block(source, _list(), 0, count, start, layout.width))
        start += layout.dim
        values.append(_read(*_block(source, _list(), 0, count, start, layout.width)))
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


def _list():
    """Which list this program has."""
    return pl.program_id(0)


def _places(shape):
    """Row and column of each value of a block."""
    row = jnp.broadcast_to(jnp.arange(shape[0])[:, None], shape)
    return row, jnp.broadcast_to(jnp.arange(shape[1])[None], shape)


def _block(ref, place, row, rows, column, columns):
    """A reference to rows and columns of a matrix, and which of a block there are."""
    at_row, at_column = _places((padded(rows), columns))
    place = (place,) if not isinstance(place, tuple) else place
    where = (*place, at_row + row, at_column + column)
    return ref.at[where], at_row < rows


def _row(ref):
    return _read(ref.at[jnp.arange(ref.shape[0])], None).astype(jnp.float32)[None]


def _read(at, mask):
    if mask is None:
        return triton.load(at)
    return triton.load(at, mask=mask, other=0)


def _product(a, b, of_b=0):
    """The sum over the last axis of one and an axis of the other, in float32."""
    axes = ((1,), (of_b,)), ((), ())
    return jax.lax.dot_general(a, b, axes, preferred_element_type=jnp.float32)
