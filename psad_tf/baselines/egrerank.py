"""EG-Rerank: a generator trained against an evaluator (Huzhang et al., 2021)."""

import keras
from keras import ops

from psad_tf import losses
from psad_tf.baselines.item_vectors import ItemVectors
from psad_tf.baselines.order_evaluator import OrderEvaluator
from psad_tf.baselines.pointer_policy import PointerPolicy
from psad_tf.baselines.ppo import advantages, choices, clipped_gain
from psad_tf.baselines.reranker import Reranker
from psad_tf.baselines.slates import gumbel_noise, scores_of_slate
from psad_tf.masking import masked_mean

EVALUATOR, GENERATOR = "evaluator", "generator"


@keras.saving.register_keras_serializable(package="psad_tf")
class EGRerank(Reranker):
    """A pointer network trained by PPO for the clicks an evaluator expects of it.

    "AliExpress Learning-To-Rank: Maximizing Online Model Performance without Going
    Online" (arXiv 2003.11941). The evaluator learns the clicks on lists as shown. The
    generator's orders are then worth

        R_t = sum over t' >= t of gamma^(t' - t) p(click at t')
        A_t = (R_t - mean) / deviation, over the orders drawn for the same list
        loss = -min(ratio A, clip(ratio, 1 - clip, 1 + clip) A) - entropy_weight H

    with ratio the probability of a choice next to that of the policy that drew it, and
    means over orders and places. There is no critic, as in the paper. The policy that
    draws is a frozen copy, renewed every `refresh` steps: what PPO does when it draws
    for `refresh` batches at once and then takes one step for each, so the ratio moves
    away from 1 and the clip counts. Without training the loss is minus the clicks
    expected of the most likely order.

    Candidates beyond the slate are ordered by the logits of its last place.

    Differs from the paper: x_i, which the evaluator learns and the generator takes as
    it is, and all widths and depths are those of all models compared; clicks are the
    one target; the policy has no dropout, which the ratio would be full of; there is no
    discriminator (EG-Rerank+).

    Args:
        config: A `PSADConfig`, or its values by name, for sizes, widths and dropout.
        gamma: What a click a place further down counts for a choice.
        clip: How far from 1 a ratio still counts.
        entropy_weight: Of the entropy of the choices.
        samples: Orders drawn for a list.
        refresh: Steps of training between two copies.
    """

    title = "EG-Rerank"
    stages = (EVALUATOR, GENERATOR)
    search = {"gamma": (0.01, 0.5, 1.0), "entropy_weight": (0.001, 0.01)}

    def __init__(
        self,
        config,
        gamma=0.01,
        clip=0.1,
        entropy_weight=0.001,
        samples=5,
        refresh=4,
        **kwargs,
    ):
        super().__init__(config, **kwargs)
        c, policy = self.config, self.dtype_policy
        self.gamma = gamma
        self.clip = clip
        self.entropy_weight = entropy_weight
        self.samples = samples
        self.refresh = refresh
        self.items = ItemVectors(c, dtype=policy, name="items")
        ffn_dim = c.ffn_multiple * c.hidden_dim
        self.evaluator = OrderEvaluator(
            c.hidden_dim,
            c.num_layers,
            ffn_dim,
            c.dropout,
            dtype=policy,
            name="evaluator",
        )
        shape = (c.hidden_dim, c.num_layers, c.num_decoder_layers, ffn_dim)
        self.policy = PointerPolicy(*shape, dtype=policy, name="policy")
        self.drawing = PointerPolicy(*shape, dtype=policy, name="drawing")
        self.drawing.trainable = False

    def build(self, inputs_shape=None):
        states = (None, self.config.list_length, self.config.hidden_dim)
        self.items.build()
        for layer in (self.evaluator, self.policy, self.drawing):
            layer.build(states)
        self.steps = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="steps"
        )

    def parts(self, stage):
        if stage == EVALUATOR:
            return [self.items, self.evaluator]
        return [self.policy]

    def call(self, inputs, training=False):
        """Scores of the generator's most likely order."""
        is_valid = inputs["candidate_is_valid"]
        items = self.items(inputs, training=training)
        paths = self.policy.choose(items, is_valid, self.config.slate_length)
        return scores_of_slate(paths.order[:, 0], paths.logits[:, 0, -1], is_valid)

    def list_loss(self, inputs, label, training=False, stage=GENERATOR):
        is_valid = inputs["candidate_is_valid"]
        if stage == EVALUATOR:
            items = self.items(inputs, training=training)
            logits = self.evaluator(items, is_valid, training=training)
            return losses.scorer_loss(logits, label, is_valid)
        # Fixed, so without dropout: what it gives is a feature.
        items = ops.stop_gradient(self.items(inputs, training=False))
        slate = self.config.slate_length
        if not training:
            order = self.policy.choose(items, is_valid, slate).order
            return -ops.sum(self._clicks(items, order), axis=(1, 2))
        self._renew()
        shape = (ops.shape(is_valid)[0], self.samples, slate, self.config.list_length)
        drawn = self.drawing.choose(
            items, is_valid, slate, gumbel_noise(shape, self.seed_generator)
        )
        clicks = ops.stop_gradient(self._clicks(items, drawn.order))
        before, _ = choices(drawn)
        now, entropy = choices(self.policy(items, drawn.order, is_valid))
        ratio = ops.exp(now - ops.stop_gradient(before))
        gain = clipped_gain(ratio, advantages(clicks, self.gamma), self.clip)
        gain = gain + self.entropy_weight * entropy
        return -masked_mean(gain, drawn.order >= 0, axis=(1, 2))

    def _clicks(self, items, order):
        """The click probability at each place of orders `[batch, orders, slate]`."""
        placed = ops.one_hot(order, items.shape[1], dtype=items.dtype)
        listed = ops.matmul(placed, items[:, None])
        slate = order.shape[2]
        logits = self.evaluator(
            ops.reshape(listed, (-1, slate, self.config.hidden_dim)),
            ops.reshape(order >= 0, (-1, slate)),
            training=False,
        )
        p = ops.sigmoid(ops.reshape(logits, ops.shape(order)))
        return ops.where(order >= 0, p, 0.0)

    def _renew(self):
        """Every `refresh` steps the policy that draws becomes the one that learns."""
        steps = ops.convert_to_tensor(self.steps)
        is_due = steps % self.refresh == 0
        pairs = zip(self.drawing.weights, self.policy.weights, strict=True)
        for copy, weight in pairs:
            new, old = (ops.convert_to_tensor(w) for w in (weight, copy))
            copy.assign(ops.where(is_due, ops.stop_gradient(new), old))
        self.steps.assign(steps + 1)

    def get_config(self):
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "clip": self.clip,
            "entropy_weight": self.entropy_weight,
            "samples": self.samples,
            "refresh": self.refresh,
        }
