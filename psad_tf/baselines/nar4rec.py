"""NAR4Rec: non-autoregressive generative reranking (Ren et al., KDD 2024)."""

import keras
from keras import ops

from psad_tf import losses
from psad_tf.baselines.matching import (
    MatchingModel,
    contrastive_orders,
    cosines,
    isotropy_loss,
    matching_logits,
)
from psad_tf.baselines.prm import PRM
from psad_tf.baselines.reranker import TRAIN, Reranker
from psad_tf.baselines.slates import of_beams, scores_of_slate
from psad_tf.masking import mask_logits, masked_mean
from psad_tf.targets import exposed, slot_is_valid

EVALUATOR = "evaluator"
FEEDBACK = ("list", "item")


@keras.saving.register_keras_serializable(package="psad_tf")
class NAR4Rec(Reranker):
    """All places at once, lists that differ in diversity, the best one by an evaluator.

    P_ij = softmax over candidates i of x_i . t_j (arXiv 2402.06871, section 4.1) is
    raised along lists of high utility and lowered along the others (4.2). Orders are
    made from P by contrastive decoding (4.3), one for each of `alphas`; an evaluator,
    a Transformer over a list, trained before and then fixed, sums the click
    probabilities of their items, and the greatest sum wins (4.4).

    Candidates beyond the slate are ordered by the logits of its last place.

    Differs from the paper: the utility of a list, which is not given there, is the
    NDCG of its clicks, or that of each item its click; an item is chosen only once; the
    several lists come from several alphas; the evaluator is `PRM`; each attention of
    the position encoder has a feed-forward layer; x . t is scaled by 1 / sqrt(dim), and
    the losses are means over places. x_i, width and depth are those of all models
    compared.

    Args:
        config: A `PSADConfig`, or its values by name, for sizes, widths and dropout.
        feedback: What is raised or lowered as one: the `list` as shown, as in the
            paper; or each `item` at its place, raised if it was clicked: where all
            candidates were shown, lists as a whole say little of which to choose.
        threshold: Tau, the least utility of a list that is raised, in 0..1.
        isotropy_weight: Omega, the weight of the losses that keep candidates, and
            places, unlike each other.
        margin: Rho of these losses.
        alphas: Weights of the contrast, in 0..1; each makes a list.
        discounted: Whether the evaluator counts a click less further down.
    """

    title = "NAR4Rec"
    stages = (EVALUATOR, TRAIN)
    search = {
        "feedback": FEEDBACK,
        "threshold": (0.6, 0.8),
        "isotropy_weight": (0.001, 0.01),
        "discounted": (False, True),
    }

    def __init__(
        self,
        config,
        feedback="list",
        threshold=0.8,
        isotropy_weight=0.01,
        margin=0.5,
        alphas=(0.0, 0.2, 0.4, 0.6, 0.8),
        discounted=False,
        **kwargs,
    ):
        if feedback not in FEEDBACK:
            raise ValueError(f"feedback={feedback!r}; choose one of {FEEDBACK}")
        if not alphas or not all(0 <= alpha <= 1 for alpha in alphas):
            raise ValueError(f"alphas={alphas!r}; give one or more, each in 0..1")
        super().__init__(config, **kwargs)
        policy = self.dtype_policy
        self.feedback = feedback
        self.threshold = threshold
        self.isotropy_weight = isotropy_weight
        self.margin = margin
        self.alphas = tuple(alphas)
        self.discounted = discounted
        self.generator = MatchingModel(self.config, dtype=policy, name="generator")
        self.evaluator = PRM(
            self.config, loss="bce", pretrained=False, dtype=policy, name="evaluator"
        )

    def build(self, inputs_shape=None):
        self.generator.build()
        self.evaluator.build()

    def parts(self, stage):
        return [self.evaluator if stage == EVALUATOR else self.generator]

    def call(self, inputs, training=False):
        """Scores of the order that the evaluator likes best."""
        is_valid = inputs["candidate_is_valid"]
        states, places = self.generator(inputs, training=training)
        logits = matching_logits(states, places, is_valid)
        orders = contrastive_orders(
            ops.softmax(logits), cosines(states), is_valid, self.alphas
        )
        if len(self.alphas) > 1:
            value = self.evaluator.value(inputs, orders, self.discounted)
            orders = of_beams(orders, ops.argmax(value, axis=1)[:, None])
        return scores_of_slate(orders[:, 0], logits[:, -1], is_valid)

    def list_loss(self, inputs, label, training=False, stage=TRAIN):
        if stage == EVALUATOR:
            return self.evaluator.list_loss(inputs, label, training)
        is_valid, slate = inputs["candidate_is_valid"], self.config.slate_length
        states, places = self.generator(inputs, training=training)
        logits = matching_logits(states, places, is_valid)
        order, is_place = exposed(is_valid, slate), slot_is_valid(is_valid, slate)
        if self.feedback == "item":
            is_good = label[:, :slate] > 0
        else:
            is_good = utility(order, label, is_valid)[:, None] >= self.threshold
        spread = isotropy_loss(states, is_valid, self.margin)
        spread = spread + isotropy_loss(places, is_place, self.margin)
        fit = unlikelihood_loss(logits, order, is_valid, is_good)
        return fit + self.isotropy_weight * spread

    def get_config(self):
        return {
            **super().get_config(),
            "feedback": self.feedback,
            "threshold": self.threshold,
            "isotropy_weight": self.isotropy_weight,
            "margin": self.margin,
            "alphas": list(self.alphas),
            "discounted": self.discounted,
        }


def utility(order, label, is_valid):
    """R of a list: the NDCG of an order's clicks, 0 without one.

    Args:
        order: int32 `[batch, slate]`, -1 past the list's end.
        label: float `[batch, list]`, above 0 for a click.
        is_valid: bool `[batch, list]`.

    Returns:
        float32 `[batch]`, in 0..1.
    """
    weights = losses.slot_weights(ops.arange(order.shape[1]))
    is_click = ops.cast((label > 0) & is_valid, "float32")
    placed = ops.one_hot(order, label.shape[1], dtype="float32")
    found = ops.einsum("p,bpi,bi->b", weights, placed, is_click)
    clicks = ops.sum(is_click, axis=1, keepdims=True)
    places = ops.arange(order.shape[1], dtype="float32")
    is_first = ops.cast(places < clicks, "float32")
    best = ops.sum(weights * is_first, axis=1)
    return found / ops.maximum(best, weights[0])


def unlikelihood_loss(logits, order, is_valid, is_good):
    """-log P of good items at their places, -log(1 - P) of others.

    Args:
        logits: float32 `[batch, slate, list]`, of P, masked on padding.
        order: int32 `[batch, slate]`, -1 past the list's end.
        is_valid: bool `[batch, list]`.
        is_good: bool `[batch, slate or 1]`.

    Returns:
        float32 `[batch]`, means over places; nothing is lowered in a list of one item.
    """
    placed = ops.one_hot(order, logits.shape[2], dtype="bool")
    is_other = is_valid[:, None] & ~placed
    # 1 - P is the share of the others: exact however near 1 P is.
    is_part = ops.where(is_good[..., None], placed, is_other)
    part = ops.logsumexp(mask_logits(logits, is_part), axis=-1)
    has_term = (order >= 0) & ops.any(is_part, axis=-1)
    terms = ops.where(has_term, ops.logsumexp(logits, axis=-1) - part, 0.0)
    return masked_mean(terms, has_term)
