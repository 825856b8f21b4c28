"""States and profile brought together after the encoder: what UPN is compared with."""

import keras
from keras import ops

from psad_tf.layers.dense import Dense


@keras.saving.register_keras_serializable(package="psad_tf")
class LateFusion(keras.layers.Layer):
    """Fuses the user's profile into candidate states, as reranking by MIR does.

        output = H + GeLU(W [H, P])

    H: states; P: user. The layer on (H, P) is the sum of a layer on each. Source: Xi et
    al., Multi-level interaction reranking with user behavior history (SIGIR 2022), one
    of the interactions that PSAD's Figure 4 compares.
    """

    def build(self, states_shape, user_shape):
        dim, policy = states_shape[-1], self.dtype_policy
        self.state_part = Dense(dim, dtype=policy, name="state_part")
        self.state_part.build(states_shape)
        self.user_part = Dense(dim, use_bias=False, dtype=policy, name="user_part")
        self.user_part.build(user_shape)

    def call(self, states, user):
        """Fuses.

        Args:
            states: float `[batch, list, dim]`, H.
            user: float `[batch, user_dim]`, P.

        Returns:
            float `[batch, list, dim]`.
        """
        fused = self.state_part(states) + self.user_part(user)[:, None]
        return states + ops.gelu(fused, approximate=False)
