"""How many lists a graph ranks at once: those of several requests, or a known size."""

import tensorflow as tf

from psad_tf.serving_config import ServingConfig


def on_host():
    """What is made within it stays on the CPU, also where a GPU scores.

    Text, checks and padding are many small operations: on a GPU each would cost a
    start, and often a copy there and back.
    """
    return tf.device("/device:CPU:0")


def in_known_sizes(compiled, count: tf.Tensor, sizes: tuple[int, ...]):
    """What a graph answers that XLA compiles anew for each number of lists.

    Lists are filled up to the next size; beyond the last one, to a multiple of it.

    Args:
        compiled: Of how many lists are missing.
        count: How many there are.
        sizes: Numbers of lists, increasing.

    Returns:
        Its outputs, of the lists that are there.
    """
    with on_host():
        missing = sizes - count
        missing = tf.where(missing >= 0, missing, tf.math.floormod(-count, sizes[-1]))
        missing = tf.reduce_min(missing)
    # Sliced on a device, an integer one would go to the host and back.
    answers = compiled(missing)
    with on_host():
        return [answer[:count] for answer in answers]


def asked(graph, taken, count, queue: str | None, serving, is_compiled: bool) -> list:
    """What a graph answers to the lists of a request, by themselves or with others.

    Args:
        graph: A concrete function.
        taken: What it takes by name, from how many lists are missing, or from nothing.
        count: How many lists there are.
        queue: The name under which lists wait to be batched, or None.
        serving: The `ServingConfig`.
        is_compiled: Whether XLA compiles the graph.

    Returns:
        Its outputs, of the lists that are there.
    """
    sizes = serving.batch_sizes

    def alone():
        if not is_compiled:
            return list(graph(taken()))
        return in_known_sizes(lambda missing: graph(taken(missing)), count, sizes)

    if queue is None:
        return alone()
    # Enough for a batch of their own, and perhaps more than a queue holds.
    return tf.cond(
        count > sizes[-1], alone, lambda: batched(graph, taken(), queue, serving)
    )


def number_of(inputs: dict) -> tf.Tensor:
    """How many lists there are: int32."""
    return tf.shape(next(iter(inputs.values())))[0]


def as_taken_by(graph, inputs: dict) -> dict:
    """Inputs in the types of a concrete function of them, by name."""
    (taken,), _ = graph.structured_input_signature
    with on_host():
        return {k: tf.cast(inputs[k], spec.dtype) for k, spec in taken.items()}


def batched(graph, inputs, queue: str, serving: ServingConfig) -> list[tf.Tensor]:
    """What a graph answers once there is a batch, of this and of other requests.

    Args:
        graph: Of input tensors, a concrete function.
        inputs: The input tensors by name.
        queue: The name under which lists wait.
        serving: How they wait.

    Returns:
        Its outputs, of the lists that were given.
    """
    inputs = as_taken_by(graph, inputs)
    names = [x.name.partition(":")[0] for x in graph.inputs]
    # `tf.nondifferentiable_batch_function`, which gives all queues one name.
    outputs = tf.raw_ops.BatchFunction(
        in_tensors=[inputs[name] for name in names[: len(inputs)]],
        captured_tensors=graph.captured_inputs,
        f=graph,
        Tout=[output.dtype for output in graph.outputs],
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
    return [
        tf.reshape(output, (-1, like.shape[1]))
        for output, like in zip(outputs, graph.outputs, strict=True)
    ]
