"""What a compiled graph answers: one matrix, which leaves a device in one copy."""

import tensorflow as tf

from psad_tf import tensors
from psad_tf.config import PSADConfig
from psad_tf.export_checks import refuse_unless
from psad_tf.export_rows import on_host

ID_INPUTS = (tensors.USER_IDS, tensors.CANDIDATE_IDS, tensors.HISTORY_IDS)


def unknown_ids_message(name: str, rows: int) -> str:
    """What is said of an input that has an id the model doesn't have."""
    return f"{name} has an id that is not in 0..{rows - 1}; ask the same version. "


class Answer:
    """Scores, order, and what is known of the ids they were made of: int32 columns.

    Ids are looked at where they are read anyway. Out of range they read some row, so
    that only who gets the answer can refuse it.

    Args:
        config: The model's.
        width: Candidates of a list.
    """

    def __init__(self, config: PSADConfig, width: int):
        self._rows = [config.user_rows, config.item_rows, config.item_rows]
        kinds = len(ID_INPUTS)
        self._sizes = [width, width, kinds, kinds, kinds]

    def pack(self, scores, order, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """The matrix: int32 `[batch, columns]`, within the compiled graph.

        Args:
            scores: float32 `[batch, width]`.
            order: int32 `[batch, width]`.
            inputs: The input tensors by name, ids in int32.
        """
        ids = [inputs[name] for name in ID_INPUTS]
        least, greatest = (
            tf.stack([reduce(x, range(1, x.shape.rank)) for x in ids], axis=1)
            for reduce in (tf.reduce_min, tf.reduce_max)
        )
        is_unknown = tf.cast((least < 0) | (greatest >= self._rows), tf.int32)
        scores = tf.bitcast(scores, tf.int32)
        return tf.concat([scores, order, is_unknown, least, greatest], axis=1)

    def unpack(self, matrix: tf.Tensor) -> list[tf.Tensor]:
        """Scores and order of a matrix, on the host.

        Raises:
            InvalidArgumentError: When it runs: an id is none of the model's.
        """
        with on_host():
            parts = tf.split(matrix, self._sizes, axis=1)
            scores, order, is_unknown, least, greatest = parts
            lists = tf.reduce_sum(is_unknown, axis=0)
            named = [*map(unknown_ids_message, ID_INPUTS, self._rows)]
            message = tf.strings.reduce_join(tf.where(lists > 0, named, ""))
            shown = "The least and the greatest of user, candidates and history are"
            ends = tf.reduce_min(least, axis=0), tf.reduce_max(greatest, axis=0)
            refuse_unless(tf.equal(message, ""), message, shown, *ends)
            return [tf.bitcast(scores, tf.float32), order]
