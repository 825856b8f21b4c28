"""Attention and feed-forward: a layer of the encoder (eq 1-2) or decoder (eq 3)."""

import keras
from keras import ops

from psad_tf.layers.dense import Dense, side_by_side
from psad_tf.layers.layer_normalization import LayerNormalization
from psad_tf.masking import mask_logits


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


@keras.saving.register_keras_serializable(package="psad_tf")
class AttentionBlock(keras.layers.Layer):
    """Attention, then a feed-forward layer; each is added to its input and normalised.

    Args:
        num_heads: Heads; divides the width of the queries.
        ffn_dim: Width of the feed-forward layer.
        dropout: Rate of dropout before each addition.
        placement: Where a position bias is added: `logits` or `weights`.
    """

    def __init__(self, num_heads, ffn_dim, dropout=0.0, placement="logits", **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.ffn_dim = ffn_dim
        self.dropout = dropout
        self.placement = placement

    @classmethod
    def of(cls, config, **kwargs) -> "AttentionBlock":
        """A block of the size that a `PSADConfig` asks for."""
        ffn_dim = config.ffn_multiple * config.hidden_dim
        return cls(config.num_heads, ffn_dim, config.dropout, **kwargs)

    def build(self, queries_shape, keys_shape, is_visible_shape=None, bias_shape=None):
        dim, policy = queries_shape[-1], self.dtype_policy

        def dense(units, name, input_shape, **kwargs):
            layer = Dense(units, name=name, dtype=policy, **kwargs)
            layer.build(input_shape)
            return layer

        def norm(name):
            layer = LayerNormalization(name=name, dtype=policy)
            layer.build(queries_shape)
            return layer

        self.query = dense(dim, "query", queries_shape)
        # A bias on keys shifts all logits of a query alike, so it would never learn.
        self.key = dense(dim, "key", keys_shape, use_bias=False)
        self.value = dense(dim, "value", keys_shape)
        self.mix = dense(dim, "mix", queries_shape)
        self.attention_norm = norm("attention_norm")
        self.ffn_in = dense(self.ffn_dim, "ffn_in", queries_shape, activation="relu")
        self.ffn_out = dense(dim, "ffn_out", (*queries_shape[:-1], self.ffn_dim))
        self.ffn_norm = norm("ffn_norm")
        self.drop = keras.layers.Dropout(self.dropout, dtype=policy)

    def call(self, queries, keys, is_visible, bias=None, training=False, known=None):
        """Attends.

        Args:
            queries: float `[batch, queries, dim]`.
            keys: float `[batch, keys, key_dim]`; also give the values.
            is_visible: bool `[batch, queries or 1, all keys]`.
            bias: float `[batch, queries, all keys]`, or None.
            training: Whether dropout is on.
            known: Of more keys, which come before the others: this layer's part of
                `keys_and_values`. None is of none.

        Returns:
            float `[batch, queries, dim]`.
        """
        if queries is keys:
            parts = self.query, self.key, self.value
            made = self.heads(side_by_side(parts, keys))
            query, own = made[0], made[1:]
        else:
            query = self.heads(self.query(queries))[0]
            (own,) = keys_and_values((self,), keys)
        known = own if known is None else ops.concatenate([known, own], axis=3)
        # From here on queries know nothing of each other: rows of all lists.
        rows = ops.reshape(queries, (-1, queries.shape[-1]))
        attended = self.mix(self._mixed(query, known, is_visible, bias))
        hidden = self.attention_norm(rows + self.drop(attended, training=training))
        wide = self.ffn_out(self.ffn_in(hidden))
        rows = self.ffn_norm(hidden + self.drop(wide, training=training))
        return ops.reshape(rows, (-1, *queries.shape[1:]))

    def _mixed(self, query, known, is_visible, bias):
        """What the queries of all lists see, as rows: `[batch * queries, dim]`."""
        key, value = known[0], known[1]
        # Products of large items overflow in float16, and softmax makes NaN of them.
        wide = keras.backend.result_type(self.compute_dtype, "float32")
        query, key = ops.cast(query, wide), ops.cast(key, wide)
        products = ops.matmul(query, ops.swapaxes(key, -1, -2))
        bias = None if bias is None else ops.cast(bias[:, None], wide)
        dim = query.shape[-1]
        weights = attention_weights(
            products, is_visible[:, None], bias, dim, self.placement
        )
        weights = ops.cast(weights, value.dtype)
        mixed = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        return ops.reshape(mixed, (-1, self.num_heads * dim))

    def heads(self, x):
        """`[batch, length, n dim]` to `[n, batch, heads, length, dim / heads]`."""
        heads, dim = self.num_heads, self.query.units
        x = ops.reshape(x, (-1, x.shape[1], x.shape[-1] // dim, heads, dim // heads))
        return ops.transpose(x, (2, 0, 3, 1, 4))

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "ffn_dim": self.ffn_dim,
            "dropout": self.dropout,
            "placement": self.placement,
        }


def keys_and_values(blocks, rows):
    """What queries of several blocks look at: made once, for any number of calls.

    Args:
        blocks: `AttentionBlock`s that look at the same rows.
        rows: float `[batch, keys, key_dim]`.

    Returns:
        For each block, float `[2, batch, heads, keys, dim / heads]`: keys, then values.
    """
    return by_head(blocks, keys_and_values_of_rows(blocks, rows))


def keys_and_values_of_rows(blocks, rows, bias=True):
    """The same before it is parted: float `[batch, keys, blocks * 2 dim]`.

    Args:
        blocks, rows: As for `keys_and_values`.
        bias: Whether what the values add is added: once, in a sum of such rows.
    """
    layers = [layer for block in blocks for layer in (block.key, block.value)]
    return side_by_side(layers, rows, bias)


def by_head(blocks, rows):
    """Each block's part of `keys_and_values_of_rows`, as `keys_and_values` gives it."""
    return ops.split(blocks[0].heads(rows), len(blocks), axis=0)
