"""What a request must satisfy, checked inside the served graph with clear errors."""

import tensorflow as tf

from psad_tf.features import FeatureSet, candidate_name, history_name


def check_raw(raw: dict, features: FeatureSet) -> list[tf.Operation]:
    """Assertions on raw features; a failed one answers INVALID_ARGUMENT.

    Args:
        raw: Raw name to tensor [batch] or ragged tensor [batch, (list)].
        features: The data set's features.

    Returns:
        The assertions: the features of a place have one length, a list has at most
        `list_length` candidates, every number is finite.
    """
    checks = []
    for members, name in (
        (features.of_candidates(), candidate_name),
        (features.of_history(), history_name),
    ):
        first = raw[name(members[0])].row_lengths()
        for feature in members[1:]:
            lengths = raw[name(feature)].row_lengths()
            message = (
                f"{name(feature)} and {name(members[0])} have different lengths; "
                "send one value an item for each feature"
            )
            checks.append(_assert(tf.reduce_all(lengths == first), message, lengths))
    name = candidate_name(features.item[0])
    counts = raw[name].row_lengths()
    message = (
        f"{name} has more than {features.list_length} values in a list; this model "
        f"ranks at most {features.list_length} candidates: send the best of the "
        "earlier stage"
    )
    fits = tf.reduce_all(counts <= features.list_length)
    checks.append(_assert(fits, message, counts))
    for name, feature in features.raw():
        if not feature.kind.is_text:
            value = raw[name]
            value = value.flat_values if isinstance(value, tf.RaggedTensor) else value
            message = f"{name} has a value that is not finite; send a number"
            finite = tf.reduce_all(tf.math.is_finite(value))
            checks.append(_assert(finite, message, value))
    return checks


def check_count(name: str, count, packed_name: str, packed) -> tf.Tensor:
    """The lengths of packed lists; a count that the tensor cannot hold is refused.

    Args:
        name: The name of the count.
        count: int32 [batch].
        packed_name: The name of what it counts.
        packed: [batch, width, columns].

    Returns:
        The count, int64 [batch].
    """
    message = (
        f"{name} is negative or exceeds the width of {packed_name}; send the number of "
        "items that stand in each row"
    )
    fits = tf.reduce_all((count >= 0) & (count <= tf.shape(packed)[1]))
    with tf.control_dependencies([_assert(fits, message, count)]):
        return tf.cast(count, tf.int64)


def _assert(condition, message: str, value) -> tf.Operation:
    return tf.debugging.Assert(condition, [message, value], summarize=8)
