"""EG-Rerank's generator: a pointer network without a recurrent encoder."""

import keras
from keras import ops

from psad_tf.baselines.pointer_decoder import PointerDecoder
from psad_tf.layers.dense import Dense
from psad_tf.masking import masked_mean


@keras.saving.register_keras_serializable(package="psad_tf")
class PointerPolicy(keras.layers.Layer):
    """The probabilities of orders of a set of items.

        e_i = MLP(x_i);  then a `PointerDecoder` that begins with the mean of e_i

    Args:
        dim: Width of x and of states.
        num_layers: Hidden layers of the MLP.
        num_decoder_layers: LSTMs of the decoder.
        ffn_dim: Width of the hidden layers.
    """

    def __init__(self, dim, num_layers, num_decoder_layers, ffn_dim, **kwargs):
        super().__init__(**kwargs)
        self.dim = dim
        self.num_layers = num_layers
        self.num_decoder_layers = num_decoder_layers
        self.ffn_dim = ffn_dim
        policy = self.dtype_policy
        self.hidden = [
            Dense(ffn_dim, activation="relu", dtype=policy, name=f"hidden_{i}")
            for i in range(num_layers)
        ]
        self.out = Dense(dim, dtype=policy, name="out")
        self.decoder = PointerDecoder(
            dim, num_decoder_layers, dtype=policy, name="decoder"
        )

    def build(self, items_shape=None):
        width = self.dim
        for layer in self.hidden:
            layer.build((None, None, width))
            width = self.ffn_dim
        self.out.build((None, None, width))
        self.decoder.build((None, None, self.dim))

    def call(self, items, order, is_valid):
        """Logits along orders: `Paths`, see `PointerDecoder.call`."""
        return self.decoder(items, *self._encode(items, is_valid), order, is_valid)

    def choose(self, items, is_valid, slate, noise=None):
        """Orders, drawn or the most likely: `Paths`, see `PointerDecoder.choose`."""
        states, start = self._encode(items, is_valid)
        return self.decoder.choose(items, states, start, is_valid, slate, noise)

    def _encode(self, items, is_valid):
        states = items
        for layer in self.hidden:
            states = layer(states)
        states = self.out(states)
        mean = masked_mean(states, is_valid[..., None], axis=1)
        return states, (mean, ops.zeros_like(mean))

    def get_config(self):
        return {
            **super().get_config(),
            "dim": self.dim,
            "num_layers": self.num_layers,
            "num_decoder_layers": self.num_decoder_layers,
            "ffn_dim": self.ffn_dim,
        }
