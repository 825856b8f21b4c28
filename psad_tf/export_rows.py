"""How many lists a graph scores at once: those of several requests, or a known size."""

import tensorflow as tf

from psad_tf import tensors
from psad_tf.serving_config import ServingConfig


def on_host():
    """What is made within it stays on the CPU, also where a GPU scores.

    Text, checks and padding are many small operations: on a GPU each would cost a
    start, and often a copy there and back.
    """
    return tf.device("/device:CPU:0")


def in_known_sizes(compiled, plain, inputs, sizes: tuple[int, ...]) -> tf.Tensor:
    """Scores by a graph that XLA compiles anew for each number of lists.

    Lists are filled up to the next size; more of them than the last size are not
    compiled.

    Args:
        compiled: The compiled graph.
        plain: The same, not compiled.
        inputs: The input tensors by name.
        sizes: Numbers of lists, increasing.

    Returns:
        float32 `[batch, list]`.
    """
    with on_host():
        count = tf.shape(inputs[tensors.USER_IDS])[0]
        place = tf.reduce_sum(tf.cast(tf.constant(sizes) < count, tf.int32))

    def filled():
        with on_host():
            missing = tf.constant(sizes)[place] - count
            full = tf.cond(
                missing > 0, lambda: _padded(inputs, missing), lambda: inputs
            )
        return compiled(as_taken_by(compiled, full))[:count]

    return tf.cond(place < len(sizes), filled, lambda: plain(inputs))


def as_taken_by(graph, inputs: dict) -> dict:
    """Inputs in the types of a concrete function of them, by name."""
    (taken,), _ = graph.structured_input_signature
    with on_host():
        return {k: tf.cast(v, taken[k].dtype) for k, v in inputs.items()}


def _padded(inputs: dict, missing) -> dict:
    return {
        k: tf.pad(v, [[0, missing], *[[0, 0]] * (v.shape.rank - 1)])
        for k, v in inputs.items()
    }


def batched(graph, inputs, queue: str, serving: ServingConfig) -> tf.Tensor:
    """Scores once there is a batch of lists, of this and of other requests.

    Args:
        graph: Of input tensors, a concrete function.
        inputs: The input tensors by name.
        queue: The name under which lists wait.
        serving: How they wait.

    Returns:
        float32 `[batch, list]`.
    """
    inputs = as_taken_by(graph, inputs)
    names = [x.name.partition(":")[0] for x in graph.inputs]
    # `tf.nondifferentiable_batch_function`, which gives all queues one name.
    (scores,) = tf.raw_ops.BatchFunction(
        in_tensors=[inputs[name] for name in names[: len(inputs)]],
        captured_tensors=graph.captured_inputs,
        f=graph,
        Tout=[tf.float32],
        num_batch_threads=serving.batch_threads,
        max_batch_size=serving.batch_sizes[-1],
        allowed_batch_sizes=serving.batch_sizes,
        batch_timeout_micros=serving.batch_timeout_micros,
        max_enqueued_batches=serving.queue_batches,
        shared_name=queue,
        # A request whose parts run apart was seen to get an empty answer.
        enable_large_batch_splitting=False,
    )
    # The answer to no list at all comes back without its width.
    return tf.reshape(scores, (-1, graph.outputs[0].shape[1]))
