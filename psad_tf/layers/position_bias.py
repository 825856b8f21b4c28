"""How much attention a distance gets, for each user (P of eq 1, eq 13)."""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from psad_tf.layers.dense import Dense


def lay_out(values, num_queries):
    """Lays relative values out: `out[q, k] = values[k - q + num_queries - 1]`.

    The queries are the last of the keys' positions, so the last value is that of the
    first query and the last key. The values are repeated for each query and read in
    rows that are shorter by one, each of which so begins one value earlier. A gather's
    gradient is slow, on TensorFlow that of `x[:, a:b]` as well; that of a split isn't.

    Args:
        values: float `[batch, num_keys + num_queries - 1]`.
        num_queries: Rows of the matrix.

    Returns:
        float `[batch, num_queries, num_keys]`.
    """
    if num_queries == 1:
        return values[:, None]
    count, last = values.shape[1], num_queries - 1
    shorter = count - 1
    repeated = ops.tile(values, (1, num_queries))
    rows = ops.split(repeated, (last, last + num_queries * shorter), axis=1)[1]
    rows = ops.reshape(rows, (-1, num_queries, shorter))
    return ops.split(rows, (count - last,), axis=2)[0]


@dataclass(frozen=True)
class RelativeBias:
    """A bias that is still to be laid out.

    Args:
        values: float `[batch, places + query places - 1]`, as `lay_out` takes them.
        places: Of queries, the last of the keys'. The last one is that of all queries
            behind it, and so is the last one of the keys.
        num_queries: Queries.
    """

    values: Any
    places: int
    num_queries: int


def laid_out(bias):
    """float `[batch, queries, keys]`, of a `RelativeBias` or as it is."""
    if not isinstance(bias, RelativeBias):
        return bias
    found = lay_out(bias.values, bias.places)
    return behind_history(found, bias.num_queries - bias.places + 1)


def behind_history(bias, num_candidates):
    """Gives all candidates the one place behind the history.

    Args:
        bias: float `[batch, queries, keys]`; the last query and the last key stand for
            any candidate.
        num_candidates: Candidates; M of the paper.

    Returns:
        float `[batch, queries - 1 + M, keys - 1 + M]`.
    """
    if num_candidates == 1:
        return bias
    for axis in (1, 2):
        last = ops.take(bias, [bias.shape[axis] - 1], axis=axis)
        more = ops.repeat(last, num_candidates - 1, axis=axis)
        bias = ops.concatenate([bias, more], axis=axis)
    return bias


@keras.saving.register_keras_serializable(package="psad_tf")
class PersonalizedPositionBias(keras.layers.Layer):
    """A learned value for each pair of positions, fitted to the user (eq 13).

        P' = P + tanh(MLP(sg(P_u), P))

    P: the general values; P_u: the user; sg: stop gradient. The queries are the last
    `num_queries` of `num_keys` positions. The MLP's first layer is the sum of a user
    part and a position part.

    Args:
        num_queries: Rows.
        num_keys: Columns.
        kind: `relative`, one value for each distance, or `table`, one for each pair.
        mlp_dim: Width of the MLP.
        personal: Whether P is fitted to the user; else it is P for everybody.
    """

    def __init__(
        self,
        num_queries,
        num_keys,
        kind="relative",
        mlp_dim=16,
        personal=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_queries = num_queries
        self.num_keys = num_keys
        self.kind = kind
        self.mlp_dim = mlp_dim
        self.personal = personal

    def build(self, user_shape):
        count = self.num_queries + self.num_keys - 1
        if self.kind == "table":
            count = self.num_queries * self.num_keys
        self.values = self.add_weight(
            name="position_values",
            shape=(count,),
            initializer=keras.initializers.RandomNormal(),
        )
        if self.personal:
            self.user_part = self._dense(self.mlp_dim, "user_part", user_shape)
            self.position_part = self._dense(
                self.mlp_dim, "position_part", (None, 1), use_bias=False
            )
            self.output_part = self._dense(1, "output_part", (None, self.mlp_dim))

    def _dense(self, dim, name, input_shape, **kwargs):
        layer = Dense(dim, name=name, dtype=self.dtype_policy, **kwargs)
        layer.build(input_shape)
        return layer

    def call(self, user):
        """The bias.

        Args:
            user: float `[batch, user_dim]`, P_u.

        Returns:
            float `[batch, num_queries, num_keys]`.
        """
        return laid_out(self.bias_of(self.values_of(user)))

    def values_of(self, user):
        """P' as it is learned, one value each: float `[batch, values]`."""
        values = ops.cast(self.values, self.compute_dtype)[None]  # [1, count]
        if self.personal:
            user_part = self.user_part(ops.stop_gradient(user))[:, None]
            hidden = user_part + self.position_part(values[..., None])
            hidden = ops.gelu(hidden, approximate=False)
            values = values + ops.tanh(ops.squeeze(self.output_part(hidden), -1))
        else:
            values = ops.repeat(values, ops.shape(user)[0], axis=0)
        return values

    def bias_of(self, values, num_candidates=1):
        """The bias that `values_of` stands for, as an `AttentionBlock` takes it.

        Args:
            values: From `values_of`.
            num_candidates: How many candidates share the last place.
        """
        if self.kind == "table":
            shape = -1, self.num_queries, self.num_keys
            return behind_history(ops.reshape(values, shape), num_candidates)
        queries = self.num_queries - 1 + num_candidates
        return RelativeBias(values, self.num_queries, queries)

    def get_config(self):
        return {
            **super().get_config(),
            "num_queries": self.num_queries,
            "num_keys": self.num_keys,
            "kind": self.kind,
            "mlp_dim": self.mlp_dim,
            "personal": self.personal,
        }
