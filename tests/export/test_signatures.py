"""Two signatures, one computation: that of the model, whoever restores the artifact."""

from dataclasses import replace

import numpy as np
import pytest
from export_cases import FEATURES, LISTS, SIGNATURES, USER, inputs_of, offered, past
from fitted_transform import export_tiny

from psad_tf.data.packing import pack_lists, packed_columns
from psad_tf.data.ranking_list import RankingList


def answer_of(answer):
    return answer["scores"], answer["order"]


both = pytest.mark.parametrize("signature", SIGNATURES)
M = FEATURES.list_length
FULL = LISTS[0]


def test_the_names_types_and_shapes_are_the_contract_of_clients(loaded):
    def described(specs):
        return {n: (s.dtype.name, s.shape.as_list()) for n, s in specs.items()}

    assert set(loaded.signatures) == {"serving_default", "rank"}
    inputs = {n: s.structured_input_signature[1] for n, s in loaded.signatures.items()}
    assert described(inputs["serving_default"]) == {"examples": ("string", [None])}
    # Of the user 4 texts and 2 numbers; of an item id and genres, year and three
    # statistics; a candidate has its first-stage score and four affinities, a past item
    # its rating, whether that is a like, and its age.
    assert described(inputs["rank"]) == {
        "user_text": ("string", [None, 4]),
        "user_values": ("float32", [None, 2]),
        "candidate_text": ("string", [None, None, 2]),
        "candidate_values": ("float32", [None, None, 9]),
        "candidate_count": ("int32", [None]),
        "history_text": ("string", [None, None, 2]),
        "history_values": ("float32", [None, None, 7]),
        "history_count": ("int32", [None]),
    }
    for signature in loaded.signatures.values():
        assert described(signature.structured_outputs) == {
            "scores": ("float32", [None, M]),
            "order": ("int32", [None, M]),
        }


def test_clients_pack_what_the_graph_unpacks(loaded):
    (_, inputs) = loaded.signatures["rank"].structured_input_signature
    packed = pack_lists(LISTS, FEATURES)
    assert packed.keys() == inputs.keys()
    for name, array in packed.items():
        assert inputs[name].shape.is_compatible_with(array.shape), name
    columns = packed_columns(FEATURES)
    assert columns["candidate_values"] == (
        "candidate_year",
        "candidate_mean_rating",
        "candidate_like_rate",
        "candidate_log_rating_count",
        "candidate_initial_score",
        "candidate_genre_affinity",
        "candidate_year_affinity",
        "candidate_similar_items",
        "candidate_similar_users",
    )
    packed_names = [name for names in columns.values() for name in names]
    assert sorted(packed_names) == sorted(name for name, _ in FEATURES.raw())


@both
def test_a_signature_gives_the_models_numbers(signature, ask, model_scores):
    expected, answer = model_scores(LISTS), ask(signature, LISTS)
    for i, one in enumerate(LISTS):
        n = len(one.candidates)
        np.testing.assert_allclose(answer["scores"][i, :n], expected[i, :n], atol=1e-5)
    # The model tells candidates apart, or agreement would say nothing.
    assert np.ptp(expected[0]) > 0.05


@both
def test_a_list_alone_scores_as_in_a_batch(signature, ask):
    together = ask(signature, LISTS)["scores"]
    alone = [ask(signature, [one])["scores"][0] for one in LISTS]
    np.testing.assert_allclose(together, alone, atol=1e-5)


@both
def test_the_order_is_that_of_the_scores_with_padding_last(signature, ask):
    answer = ask(signature, LISTS)
    for one, scores, order in zip(LISTS, *answer_of(answer), strict=True):
        n = len(one.candidates)
        best_first = sorted(range(n), key=lambda i: -scores[i])
        assert order.tolist() == best_first + [-1] * (M - n)
        assert np.isfinite(scores).all() and (scores[n:] < scores[:n].min()).all()


@both
def test_of_a_longer_history_the_newest_items_count(signature, ask):
    longer = replace(FEATURES, history_length=80)
    history = past(80)
    cut = ask(signature, [replace(FULL, history=history[-50:])])
    whole = ask(signature, [replace(FULL, history=history)], longer)
    oldest = ask(signature, [replace(FULL, history=history[:50])])
    np.testing.assert_allclose(whole["scores"], cut["scores"], atol=1e-5)
    assert np.abs(oldest["scores"] - cut["scores"]).max() > 1e-3


def test_neither_amount_nor_content_of_padding_counts(ask):
    packed = pack_lists(LISTS[1:], FEATURES)
    padded = {}
    for name, array in packed.items():
        if array.ndim == 3:
            place = name.split("_")[0]
            count = packed[f"{place}_count"][:, None]
            array = np.pad(array, ((0, 0), (0, 7), (0, 0)), constant_values=0)
            is_padding = np.arange(array.shape[1]) >= count
            array[is_padding] = b"junk" if name.endswith("text") else np.nan
        padded[name] = array
    expected, found = ask("rank", LISTS[1:]), ask("rank", LISTS[1:], **padded)
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=1e-5)
    np.testing.assert_array_equal(found["order"], expected["order"])


def test_without_positions_permuting_candidates_permutes_scores(
    transform_output, ask, tmp_path
):
    import tensorflow as tf

    shuffle = np.random.default_rng(0).permutation(M)
    one = RankingList(USER, offered(M), past(4))
    permuted = replace(one, candidates=[one.candidates[i] for i in shuffle])
    # With positions the initial order is itself a signal.
    scores, moved = (ask("rank", [x])["scores"][0] for x in (one, permuted))
    assert np.abs(moved - scores[shuffle]).max() > 1e-3

    def forget_positions(model):
        for weight in model.scorer.weights:
            if weight.path.endswith(("position_values", "places/embeddings")):
                weight.assign(tf.zeros(weight.shape))

    path = tmp_path / "model"
    export_tiny(transform_output, path, change=forget_positions)
    rank = tf.saved_model.load(str(path)).signatures["rank"]

    def scores_of(ranking_list):
        given = inputs_of("rank", [ranking_list])
        given = {name: tf.constant(value) for name, value in given.items()}
        return rank(**given)["scores"][0].numpy()

    np.testing.assert_allclose(scores_of(permuted), scores_of(one)[shuffle], atol=1e-5)


def test_every_signature_runs_in_a_session_as_in_the_cpp_server(exported, ask):
    import tensorflow as tf

    expected = {name: ask(name, LISTS) for name in SIGNATURES}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(exported.path))
        for name in SIGNATURES:
            signature, given = meta.signature_def[name], inputs_of(name, LISTS)
            feeds = {signature.inputs[k].name: value for k, value in given.items()}
            fetches = {k: info.name for k, info in signature.outputs.items()}
            found = session.run(fetches, feeds)
            scores, order = answer_of(expected[name])
            np.testing.assert_allclose(found["scores"], scores, atol=1e-5)
            np.testing.assert_array_equal(found["order"], order)
