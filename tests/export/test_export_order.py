"""The order of a list: by sorting, and as a compiled graph makes it."""

import numpy as np
import pytest


def order_on_paper(scores, count):
    """Best first, ties as they came, -1 past the end."""
    best = sorted(range(count), key=lambda i: -scores[i])
    return best + [-1] * (len(scores) - count)


@pytest.mark.parametrize("is_compiled", [False, True])
def test_candidates_come_by_score_and_ties_as_they_came(is_compiled):
    import tensorflow as tf

    from psad_tf.export_order import ranked

    random = np.random.default_rng(0)
    counts = random.integers(0, 8, 200)
    # Few values, so that most lists have ties; some are as low as scores come.
    scores = random.choice(np.float32([-1e30, -2, -0.5, 0, 0.5]), (200, 7))
    counts = np.minimum(counts, 7)
    is_valid = np.arange(7) < counts[:, None]
    function = tf.function(
        lambda s, v: ranked(s, v, is_compiled), jit_compile=is_compiled or None
    )
    found, order = function(scores, is_valid)
    for i, count in enumerate(counts):
        assert order[i].numpy().tolist() == order_on_paper(scores[i], count)
        np.testing.assert_array_equal(found[i, :count], scores[i, :count])
        assert (found[i, count:].numpy() < -1e38).all()


def test_a_compiled_order_names_each_candidate_once_even_of_scores_that_are_none():
    import tensorflow as tf

    from psad_tf.export_order import ranked

    scores = tf.constant([[0.5, np.nan, 1.0, np.nan]])
    _, order = ranked(scores, tf.ones((1, 4), tf.bool), True)
    assert order.numpy().tolist() == [[2, 0, 1, 3]]


def test_packed_lists_come_out_as_they_went_in():
    import tensorflow as tf
    from model_cases import make_batch, tiny

    from psad_tf.export_inputs import Packing, input_specs
    from psad_tf.list_matrix import ListMatrix

    config = tiny()
    specs = input_specs(config, config.list_length, config.history_length)
    inputs, _ = make_batch(config, [6, 3, 1], [5, 0, 2])
    layout = ListMatrix.of(config, config.list_length, config.history_length)
    packing = Packing(layout)
    matrix = packing.pack(inputs)
    assert packing.spec.is_compatible_with(matrix)
    found = packing.unpack(matrix)
    counts = {"candidate_count": [6, 3, 1], "history_count": [5, 0, 2]}
    assert set(found) == {*specs, *counts}
    for name, values in found.items():
        np.testing.assert_array_equal(values, (inputs | counts)[name])
    # Counts in place of what is valid.
    counted = {k: v for k, v in inputs.items() if not k.endswith("is_valid")}
    counted |= counts
    counted = {k: tf.convert_to_tensor(v) for k, v in counted.items()}
    np.testing.assert_array_equal(packing.pack(counted), matrix)
    # As clients fill it, who have no graph; what isn't there they leave at zero.
    arrays = {k: np.asarray(counted[k]) for k in layout.shapes}
    np.testing.assert_array_equal(layout.fill(arrays), matrix)


def test_an_answer_comes_out_as_it_went_in_unless_something_cannot_be():
    import tensorflow as tf
    from model_cases import make_batch, tiny

    from psad_tf.export_answer import Answer
    from psad_tf.list_matrix import ListMatrix

    config = tiny()
    inputs, _ = make_batch(config, [6, 3, 1], [5, 0, 2])
    ids = ("user_ids", "candidate_ids", "history_ids")
    inputs = {k: np.asarray(inputs[k], np.int32) for k in ids}
    inputs |= {"candidate_count": np.int32([3, 3, 1])}
    inputs |= {"history_count": np.int32([5, 0, 2])}
    scores = np.float32([[0.5, -2, 1e-30]] * 3)
    order = np.int32([[0, 2, 1], [1, 0, -1], [0, -1, -1]])
    answer = Answer(config, ListMatrix.of(config, 3, 5))

    def through(inputs):
        given = {k: tf.constant(v) for k, v in inputs.items()}
        return answer.unpack(answer.pack(tf.constant(scores), order, given))

    found = through(inputs)
    np.testing.assert_array_equal(found[0], scores)
    np.testing.assert_array_equal(found[1], order)
    most = {name: config.item_rows - 1 for name in ids}
    most |= {"user_ids": config.user_rows - 1}
    most |= {"candidate_count": 3, "history_count": 5}
    for name, bad in ((n, bad) for n in inputs for bad in (-1, most[n] + 1)):
        changed = inputs[name].copy()
        changed.flat[-1] = bad
        named = f"{name} (has an id that )?is not in 0..{most[name]};"
        with pytest.raises(tf.errors.InvalidArgumentError, match=named):
            through(inputs | {name: changed})
        changed.flat[-1] = most[name]
        through(inputs | {name: changed})
    # No list at all has nothing that could be wrong.
    none = answer.pack(
        *(tf.constant(x[:0]) for x in (scores, order)),
        {k: tf.constant(v[:0]) for k, v in inputs.items()},
    )
    assert [x.shape for x in answer.unpack(none)] == [(0, 3), (0, 3)]


def test_what_a_session_is_fed_stays_on_the_host(exported):
    from tensorflow.core.protobuf import saved_model_pb2

    content = (exported.path / "saved_model.pb").read_bytes()
    graph = saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].graph_def
    fed = {n.name: n.device for n in graph.node if n.op == "Placeholder"}
    assert len(fed) > 5
    assert set(fed.values()) == {"/device:CPU:0"}
