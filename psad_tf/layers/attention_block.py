"""Attention and feed-forward: a layer of the encoder (eq 1-2) or decoder (eq 3)."""

import keras

from psad_tf.layers import by_head
from psad_tf.layers.dense import Dense, side_by_side
from psad_tf.layers.layer_normalization import LayerNormalization

if keras.backend.backend() == "jax":
    from psad_tf.layers import fused_attention
else:
    fused_attention = None


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

    def call(self, queries, keys, is_visible, bias=None, training=False, known=()):
        """Attends.

        Args:
            queries: float `[batch, queries, dim]`.
            keys: float `[batch, keys, key_dim]`; also give the values.
            is_visible: bool `[batch, queries or 1, all keys]`.
            bias: float `[batch, queries, all keys]`, a `RelativeBias`, or None.
            training: Whether dropout is on.
            known: Of more keys, which come before the others: this layer's parts of
                `keys_and_values`.

        Returns:
            float `[batch, queries, dim]`.
        """
        way = way_of(self)
        if queries is keys:
            query, own = way.of_itself(self, keys)
        else:
            query, (own,) = way.queries(self, queries), keys_and_values((self,), keys)
        every = (*known, own)
        return way.apply(self, queries, query, every, is_visible, bias, training)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "ffn_dim": self.ffn_dim,
            "dropout": self.dropout,
            "placement": self.placement,
        }


def way_of(block):
    """The module that does what a block does."""
    if fused_attention and fused_attention.suits(block):
        return fused_attention
    return by_head


def keys_and_values(blocks, rows):
    """What queries of several blocks look at: made once, for any number of calls.

    Args:
        blocks: `AttentionBlock`s that look at the same rows.
        rows: float `[batch, keys, key_dim]`.

    Returns:
        A source for each block: see `psad_tf.layers.by_head`.
    """
    return sources(blocks, keys_and_values_of_rows(blocks, rows))


def keys_and_values_of_rows(blocks, rows, bias=True):
    """The same before it is parted: float `[batch, keys, blocks * 2 dim]`.

    Args:
        blocks, rows: As for `keys_and_values`.
        bias: Whether what the values add is added: once, in a sum of such rows.
    """
    layers = [layer for block in blocks for layer in (block.key, block.value)]
    return side_by_side(layers, rows, bias)


def sources(blocks, rows):
    """Each block's part of `keys_and_values_of_rows`, as `keys_and_values` gives it."""
    return way_of(blocks[0]).sources(blocks, rows)
