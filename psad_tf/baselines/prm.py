"""PRM: Personalized Re-ranking Model (Pei et al., RecSys 2019)."""

import keras
from keras import ops

from psad_tf import losses
from psad_tf.baselines.item_vectors import ItemVectors
from psad_tf.baselines.reranker import TRAIN, Reranker
from psad_tf.layers.attention_block import AttentionBlock
from psad_tf.layers.dense import Dense
from psad_tf.masking import mask_logits

LOSSES = ("softmax", "bce")
PERSONAL = "personal vector"


@keras.saving.register_keras_serializable(package="psad_tf")
class PRM(Reranker):
    """Self-attention over the candidates, each with its personal vector and position.

        E_i = W [x_i ; pv_i] + position_i;  F = blocks(E);  s = w2 tanh(W1 F)

    pv_i, what the item is to this user, is the last hidden layer of a click model that
    is trained before and then fixed, as in the paper. Differs from the paper: the click
    model attends to the history; the width, depth and optimizer are those of all models
    compared.

    Args:
        config: A `PSADConfig`, or its values by name, for sizes, widths and dropout.
        loss: `softmax` over the list as in the paper, or `bce`, whose scores are logits
            of clicks: what `value` needs.
        history: Whether the personal vector knows the history, or the profile alone.
        pretrained: Whether there is a click model; without one x_i alone, which attends
            to profile and history too, is trained along with the rest.
    """

    title = "PRM"
    stages = (PERSONAL, TRAIN)
    search = {"loss": LOSSES}

    def __init__(self, config, loss="softmax", history=True, pretrained=True, **kwargs):
        if loss not in LOSSES:
            raise ValueError(f"loss={loss!r}; choose one of {LOSSES}")
        super().__init__(config, **kwargs)
        c, policy = self.config, self.dtype_policy
        self.loss_kind = loss
        self.knows_history = history
        self.pretrained = pretrained
        if not pretrained:
            self.stages = (TRAIN,)
        self.items = ItemVectors(c, history, dtype=policy, name="items")
        self.click_model = None
        if pretrained:
            self.click_items = ItemVectors(c, history, dtype=policy, name="click_items")
            self.click_model = Dense(1, dtype="float32", name="click_model")
            self.join = Dense(c.hidden_dim, dtype=policy, name="join")
        self.positions = keras.layers.Embedding(
            c.list_length, c.hidden_dim, dtype=policy, name="positions"
        )
        self.blocks = [
            AttentionBlock.of(c, dtype=policy, name=f"block_{i}")
            for i in range(c.num_layers)
        ]
        self.hidden = Dense(
            c.hidden_dim, activation="tanh", dtype=policy, name="hidden"
        )
        # In float32: half precision ties the scores of like candidates.
        self.score = Dense(1, dtype="float32", name="score")
        self.gives_probabilities = loss == "bce"

    def build(self, inputs_shape=None):
        c = self.config
        states = (None, c.list_length, c.hidden_dim)
        self.items.build()
        if self.pretrained:
            self.click_items.build()
            self.click_model.build(states)
            self.join.build((*states[:2], 2 * c.hidden_dim))
        self.positions.build((None,))
        for block in self.blocks:
            block.build(states, states)
        self.hidden.build(states)
        self.score.build(states)

    def parts(self, stage):
        if stage == PERSONAL:
            return [self.click_items, self.click_model]
        if not self.pretrained:
            return None
        ranker = [self.items, self.join, self.positions, *self.blocks]
        return [*ranker, self.hidden, self.score]

    def call(self, inputs, training=False):
        """Scores."""
        items = self._vectors(inputs, training)
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
        items = self._vectors(inputs, training=False)[:, None]
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

    def list_loss(self, inputs, label, training=False, stage=TRAIN):
        is_valid = inputs["candidate_is_valid"]
        if stage == PERSONAL:
            vectors = self.click_items(inputs, training=training)
            scores, kind = self.click_model(vectors)[..., 0], "bce"
        else:
            scores, kind = self(inputs, training=training), self.loss_kind
        return losses.scorer_loss(scores, label, is_valid, kind)

    def _vectors(self, inputs, training):
        """Items with their personal vectors: float `[batch, list, hidden_dim]`."""
        items = self.items(inputs, training=training)
        if not self.pretrained:
            return items
        # Fixed, so without dropout: what it gives is a feature.
        known = ops.stop_gradient(self.click_items(inputs, training=False))
        return self.join(ops.concatenate([items, known], axis=-1))

    def _rank(self, items, is_valid, training):
        states = items + self.positions(ops.arange(items.shape[1]))
        for block in self.blocks:
            states = block(states, states, is_valid[:, None], training=training)
        scores = ops.cast(self.score(self.hidden(states))[..., 0], "float32")
        return mask_logits(scores, is_valid)

    def get_config(self):
        return {
            **super().get_config(),
            "loss": self.loss_kind,
            "history": self.knows_history,
            "pretrained": self.pretrained,
        }
