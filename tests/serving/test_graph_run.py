"""A run ends when its time is up, but for a graph that others' requests are in."""

import numpy as np
import pytest
import tensorflow as tf

from serving.fault import Fault
from serving.graph_run import GraphRun, has_batches

STEPS = 60_000  # takes far longer than the time that is given


def counted(steps):
    """Counts up to the greatest of the numbers, one by one."""
    most = tf.reduce_max(steps)
    done = tf.while_loop(lambda i: i < most, lambda i: (i + 1,), (0,))[0]
    return steps * 0 + done


def run_of(count):
    """A graph `out = count(steps)`, ready to run."""
    graph = tf.Graph()
    with graph.as_default():
        steps = tf.compat.v1.placeholder(tf.int32, [None], "steps")
        tf.identity(count(steps), "out")
    return GraphRun(tf.compat.v1.Session(graph=graph))


def test_a_run_is_given_up_when_its_time_is_up():
    run, feeds = run_of(counted), {"steps:0": np.array([STEPS], np.int32)}
    assert run({"y": "out:0"}, feeds)["y"].tolist() == [STEPS]
    with pytest.raises(Fault) as fault:
        run({"y": "out:0"}, feeds, remaining=0.01)
    assert fault.value.code.name == "DEADLINE_EXCEEDED"


def test_a_batch_is_not_given_up_for_one_of_its_requests():
    run = run_of(tf.nondifferentiable_batch_function(1, 4, 1000)(counted))
    feeds = {"steps:0": np.array([STEPS], np.int32)}
    found = run({"y": "out:0"}, feeds, remaining=0.01)
    assert found["y"].tolist() == [STEPS]


def test_batches_are_found_inside_functions_too():
    batched = tf.nondifferentiable_batch_function(1, 4, 1000)(counted)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def inside(steps):
        return batched(steps)

    graph = tf.Graph()
    with graph.as_default():
        inside(tf.constant([1]))
    assert has_batches(graph)
    assert not has_batches(tf.Graph())
