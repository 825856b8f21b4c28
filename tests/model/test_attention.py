"""Eq 1-2 against loops, and the encoder's shortcuts against the long way."""

import numpy as np
import pytest
from model_cases import awake, weight_of

from psad_tf.layers.attention_block import AttentionBlock, attention_weights
from psad_tf.layers.shared_encoder import SharedEncoder

RANDOM = np.random.default_rng(7)


def floats(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def normed(x, block, name):
    scaled = (x - x.mean()) / np.sqrt(x.var() + 1e-3)
    return scaled * weight_of(block, f"{name}/gamma") + weight_of(block, f"{name}/beta")


@pytest.mark.parametrize("placement", ["logits", "weights"])
def test_attention_weights_are_eq_1(placement):
    products, bias = floats(1, 1, 2, 3), floats(1, 1, 2, 3)
    is_visible = np.array([[[[True, True, False]]]])
    found = attention_weights(products, is_visible, bias, 4, placement)
    for q in range(2):
        p, b = products[0, 0, q, :2], bias[0, 0, q, :2]
        if placement == "logits":
            expected = softmax(p / np.sqrt(4) + b)
        else:
            expected = softmax(p) / np.sqrt(4) + b
        np.testing.assert_allclose(found[0, 0, q], [*expected, 0], atol=1e-6)


def attend(block, query, keys, is_visible, bias, heads):
    """One query through the block, head by head."""
    dim = len(query) // heads
    parts = []
    for h in range(heads):
        part = slice(h * dim, (h + 1) * dim)
        q = (query @ weight_of(block, "query/kernel"))[part]
        q = q + weight_of(block, "query/bias")[part]
        logits, values = [], []
        for key, visible, b in zip(keys, is_visible, bias, strict=True):
            if visible:
                k = (key @ weight_of(block, "key/kernel"))[part]
                v = key @ weight_of(block, "value/kernel")
                values.append((v + weight_of(block, "value/bias"))[part])
                logits.append(q @ k / np.sqrt(dim) + b)
        parts.append(softmax(np.array(logits)) @ np.array(values))
    mixed = np.concatenate(parts) @ weight_of(block, "mix/kernel")
    hidden = normed(
        query + mixed + weight_of(block, "mix/bias"), block, "attention_norm"
    )
    wide = hidden @ weight_of(block, "ffn_in/kernel") + weight_of(block, "ffn_in/bias")
    out = np.maximum(wide, 0) @ weight_of(block, "ffn_out/kernel")
    return normed(hidden + out + weight_of(block, "ffn_out/bias"), block, "ffn_norm")


def test_block_is_eq_1_and_2_with_residuals_and_norms():
    queries, keys, bias = floats(2, 3, 4), floats(2, 5, 4), floats(2, 3, 5)
    is_visible = RANDOM.random((2, 3, 5)) < 0.6
    is_visible[..., 0] = True
    block = AttentionBlock(num_heads=2, ffn_dim=6)
    block(queries, keys, is_visible, bias)
    awake(block)
    expected = np.array(
        [
            [
                attend(block, queries[b, q], keys[b], is_visible[b, q], bias[b, q], 2)
                for q in range(3)
            ]
            for b in range(2)
        ]
    )
    found = block(queries, keys, is_visible, bias)
    np.testing.assert_allclose(found, expected, atol=1e-4)


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


def test_encoder_of_the_last_items_equals_the_encoder_of_all():
    """The last layer computes wanted rows alone: the same states as all rows' end."""
    items, user = floats(2, 5, 8), floats(2, 3)
    is_valid = np.array([[False, True, True, True, False], [True] * 5])
    part = SharedEncoder(2, 2, 16, num_states=2)
    whole = SharedEncoder(2, 2, 16, num_states=5)
    part(items, is_valid, user)
    whole(items, is_valid, user)
    awake(part)
    for mine, its in zip(whole.weights, part.weights, strict=True):
        value = its.numpy()
        if mine.shape != its.shape:
            # Distances to later items that only the other rows have.
            value = np.pad(value, (0, mine.shape[0] - its.shape[0]))
        mine.assign(value)
    np.testing.assert_allclose(
        part(items, is_valid, user), whole(items, is_valid, user)[:, 3:], atol=1e-5
    )
