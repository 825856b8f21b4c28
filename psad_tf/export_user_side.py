"""A user's side of the artifact: made by one signature, taken by another."""

import zlib

import tensorflow as tf

from psad_tf.errors import ConfigError
from psad_tf.export_core import ServedScorer
from psad_tf.export_rows import on_host
from psad_tf.layers.scorer import Scorer
from psad_tf.layers.user_side import UserSide

USER_SIDE, WITH_USER_SIDE = "user_side", "rank_with_user_side"
# Whole numbers below it are exact in float32.
_EXACT = 1 << 24


class PackedUserSide:
    """A user's side as one vector, with the mark of the model that made it.

    Args:
        served: The scorer.

    Raises:
        ConfigError: Its history is encoded with the candidates, or it is no `Scorer`.
    """

    def __init__(self, served: ServedScorer):
        config, scorer = served.scorer.config, served.scorer
        if not isinstance(scorer, Scorer) or config.history == "encoded":
            raise ConfigError(
                f"serving: extra_signatures has {USER_SIDE!r}, and this model has no "
                "side of the user apart from the candidates; leave it out, or train "
                "with history='attended'"
            )
        self._served, self.mark = served, _mark(served)
        n, d = config.history_length, config.hidden_dim
        user = len(config.user_widths) * config.embedding_dim
        counts = [b.values.shape[0] for b in scorer.encoder.encoder.biases]
        gate = scorer.encoder.gate
        profile = 0 if gate is None else gate.profile_dim
        self._sizes = [1, user, profile, n * d, n, *counts]
        self._past = (n, d)

    @property
    def size(self) -> int:
        """Values of the vector."""
        return sum(self._sizes)

    def make(self, inputs) -> tf.Tensor:
        """The vectors of users: float32 `[batch, size]`, from the model's inputs."""
        side = self._served.run(lambda model: model.user_side(inputs))
        batch = tf.shape(side.user)[0]
        profile = [] if side.profile is None else [side.profile]
        parts = [side.user, *profile, side.past, side.past_is_valid, *side.position]
        flat = [tf.reshape(tf.cast(x, tf.float32), (batch, -1)) for x in parts]
        return tf.concat([tf.fill((batch, 1), float(self.mark)), *flat], axis=1)

    def scores(self, packed, inputs) -> tf.Tensor:
        """Scores of candidates beside packed sides: float32 `[batch, list]`.

        Raises:
            InvalidArgumentError: When it runs: another model made a vector.
        """
        message = (
            f"{USER_SIDE} was made by another version of the model; ask the signature "
            f"{USER_SIDE} of this one again"
        )
        with on_host():
            is_own = tf.reduce_all(packed[:, 0] == float(self.mark))
            check = tf.debugging.Assert(is_own, [message])
        with tf.control_dependencies([check]):
            _, user, profile, past, is_valid, *position = tf.split(
                packed, self._sizes, axis=1
            )
        dtype = self._served.compute_dtype

        def of(values):
            return tf.cast(values, dtype)

        side = UserSide(
            of(user),
            of(profile),
            tf.reshape(of(past), (-1, *self._past)),
            is_valid > 0,
            [of(values) for values in position],
        )
        return self._served.run(lambda model: model.with_user_side(side, inputs))


def _mark(served: ServedScorer) -> int:
    """A whole number that another model hardly has: of its weights and precision."""
    found = zlib.crc32(served.serving.precision.encode())
    for weight in served.scorer.weights:
        found = zlib.crc32(weight.numpy().tobytes(), found)
    return found % _EXACT
