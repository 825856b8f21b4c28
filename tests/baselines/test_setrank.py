import keras
import numpy as np
import pytest
from keras import ops
from model_cases import TINY, arrays, awake, make_batch, tensors

from psad_tf.baselines.attention_rank import attention_rank_loss
from psad_tf.baselines.registry import build_reranker
from psad_tf.baselines.setrank import InducedBlock, SetRank

COUNTS = [6, 5, 3, 1]
ORDER = [4, 0, 3, 5, 1, 2]


def make(**kwargs):
    return awake(build_reranker("setrank", TINY, **kwargs))


def norm(layer, x):
    gamma, beta = (w.numpy() for w in layer.weights)
    scale = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-3)
    return gamma * (x - x.mean(axis=-1, keepdims=True)) / scale + beta


def dense(layer, x):
    weights = [w.numpy() for w in layer.weights]
    return x @ weights[0] + (weights[1] if len(weights) > 1 else 0)


def mab(block, queries, keys):
    """MAB(X, Y) = LN(B + rFF(B)), B = LN(X + Multihead(X, Y, Y)), without a mask."""
    q, k, v = (
        np.split(dense(layer, x), block.num_heads, axis=-1)
        for layer, x in ((block.query, queries), (block.key, keys), (block.value, keys))
    )
    heads = []
    for head in range(block.num_heads):
        logits = q[head] @ k[head].T / np.sqrt(q[head].shape[1])
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        heads.append(shares / shares.sum(axis=1, keepdims=True) @ v[head])
    mixed = dense(block.mix, np.concatenate(heads, axis=-1))
    b = norm(block.attention_norm, queries + mixed)
    wide = np.maximum(dense(block.ffn_in, b), 0)
    return norm(block.ffn_norm, b + dense(block.ffn_out, wide))


@pytest.mark.parametrize("count", [5, 3, 1])
def test_an_induced_block_is_two_attentions(count):
    block = InducedBlock(num_vectors=2, num_heads=2, ffn_dim=12)
    block.build((None, 5, 8))
    awake(block)
    items = np.random.default_rng(0).normal(size=(1, 5, 8)).astype("float32")
    is_visible = (np.arange(5) < count)[None, None]
    found = np.array(block(items, items, is_visible))[0, :count]
    listed = items[0, :count]
    few = mab(block.gather, block.vectors.numpy()[0], listed)
    np.testing.assert_allclose(found, mab(block.spread, listed, few), atol=1e-4)


def test_an_induced_block_survives_its_config():
    block = InducedBlock(num_vectors=2, num_heads=2, ffn_dim=12, dropout=0.2)
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(block)
    )
    assert again.get_config() == block.get_config()
    again.build((None, 5, 8))
    assert again.vectors.shape == (1, 2, 8)


@pytest.mark.parametrize("inducing", [0, 2])
@pytest.mark.parametrize("ordinal", [False, True])
def test_scores_are_those_of_the_equations(ordinal, inducing):
    model = make(ordinal=ordinal, inducing=inducing)
    inputs, _ = make_batch(TINY, COUNTS)
    vectors, scores = np.array(model.items(inputs)), np.array(model(inputs))
    for b, count in enumerate(COUNTS):
        states = vectors[b, :count]
        if ordinal:
            states = states + model.ordinal.embeddings.numpy()[:count]
        for block in model.blocks:
            if inducing:
                few = mab(block.gather, block.vectors.numpy()[0], states)
                states = mab(block.spread, states, few)
            else:
                states = mab(block, states, states)
        expected = dense(model.score, states)[:, 0]
        np.testing.assert_allclose(scores[b, :count], expected, atol=1e-3)


@pytest.mark.parametrize("inducing", [0, 2])
@pytest.mark.parametrize("ordinal", [False, True])
def test_a_set_has_no_order_unless_places_are_embedded(ordinal, inducing):
    model = make(ordinal=ordinal, inducing=inducing)
    inputs, _ = make_batch(TINY, [6, 6])
    moved = arrays(inputs)
    for name in ("candidate_ids", "candidate_dense"):
        moved[name] = moved[name][:, ORDER]
    expected = np.array(model(inputs))[:, ORDER]
    difference = np.abs(np.array(model(tensors(moved))) - expected).max()
    assert difference > 1e-2 if ordinal else difference < 1e-4


def test_it_is_trained_by_attention_rank():
    model = make()
    inputs, label = make_batch(TINY, COUNTS)
    label = ops.convert_to_tensor(label)
    expected = attention_rank_loss(model(inputs), label, inputs["candidate_is_valid"])
    np.testing.assert_allclose(model.list_loss(inputs, label), expected, rtol=1e-5)


@pytest.mark.parametrize("options", [{"ordinal": False, "inducing": 3}, {}])
def test_options_travel(options):
    model = SetRank(TINY, **options)
    again = SetRank.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert (again.ordinal is None) == (options.get("ordinal") is False)


def test_a_negative_number_of_vectors_is_refused():
    with pytest.raises(ValueError, match="inducing=-1; it must be 0 or more"):
        SetRank(TINY, inducing=-1)
