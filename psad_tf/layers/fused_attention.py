"""Attention and what follows it as one kernel, on JAX and NVIDIA's devices (eq 1).

Left to itself XLA writes logits, weights and the position bias laid out to memory, and
moves heads about between products: half of what a list moves. Here they never leave the
multiprocessor: queries, keys and values are read from the rows that the dense layers
made, the bias is looked up by distance, and what was seen is mixed, added to the rows
and normalised. The functions are those of `by_head`, which still attends in training,
for few lists and for long ones; numbers differ in their last digits.
"""

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import keras
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

from psad_tf.layers import attention_kernel, by_head
from psad_tf.layers.attention_kernel import Layout, padded
from psad_tf.layers.dense import side_by_side
from psad_tf.layers.position_bias import RelativeBias

# Triton multiplies blocks of powers of two, of at least 16.
_LEAST_WIDTH, _MOST_DIM = 16, 256
# Of a list: more logits than these don't fit into a program's registers.
_MOST_KEYS, _MOST_QUERIES = 256, 64
# Of fewer lists most multiprocessors are idle, and XLA's many kernels are done as soon
# or sooner. On an H100 the student took 9 % longer for 64 lists, as long for 128 and
# 22 % less for 256.
_LEAST_LISTS = 200
_PARAMETERS = triton.CompilerParams(num_warps=4, num_stages=1)


@dataclass(frozen=True)
class Source:
    """Rows that hold what is looked at, or what looks.

    Args:
        rows: float `[batch, length, columns]`.
        column: The first one; of keys, values are behind them.
    """

    rows: Any
    column: int


def suits(block) -> bool:
    """Whether a block can attend so, here."""
    dim = block.query.units
    return (
        jax.default_backend() == "gpu"
        # A kernel is not divided among devices by the compiler.
        and keras.distribution.distribution() is None
        and block.placement == "logits"
        and dim == pl.next_power_of_2(dim) <= _MOST_DIM
        and dim // block.num_heads >= _LEAST_WIDTH
    )


def of_itself(block, rows):
    """As `by_head.of_itself`."""
    made = side_by_side((block.query, block.key, block.value), rows)
    return Source(made, 0), Source(made, block.query.units)


def queries(block, rows):
    """As `by_head.queries`."""
    return Source(block.query(rows), 0)


def sources(blocks, rows):
    """As `by_head.sources`."""
    dim = blocks[0].query.units
    return [Source(rows, 2 * dim * i) for i in range(len(blocks))]


def attended(block, rows, query, known, is_visible, bias, training):
    """As `by_head.attended`."""
    counts = tuple(source.rows.shape[1] for source in known)
    length = rows.shape[1]
    is_long = sum(map(padded, counts)) > _MOST_KEYS or length > _MOST_QUERIES
    if training or is_long or len(rows) < _LEAST_LISTS:
        query, known = _parted(block, query, known)
        return by_head.attended(block, rows, query, known, is_visible, bias, training)
    places = None if bias is None else ()
    if isinstance(bias, RelativeBias):
        keys = bias.values.shape[1] - bias.places + 1
        bias, places = bias.values, (bias.places, keys)
    dim = block.query.units
    layout = Layout(
        heads=block.num_heads,
        width=dim // block.num_heads,
        queries=length,
        query=query.column,
        counts=counts,
        columns=tuple(source.column for source in known),
        places=places,
        epsilon=block.attention_norm.epsilon,
    )
    is_visible = jnp.broadcast_to(is_visible, (len(rows), *is_visible.shape[1:]))
    found = _attend(
        layout,
        block,
        query.rows,
        tuple(source.rows for source in known),
        is_visible,
        bias,
        rows,
        tuple(keras.ops.convert_to_tensor(w) for w in _weights(block)),
    )
    return found.reshape(-1, dim)


def _parted(block, query, known):
    """Queries and sources as `by_head` keeps them."""
    dim = block.query.units
    asked = query.rows[..., query.column : query.column + dim]
    parts = [x.rows[..., x.column : x.column + 2 * dim] for x in known]
    return by_head.heads(block, asked)[0], [by_head.heads(block, x) for x in parts]


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _attend(layout, block, query, sources, is_visible, bias, rows, weights):
    given = query, sources, is_visible.astype("int8"), bias, rows, weights
    leaves, form = jax.tree.flatten(given)

    def kernel(*refs):
        *parts, (kernel, shift, gamma, beta) = jax.tree.unflatten(form, refs[:-1])
        mix, norm = (kernel, shift), (gamma, beta)
        attention_kernel.attend(*parts, mix, norm, refs[-1], layout=layout)

    return pl.pallas_call(
        kernel,
        grid=(len(rows),),
        out_shape=jax.ShapeDtypeStruct(rows.shape, rows.dtype),
        compiler_params=_PARAMETERS,
        cost_estimate=_cost(layout, leaves),
        name="attention",
    )(*leaves)


def _cost(layout, arrays):
    """What it does: of `transcendentals` all that is no product."""
    lists, rows, dim = len(arrays[0]), layout.queries, layout.dim
    logits = rows * sum(layout.counts)
    return pl.CostEstimate(
        flops=lists * (4 * logits * dim + 2 * rows * dim * dim),
        transcendentals=lists * (9 * layout.heads * logits + 11 * rows * dim),
        bytes_accessed=sum(x.nbytes for x in arrays) + lists * rows * dim * 4,
    )


def _by_products(layout, block, query, sources, is_visible, bias, rows, weights):
    """The same by `by_head`, for its gradient."""
    if layout.places:
        bias = RelativeBias(bias, layout.places[0], layout.queries)
    known = [Source(*x) for x in zip(sources, layout.columns, strict=True)]
    query, known = _parted(block, Source(query, layout.query), known)
    with keras.StatelessScope([*zip(_weights(block), weights, strict=True)]):
        found = by_head.attended(block, rows, query, known, is_visible, bias, False)
    return found.reshape(rows.shape)


def _weights(block):
    mix, norm = block.mix, block.attention_norm
    return mix.kernel, mix.bias, norm.gamma, norm.beta


def _remember(layout, block, *arrays):
    return _attend(layout, block, *arrays), arrays


def _gradients(layout, block, arrays, up):
    query, sources, is_visible, *rest = arrays

    def by_products(query, sources, *rest):
        return _by_products(layout, block, query, sources, is_visible, *rest)

    dquery, dsources, *found = jax.vjp(by_products, query, sources, *rest)[1](up)
    return dquery, dsources, None, *found


_attend.defvjp(_remember, _gradients)
