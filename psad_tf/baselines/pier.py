"""PIER: permutation-level interest-based re-ranking (Shi et al., KDD 2023)."""

from typing import NamedTuple

import keras
from keras import ops

from psad_tf import losses
from psad_tf.baselines.item_vectors import ItemVectors
from psad_tf.baselines.pier_prediction import ContextPrediction
from psad_tf.baselines.pier_selection import (
    PermutationSelection,
    candidate_orders,
    past_pages,
)
from psad_tf.baselines.reranker import TRAIN, Reranker
from psad_tf.baselines.slates import of_beams, scores_of_slate
from psad_tf.layers.dense import Dense
from psad_tf.masking import masked_mean

WORTHS = ("mean", "discounted")


class Encoded(NamedTuple):
    """What does not depend on an order.

    Args:
        items: float `[batch, list, dim]`, x.
        fields: float `[batch, list, fields, embedding]`.
        scores: float32 `[batch, list]`, logits of clicks of the items on their own.
        known: From `ContextPrediction.known`.
        nearest, farthest: From `PermutationSelection`.
    """

    items: object
    fields: object
    scores: object
    known: tuple
    nearest: tuple
    farthest: tuple


@keras.saving.register_keras_serializable(package="psad_tf")
class PIER(Reranker):
    """Selects orders by the user's past, then predicts the clicks (arXiv 2302.03487).

    FPSM hashes candidate orders and past pages and keeps the orders that are nearest,
    see `PermutationSelection`. OCPM predicts the clicks of each, see
    `ContextPrediction`; the order worth most wins. The loss is the cross-entropy on the
    list as shown, less `contrast` times the lead of the nearest orders' mean click
    probability over that of the farthest.

    Candidates beyond the slate are ordered by their own scores, logits of x_i alone.

    Differs from the paper: a list of more than 6 candidates has the orders of a beam
    search by the items' own scores, whose cross-entropy is added to the loss; a past
    page is as many items of the click history as a slate has, counted from the newest
    one, since pages as they were shown are not known; x_i, whose attention to profile
    and history stands for the item's features and its past click rate, and widths and
    depths are those of all models compared, but the attention over items and fields has
    one head of an embedding's width; dense features are one more field; the profile is
    next to the past pages, so that a user without a past has something to attend to;
    an order may be worth its discounted clicks: means often do not tell orders apart.

    Args:
        config: A `PSADConfig`, or its values by name, for sizes, widths and dropout.
        keep: Orders that are kept of the candidate orders.
        contrast: Weight of the contrastive loss.
        worth: Of an order: its `mean` click probability, as in the paper, or the
            probabilities `discounted` by place, as in NDCG.
        beam_width: Candidate orders of a list of more than 6.
    """

    title = "PIER"
    search = {"worth": WORTHS, "keep": (8, 16), "contrast": (0.01, 0.1)}

    def __init__(
        self,
        config,
        keep=16,
        contrast=0.01,
        worth="discounted",
        beam_width=32,
        **kwargs,
    ):
        if worth not in WORTHS:
            raise ValueError(f"worth={worth!r}; choose one of {WORTHS}")
        super().__init__(config, **kwargs)
        c, policy = self.config, self.dtype_policy
        self.keep = keep
        self.contrast = contrast
        self.worth = worth
        self.beam_width = beam_width
        self.items = ItemVectors(c, dtype=policy, name="items")
        self.shown = Dense(c.embedding_dim, dtype=policy, name="shown")
        self.past = Dense(c.embedding_dim, dtype=policy, name="past")
        # In float32: half precision ties the scores of like candidates.
        self.score = Dense(1, dtype="float32", name="score")
        self.selection = PermutationSelection(keep, name="selection")
        self.prediction = ContextPrediction(
            c.hidden_dim,
            c.num_layers,
            c.num_heads,
            c.ffn_multiple,
            c.list_length,
            c.dropout,
            dtype=policy,
            name="prediction",
        )

    def build(self, inputs_shape=None):
        c = self.config
        states = (None, c.list_length, c.hidden_dim)
        self.items.build()
        self.shown.build((None, c.list_length, c.candidate_dense_size))
        self.past.build((None, c.history_length, c.history_dense_size))
        self.score.build(states)
        self.selection.build((*states[:2], c.embedding_dim))
        self.prediction.build(
            (*states[:2], len(c.item_widths) + 1, c.embedding_dim),
            (None, len(c.user_widths) * c.embedding_dim),
        )

    def call(self, inputs, training=False):
        """Scores of the best one of the orders nearest to the user's past."""
        encoded = self._encode(inputs, training)
        order, is_real = encoded.nearest
        p = self._clicks(encoded, order, training)
        if self.worth == "discounted":
            p = p * losses.slot_weights(ops.arange(order.shape[2]))
        value = ops.sum(p, axis=-1)
        best = ops.argmax(ops.where(is_real, value, -1.0), axis=1)[:, None]
        order = of_beams(order, best)[:, 0]
        return scores_of_slate(order, encoded.scores, inputs["candidate_is_valid"])

    def list_loss(self, inputs, label, training=False, stage=TRAIN):
        is_valid = inputs["candidate_is_valid"]
        encoded = self._encode(inputs, training)
        shown = ops.where(is_valid, ops.arange(is_valid.shape[1], dtype="int32"), -1)
        logits = self._logits(encoded, shown[:, None], training)[:, 0]
        loss = losses.scorer_loss(logits, label, is_valid)
        loss = loss + losses.scorer_loss(encoded.scores, label, is_valid)
        selected = zip(encoded.nearest, encoded.farthest, strict=True)
        order, is_real = (ops.concatenate(pair, axis=1) for pair in selected)
        p = self._clicks(encoded, order, training)
        value, keep = masked_mean(p, order >= 0), order.shape[1] // 2
        near = masked_mean(value[:, :keep], is_real[:, :keep])
        far = masked_mean(value[:, keep:], is_real[:, keep:])
        return loss - self.contrast * (near - far)

    def _logits(self, encoded, order, training):
        return self.prediction(
            encoded.items, encoded.fields, order, encoded.known, training=training
        )

    def _clicks(self, encoded, order, training):
        """Click probabilities, float32 `[batch, orders, slate]`; 0 past the end."""
        logits = self._logits(encoded, order, training)
        return ops.where(order >= 0, ops.sigmoid(logits), 0.0)

    def _encode(self, inputs, training):
        c, is_valid = self.config, inputs["candidate_is_valid"]
        items = self.items(inputs, training=training)
        scores = ops.cast(self.score(items)[..., 0], "float32")
        fields = self._fields(inputs, "candidate", self.shown, training)
        past = self._fields(inputs, "history", self.past, training)
        pages, is_past = past_pages(past, inputs["history_is_valid"], c.slate_length)
        profile = self.items.user_embedding(inputs["user_ids"], training=training)
        known = self.prediction.known(profile, pages, is_past, training=training)
        candidates = candidate_orders(
            ops.stop_gradient(scores), is_valid, c.slate_length, self.beam_width
        )
        selected = self.selection(
            ops.mean(fields, axis=2), *candidates, ops.mean(pages, axis=3), is_past
        )
        return Encoded(items, fields, scores, known, *selected)

    def _fields(self, inputs, place, dense, training):
        """An item's fields: float `[batch, items, fields, embedding]`."""
        ids, size = inputs[f"{place}_ids"], self.config.embedding_dim
        fields = self.items.item_embedding(ids, training=training)
        numbers = dense(ops.cast(inputs[f"{place}_dense"], fields.dtype))
        both = ops.concatenate([fields, numbers], axis=-1)
        return ops.reshape(both, (-1, ids.shape[1], both.shape[-1] // size, size))

    def get_config(self):
        return {
            **super().get_config(),
            "keep": self.keep,
            "contrast": self.contrast,
            "worth": self.worth,
            "beam_width": self.beam_width,
        }
