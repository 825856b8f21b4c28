"""PSAD: a generator that teaches the scorer it shares an encoder with."""

import keras
from keras import ops

from psad_tf import losses, targets
from psad_tf.config import PSADConfig
from psad_tf.generator import generate, refine
from psad_tf.joint_step import JointStep
from psad_tf.layers.candidate_decoder import CandidateDecoder
from psad_tf.layers.scorer import Scorer

PARTS = ("generation", "refinement", "scorer", "distillation")


@keras.saving.register_keras_serializable(package="psad_tf")
class PSAD(JointStep, keras.Model):
    """The whole model: `scorer` (encoder and student) and `decoder` (teacher).

    The inputs, by name:

        user_ids             int     [batch, user columns]
        candidate_ids        int     [batch, list, item columns]
        candidate_dense      float32 [batch, list, candidate_dense_size]
        candidate_is_valid   bool    [batch, list], in the initial order, padding last
        history_ids          int     [batch, history, item columns]
        history_dense        float32 [batch, history, history_dense_size]
        history_is_valid     bool    [batch, history], oldest first, padding last

    The label is float32 `[batch, list]`, above 0 for a click. To train, `compile` with
    an optimizer and `fit`: the loss is the model's own (`compute_loss`), on every
    backend, and each of its parts is logged.

    Args:
        config: A `PSADConfig`, or its values by name.
    """

    def __init__(self, config, **kwargs):
        super().__init__(**kwargs)
        self.config = c = PSADConfig.of(config)
        self.scorer = Scorer(c, dtype=self.dtype_policy, name="scorer")
        self.decoder = CandidateDecoder(
            c.slate_length,
            c.num_decoder_layers,
            c.num_heads,
            c.ffn_multiple * c.hidden_dim,
            c.dropout,
            dtype=self.dtype_policy,
            name="decoder",
        )
        self.seed_generator = keras.random.SeedGenerator()
        self.trackers = {"loss": keras.metrics.Mean(name="loss")}
        self.trackers |= {p: keras.metrics.Mean(name=f"{p}_loss") for p in PARTS}

    @property
    def metrics(self):
        """The loss and its parts; Keras' own loss tracker would be a second "loss"."""
        return list(self.trackers.values())

    def build(self, inputs_shape=None):
        self.scorer.build()
        self.decoder.build((None, self.config.list_length, self.config.hidden_dim))

    def call(self, inputs, training=False):
        """Encodes and scores; the generator runs in `joint_loss` and `decoding`.

        Returns:
            `scores`: float32 `[batch, list]`, the student's, the mask logit on padding;
            `states`: float `[batch, list, hidden_dim]`, the candidates' states.
        """
        is_valid = inputs["candidate_is_valid"]
        states = self.scorer.encoder(inputs, training=training)
        scores = self.scorer.head(states, is_valid, training=training)
        return {"scores": scores, "states": states}

    def joint_loss(self, label, is_valid, outputs, training=False):
        """Eq 10 and its parts, before they are averaged over lists.

        Args:
            label: float `[batch, list]`, above 0 for a click.
            is_valid: bool `[batch, list]`.
            outputs: What `call` returned.
            training: Whether dropout is on, and the refined slots are drawn; else they
                are those whose target was the least likely.

        Returns:
            `loss` and each of `PARTS`, float32 `[batch]`.
        """
        c = self.config
        states, scores = outputs["states"], outputs["scores"]
        order = self.target_order(label, is_valid, scores, training)
        # What the decoder looks at is the same for both of its uses.
        known = self.decoder.known(states)
        logits, remains = self.teach(order, is_valid, states, training, known)
        teacher = losses.teacher_scores(logits, remains, c.distill_from)
        parts = {
            "generation": self._generation_loss(
                logits, label, remains, ops.arange(c.slate_length)[None], order
            ),
            "refinement": self._refinement_loss(
                label, is_valid, states, order, logits, remains, training, known
            ),
            "scorer": losses.scorer_loss(
                scores, label, is_valid, c.scorer_loss, c.loss_reduction
            ),
            # The student learns from the teacher; the teacher does not bend towards it.
            "distillation": losses.distillation_loss(
                ops.stop_gradient(teacher),
                scores,
                is_valid,
                c.temperature,
                c.distill_from,
            ),
        }
        taught = parts["generation"] + parts["refinement"]
        total = c.generation_weight * taught + parts["scorer"]
        return {"loss": total + c.distillation_weight * parts["distillation"], **parts}

    def target_order(self, label, is_valid, scores, training=False):
        """The items that the generator's slots are given as placed before them.

        Args:
            label: float `[batch, list]`, above 0 for a click.
            is_valid: bool `[batch, list]`.
            scores: float32 `[batch, list]`, the student's.
            training: Whether what the configuration draws is drawn; else `shuffled`
                keeps the order shown, and `sampled` goes by the scores alone.

        Returns:
            int32 `[batch, slate]`, -1 past the list's end.
        """
        kind, length = self.config.target_order, self.config.slate_length
        if kind == "exposed":
            return targets.exposed(is_valid, length)
        draw = None
        if training and kind != "shown":
            draw = keras.random.uniform(ops.shape(label), seed=self.seed_generator)
        if kind == "sampled":
            return targets.sampled_order(scores, is_valid, length, draw)
        return targets.clicked_first(label, is_valid, length, draw)

    def teach(self, order, is_valid, states, training=False, known=None):
        """The generator's pass over an order, each slot as if it were its turn.

        Args:
            order: int32 `[batch, slate]`, from `target_order`.
            is_valid: bool `[batch, list]`.
            states: float `[batch, list, hidden_dim]`, the candidates' states.
            training: Whether dropout is on.
            known: What `decoder.known` made of the states; None makes it now.

        Returns:
            The logits of p_ij, float32 `[batch, slate, list]`; and which candidates
            remain for each slot, bool of the same shape.
        """
        size = self.config.block_size
        logits = generate(
            self.decoder, states, is_valid, order, size, training=training, known=known
        )
        return logits, targets.remaining(order, is_valid, size)

    def _refinement_loss(
        self, label, is_valid, states, order, logits, remains, training, known
    ):
        """Eq 6 at the slots of eq 4: float32 `[batch]`, 0 with nothing to refine."""
        if self.config.refine_size == 0:
            return ops.zeros_like(label[:, 0])
        if training:
            sureness = keras.random.uniform(ops.shape(order), seed=self.seed_generator)
        else:
            log_p = ops.log_softmax(losses.mask_logits(logits, remains))
            target = ops.maximum(order, 0)[..., None]
            sureness = ops.take_along_axis(log_p, target, axis=-1)[..., 0]
        slots, is_masked = targets.least_sure(
            sureness, order >= 0, self.config.refine_size
        )
        logits, remains = refine(
            self.decoder, states, is_valid, order, slots, is_masked, training, known
        )
        placed = ops.take_along_axis(order, slots, axis=1)
        return self._generation_loss(logits, label, remains, slots, placed)

    def _generation_loss(self, logits, label, remains, slots, placed):
        c, counts = self.config, None
        if c.target_order == "exposed":
            counts = ops.one_hot(placed, label.shape[1], dtype="bool")
        return losses.generation_loss(
            logits,
            label,
            remains,
            slots,
            kind=c.generation_loss,
            counts=counts,
            hinge_on=c.hinge_on,
            hinge_weight=c.hinge_weight,
            reduction=c.loss_reduction,
        )

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """Keras' hook: the mean of `joint_loss` over lists, every part logged.

        Args:
            x: The inputs by name.
            y: float `[batch, list]`, the label.
            y_pred: What `call` returned.
            sample_weight: float `[batch]`, the weight of each list, or None.
            training: As for `joint_loss`.
        """
        parts = self.joint_loss(y, x["candidate_is_valid"], y_pred, training)
        for name, tracker in self.trackers.items():
            tracker.update_state(parts[name], sample_weight=sample_weight)
        return losses.mean_over_lists(parts["loss"], sample_weight)

    def get_config(self):
        return {**super().get_config(), "config": self.config.to_dict()}


def build_psad(config) -> PSAD:
    """A PSAD with its weights made: all sizes are known from the configuration.

    Args:
        config: A `PSADConfig`, or its values by name.
    """
    model = PSAD(config)
    model.build()
    return model
