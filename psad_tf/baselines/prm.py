"""PRM: Personalized Re-ranking Model (Pei et al., RecSys 2019)."""

import keras
from keras import ops

from psad_tf import losses
from psad_tf.config import PSADConfig
from psad_tf.layers.attention_block import AttentionBlock
from psad_tf.layers.list_encoder import item_embedding, user_embedding
from psad_tf.masking import mask_logits

LOSSES = ("softmax", "bce")


@keras.saving.register_keras_serializable(package="psad_tf")
class PRM(keras.Model):
    """Self-attention over the candidates, each with its personal vector and position.

        E_i = W x_i + pv_i + position_i;  F = blocks(E);  s = w2 tanh(W1 F)

    The paper takes pv_i, what the item is to this user, from a click model trained
    before; here it is trained along: the item attends to profile and history. The same
    inputs as `psad_tf.model.PSAD`.

    Args:
        config: A `PSADConfig`, or its values by name, for sizes, widths and dropout.
        num_blocks: Blocks of attention and feed-forward.
        loss: `softmax` over the list as in the paper, or `bce`, whose scores are logits
            of clicks: what `value` needs.
        history: Whether the personal vector knows the history, or the profile alone.
    """

    def __init__(self, config, num_blocks=2, loss="softmax", history=True, **kwargs):
        super().__init__(**kwargs)
        if loss not in LOSSES:
            raise ValueError(f"loss={loss!r}; choose one of {LOSSES}")
        self.config = c = PSADConfig.of(config)
        self.num_blocks = num_blocks
        self.loss_kind = loss
        self.knows_history = history
        policy = self.dtype_policy
        dense = keras.layers.Dense
        self.item_embedding = item_embedding(c, dtype=policy)
        self.user_embedding = user_embedding(c, dtype=policy)
        self.item_part = dense(c.hidden_dim, dtype=policy, name="item_part")
        self.user_part = dense(
            c.hidden_dim, use_bias=False, dtype=policy, name="user_part"
        )
        self.past_part = dense(c.hidden_dim, dtype=policy, name="past_part")
        self.personal = AttentionBlock(
            c.num_heads,
            c.ffn_multiple * c.hidden_dim,
            c.dropout,
            dtype=policy,
            name="personal",
        )
        self.positions = keras.layers.Embedding(
            c.list_length, c.hidden_dim, dtype=policy, name="positions"
        )
        self.blocks = [
            AttentionBlock(
                c.num_heads,
                c.ffn_multiple * c.hidden_dim,
                c.dropout,
                dtype=policy,
                name=f"block_{i}",
            )
            for i in range(num_blocks)
        ]
        self.hidden = dense(
            c.hidden_dim, activation="tanh", dtype=policy, name="hidden"
        )
        # In float32: half precision ties the scores of like candidates.
        self.score = dense(1, dtype="float32", name="score")

    def build(self, inputs_shape=None):
        c = self.config
        fields = len(c.item_widths) * c.embedding_dim
        width, past_width = (
            fields + size for size in (c.candidate_dense_size, c.history_dense_size)
        )
        states = (None, c.list_length, c.hidden_dim)
        self.item_embedding.build((None, c.list_length, sum(c.item_widths)))
        self.user_embedding.build((None, sum(c.user_widths)))
        self.item_part.build((None, c.list_length, width))
        self.user_part.build((None, len(c.user_widths) * c.embedding_dim))
        self.past_part.build((None, c.history_length, past_width))
        self.personal.build(states, (None, c.history_length + 1, c.hidden_dim))
        self.positions.build((None,))
        for block in self.blocks:
            block.build(states, states)
        self.hidden.build(states)
        self.score.build(states)

    def call(self, inputs, training=False):
        """Scores.

        Args:
            inputs: The input tensors by name.
            training: Whether dropout is on.

        Returns:
            float32 `[batch, list]`, higher is better; the mask logit on padding.
        """
        items = self._items(inputs, training)
        return self._rank(items, inputs["candidate_is_valid"], training)

    def value(self, inputs, order, discounted=True):
        """What orders are worth: the sum of their items' click probabilities.

        Each item's probability is that at its place and in the context of its order:

            sum over places j of sigmoid(s_j) / log2(j + 1)

        Args:
            inputs: The input tensors by name.
            order: int32 `[batch, orders, slate]`, candidates in order, -1 for none.
            discounted: Whether a click counts less further down, as in NDCG; else all
                clicks count alike, as in the evaluators of EGRerank and NAR4Rec.

        Returns:
            float32 `[batch, orders]`.

        Raises:
            ValueError: The loss is `softmax`: its scores are not logits of clicks.
        """
        if self.loss_kind != "bce":
            raise ValueError(
                f"loss={self.loss_kind!r} gives no click probabilities; an evaluator "
                'needs PRM(..., loss="bce")'
            )
        items = self._items(inputs, training=False)[:, None]
        count, slate = order.shape[1:]
        listed = ops.take_along_axis(items, ops.maximum(order, 0)[..., None], axis=2)
        scores = self._rank(
            ops.reshape(listed, (-1, slate, self.config.hidden_dim)),
            ops.reshape(order >= 0, (-1, slate)),
            training=False,
        )
        # The mask logit of padding has probability 0.
        worth = ops.sigmoid(scores)
        if discounted:
            worth = worth * losses.slot_weights(ops.arange(slate))
        return ops.reshape(ops.sum(worth, axis=-1), (-1, count))

    def _items(self, inputs, training):
        """Items with their personal vectors: float `[batch, list, hidden_dim]`."""
        items = self._embed(inputs, "candidate", self.item_part, training)
        past = self._embed(inputs, "history", self.past_part, training)
        user = self.user_embedding(inputs["user_ids"], training=training)
        user = self.user_part(user)[:, None]
        # The profile is always there, so that an empty history leaves something to see.
        known = ops.concatenate([user, past], axis=1)
        is_past = inputs["history_is_valid"]
        if not self.knows_history:
            is_past = ops.zeros_like(is_past)
        is_known = ops.pad(is_past, ((0, 0), (1, 0)), constant_values=True)
        return self.personal(items, known, is_known[:, None], training=training)

    def _embed(self, inputs, place, part, training):
        fields = self.item_embedding(inputs[f"{place}_ids"], training=training)
        dense = ops.cast(inputs[f"{place}_dense"], fields.dtype)
        return part(ops.concatenate([fields, dense], axis=-1))

    def _rank(self, items, is_valid, training):
        states = items + self.positions(ops.arange(items.shape[1]))
        for block in self.blocks:
            states = block(states, states, is_valid[:, None], training=training)
        scores = ops.cast(self.score(self.hidden(states))[..., 0], "float32")
        return mask_logits(scores, is_valid)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """Keras' hook: the mean loss over lists, see `psad_tf.losses.scorer_loss`."""
        loss = losses.scorer_loss(y_pred, y, x["candidate_is_valid"], self.loss_kind)
        return losses.mean_over_lists(loss, sample_weight)

    def get_config(self):
        return {
            **super().get_config(),
            "config": self.config.to_dict(),
            "num_blocks": self.num_blocks,
            "loss": self.loss_kind,
            "history": self.knows_history,
        }
