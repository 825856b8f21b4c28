"""What a compiled graph answers: one matrix, which leaves a device in one copy."""

import tensorflow as tf

from psad_tf import tensors
from psad_tf.config import PSADConfig
from psad_tf.export_checks import refuse_unless
from psad_tf.export_rows import on_host
from psad_tf.list_matrix import ListMatrix

ID_INPUTS = (tensors.USER_IDS, tensors.CANDIDATE_IDS, tensors.HISTORY_IDS)


def unknown_ids_message(name: str, rows: int) -> str:
    """What is said of an input that has an id the model doesn't have."""
    return f"{name} has an id that is not in 0..{rows - 1}; ask the same version. "


class Answer:
    """Scores, order, and what is known of ids and counts: int32 columns.

    Ids are looked at where they are read anyway. Out of range they read some row, so
    that only who gets the answer can refuse it.

    Args:
        config: The model's.
        layout: Of the lists.
    """

    def __init__(self, config: PSADConfig, layout: ListMatrix):
        rows = (config.user_rows, config.item_rows, config.item_rows)
        # What is looked at, what it must be below, and what is said of it if not.
        self._limits = dict(zip(ID_INPUTS, rows, strict=True))
        self._messages = [unknown_ids_message(*x) for x in self._limits.items()]
        for name, length in layout.lengths.items():
            self._limits[name] = length + 1
            self._messages.append(
                f"{name} is not in 0..{length}; send the number of items. "
            )
        self._names = ", ".join(self._limits)
        width, kinds = layout.list_length, len(self._limits)
        self._sizes = [width, width, 1, kinds, kinds]

    def pack(self, scores, order, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """The matrix: int32 `[batch, columns]`, within the compiled graph.

        Args:
            scores: float32 `[batch, width]`.
            order: int32 `[batch, width]`.
            inputs: Ids and counts by name, int32.
        """
        given = [inputs[name] for name in self._limits]
        least, greatest = (
            tf.stack([reduce(x, range(1, x.shape.rank)) for x in given], axis=1)
            for reduce in (tf.reduce_min, tf.reduce_max)
        )
        is_bad = (least < 0) | (greatest >= [*self._limits.values()])
        # The number of the last that is bad, from 1 on.
        number = tf.where(is_bad, tf.range(1, len(self._limits) + 1), 0)
        number = tf.reduce_max(number, axis=1, keepdims=True)
        scores = tf.bitcast(scores, tf.int32)
        return tf.concat([scores, order, number, least, greatest], axis=1)

    def unpack(self, matrix: tf.Tensor) -> list[tf.Tensor]:
        """Scores and order of a matrix, on the host.

        Raises:
            InvalidArgumentError: When it runs: an id is none of the model's, or a count
                is more than a list holds.
        """
        with on_host():
            parts = tf.split(matrix, self._sizes, axis=1)
            scores, order, number, least, greatest = parts
            # Of no list at all the greatest is as low as can be.
            number = tf.maximum(tf.reduce_max(number), 0)
            message = tf.gather(["", *self._messages], number)
            shown = f"The least and the greatest of {self._names} are"
            ends = tf.reduce_min(least, axis=0), tf.reduce_max(greatest, axis=0)
            refuse_unless(tf.equal(number, 0), message, shown, *ends)
            return [tf.bitcast(scores, tf.float32), order]
