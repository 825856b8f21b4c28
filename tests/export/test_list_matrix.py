"""The matrix that clients fill: what does not fit into it is refused by name."""

import numpy as np
import pytest

from psad_tf.data.errors import DataError
from psad_tf.list_matrix import ListMatrix

LAYOUT = ListMatrix(
    list_length=3,
    history_length=2,
    user_columns=2,
    item_columns=2,
    candidate_numbers=1,
    history_numbers=2,
)


def lists():
    """Two lists: of two candidates and a past item, and of one alone."""
    return {
        "user_ids": [[7, 8], [9, 10]],
        "candidate_ids": [[[1, 2], [3, 4]], [[5, 6], [0, 0]]],
        "candidate_dense": [[[0.5], [-0.5]], [[2.0], [0.0]]],
        "candidate_count": [2, 1],
        "history_ids": [[[1, 1]], [[0, 0]]],
        "history_dense": [[[1.0, 2.0]], [[0.0, 0.0]]],
        "history_count": [1, 0],
    }


def bits(*numbers):
    return np.float32(numbers).view(np.int32).tolist()


def test_values_stand_one_after_the_other():
    matrix = LAYOUT.fill(lists())
    assert matrix.dtype == np.int32
    assert matrix.shape == (2, LAYOUT.width)
    ids, dense = [1, 2, 3, 4, 0, 0], bits(0.5, -0.5, 0)
    past = [1, 1, 0, 0, *bits(1, 2, 0, 0)]
    assert matrix[0].tolist() == [7, 8, *ids, *dense, 2, *past, 1]
    assert matrix[1].tolist() == [9, 10, 5, 6, 0, 0, 0, 0, *bits(2, 0, 0), 1, *[0] * 9]


def test_no_list_at_all_is_a_matrix_of_no_rows():
    none = {k: np.asarray(v)[:0] for k, v in lists().items()}
    assert LAYOUT.fill(none).shape == (0, LAYOUT.width)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("candidate_ids", np.zeros((2, 4, 2), int), r"candidate_ids .*\(2, 4, 2\)"),
        ("candidate_ids", np.zeros((2, 3, 1), int), "candidate_ids has the shape"),
        ("history_dense", np.zeros((1, 2, 2)), "history_dense has the shape"),
        ("user_ids", [[1, 2], [3, 1 << 31]], "user_ids has values .* 2147483648"),
        ("user_ids", [[1, 2], [3, -1]], "user_ids has values from -1"),
        ("candidate_ids", np.zeros((2, 3, 2)), "candidate_ids is float64; give whole"),
        ("candidate_count", [[1], [2]], "candidate_count has the shape"),
    ],
)
def test_what_does_not_fit_is_named(name, values, message):
    with pytest.raises(DataError, match=message):
        LAYOUT.fill(lists() | {name: values})


def test_what_is_missing_or_unknown_is_named():
    with pytest.raises(DataError, match="candidate_count"):
        LAYOUT.fill({k: v for k, v in lists().items() if k != "candidate_count"})
    with pytest.raises(DataError, match="label"):
        LAYOUT.fill(lists() | {"label": [0, 1]})
