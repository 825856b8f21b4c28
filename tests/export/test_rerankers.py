"""Every reranker of the comparison is served as PSAD is: by the same exporter."""

from dataclasses import replace
from types import SimpleNamespace

import export_cases
import numpy as np
import pytest
from export_cases import FEATURES, SIGNATURES, inputs_of
from fitted_transform import USER, A
from model_cases import awake
from stored_arrays import stored_arrays, times_stored

from psad_tf.baselines.registry import RERANKERS, build_reranker, reranker
from psad_tf.data.examples import encode_list
from psad_tf.data.ranking_list import RankingList

NAMES = sorted(RERANKERS)
LISTS = [*export_cases.LISTS, RankingList(USER, [A])]  # one candidate, no history
# What training alone needs: no request may pay for it.
LEFT_BEHIND = {
    "crum": ("judged", "evaluator"),
    "egrerank": ("evaluator", "drawing", "steps"),
    "gref": ("reference",),
    "prm": ("click_model",),
}
# Loops of recurrent layers, which the C++ server rewrites before it runs them.
LOOPS = ("dlcm", "seq2slate")


@pytest.fixture(scope="module")
def inputs(exported):
    """The lists as a model's input tensors."""
    import tensorflow as tf

    from psad_tf.training_data import model_inputs

    raw = tf.io.parse_example([encode_list(x, FEATURES) for x in LISTS], exported.spec)
    return model_inputs(exported.transform(raw))


@pytest.fixture(scope="module")
def config(exported):
    """As tiny as the exported PSAD, with fewer places: each adds to a graph.

    GReF needs a whole pass and a part of one for six.
    """
    return replace(exported.model.config, slate_length=6)


@pytest.fixture(scope="module", params=NAMES)
def served(request, exported, config, inputs, tmp_path_factory):
    """A reranker, its scores, and its artifact."""
    import keras

    from psad_tf.export import export_scorer

    keras.utils.set_random_seed(1)
    model = awake(build_reranker(request.param, config))
    random = np.random.default_rng(1)
    for weight in model.non_trainable_weights:
        if weight.dtype == "float32" and len(weight.shape):
            # Zeros could not be told from those of a graph.
            weight.assign(0.1 + random.random(weight.shape))
    path = tmp_path_factory.mktemp("rerankers") / request.param
    export_scorer(model, exported.transform, exported.spec, FEATURES, path)
    scores = model(inputs, training=False).numpy()
    return SimpleNamespace(name=request.param, model=model, scores=scores, path=path)


def assert_ranked_alike(lists, answer, expected):
    """Scores are those expected, and orders are theirs, with padding last."""
    for i, one in enumerate(lists):
        n = len(one.candidates)
        scores, order = answer["scores"][i], answer["order"][i].tolist()
        np.testing.assert_allclose(scores[:n], expected[i, :n], atol=1e-5)
        assert (scores[n:] < scores[:n].min()).all()
        best_first = sorted(range(n), key=lambda k: -expected[i, k])
        assert order == best_first + [-1] * (FEATURES.list_length - n)


def test_lists_in_a_batch_and_alone_rank_as_the_model_ranks_them(served):
    import tensorflow as tf

    # The model moves candidates, or agreement would say nothing.
    assert np.argsort(-served.scores[0]).tolist() != list(range(FEATURES.list_length))
    rank = tf.saved_model.load(str(served.path)).signatures["rank"]
    whole = (LISTS, served.scores)
    alone = [([one], served.scores[i : i + 1]) for i, one in enumerate(LISTS)]
    for lists, expected in (whole, *alone):
        given = {k: tf.constant(v) for k, v in inputs_of("rank", lists).items()}
        answer = {name: value.numpy() for name, value in rank(**given).items()}
        assert_ranked_alike(lists, answer, expected)


@pytest.mark.parametrize("served", LOOPS, indirect=True)
def test_every_signature_ranks_in_a_session_as_in_the_cpp_server(served):
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(served.path))
        for name in SIGNATURES:
            signature, given = meta.signature_def[name], inputs_of(name, LISTS)
            feeds = {signature.inputs[k].name: value for k, value in given.items()}
            fetches = {k: info.name for k, info in signature.outputs.items()}
            answer = session.run(fetches, feeds)
            assert_ranked_alike(LISTS, answer, served.scores)


def test_what_training_alone_needs_is_not_stored(served):
    variables, constants = stored_arrays(served.path)
    model, left = served.model, LEFT_BEHIND.get(served.name, ())
    unused = {id(w) for part in left for w in weights_of(getattr(model, part))}
    for weight in model.weights:
        # A count of steps is like many a number of a graph.
        stored = variables + constants if len(weight.shape) else variables
        # A weight that is read in a loop and around it is a constant of both.
        is_stored = times_stored(weight, stored) > 0
        assert is_stored == (id(weight) not in unused), weight.path
    assert unused or not left


def weights_of(part):
    """A layer's weights, or the weight that the part itself is."""
    return getattr(part, "weights", [part])


def test_other_readouts_are_graphs_for_batches_of_any_size(config, inputs):
    import tensorflow as tf

    from psad_tf.baselines.reranker import Reranker

    specs = {k: tf.TensorSpec((None, *v.shape[1:]), v.dtype) for k, v in inputs.items()}
    seen = []
    for name in NAMES:
        if reranker(name).readouts is Reranker.readouts:
            continue  # The call alone, which is what is exported.
        model = awake(build_reranker(name, config))
        for title, readout in model.readouts().items():
            expected = readout(inputs).numpy()
            graph = tf.function(readout, input_signature=[specs])
            np.testing.assert_allclose(graph(inputs), expected, atol=1e-5)
            for i in range(len(LISTS)):
                alone = graph({k: v[i : i + 1] for k, v in inputs.items()})
                np.testing.assert_allclose(alone[0], expected[i], atol=1e-5)
            seen.append(title)
    assert "Seq2Slate, beam" in seen
