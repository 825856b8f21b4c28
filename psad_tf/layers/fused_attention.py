"""Attention and what follows it as one kernel, on JAX and NVIDIA's devices (eq 1-2).

Left to itself XLA writes logits, weights, the position bias laid out and the wide part
of the feed-forward layer to memory, and moves heads about between products: most of
what a list moves. Here they never leave the multiprocessor: queries, keys and values
are read from the rows that the dense layers made, the bias is looked up by distance,
and what was seen is mixed, added to the rows, normalised and fed forward. Queries, keys
and values are not made here: each list's program would read those weights anew, which
takes longer than one product of the rows of all lists. The functions are those of
`by_head`, which still serves training, few lists and long ones; numbers differ in their
last digits.
"""

import functools
import math
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
_LEAST_WIDTH, _MOST_DIM = 16, 128
_MOST_WEIGHTS = 4096  # of the feed-forward layer at a time: more are slow to compile
# Of a list: more logits than these don't fit into a program's registers.
_MOST_KEYS, _MOST_QUERIES = 256, 64
# Of fewer lists most multiprocessors are idle, and XLA's many kernels are done as soon
# or sooner.
_LEAST_LISTS = 100
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
        and min(dim // block.num_heads, _ffn_part(block)) >= _LEAST_WIDTH
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


def apply(block, rows, query, known, is_visible, bias, training):
    """As `by_head.apply`."""
    counts = tuple(source.rows.shape[1] for source in known)
    length = rows.shape[1]
    is_long = sum(map(padded, counts)) > _MOST_KEYS or length > _MOST_QUERIES
    if training or is_long or len(rows) < _LEAST_LISTS:
        query, known = _parted(block, query, known)
        return by_head.apply(block, rows, query, known, is_visible, bias, training)
    places = None if bias is None else ()
    if isinstance(bias, RelativeBias):
        keys = bias.values.shape[1] - bias.places + 1
        bias, places = bias.values, (bias.places, keys)
    dim = block.query.units
    layout = Layout(
        heads=block.num_heads,
        width=dim // block.num_heads,
        ffn_dim=block.ffn_dim,
        ffn_part=_ffn_part(block),
        queries=length,
        query=query.column,
        counts=counts,
        columns=tuple(source.column for source in known),
        places=places,
        epsilons=(block.attention_norm.epsilon, block.ffn_norm.epsilon),
    )
    is_visible = jnp.broadcast_to(is_visible, (len(rows), *is_visible.shape[1:]))
    return _apply(
        layout,
        block,
        query.rows,
        tuple(source.rows for source in known),
        is_visible,
        bias,
        rows,
        jax.tree.map(keras.ops.convert_to_tensor, _variables(block)),
    )


def _ffn_part(block):
    """As much of the feed-forward layer as a program holds at a time."""
    return math.gcd(block.ffn_dim, min(64, _MOST_WEIGHTS // block.query.units))


def _parted(block, query, known):
    """Queries and sources as `by_head` keeps them."""
    dim = block.query.units
    asked = query.rows[..., query.column : query.column + dim]
    parts = [x.rows[..., x.column : x.column + 2 * dim] for x in known]
    return by_head.heads(block, asked)[0], [by_head.heads(block, x) for x in parts]


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _apply(layout, block, query, sources, is_visible, bias, rows, weights):
    given = query, sources, is_visible.astype("int8"), bias, rows, weights
    leaves, form = jax.tree.flatten(given)

    def kernel(*refs):
        parts = jax.tree.unflatten(form, refs[:-1])
        attention_kernel.apply(*parts, refs[-1], layout=layout)

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
    logits, wide = rows * sum(layout.counts), layout.ffn_dim
    others = 9 * layout.heads * logits + 22 * rows * dim + 2 * rows * wide
    return pl.CostEstimate(
        flops=lists * (4 * logits * dim + 2 * rows * dim * (dim + 2 * wide)),
        transcendentals=lists * others,
        bytes_accessed=sum(x.nbytes for x in arrays) + lists * rows * dim * 4,
    )


def _by_products(layout, block, query, sources, is_visible, bias, rows, weights):
    """The same by `by_head`, for its gradient."""
    if layout.places:
        bias = RelativeBias(bias, layout.places[0], layout.queries)
    known = [Source(*x) for x in zip(sources, layout.columns, strict=True)]
    query, known = _parted(block, Source(query, layout.query), known)
    variables = jax.tree.leaves(_variables(block))
    given = [*zip(variables, jax.tree.leaves(weights), strict=True)]
    with keras.StatelessScope(given):
        return by_head.apply(block, rows, query, known, is_visible, bias, False)


def _variables(block):
    """The weights that the kernel reads, by layer."""
    dense = {name: getattr(block, name) for name in ("mix", "ffn_in", "ffn_out")}
    norms = {name: getattr(block, name) for name in ("attention_norm", "ffn_norm")}
    found = {name: (layer.kernel, layer.bias) for name, layer in dense.items()}
    return found | {name: (layer.gamma, layer.beta) for name, layer in norms.items()}


def _remember(layout, block, *arrays):
    return _apply(layout, block, *arrays), arrays


def _gradients(layout, block, arrays, up):
    query, sources, is_visible, *rest = arrays

    def by_products(query, sources, *rest):
        return _by_products(layout, block, query, sources, is_visible, *rest)

    dquery, dsources, *found = jax.vjp(by_products, query, sources, *rest)[1](up)
    return dquery, dsources, None, *found


_apply.defvjp(_remember, _gradients)
