"""Lists of many requests scored together: every request gets its own answer."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from export_cases import FEATURES, LISTS, SIGNATURES, inputs_of, offered, past
from export_features import features_of
from fitted_transform import USER, export_tiny
from in_session import InSession
from model_cases import awake, make_batch, tiny

from psad_tf.data.ranking_list import RankingList
from psad_tf.serving_config import ServingConfig
from psad_tf.warmup import WARMUP_FILE

M = FEATURES.list_length
SERVING = ServingConfig(
    list_buckets=(5,),
    history_buckets=(10,),
    batching=True,
    batch_sizes=(2, 8),
    batch_threads=1,
    batch_timeout_micros=5000,
    queue_batches=64,
)
# On both sides of each bucket.
SIZES = [(1, 0), (5, 10), (5, 11), (6, 10), (12, 3), (20, 50)]
MORE = [*LISTS, *(RankingList(USER, offered(m), past(n)) for m, n in SIZES)]
both = pytest.mark.parametrize("signature", SIGNATURES)


@pytest.fixture(scope="module")
def batched(transform_output, tmp_path_factory):
    """The very model of `exported`, with buckets and batches."""
    path = tmp_path_factory.mktemp("batched") / "model"
    return export_tiny(transform_output, path, serving=SERVING)


@pytest.fixture(scope="module")
def served(batched):
    return InSession(batched.path)


@pytest.fixture(scope="module")
def expected(model_scores):
    return model_scores(MORE)


def assert_own(answer, lists, expected):
    """An answer is that about these lists."""
    assert answer["scores"].shape == answer["order"].shape == (len(lists), M)
    for i, one in enumerate(lists):
        n = len(one.candidates)
        np.testing.assert_allclose(answer["scores"][i, :n], expected[i, :n], atol=1e-5)
        assert (answer["scores"][i, n:] < answer["scores"][i, :n].min()).all()
        best_first = sorted(range(n), key=lambda k: -answer["scores"][i, k])
        assert answer["order"][i].tolist() == best_first + [-1] * (M - n)


@both
def test_any_number_of_lists_scores_as_the_model_scores_them(
    signature, served, expected
):
    for i, one in enumerate(MORE):
        assert_own(served.ask(signature, [one]), [one], expected[i : i + 1])
    # Three are padded to eight; eleven are more than the largest batch.
    for count in (3, 8, 11):
        answer = served.ask(signature, MORE[:count])
        assert_own(answer, MORE[:count], expected[:count])


def test_no_list_at_all_gets_an_empty_answer(served):
    empty = {k: v[:0] for k, v in inputs_of("rank", LISTS).items()}
    answer = served.ask("rank", LISTS, **empty)
    assert {name: value.shape for name, value in answer.items()} == {
        "scores": (0, M),
        "order": (0, M),
    }


def test_concurrent_requests_keep_their_answers_and_their_errors(served, expected):
    import tensorflow as tf

    def ask(number):
        """A request of one to three lists, every fifth one of them bad."""
        random = np.random.default_rng(number)
        chosen = random.choice(len(MORE), random.integers(1, 4))
        lists, signature = [MORE[i] for i in chosen], SIGNATURES[number % 2]
        if number % 5:
            assert_own(served.ask(signature, lists), lists, expected[chosen])
            return "answered"
        values = inputs_of("rank", lists)["candidate_values"].copy()
        values[0, 0, 4] = np.nan
        with pytest.raises(tf.errors.InvalidArgumentError, match="initial_score"):
            served.ask("rank", lists, candidate_values=values)
        return "refused"

    with ThreadPoolExecutor(24) as pool:
        outcomes = Counter(pool.map(ask, range(300)))
    assert outcomes == {"answered": 240, "refused": 60}


def test_two_versions_in_one_process_do_not_share_a_queue(
    served, batched, expected, transform_output, tmp_path
):
    other = export_tiny(transform_output, tmp_path / "other", serving=SERVING, seed=2)
    second, full = InSession(other.path), [MORE[-1]]
    theirs = second.ask("rank", full)["scores"]
    assert np.abs(theirs - expected[-1]).max() > 0.01

    def ask(number):
        version, scores = [(served, expected[-1:]), (second, theirs)][number % 2]
        assert_own(version.ask("rank", full), full, scores)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(120)))


def test_the_graph_batches_as_it_was_told(served):
    for signature in SIGNATURES:
        nodes = [
            node
            for function in served.functions(signature).values()
            for node in function.node_def
            if node.op == "BatchFunction"
        ]
        # A queue for each width.
        assert len({node.attr["shared_name"].s for node in nodes}) == 4
        for node in nodes:
            assert list(node.attr["allowed_batch_sizes"].list.i) == [2, 8]
            assert node.attr["max_batch_size"].i == 8
            assert node.attr["num_batch_threads"].i == 1
            assert node.attr["batch_timeout_micros"].i == 5000
            assert node.attr["max_enqueued_batches"].i == 64
            assert node.attr["enable_large_batch_splitting"].b is False


def test_warm_up_asks_every_signature_for_every_width_and_number_of_lists(batched):
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    found = Counter()
    for record in tf.data.TFRecordDataset(str(batched.path / WARMUP_FILE)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        if request.model_spec.signature_name == "rank":
            counts = [
                tf.make_ndarray(request.inputs[f"{place}_count"])
                for place in ("candidate", "history")
            ]
            found[len(counts[0]), *(int(c.max()) for c in counts)] += 1
        else:
            found["examples"] += 1
    widths = [(m, n) for m in (5, 20) for n in (10, 50)]
    shapes = {(lists, *width) for lists in (2, 8) for width in widths}
    assert found == {"examples": 9, (1, 1, 0): 1} | dict.fromkeys(shapes, 1)


def test_a_full_queue_refuses_at_once_and_answers_who_waits():
    import tensorflow as tf

    from psad_tf.export_core import ServedScorer
    from psad_tf.layers.scorer import Scorer

    is_running, go_on = threading.Event(), threading.Event()

    def hold(scores):
        is_running.set()
        assert go_on.wait(60)
        return scores

    class Held(Scorer):
        """Scores only once it is told to."""

        def call(self, inputs, training=False):
            scores = super().call(inputs)
            held = tf.numpy_function(hold, [scores], tf.float32)
            return tf.ensure_shape(held, scores.shape)

    config = tiny()
    scorer = Held(config)
    scorer.build()
    serving = ServingConfig(
        batching=True, batch_sizes=(1,), batch_threads=1, queue_batches=1
    )
    served = ServedScorer(awake(scorer), features_of(config), serving)
    graph = tf.function(lambda inputs: served.rank(inputs, "held")[0], autograph=False)
    requests = [make_batch(config, [6], [5], seed=i)[0] for i in range(8)]
    graph.get_concrete_function(requests[0])
    refused, are_refused = [], threading.Event()

    def ask(inputs):
        try:
            return graph(inputs).numpy()
        except tf.errors.UnavailableError as error:
            refused.append(error.message)
            if len(refused) >= 6:
                are_refused.set()

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(ask, requests[0])
        assert is_running.wait(60)
        others = [pool.submit(ask, one) for one in requests[1:]]
        assert are_refused.wait(60)
        go_on.set()
        answers = [future.result() for future in (first, *others)]
    assert all("queue" in message and "full" in message for message in refused)
    for inputs, answer in zip(requests, answers, strict=True):
        if answer is not None:
            np.testing.assert_allclose(answer, scorer(inputs), atol=1e-5)
    assert sum(answer is not None for answer in answers) == 2
