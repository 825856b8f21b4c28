"""The encoder that generator and scorer share (eq 1-2, eq 13)."""

import keras
from keras import ops

from psad_tf.layers.attention_block import AttentionBlock, keys_and_values
from psad_tf.layers.position_bias import PersonalizedPositionBias


@keras.saving.register_keras_serializable(package="psad_tf")
class SharedEncoder(keras.layers.Layer):
    """Self-attention over a sequence of items, for the states of its last ones.

    The sequence is the history with the candidates behind it. The candidates' states
    are all that is wanted, so the last layer computes no others.

    Args:
        num_layers: Layers, each with a position bias of its own.
        num_heads: Attention heads.
        ffn_dim: Width of the feed-forward layers.
        num_states: Items, at the end of the sequence, whose states are wanted.
        dropout: Rate of dropout.
        position: Kind of the position bias: `relative` or `table`.
        placement: Where it is added: `logits` or `weights`.
        personal: Whether it is fitted to the user.
        candidates: Whether the last items are in one position, a `set`, or each
            in a position of its own, anything else.
        history: Whether the items before are `encoded` too, or only `attended` to, as
            they came in, by the last ones.
    """

    def __init__(
        self,
        num_layers,
        num_heads,
        ffn_dim,
        num_states,
        dropout=0.0,
        position="relative",
        placement="logits",
        personal=True,
        candidates="sequence",
        history="encoded",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.ffn_dim = ffn_dim
        self.num_states = num_states
        self.dropout = dropout
        self.position = position
        self.placement = placement
        self.personal = personal
        self.candidates = candidates
        self.history = history

    def build(self, items_shape, is_valid_shape, user_shape):
        length, dim = items_shape[1:]
        self.biases, self.blocks = [], []
        for i in range(self.num_layers):
            is_whole = self.history == "encoded" and i < self.num_layers - 1
            rows = length if is_whole else self.num_states
            shared = self.num_states - 1 if self.candidates == "set" else 0
            bias = PersonalizedPositionBias(
                rows - shared,
                length - shared,
                kind=self.position,
                personal=self.personal,
                dtype=self.dtype_policy,
                name=f"position_bias_{i}",
            )
            block = AttentionBlock(
                self.num_heads,
                self.ffn_dim,
                self.dropout,
                self.placement,
                dtype=self.dtype_policy,
                name=f"block_{i}",
            )
            bias.build(user_shape)
            block.build((None, rows, dim), (None, length, dim))
            self.biases.append(bias)
            self.blocks.append(block)

    def call(self, items, is_valid, user, position=None, training=False):
        """Encodes.

        Args:
            items: float `[batch, length, dim]`.
            is_valid: bool `[batch, length]`.
            user: float `[batch, user_dim]`; read for `position` alone.
            position: What `position_of` made of the user; None makes it now.
            training: Whether dropout is on.

        Returns:
            float `[batch, num_states, dim]`, the states of the last items.
        """
        position = self.position_of(user) if position is None else position
        shared = self.num_states if self.candidates == "set" else 1
        parts = [
            (block, bias.bias_of(values, shared), bias.num_queries - 1 + shared)
            for block, bias, values in zip(
                self.blocks, self.biases, position, strict=True
            )
        ]
        is_visible = is_valid[:, None]
        if self.history == "attended":
            past, states = _parted(items, self.num_states)
            every = keys_and_values(self.blocks, past)
            for (block, bias, _), known in zip(parts, every, strict=True):
                states = block(
                    states,
                    states,
                    is_visible,
                    bias=bias,
                    training=training,
                    known=(known,),
                )
            return states
        states = items
        for block, bias, rows in parts:
            queries = states
            if states.shape[1] > rows:
                _, queries = _parted(states, rows)
            states = block(queries, states, is_visible, bias=bias, training=training)
        return states

    def position_of(self, user):
        """The values of each layer's position bias for a user: float `[batch, ...]`."""
        return [bias.values_of(user) for bias in self.biases]

    def get_config(self):
        return {
            **super().get_config(),
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "ffn_dim": self.ffn_dim,
            "num_states": self.num_states,
            "dropout": self.dropout,
            "position": self.position,
            "placement": self.placement,
            "personal": self.personal,
            "candidates": self.candidates,
            "history": self.history,
        }


def _parted(items, count):
    """Items `[batch, length, dim]` as the first ones and the last `count`."""
    return ops.split(items, (items.shape[1] - count,), axis=1)
