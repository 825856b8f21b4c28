"""One kernel attends as the matrix products do: here Pallas interprets it."""

from functools import partial

import keras
import numpy as np
import pytest
from backend_tools import IS_JAX

if not IS_JAX:
    pytest.skip("a kernel of JAX", allow_module_level=True)

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl

from psad_tf.bench.branches import functions
from psad_tf.bench.roofline.counts import count
from psad_tf.bench.roofline.shapes import Shape, config_of, lists_of
from psad_tf.bench.stages import make_model
from psad_tf.bench.trial import Decoding, Trial
from psad_tf.layers import fused_attention
from psad_tf.layers.attention_block import AttentionBlock, keys_and_values
from psad_tf.layers.position_bias import RelativeBias

DIM = 32
# Queries, past keys, places of a relative bias, whether each query sees others.
RELATIVE = (6, 9, (6, 15), False)
SHARED = (6, 9, (1, 10), False)
CASES = [RELATIVE, SHARED, (3, 0, None, True), (5, 4, (), True)]


@pytest.fixture
def ways(monkeypatch):
    """What a function gives by the kernel, and by matrix products."""
    monkeypatch.setattr(pl, "pallas_call", partial(pl.pallas_call, interpret=True))
    monkeypatch.setattr(fused_attention, "_LEAST_LISTS", 1)

    def found(make, *arguments):
        for is_fused in (True, False):
            monkeypatch.setattr(fused_attention, "suits", lambda _, f=is_fused: f)
            yield make()(*arguments)

    return found


def block_of(dtype=None, heads=2, **choices):
    block = AttentionBlock(heads, 2 * DIM, dtype=dtype, **choices)
    block.build((None, None, DIM), (None, None, DIM))
    return block


def attending(block, places, training=False):
    def attend(queries, past, bias, is_visible):
        known = keys_and_values((block,), past) if past.shape[1] else ()
        if places:
            bias = RelativeBias(bias, places[0], queries.shape[1])
        bias = None if places is None else bias
        return block(
            queries, queries, is_visible, bias=bias, known=known, training=training
        )

    return attend


def made(case, dtype="float32"):
    queries, past, places, each = case
    random = np.random.default_rng(queries)
    keys = queries + past
    bias = (queries, keys) if not places else (sum(places) - 1,)
    shapes = (queries, DIM), (past, DIM), bias
    arrays = [jnp.asarray(random.normal(size=(3, *s)), dtype) for s in shapes]
    is_visible = random.random((3, queries if each else 1, keys)) < 0.7
    is_visible[0] = False  # Nothing to see.
    return *arrays, jnp.asarray(is_visible)


@pytest.mark.parametrize("case", CASES)
def test_states_and_gradients_are_the_same(ways, case):
    block, arrays = block_of(), made(case)
    weight = jnp.cos(jnp.arange(DIM))

    def program():
        attend = attending(block, case[2])

        def total(*values):
            states = attend(*values, arrays[3])
            return (states * weight).sum(), states

        return jax.jit(jax.value_and_grad(total, argnums=(0, 1, 2), has_aux=True))

    fused, products = ways(program, *arrays[:3])
    for one, other in zip(*map(jax.tree.leaves, (fused, products)), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


def test_half_precision_is_as_close_as_it_can_be(ways):
    block, arrays = block_of("mixed_bfloat16"), made(RELATIVE, "bfloat16")
    program = partial(attending, block, RELATIVE[2])
    fused, products = ways(lambda: jax.jit(program()), *arrays)
    assert fused.dtype == products.dtype == "bfloat16"
    np.testing.assert_allclose(*(np.float32(x) for x in (fused, products)), atol=0.05)


def test_it_counts_what_the_products_do(ways):
    block, arrays = block_of(), made(RELATIVE)
    program = partial(attending, block, RELATIVE[2])
    fused, products = map(count, ways(lambda: jax.make_jaxpr(program()), *arrays))
    assert fused.products == products.products > 0
    assert fused.others == pytest.approx(products.others, rel=0.2)


@pytest.mark.parametrize(
    ("queries", "past", "training", "least"),
    [(65, 0, False, 1), (2, 257, False, 1), (4, 3, True, 1), (4, 3, False, 4)],
)
def test_long_lists_few_lists_and_training_are_left_to_the_products(
    monkeypatch, queries, past, training, least
):
    arrays = made((queries, past, None, False))
    attend = attending(block_of(), None, training)
    expected = attend(*arrays)
    monkeypatch.setattr(fused_attention, "suits", lambda _: True)
    monkeypatch.setattr(fused_attention, "_LEAST_LISTS", least)
    monkeypatch.setattr(pl, "pallas_call", None)
    np.testing.assert_allclose(attend(*arrays), expected, rtol=1e-5, atol=1e-5)


def test_a_whole_model_ranks_the_same(ways):
    shape = Shape(candidates=6, history=5, slate=4, width=DIM, rows=100)
    trial, config = Trial("psad", "psad", decodings=(Decoding(),)), config_of(shape)
    model = make_model(trial, config)
    inputs = {k: jnp.asarray(v) for k, v in lists_of(config, 3).items()}
    inputs.pop("label")

    def program():
        known = functions(trial, model).values()
        return jax.jit(lambda x: [function(model, x) for function in known])

    (fused, order), (products, expected) = ways(program, inputs)
    np.testing.assert_allclose(fused, products, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(order, expected)


def test_it_is_for_one_gpu_and_heads_that_fit(monkeypatch):
    suits = fused_attention.suits
    assert not suits(block_of())
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert suits(block_of())
    assert not suits(block_of(placement="weights"))
    assert not suits(block_of(heads=4))
    mesh = keras.distribution.DeviceMesh((1,), ("batch",), jax.devices()[:1])
    split = keras.distribution.DataParallel(device_mesh=mesh)
    monkeypatch.setattr(keras.distribution, "distribution", lambda: split)
    assert not suits(block_of())
