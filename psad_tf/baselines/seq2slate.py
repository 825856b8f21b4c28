"""Seq2Slate: re-ranking and slate optimization with RNNs (Bello et al., 2018)."""

import keras
from keras import ops

from psad_tf import losses
from psad_tf.baselines.item_vectors import ItemVectors
from psad_tf.baselines.pointer_decoder import PointerDecoder
from psad_tf.baselines.reranker import TRAIN, Reranker
from psad_tf.baselines.slates import gumbel_noise, scores_of_slate

LOSSES = ("softmax", "hinge")


@keras.saving.register_keras_serializable(package="psad_tf")
class Seq2Slate(Reranker):
    """A pointer network over the candidates (arXiv 1810.02019).

    An LSTM reads the candidates in the initial order; another one points to an item for
    each place, given the items before it (section 2). The loss is the supervised one of
    section 3: along an order drawn from the model itself, at each place the loss of the
    clicks among the items that remain, weighted by 1 / log2(place + 1). Masks, inputs
    and logits are all those of the one order drawn. Without training it is that of the
    most likely order.

    Candidates beyond the slate are ordered by the logits of its last place.

    Differs from the paper: x_i is that of all models compared, with their width and
    depth; the gradient of the draw itself (the REINFORCE term) is left out, as is the
    training by REINFORCE alone.

    Args:
        config: A `PSADConfig`, or its values by name, for sizes, widths, dropout, and
            the width of the beam.
        loss: Of a place: `softmax`, the cross-entropy with the clicks that remain, or
            `hinge`, of the lowest click and the highest other logit.
    """

    title = "Seq2Slate"
    search = {"loss": LOSSES}

    def __init__(self, config, loss="softmax", **kwargs):
        if loss not in LOSSES:
            raise ValueError(f"loss={loss!r}; choose one of {LOSSES}")
        super().__init__(config, **kwargs)
        c, policy = self.config, self.dtype_policy
        self.loss_kind = loss
        self.items = ItemVectors(c, dtype=policy, name="items")
        self.encoders = [
            keras.layers.LSTM(
                c.hidden_dim,
                return_sequences=True,
                return_state=True,
                use_cudnn=False,
                dtype=policy,
                name=f"encoder_{i}",
            )
            for i in range(c.num_layers)
        ]
        self.drop = keras.layers.Dropout(c.dropout, dtype=policy)
        self.decoder = PointerDecoder(
            c.hidden_dim, c.num_decoder_layers, c.dropout, dtype=policy, name="decoder"
        )

    def build(self, inputs_shape=None):
        states = (None, self.config.list_length, self.config.hidden_dim)
        self.items.build()
        for encoder in self.encoders:
            encoder.build(states)
        self.decoder.build(states)

    def call(self, inputs, training=False):
        """Scores of the order whose every item is the most likely one."""
        is_valid = inputs["candidate_is_valid"]
        paths = self.decoder.choose(
            *self._encode(inputs, training),
            is_valid,
            self.config.slate_length,
            training=training,
        )
        return scores_of_slate(paths.order[:, 0], paths.logits[:, 0, -1], is_valid)

    def beam(self, inputs):
        """Scores of the most likely order that a beam search finds, as from `call`."""
        c, is_valid = self.config, inputs["candidate_is_valid"]
        order, rest = self.decoder.beam_search(
            *self._encode(inputs, False), is_valid, c.slate_length, c.beam_width
        )
        return scores_of_slate(order, rest, is_valid)

    def readouts(self):
        return {**super().readouts(), f"{self.title}, beam": self.beam}

    def list_loss(self, inputs, label, training=False, stage=TRAIN):
        c, is_valid, noise = self.config, inputs["candidate_is_valid"], None
        if training:
            shape = (ops.shape(is_valid)[0], 1, c.slate_length, c.list_length)
            noise = gumbel_noise(shape, self.seed_generator)
        paths = self.decoder.choose(
            *self._encode(inputs, training), is_valid, c.slate_length, noise, training
        )
        logits, remains = paths.logits[:, 0], paths.remains[:, 0]
        slots = ops.arange(c.slate_length)[None]
        if self.loss_kind == "softmax":
            return losses.generation_loss(
                logits, label, remains, slots, "softmax", hinge_weight=0.0
            )
        weights = losses.slot_weights(slots) * ops.cast(
            ops.any(remains, axis=-1), "float32"
        )
        margin = losses.hinge(label[:, None], logits, remains)
        return ops.sum(weights * margin, axis=-1) / ops.maximum(
            ops.sum(weights, axis=-1), 1.0
        )

    def _encode(self, inputs, training):
        """Candidates, their states, and the last state and memory."""
        items = self.items(inputs, training=training)
        states = items
        for encoder in self.encoders:
            # Past the list's end a state stays as it is.
            states, *last = encoder(states, mask=inputs["candidate_is_valid"])
        return items, self.drop(states, training=training), last

    def get_config(self):
        return {**super().get_config(), "loss": self.loss_kind}
