"""What attention must not see, and the encoder's shortcut against the long way."""

import numpy as np
import pytest
from backend_tools import quick
from keras import ops
from model_cases import awake

from psad_tf.layers.attention_block import AttentionBlock, keys_and_values
from psad_tf.layers.shared_encoder import SharedEncoder

RANDOM = np.random.default_rng(7)


def floats(*shape):
    return RANDOM.normal(size=shape).astype("float32")


@pytest.mark.parametrize("placement", ["logits", "weights"])
def test_what_is_not_visible_does_not_matter(placement):
    queries, keys, bias = floats(1, 2, 4), floats(1, 3, 4), floats(1, 2, 3)
    is_visible = np.array([[[True, False, True]]])
    block = AttentionBlock(2, 6, placement=placement)
    before = np.array(block(queries, keys, is_visible, bias))
    keys[:, 1], bias[:, :, 1] = 50.0, -3.0
    np.testing.assert_allclose(
        block(queries, keys, is_visible, bias), before, atol=1e-6
    )


def test_keys_that_are_known_are_keys():
    """Made once, for two layers; before the others, queries of their own or not."""
    past, queries, keys = floats(2, 3, 4), floats(2, 2, 4), floats(2, 5, 4)
    blocks = [AttentionBlock(2, 6, name=name) for name in ("one", "other")]
    for block in blocks:
        block.build(past.shape, past.shape)
        awake(block)
    for block, known in zip(blocks, keys_and_values(blocks, past), strict=True):
        for own in (queries, keys):
            count = 3 + own.shape[1]
            seen = RANDOM.random((2, 1, count)) < 0.7, floats(2, 2, count)

            def beside_known(q, k, *rest, b=block, is_self=own is queries):
                *seen, known = rest
                # Queries that are keys take one product: the same tensor, not its like.
                return b(q, q if is_self else k, *seen, known=(known,))

            found = quick(beside_known)(
                ops.convert_to_tensor(queries), own, *seen, known
            )
            every = np.concatenate([past, own], axis=1)
            expected = quick(lambda *x, b=block: b(*x))(queries, every, *seen)
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_encoder_of_the_last_items_equals_the_encoder_of_all():
    """The last layer computes wanted rows alone: the same states as all rows' end."""
    items, user = floats(2, 5, 8), floats(2, 3)
    is_valid = np.array([[False, True, True, True, False], [True] * 5])
    part = SharedEncoder(2, 2, 16, num_states=2)
    whole = SharedEncoder(2, 2, 16, num_states=5)
    for encoder in (part, whole):
        encoder.build(items.shape, is_valid.shape, user.shape)
    awake(part)
    for mine, its in zip(whole.weights, part.weights, strict=True):
        value = its.numpy()
        if mine.shape != its.shape:
            # Distances to later items that only the other rows have.
            value = np.pad(value, (0, mine.shape[0] - its.shape[0]))
        mine.assign(value)
    given = items, is_valid, user
    found, expected = (quick(lambda *x, e=e: e(*x))(*given) for e in (part, whole))
    np.testing.assert_allclose(found, expected[:, 3:], atol=1e-5)
