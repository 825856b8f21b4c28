"""Items seen through the user's profile (eq 11-12)."""

import keras
from keras import ops

from psad_tf.layers.dense import Dense, side_by_side


@keras.saving.register_keras_serializable(package="psad_tf")
class UserProfileGate(keras.layers.Layer):
    """Gates item vectors by the user's profile.

        G1 = MLP1(sg(X), P)    G2 = GeLU(MLP2(sg(X), P))
        S = sigmoid(MLP(G1 * G2))    output = S * X + W P

    X: items; P: user; sg: stop gradient, so that the gate itself fits the profile and
    leaves the items alone. A layer on (X, P) is the sum of a layer on each: the same
    function as on their concatenation, without copying P for each item.

    Args:
        gated: Whether S is applied; else the output is X + W P, which is what a linear
            layer makes of X and P side by side.
    """

    def __init__(self, gated=True, **kwargs):
        super().__init__(**kwargs)
        self.gated = gated

    def build(self, items_shape, user_shape):
        dim = items_shape[-1]
        self.profile = self._dense(dim, "profile", user_shape, use_bias=False)
        if not self.gated:
            return
        self.linear_item = self._dense(dim, "linear_item", items_shape)
        self.linear_user = self._dense(dim, "linear_user", user_shape, use_bias=False)
        self.gelu_item = self._dense(dim, "gelu_item", items_shape)
        self.gelu_user = self._dense(dim, "gelu_user", user_shape, use_bias=False)
        # G1 * G2 grows with the square of the items: float16 would overflow.
        self.gate = self._dense(
            dim, "gate", items_shape, activation="sigmoid", dtype="float32"
        )

    def _dense(self, dim, name, input_shape, **kwargs):
        kwargs = {"dtype": self.dtype_policy, **kwargs}
        layer = Dense(dim, name=name, **kwargs)
        layer.build(input_shape)
        return layer

    def call(self, items, user=None, profile=None):
        """Gates.

        Args:
            items: float `[batch, length, dim]`, X.
            user: float `[batch, user_dim]`, P; may be None beside `profile`.
            profile: What `profile_of` made of the user; None makes it now.

        Returns:
            float `[batch, length, dim]`.
        """
        profile = self.profile_of(user) if profile is None else profile
        profile = profile[:, None]
        if not self.gated:
            return items + profile
        added, to_linear, to_gelu = ops.split(profile, 3, axis=-1)
        fixed = ops.stop_gradient(items)
        g1 = self.linear_item(fixed) + to_linear
        g2 = ops.gelu(self.gelu_item(fixed) + to_gelu, approximate=False)
        gate = self.gate(ops.cast(g1, "float32") * ops.cast(g2, "float32"))
        return ops.cast(gate, items.dtype) * items + added

    @property
    def profile_dim(self) -> int:
        """Width of what `profile_of` makes."""
        return (3 if self.gated else 1) * self.profile.units

    def profile_of(self, user):
        """What is made of the user alone, by one product, for any number of items.

        Args:
            user: float `[batch, user_dim]`, P.

        Returns:
            float `[batch, 3 dim]`: W P, then P's parts of MLP1 and MLP2; or
            `[batch, dim]`, W P, where nothing is gated.
        """
        if not self.gated:
            return self.profile(user)
        parts = [self.profile, self.linear_user, self.gelu_user]
        # An export counts operations by layer, of which this one is not called here.
        with keras.name_scope(self.name, caller=self):
            return side_by_side(parts, user)

    def get_config(self):
        return {**super().get_config(), "gated": self.gated}
