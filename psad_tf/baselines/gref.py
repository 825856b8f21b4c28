"""GReF: generative reranking by ordered multi-token prediction (Lin et al., 2025)."""

import keras
from keras import ops

from psad_tf.baselines.gen_reranker import GenReranker
from psad_tf.baselines.ordered_prediction import (
    log_p_ahead,
    log_p_of_order,
    order_loss,
    prediction_loss,
    windows,
)
from psad_tf.baselines.reranker import TRAIN, Reranker
from psad_tf.baselines.slates import scores_of_slate
from psad_tf.targets import clicked_first, exposed

PRETRAINING = "pre-training"


@keras.saving.register_keras_serializable(package="psad_tf")
class GReF(Reranker):
    """A generator that learns the order shown, then the order the clicks would want.

    Pre-training (CIKM 2025, arXiv 2510.25220): ordered multi-token prediction along the
    exposure order, where H heads each predict an item further ahead, and of two
    orders of the same H items the one with the better NDCG of clicks is to be likelier.
    Post-training (Rerank-DPO): with Y_l as shown and Y_w sorted by 1 / place + click,

        -log sigmoid(beta (log pi / pi_ref (Y_w) - log pi / pi_ref (Y_l)))

    pi_ref is the pre-trained model. With clicks of 0 and 1, Y_w is the clicked items,
    then the others, each as shown. An order is generated H items a pass, and no
    evaluator is needed.

    Candidates beyond the slate are ordered by the logits of its last place.

    Differs from the paper: pi(Y) is the probability under the H heads that generate it;
    items are chosen once, within a pass too; self- and cross-attention of the decoder
    are one attention over both; there is no [EOS], as lists have a given length; losses
    are means over places and pairs; x_i, width and depth are those of all models
    compared. Where all candidates were shown, the initial order that the encoder knows
    in the paper is the very one that pre-training learns: it would leave nothing to
    learn, and a reference that holds all other orders for all but impossible. Hence
    `initial_order`; and `likelihood_weight`, as Rerank-DPO alone raises Y_w only next
    to Y_l, and both may fall.

    Args:
        config: A `PSADConfig`, or its values by name, for sizes, widths and dropout.
        heads: H.
        order_weight: Lambda_2, the weight of the order loss; that of the prediction
            is 1.
        beta: Of Rerank-DPO.
        likelihood_weight: Of -log pi(Y_w), its mean over places, next to Rerank-DPO; 0
            as in the paper.
        initial_order: Whether the encoder knows the candidates' initial places.
    """

    title = "GReF"
    stages = (PRETRAINING, TRAIN)
    search = {
        "beta": (0.1, 0.5),
        "likelihood_weight": (0.0, 1.0),
        "initial_order": (False, True),
    }

    def __init__(
        self,
        config,
        heads=4,
        order_weight=1.0,
        beta=0.1,
        likelihood_weight=0.0,
        initial_order=True,
        **kwargs,
    ):
        if heads < 1:
            raise ValueError(f"heads={heads}; it must be at least 1")
        super().__init__(config, **kwargs)
        policy = self.dtype_policy
        self.heads = heads
        self.order_weight = order_weight
        self.beta = beta
        self.likelihood_weight = likelihood_weight
        self.initial_order = initial_order
        self.generator = GenReranker(
            self.config, heads, initial_order, dtype=policy, name="generator"
        )
        self.reference = GenReranker(
            self.config, heads, initial_order, dtype=policy, name="reference"
        )

    def build(self, inputs_shape=None):
        self.generator.build()
        self.reference.build()

    def parts(self, stage):
        return [self.generator]

    def copies(self, stage):
        return [(self.reference, self.generator)] if stage == TRAIN else []

    def call(self, inputs, training=False):
        """Scores of the order whose every item is the most likely one."""
        is_valid = inputs["candidate_is_valid"]
        states = self.generator.encode(inputs, training)
        return scores_of_slate(*self.generator.generate(states, is_valid), is_valid)

    def list_loss(self, inputs, label, training=False, stage=TRAIN):
        is_valid, slate = inputs["candidate_is_valid"], self.config.slate_length
        shown = exposed(is_valid, slate)
        if stage == PRETRAINING:
            states = self.generator.encode(inputs, training)
            logits = self.generator(states, is_valid, shown, training=training)
            ahead = log_p_ahead(logits, shown, is_valid)
            clicks = ops.cast((label > 0) & is_valid, "float32")
            return prediction_loss(*ahead) + self.order_weight * order_loss(
                *ahead, windows(clicks[:, :slate], self.heads, 0.0)
            )
        orders = [clicked_first(label, is_valid, slate), shown]
        now = self._log_p(self.generator, inputs, orders, training)
        before = self._log_p(self.reference, inputs, orders, training=False)
        gain = self.beta * (now - ops.stop_gradient(before))
        has_pair = ops.any(orders[0] != orders[1], axis=1)
        loss = ops.where(has_pair, ops.softplus(gain[:, 1] - gain[:, 0]), 0.0)
        has_click = ops.any((label > 0) & is_valid, axis=1)
        places = ops.sum(ops.cast(shown >= 0, "float32"), axis=1)
        surprise = -now[:, 0] / ops.maximum(places, 1.0)
        return loss + self.likelihood_weight * ops.where(has_click, surprise, 0.0)

    def _log_p(self, model, inputs, orders, training):
        """log pi of each order, float32 `[batch, orders]`, generated `heads` a pass."""
        is_valid, count = inputs["candidate_is_valid"], len(orders)
        states = model.encode(inputs, training)
        states, is_valid = (ops.repeat(x, count, axis=0) for x in (states, is_valid))
        order = ops.reshape(ops.stack(orders, axis=1), (-1, orders[0].shape[1]))
        logits = model(states, is_valid, order, every=self.heads, training=training)
        return ops.reshape(log_p_of_order(logits, order, is_valid), (-1, count))

    def get_config(self):
        return {
            **super().get_config(),
            "heads": self.heads,
            "order_weight": self.order_weight,
            "beta": self.beta,
            "likelihood_weight": self.likelihood_weight,
            "initial_order": self.initial_order,
        }
