"""What must not change what the model says: padding, and where things merely stand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_cases import TINY, arrays, awake, make_batch, tensors, tiny

from psad_tf.decoding import beam_search
from psad_tf.generator import generate
from psad_tf.model import build_psad

LENGTHS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 5)), min_size=4, max_size=4
)
# Where a candidate was shown is in P, and nowhere else.
SEQUENCE = {"candidates": "sequence"}
FEW = settings(deadline=None, max_examples=6, derandomize=True)


@pytest.fixture(scope="module", params=["attended", "encoded"])
def model(request):
    return awake(build_psad(tiny(history=request.param)))


def everything(model, inputs, label):
    """Scores, generation logits, losses and beam orders as arrays by name."""
    outputs, is_valid = model(inputs), inputs["candidate_is_valid"]
    order = model.target_order(label, is_valid, outputs["scores"])
    logits, remains = model.teach(order, is_valid, outputs["states"])
    found = {
        "scores": outputs["scores"],
        "target order": order,
        "generation logits": np.where(remains, logits, 0),
        "beam order": beam_search(model, inputs)[0],
        **model.joint_loss(label, is_valid, outputs),
    }
    return {name: np.array(value) for name, value in found.items()}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(
            found[name], value, atol=2e-5, rtol=1e-4, err_msg=name
        )


@given(LENGTHS, st.integers(0, 1000))
@FEW
def test_what_stands_in_the_padding_does_not_matter(model, lengths, seed):
    counts, past = zip(*lengths, strict=True)
    inputs, label = make_batch(TINY, counts, past, seed)
    other = arrays(make_batch(TINY, counts, past, seed + 1)[0])
    mixed = arrays(inputs)
    for place in ("candidate", "history"):
        is_valid = mixed[f"{place}_is_valid"][..., None]
        for name in (f"{place}_ids", f"{place}_dense"):
            mixed[name] = np.where(is_valid, mixed[name], other[name])
    mixed["candidate_dense"][~mixed["candidate_is_valid"]] = 1e4
    noisy = np.where(mixed["candidate_is_valid"], label, 1.0).astype("float32")
    expected = everything(model, inputs, label)
    assert_same(everything(model, tensors(mixed), noisy), expected)


def widened(model, config):
    """The same model for longer tensors: positions keep their distance."""
    wide = build_psad(config)
    length = model.config.history_length + model.config.list_length
    more = config.history_length + config.list_length - length
    grown = config.list_length - model.config.list_length
    for mine, its in zip(wide.weights, model.weights, strict=True):
        value = its.numpy()
        if its.path.endswith("position_values"):
            # Of all positions, or of the candidates' alone.
            is_whole = len(value) == 2 * length - 1
            value = np.pad(value, (more, more if is_whole else grown))
        elif its.path.endswith("places/embeddings"):
            value = np.pad(value, ((0, grown), (0, 0)))
        mine.assign(value)
    return wide


@pytest.fixture(scope="module")
def wide(model):
    sizes = {"list_length": 9, "history_length": 8}
    return widened(model, tiny(**sizes, history=model.config.history))


@given(LENGTHS, st.integers(0, 1000))
@FEW
def test_how_much_padding_there_is_does_not_matter(model, wide, lengths, seed):
    counts, past = zip(*lengths, strict=True)
    inputs, label = make_batch(TINY, counts, past, seed)
    padded = arrays(inputs)
    for name, value in padded.items():
        if name != "user_ids":
            extra = [(0, 0), (0, 3)] + [(0, 0)] * (value.ndim - 2)
            padded[name] = np.pad(value, extra)
    found = everything(wide, tensors(padded), np.pad(label, ((0, 0), (0, 3))))
    np.testing.assert_array_equal(found["scores"][:, 6:], np.float32(-1e9))
    found["scores"] = found["scores"][:, :6]
    found["generation logits"] = found["generation logits"][:, :, :6]
    assert_same(found, everything(model, inputs, label))


def moved_candidates(inputs, move):
    """Candidate `move[i]` stands at place i."""
    moved = arrays(inputs)
    for name in ("candidate_ids", "candidate_dense"):
        moved[name] = moved[name][:, move]
    return tensors(moved)


def slots_of(model, inputs, order):
    """The generator's logits when `order` has been placed: `[batch, slate, list]`."""
    states, is_valid = model(inputs)["states"], inputs["candidate_is_valid"]
    return np.array(generate(model.decoder, states, is_valid, order, 2))


def assert_permuted(model, moved_model, inputs, move):
    """Scores, generation logits and beam orders move with the candidates."""
    moved, there = moved_candidates(inputs, move), np.argsort(move).astype("int32")
    np.testing.assert_allclose(
        moved_model(moved)["scores"],
        np.array(model(inputs)["scores"])[:, move],
        atol=2e-5,
    )
    order = np.array([[0, 3, 1, 5], [2, 4, 0, 1]], "int32")
    np.testing.assert_allclose(
        slots_of(moved_model, moved, there[order]),
        slots_of(model, inputs, order)[..., move],
        atol=5e-5,
    )
    expected = there[np.array(beam_search(model, inputs)[0])]
    np.testing.assert_array_equal(beam_search(moved_model, moved)[0], expected)


@pytest.fixture(scope="module", params=["attended", "encoded"])
def tables(request):
    """Two models with a table of positions; the second one's are to be moved."""
    config = tiny(position="table", history=request.param, **SEQUENCE)
    return [awake(build_psad(config)) for _ in range(2)]


@given(st.permutations(range(6)), st.integers(0, 1000))
@FEW
def test_candidates_that_move_with_their_positions_keep_their_scores(
    tables, move, seed
):
    """Rows and columns of P move along, in a layer of all and in one of candidates."""
    model, other = tables
    move = np.array(move)
    inputs, _ = make_batch(TINY, [6, 6], [5, 3], seed)
    for mine, its in zip(other.weights, model.weights, strict=True):
        if its.path.endswith("position_values"):
            places = np.concatenate([np.arange(5), 5 + move])
            table = its.numpy().reshape(-1, 11)
            rows = move if len(table) == 6 else places
            mine.assign(table[rows][:, places].ravel())
    assert_permuted(model, other, inputs, move)


@pytest.fixture(scope="module", params=["one place", "one value"])
def equal_positions(request):
    """All candidates in one place; or all of P one number, fitted to the user."""
    if request.param == "one place":
        return awake(build_psad(tiny(candidates="set")))
    model = awake(build_psad(tiny(**SEQUENCE)))
    for weight in model.weights:
        if weight.path.endswith("position_values"):
            weight.assign(np.full(weight.shape, 0.7))
    return model


@given(st.permutations(range(6)), st.integers(0, 1000))
@FEW
def test_with_equal_positions_permuting_candidates_permutes_scores(
    equal_positions, move, seed
):
    inputs, _ = make_batch(TINY, [6, 6], [5, 3], seed)
    assert_permuted(equal_positions, equal_positions, inputs, np.array(move))


def test_positions_matter_where_they_differ(model):
    inputs, move = make_batch(TINY, [6, 6], [5, 3])[0], np.array([3, 0, 5, 1, 4, 2])
    moved = np.array(model(moved_candidates(inputs, move))["scores"])
    assert np.abs(moved - np.array(model(inputs)["scores"])[:, move]).max() > 1e-3


def test_a_list_does_not_depend_on_its_batch(model):
    inputs, label = make_batch(TINY, [6, 4, 1, 0], [0, 5, 2, 1])
    whole = everything(model, inputs, label)
    for row in range(4):
        one = tensors({k: v[row : row + 1] for k, v in arrays(inputs).items()})
        alone = everything(model, one, label[row : row + 1])
        assert_same(alone, {k: v[row : row + 1] for k, v in whole.items()})
