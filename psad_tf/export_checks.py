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
    places = (
        (features.of_candidates(), candidate_name),
        (features.of_history(), history_name),
    )
    for members, name in places:
        checks += _check_lengths(raw, [name(feature) for feature in members])
    name = candidate_name(features.item[0])
    counts = raw[name].row_lengths()
    message = (
        f"{name} has more than {features.list_length} values in a list; this model "
        f"ranks at most {features.list_length} candidates: send the best of the "
        "earlier stage"
    )
    fits = tf.reduce_all(counts <= features.list_length)
    checks.append(refuse_unless(fits, message, counts))
    for members, name in ((features.user, lambda feature: feature.name), *places):
        numbers = [name(f) for f in members if not f.kind.is_text]
        if numbers:
            with tf.control_dependencies(checks):
                checks.append(_check_finite(raw, numbers))
    return checks


def _check_lengths(raw: dict, names: list[str]) -> list[tf.Operation]:
    """The features of a place have one length."""
    first, checks = raw[names[0]], []
    for name in names[1:]:
        if raw[name].row_splits is first.row_splits:
            continue  # columns of one tensor
        lengths = raw[name].row_lengths()
        message = (
            f"{name} and {names[0]} have different lengths; send one value an item for "
            "each feature"
        )
        is_same = tf.reduce_all(lengths == first.row_lengths())
        checks.append(refuse_unless(is_same, message, lengths))
    return checks


def _check_finite(raw: dict, names: list[str]) -> tf.Operation:
    """Every number of a place is finite: one check, which names the columns."""
    values = [raw[name] for name in names]
    flat = [v.flat_values if isinstance(v, tf.RaggedTensor) else v for v in values]
    is_finite = tf.reduce_all(tf.math.is_finite(tf.stack(flat, axis=1)), axis=0)
    bad = tf.strings.reduce_join(tf.where(is_finite, "", [f"{n} " for n in names]))
    message = tf.strings.join([bad, "has a value that is not finite; send a number"])
    return refuse_unless(tf.reduce_all(is_finite), message)


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
    with tf.control_dependencies([refuse_unless(fits, message, count)]):
        return tf.cast(count, tf.int64)


def refuse_unless(condition, message, *values) -> tf.Operation:
    """An assertion: where the condition is false, the request is refused.

    Args:
        condition: bool, on the host.
        message: What is wrong, and the remedy: a string, or a tensor of one.
        values: What to show of the request, on the host.

    Returns:
        The operation that fails with InvalidArgumentError.
    """
    # `tf.debugging.Assert` is a conditional around it, for values on a device.
    return tf.raw_ops.Assert(condition=condition, data=[message, *values], summarize=8)
