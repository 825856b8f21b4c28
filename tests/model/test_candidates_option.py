"""What becomes of the initial order: `ranked`, `sequence` or `set`."""

import numpy as np
import pytest
from model_cases import TINY, arrays, awake, make_batch, tensors, tiny

from psad_tf.layers.position_bias import behind_history
from psad_tf.layers.scorer import Scorer

LENGTH, PAST = TINY.list_length, TINY.history_length
MOVE = np.array([3, 0, 5, 1, 4, 2])


def make(candidates, **changes):
    scorer = Scorer(tiny(candidates=candidates, **changes))
    scorer.build()
    return awake(scorer)


@pytest.fixture(scope="module")
def scorers():
    return {kind: make(kind) for kind in ("ranked", "sequence", "set")}


@pytest.fixture(scope="module")
def inputs():
    return make_batch(TINY, [6, 6], [5, 2])[0]


def moved(inputs, move):
    found = arrays(inputs)
    for name in ("candidate_ids", "candidate_dense"):
        found[name] = found[name][:, move]
    return tensors(found)


def places_of(scorer):
    return [w for w in scorer.weights if "/places/" in w.path]


@pytest.mark.parametrize("candidates", [1, 2, 4])
def test_behind_history_against_a_loop(candidates):
    bias = np.random.default_rng(0).normal(size=(2, 3, 5)).astype("float32")
    found = np.array(behind_history(bias, candidates))
    assert found.shape == (2, 2 + candidates, 4 + candidates)
    for b, q, k in np.ndindex(found.shape):
        # Whatever stands at or behind the last place stands at the last place.
        assert found[b, q, k] == bias[b, min(q, 2), min(k, 4)]


@pytest.mark.parametrize("history", ["encoded", "attended"])
def test_in_a_set_there_is_one_position_for_all_candidates(history):
    """Distances: those of the past, and one place more."""
    sizes = {
        kind: [w.shape[0] for w in scorer.weights if w.path.endswith("position_values")]
        for kind in ("sequence", "ranked", "set")
        for scorer in [make(kind, history=history)]
    }
    whole, length = PAST + LENGTH, PAST + 1
    # A layer of all positions has L + L - 1 distances, one of candidates M + L - 1.
    first, first_of_set = LENGTH + whole - 1, 1 + length - 1
    if history == "encoded":
        first, first_of_set = 2 * whole - 1, 2 * length - 1
    assert sizes["sequence"] == [first, LENGTH + whole - 1]
    assert sizes["ranked"] == sizes["sequence"]
    assert sizes["set"] == [first_of_set, 1 + length - 1]


@pytest.mark.parametrize(
    ("kind", "is_equivariant"), [("set", True), ("sequence", False), ("ranked", False)]
)
def test_only_in_a_set_scores_move_with_the_candidates(
    scorers, inputs, kind, is_equivariant
):
    """Not even P moves along."""
    score = scorers[kind]
    gap = np.array(score(moved(inputs, MOVE))) - np.array(score(inputs))[:, MOVE]
    assert (np.abs(gap).max() < 2e-5) == is_equivariant
    assert is_equivariant or np.abs(gap).max() > 1e-2


def test_a_set_with_a_table_of_positions_is_a_set_too(inputs):
    score = make("set", position="table")
    found = np.array(score(moved(inputs, MOVE)))
    np.testing.assert_allclose(found, np.array(score(inputs))[:, MOVE], atol=2e-5)


def test_the_order_of_the_past_still_counts_in_a_set(scorers, inputs):
    other = arrays(inputs)
    for name in ("history_ids", "history_dense"):
        other[name][0] = other[name][0, ::-1].copy()
    found = np.array(scorers["set"](tensors(other)))
    expected = np.array(scorers["set"](inputs))
    assert np.abs(found - expected)[0].max() > 1e-3
    np.testing.assert_allclose(found[1], expected[1], atol=1e-5)


def test_only_ranked_candidates_have_embeddings_of_their_places(scorers):
    assert [len(places_of(scorers[k])) for k in ("sequence", "set")] == [0, 0]
    (places,) = places_of(scorers["ranked"])
    assert places.shape == (LENGTH, TINY.hidden_dim)


def test_ranked_without_its_embeddings_is_a_sequence(scorers, inputs):
    ranked, sequence = make("ranked"), scorers["sequence"]
    (places,) = places_of(ranked)
    others = [w for w in ranked.weights if w is not places]
    for mine, its in zip(others, sequence.weights, strict=True):
        mine.assign(its)
    expected = np.array(sequence(inputs))
    assert np.abs(np.array(ranked(inputs)) - expected).max() > 1e-2
    places.assign(np.zeros(places.shape))
    np.testing.assert_allclose(ranked(inputs), expected, atol=1e-6)


def test_a_place_is_embedded_where_its_candidate_comes_in(scorers, inputs):
    """Added to what the dense features become: candidate 0 alone is moved by place 0.

    The embedding of each place is made equal, and taken into the dense layer's bias.
    """
    ranked, sequence = make("ranked"), scorers["sequence"]
    (places,) = places_of(ranked)
    others = [w for w in ranked.weights if w is not places]
    for mine, its in zip(others, sequence.weights, strict=True):
        mine.assign(its)
    (bias,) = [w for w in others if w.path.endswith("candidate_dense/bias")]
    same = np.linspace(-1, 1, TINY.hidden_dim).astype("float32")
    places.assign(np.tile(same, (LENGTH, 1)))
    bias.assign(bias.numpy() - same)
    np.testing.assert_allclose(ranked(inputs), sequence(inputs), atol=1e-5)
