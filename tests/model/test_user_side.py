"""A user's side is made once and serves every list of that user."""

import keras
import numpy as np
import pytest
from model_cases import TINY, awake, make_batch, tiny

from psad_tf.errors import ConfigError
from psad_tf.layers.scorer import Scorer

CHOICES = [
    {},
    {"history": "personal"},
    {"position": "table"},
    {"personal_position": False},
    {"candidates": "set"},
    {"interaction": "late_fusion"},
    {"interaction": "none"},
]


def scorer(**choices):
    model = Scorer(tiny(**choices))
    model.build()
    return awake(model)


@pytest.mark.parametrize("choices", CHOICES, ids=str)
def test_scores_are_those_of_the_whole_list(choices):
    model = scorer(**choices)
    inputs, _ = make_batch(TINY, [6, 3, 1], [5, 0, 2])
    side = model.user_side(inputs)
    candidates = {k: v for k, v in inputs.items() if k.startswith("candidate")}
    found = model.with_user_side(side, candidates)
    np.testing.assert_allclose(found, model(inputs), atol=2e-6, rtol=1e-5)


def test_half_precision_parts_a_list_as_well():
    model = Scorer(tiny(), dtype="mixed_bfloat16")
    model.build()
    inputs, _ = make_batch(TINY, [6, 3, 1], [5, 0, 2])
    side = model.user_side(inputs)
    dtypes = {keras.backend.standardize_dtype(x.dtype) for x in side.position}
    assert dtypes == {"bfloat16"}
    found = model.with_user_side(side, inputs)
    np.testing.assert_allclose(found, model(inputs), atol=0.02)


def test_other_candidates_find_the_same_side():
    model = scorer()
    first, _ = make_batch(TINY, [6, 3], [5, 1], seed=1)
    other, _ = make_batch(TINY, [2, 6], [5, 1], seed=2)
    of_user = {k: v for k, v in first.items() if not k.startswith("candidate")}
    mixed = {**other, **of_user}
    side = model.user_side(first)
    expected = model(mixed)
    np.testing.assert_allclose(
        model.with_user_side(side, other), expected, atol=2e-6, rtol=1e-5
    )
    # It is not for nothing: another user's side gives other scores.
    swapped = keras.tree.map_structure(lambda x: keras.ops.flip(x, axis=0), side)
    valid = np.array(mixed["candidate_is_valid"])
    moved = np.array(model.with_user_side(swapped, other)) - np.array(expected)
    assert np.abs(moved[valid]).max() > 1e-3


def test_encoded_history_has_no_such_side():
    inputs, _ = make_batch(TINY, [6], [5])
    with pytest.raises(ConfigError, match="history='encoded'"):
        scorer(history="encoded").user_side(inputs)
