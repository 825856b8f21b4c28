"""An attention block by matrix products, for any backend (eq 1-2).

`psad_tf.layers.fused_attention` does the same as one kernel. A source is what a block
makes of the rows that queries look at; how it is kept is up to the module that made it.
"""

import keras
from keras import ops

from psad_tf.layers.dense import side_by_side
from psad_tf.layers.position_bias import laid_out
from psad_tf.masking import mask_logits


def of_itself(block, rows):
    """What a block makes of rows that look at each other: queries, and a source."""
    made = heads(block, side_by_side((block.query, block.key, block.value), rows))
    return made[0], made[1:]


def queries(block, rows):
    """What a block looks with, of float `[batch, queries, dim]`."""
    return heads(block, block.query(rows))[0]


def sources(blocks, rows):
    """For each block a source: of `keys_and_values_of_rows` of these blocks.

    Here it is float `[2, batch, heads, keys, dim / heads]`: keys, then values.
    """
    return ops.split(heads(blocks[0], rows), len(blocks), axis=0)


def apply(block, rows, query, known, is_visible, bias, training):
    """What a block makes of the queries of all lists.

    Args:
        block: An `AttentionBlock`.
        rows: float `[batch, queries, dim]`, what the queries are of.
        query: From `queries` or `of_itself`.
        known: Sources, one behind the other.
        is_visible: bool `[batch, queries or 1, all keys]`.
        bias: float `[batch, queries, all keys]`, a `RelativeBias`, or None.
        training: Whether dropout is on.

    Returns:
        float `[batch, queries, dim]`.
    """
    source = known[0] if len(known) == 1 else ops.concatenate(known, axis=3)
    seen = block.mix(_seen(block, query, source, is_visible, bias))
    # From here on queries know nothing of each other: rows of all lists.
    hidden = ops.reshape(rows, (-1, rows.shape[-1]))
    hidden = block.attention_norm(hidden + block.drop(seen, training=training))
    wide = block.drop(block.ffn_out(block.ffn_in(hidden)), training=training)
    return ops.reshape(block.ffn_norm(hidden + wide), (-1, *rows.shape[1:]))


def _seen(block, query, source, is_visible, bias):
    key, value = source[0], source[1]
    # Products of large items overflow in float16, and softmax makes NaN of them.
    wide = keras.backend.result_type(block.compute_dtype, "float32")
    query, key = ops.cast(query, wide), ops.cast(key, wide)
    products = ops.matmul(query, ops.swapaxes(key, -1, -2))
    if bias is not None:
        bias = ops.cast(laid_out(bias)[:, None], wide)
    dim = query.shape[-1]
    weights = attention_weights(
        products, is_visible[:, None], bias, dim, block.placement
    )
    weights = ops.cast(weights, value.dtype)
    found = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
    return ops.reshape(found, (-1, block.num_heads * dim))


def heads(block, x):
    """`[batch, length, n dim]` to `[n, batch, heads, length, dim / heads]`."""
    count, dim = block.num_heads, block.query.units
    x = ops.reshape(x, (-1, x.shape[1], x.shape[-1] // dim, count, dim // count))
    return ops.transpose(x, (2, 0, 3, 1, 4))


def attention_weights(products, is_visible, bias, dim, placement):
    """Attention weights (eq 1).

        logits:  softmax(products / sqrt(dim) + bias)
        weights: softmax(products) / sqrt(dim) + bias, as the paper prints it

    Args:
        products: float `[batch, heads, queries, keys]`, queries times keys.
        is_visible: bool, broadcastable to `products`.
        bias: float, broadcastable to `products`; None is no bias and the usual scale.
        dim: Width of a head.
        placement: Where the bias is added: `logits` or `weights`.

    Returns:
        float `[batch, heads, queries, keys]`, 0 where not visible.
    """
    if bias is not None and placement == "weights":
        weights = ops.softmax(mask_logits(products, is_visible)) * dim**-0.5 + bias
        return ops.where(is_visible, weights, ops.zeros_like(weights))
    logits = products * dim**-0.5
    if bias is not None:
        logits = logits + bias
    return ops.softmax(mask_logits(logits, is_visible))
