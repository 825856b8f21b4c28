"""Which candidate belongs in which place, all places at once, and orders made of it."""

import keras
from keras import ops

from psad_tf.baselines.item_vectors import ItemVectors
from psad_tf.config import PSADConfig
from psad_tf.layers.attention_block import AttentionBlock
from psad_tf.masking import mask_logits, masked_mean
from psad_tf.targets import slot_is_valid

_EPSILON = 1e-9


@keras.saving.register_keras_serializable(package="psad_tf")
class MatchingModel(keras.layers.Layer):
    """States of the candidates and of the slate's places; their products are logits.

    Candidates attend to each other and do not know their initial order. Places are
    embeddings that all lists share; they attend to each other, then to the candidates.

    Args:
        config: A `PSADConfig`, or its values by name.
    """

    def __init__(self, config, **kwargs):
        super().__init__(**kwargs)
        self.config = c = PSADConfig.of(config)
        policy = self.dtype_policy
        self.items = ItemVectors(c, dtype=policy, name="items")
        self.places = keras.layers.Embedding(
            c.slate_length,
            c.hidden_dim,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=1.0),
            dtype=policy,
            name="places",
        )

        def blocks(count, name):
            return [
                AttentionBlock.of(c, dtype=policy, name=f"{name}_{i}")
                for i in range(count)
            ]

        self.among_candidates = blocks(c.num_layers, "among_candidates")
        self.among_places = blocks(c.num_decoder_layers, "among_places")
        self.to_candidates = blocks(c.num_decoder_layers, "to_candidates")

    def build(self, inputs_shape=None):
        c = self.config
        candidates = (None, c.list_length, c.hidden_dim)
        places = (None, c.slate_length, c.hidden_dim)
        self.items.build()
        self.places.build((None,))
        for block in self.among_candidates:
            block.build(candidates, candidates)
        for block in self.among_places:
            block.build(places, places)
        for block in self.to_candidates:
            block.build(places, candidates)

    def call(self, inputs, training=False):
        """Encodes.

        Args:
            inputs: The input tensors by name, see `psad_tf.model.PSAD`.
            training: Whether dropout is on.

        Returns:
            The candidates' states, float32 `[batch, list, dim]`, and those of places,
            float32 `[batch, slate, dim]`; of no meaning past the list's end.
        """
        c, is_valid = self.config, inputs["candidate_is_valid"]
        states = self.items(inputs, training=training)
        for block in self.among_candidates:
            states = block(states, states, is_valid[:, None], training=training)
        is_place = slot_is_valid(is_valid, c.slate_length)
        places = self.places(ops.arange(c.slate_length)) + ops.zeros_like(
            states[:, :1, :1]
        )
        for among, to in zip(self.among_places, self.to_candidates, strict=True):
            places = among(places, places, is_place[:, None], training=training)
            places = to(places, states, is_valid[:, None], training=training)
        # In half precision some candidates would get the same logit.
        return ops.cast(states, "float32"), ops.cast(places, "float32")

    def get_config(self):
        return {**super().get_config(), "config": self.config.to_dict()}


def matching_logits(states, places, is_valid):
    """Logits of P: float32 `[batch, slate, list]`; a softmax over the list gives it.

    Args:
        states: float32 `[batch, list, dim]`, of the candidates.
        places: float32 `[batch, slate, dim]`.
        is_valid: bool `[batch, list]`.
    """
    logits = ops.matmul(places, ops.swapaxes(states, -1, -2))
    return mask_logits(logits * states.shape[-1] ** -0.5, is_valid[:, None])


def cosines(vectors):
    """The cosine of each pair: float32 `[batch, n, n]` from `[batch, n, dim]`."""
    square = ops.sum(vectors * vectors, axis=-1, keepdims=True)
    unit = vectors * ops.rsqrt(ops.maximum(square, _EPSILON))
    return ops.matmul(unit, ops.swapaxes(unit, -1, -2))


def isotropy_loss(vectors, is_valid, margin):
    """How far the vectors are from lying `margin` apart.

        mean over pairs i != k of max(0, margin - 1 + cosine(v_i, v_k))

    Args:
        vectors: float32 `[batch, n, dim]`.
        is_valid: bool `[batch, n]`.
        margin: Rho of the paper, in 0..2.

    Returns:
        float32 `[batch]`; 0 without a pair.
    """
    hinge = ops.relu(margin - 1 + cosines(vectors))
    is_pair = is_valid[:, None] & is_valid[:, :, None]
    is_pair = is_pair & ~ops.eye(vectors.shape[1], dtype="bool")
    return masked_mean(hinge, is_pair, axis=(1, 2))


def contrastive_orders(probability, likeness, is_valid, alphas):
    """Orders made place by place, each item unlike those before it.

        y_j = argmax over i not chosen of
              (1 - alpha) P_ij - alpha max over chosen k of likeness_ik

    The penalty of the first place is 0.

    Args:
        probability: float32 `[batch, slate, list]`, P.
        likeness: float32 `[batch, list, list]`, such as cosines.
        is_valid: bool `[batch, list]`.
        alphas: The weights to try, in 0..1; each gives an order.

    Returns:
        int32 `[batch, alphas, slate]`, -1 past the list's end.
    """
    slate, length = probability.shape[1:]
    alpha = ops.convert_to_tensor(alphas, dtype="float32")[None, :, None]
    is_free = ops.repeat(is_valid[:, None], len(alphas), axis=1)
    penalty, order = 0.0, []
    for place in range(slate):
        worth = (1 - alpha) * probability[:, place, None] - alpha * penalty
        item = ops.cast(ops.argmax(mask_logits(worth, is_free), axis=-1), "int32")
        like = ops.take_along_axis(likeness, item[..., None], axis=1)
        penalty = ops.maximum(penalty, like) if order else like
        order.append(ops.where(ops.any(is_free, axis=-1), item, -1))
        is_free = is_free & ~ops.one_hot(item, length, dtype="bool")
    return ops.stack(order, axis=-1)
