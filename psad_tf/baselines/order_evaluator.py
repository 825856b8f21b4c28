"""Clicks on a list as it is ordered, read from the top: EG-Rerank's evaluator."""

import keras
from keras import ops

from psad_tf.layers.dense import Dense
from psad_tf.masking import mask_logits


@keras.saving.register_keras_serializable(package="psad_tf")
class OrderEvaluator(keras.layers.Layer):
    """Logits of clicks, each from the item and all those above it.

        h_t = GRU(x_1..x_t);  logit_t = MLP([x_t ; h_t])

    Args:
        dim: Width of x and of states.
        num_layers: GRUs on top of each other.
        ffn_dim: Width of the hidden layer.
        dropout: Rate of dropout before and in the MLP.
    """

    def __init__(self, dim, num_layers, ffn_dim, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.dim = dim
        self.num_layers = num_layers
        self.ffn_dim = ffn_dim
        self.dropout = dropout
        policy = self.dtype_policy
        self.grus = [
            # Fused kernels do not know stacked weights.
            keras.layers.GRU(
                dim,
                return_sequences=True,
                use_cudnn=False,
                dtype=policy,
                name=f"gru_{i}",
            )
            for i in range(num_layers)
        ]
        self.hidden = Dense(ffn_dim, activation="relu", dtype=policy, name="hidden")
        self.click = Dense(1, dtype="float32", name="click")
        self.drop = keras.layers.Dropout(dropout, dtype=policy)

    def build(self, items_shape=None):
        for gru in self.grus:
            gru.build((None, None, self.dim))
        self.hidden.build((None, None, 2 * self.dim))
        self.click.build((None, None, self.ffn_dim))

    def call(self, items, is_valid, training=False):
        """Evaluates.

        Args:
            items: float `[lists, places, dim]`, items in order; padding comes last, so
                nothing above it sees it.
            is_valid: bool `[lists, places]`.
            training: Whether dropout is on.

        Returns:
            float32 `[lists, places]`, the mask logit on padding.
        """
        states = items
        for gru in self.grus:
            states = gru(states)
        both = ops.concatenate([items, states], axis=-1)
        hidden = self.hidden(self.drop(both, training=training))
        logits = self.click(self.drop(hidden, training=training))[..., 0]
        return mask_logits(ops.cast(logits, "float32"), is_valid)

    def get_config(self):
        return {
            **super().get_config(),
            "dim": self.dim,
            "num_layers": self.num_layers,
            "ffn_dim": self.ffn_dim,
            "dropout": self.dropout,
        }
