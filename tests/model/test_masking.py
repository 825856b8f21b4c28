import keras
import numpy as np
import pytest
from keras import ops

from psad_tf import masking


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_masked_logits_are_finite_and_get_no_share(dtype):
    logits = ops.convert_to_tensor([[1.0, 2.0, 3.0]], dtype=dtype)
    masked = masking.mask_logits(logits, np.array([[True, True, False]]))
    assert keras.backend.standardize_dtype(masked.dtype) == dtype
    assert np.isfinite(ops.convert_to_numpy(ops.cast(masked, "float32"))).all()
    shares = ops.convert_to_numpy(ops.cast(ops.softmax(masked), "float32"))[0]
    np.testing.assert_allclose(shares, [0.2689, 0.7311, 0], atol=4e-3)


def test_masked_mean_is_over_valid_entries_and_0_without_any():
    values = np.array([[1.0, 3.0, 100.0], [5.0, 6.0, 7.0]], "float32")
    is_valid = np.array([[True, True, False], [False, False, False]])
    np.testing.assert_allclose(masking.masked_mean(values, is_valid), [2, 0])


def test_align_right_keeps_order_and_moves_padding_to_the_front():
    values = np.array([[[1], [2], [9]], [[9], [9], [9]], [[4], [5], [6]]])
    is_valid = np.array([[True, True, False], [False] * 3, [True] * 3])
    (moved,), moved_is_valid = masking.align_right([values], is_valid)
    np.testing.assert_array_equal(moved_is_valid, is_valid[:, ::-1])
    found = np.array(moved)[..., 0]
    np.testing.assert_array_equal(found[0, 1:], [1, 2])
    np.testing.assert_array_equal(found[2], [4, 5, 6])
