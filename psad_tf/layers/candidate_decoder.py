"""The generator's decoder: which candidate belongs in which slot (eq 3-5)."""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from psad_tf.layers.attention_block import (
    AttentionBlock,
    keys_and_values,
    keys_and_values_of_rows,
    sources,
)
from psad_tf.layers.dense import Dense


@dataclass(frozen=True)
class Known:
    """What the decoder makes of the candidates, once for all the slots it decodes.

    Args:
        candidates: Of each layer, their keys and values: `keys_and_values`.
        placed: Of them as placed items, all layers' side by side, float
            `[batch, list, layers * 2 dim]`; what their slot adds is still to come.
    """

    candidates: list
    placed: Any


@keras.saving.register_keras_serializable(package="psad_tf")
class CandidateDecoder(keras.layers.Layer):
    """Points from slots of the output list to candidates.

    A slot's query is its embedding. It attends to the candidates' states, to the items
    already placed (each with its slot's embedding) and to the queries of other slots,
    as far as they are visible to it. Eq 3 and 4 differ in visibility alone, see
    `psad_tf.targets`.

    Args:
        slate_length: Slots; T of the paper.
        num_layers: Layers.
        num_heads: Attention heads.
        ffn_dim: Width of the feed-forward layers.
        dropout: Rate of dropout.
    """

    def __init__(
        self, slate_length, num_layers, num_heads, ffn_dim, dropout=0.0, **kwargs
    ):
        super().__init__(**kwargs)
        self.slate_length = slate_length
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.ffn_dim = ffn_dim
        self.dropout = dropout

    def build(
        self,
        states_shape,
        candidate_is_valid_shape=None,
        slots_shape=None,
        placed_shape=None,
        placed_is_visible_shape=None,
        slot_is_visible_shape=None,
    ):
        dim = states_shape[-1]
        policy = self.dtype_policy
        self.slots = keras.layers.Embedding(
            self.slate_length,
            dim,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=1.0),
            dtype=policy,
            name="slots",
        )
        self.slots.build((None,))
        self.item = Dense(dim, dtype=policy, name="item")
        self.item.build(states_shape)
        self.blocks = []
        for i in range(self.num_layers):
            block = AttentionBlock(
                self.num_heads,
                self.ffn_dim,
                self.dropout,
                dtype=policy,
                name=f"block_{i}",
            )
            block.build((None, None, dim), (None, None, dim))
            self.blocks.append(block)

    def known(self, states) -> Known:
        """What layers look at of the candidates: of float `[batch, list, dim]`."""
        if not self.blocks:
            return Known([], None)
        return Known(
            keys_and_values(self.blocks, states),
            keys_and_values_of_rows(self.blocks, self.item(states)),
        )

    def call(
        self,
        states,
        candidate_is_valid,
        slots,
        placed,
        placed_is_visible,
        slot_is_visible,
        training=False,
        known=None,
    ):
        """Decodes some slots.

        Args:
            states: float `[batch, list, dim]`, the candidates' states.
            candidate_is_valid: bool `[batch, list]`.
            slots: int `[batch, slots]`, the slots to decode, counted from 0.
            placed: int `[batch, first slots]`, the candidate in each of the first
                slots, -1 for none.
            placed_is_visible: bool `[batch or 1, slots, first slots]`, which placed
                items a slot sees; one that is not there is never seen.
            slot_is_visible: bool `[batch or 1, slots, slots]`, which queries it sees.
            training: Whether dropout is on.
            known: What `known` made of the states; None makes it now.

        Returns:
            float32 `[batch, slots, list]`, the logit of p_ij of eq 5, scaled by
            1 / sqrt(dim); what may not be chosen is for the caller to mask.
        """
        is_visible = _join(
            candidate_is_valid[:, None],
            placed_is_visible & (placed >= 0)[:, None],
            slot_is_visible,
            slots,
        )
        queries = self.slots(slots)
        before = self._before(self.known(states) if known is None else known, placed)
        for block, keys in zip(self.blocks, before, strict=True):
            queries = block(queries, queries, is_visible, training=training, known=keys)
        # In half precision some candidates would get the same logit.
        queries, states = ops.cast(queries, "float32"), ops.cast(states, "float32")
        logits = ops.matmul(queries, ops.swapaxes(states, -1, -2))
        return logits * states.shape[-1] ** -0.5

    def _before(self, known, placed):
        """Each layer's keys and values of the candidates, then of the placed items."""
        if not (self.blocks and placed.shape[1]):
            return [(candidates,) for candidates in known.candidates]
        chosen = ops.one_hot(placed, known.placed.shape[1], dtype=self.compute_dtype)
        slots = self.slots(ops.arange(placed.shape[1]))[None]
        # Keys and values are linear in what they are of: an item, and its slot.
        slots = keys_and_values_of_rows(self.blocks, slots, bias=False)
        items = sources(self.blocks, ops.matmul(chosen, known.placed) + slots)
        return list(zip(known.candidates, items, strict=True))

    def get_config(self):
        return {
            **super().get_config(),
            "slate_length": self.slate_length,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "ffn_dim": self.ffn_dim,
            "dropout": self.dropout,
        }


def _join(candidate, placed, slot, slots):
    """The three parts of the visibility as one bool `[batch, slots, keys]`."""
    shape = ops.shape(slots)
    parts = [
        ops.broadcast_to(x, (*shape, x.shape[-1])) for x in (candidate, placed, slot)
    ]
    return ops.concatenate(parts, axis=-1)
