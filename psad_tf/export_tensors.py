"""The signatures that take what the transform makes, already as ids."""

import tensorflow as tf

from psad_tf import tensors
from psad_tf.export_answer import ID_INPUTS, unknown_ids_message
from psad_tf.export_checks import refuse_unless
from psad_tf.export_rows import on_host

RANK_TENSORS, RANK_MATRIX = "rank_tensors", "rank_matrix"


def tensor_specs(config) -> list[tf.TensorSpec]:
    """The inputs of `rank_tensors`.

    Args:
        config: The model's `PSADConfig`.
    """
    items, users = sum(config.item_widths), sum(config.user_widths)
    shapes = {
        tensors.USER_IDS: ((users,), tf.int32),
        tensors.CANDIDATE_IDS: ((None, items), tf.int32),
        tensors.CANDIDATE_DENSE: ((None, config.candidate_dense_size), tf.float32),
        "candidate_count": ((), tf.int32),
        tensors.HISTORY_IDS: ((None, items), tf.int32),
        tensors.HISTORY_DENSE: ((None, config.history_dense_size), tf.float32),
        "history_count": ((), tf.int32),
    }
    return [tf.TensorSpec((None, *s), d, k) for k, (s, d) in shapes.items()]


def from_tensors(given: dict[str, tf.Tensor], config, is_compiled: bool) -> dict:
    """The model's inputs by name, from those of `rank_tensors`.

    Lists come at any width up to the model's, and are padded to it.

    Args:
        given: The signature's inputs by name.
        config: The model's `PSADConfig`.
        is_compiled: Whether they go to a compiled scorer, which tells by itself that
            an id is none of the model's.

    Raises:
        InvalidArgumentError: When it runs: a list is too wide, ids and numbers differ
            in width, a count is none of its width, or an id is none of the model's.
    """
    with on_host():
        inputs = {tensors.USER_IDS: given[tensors.USER_IDS]}
        for place, length in (
            ("candidate", config.list_length),
            ("history", config.history_length),
        ):
            inputs |= _place(given, place, length)
            _check_counts(given, place)
        if is_compiled:
            return inputs
        # Not compiled, an unknown id would fail in another way, or fail those that it
        # is batched with.
        with tf.control_dependencies(_ids_are_known(given, config)):
            return {k: tf.identity(v) for k, v in inputs.items()}


def _place(given: dict, place: str, length: int) -> dict[str, tf.Tensor]:
    """The inputs of a place at full width."""
    ids, dense, count = (given[f"{place}_{x}"] for x in ("ids", "dense", "count"))
    width, other = tf.shape(ids)[1], tf.shape(dense)[1]
    checks = [
        refuse_unless(
            width <= length,
            f"{place}_ids is wider than {length}; send fewer items",
            width,
        ),
        refuse_unless(
            width == other,
            f"{place}_dense and {place}_ids differ in width; send one row an item",
            other,
            width,
        ),
    ]
    with tf.control_dependencies(checks):
        missing = (length - width) * [[0, 0], [0, 1], [0, 0]]

    def wide(values):
        # Where nothing is missing, nothing is copied.
        full = tf.pad(values, missing)
        full.set_shape((None, length, values.shape[2]))
        return full

    return {
        f"{place}_ids": wide(ids),
        f"{place}_dense": wide(dense),
        f"{place}_is_valid": tf.range(length) < count[:, tf.newaxis],
        f"{place}_count": count,
    }


def _check_counts(given: dict, place: str) -> None:
    """Refuses a count that its place cannot hold; it does no harm on the way."""
    count, width = given[f"{place}_count"], tf.shape(given[f"{place}_ids"])[1]
    message = (
        f"{place}_count is negative or exceeds the width of {place}_ids; send the "
        "number of items that stand in each row"
    )
    fits = tf.reduce_all((count >= 0) & (count <= width))
    refuse_unless(fits, message, count)


def _ids_are_known(given: dict, config) -> list[tf.Operation]:
    """Assertions that no id is unknown."""
    checks = []
    for name in ID_INPUTS:
        rows = config.user_rows if name == tensors.USER_IDS else config.item_rows
        message = unknown_ids_message(name, rows)
        # None at all is as good as a known one.
        least = tf.minimum(tf.reduce_min(given[name]), rows)
        greatest = tf.maximum(tf.reduce_max(given[name]), -1)
        is_known = (least >= 0) & (greatest < rows)
        shown = "The least and the greatest are"
        checks.append(refuse_unless(is_known, message, shown, least, greatest))
    return checks
