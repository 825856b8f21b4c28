"""One model, one file: the same numbers from TensorFlow and from JAX."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from backend_tools import JAX_ENVIRONMENT
from model_cases import PRINTED, TINY, arrays, awake, make_batch, tiny
from outputs import all_outputs

from psad_tf.baselines.registry import RERANKERS, build_reranker
from psad_tf.model import PARTS, PSAD

TESTS = Path(__file__).parents[1]
OTHER = {"tensorflow": "jax", "jax": "tensorflow"}[keras.backend.backend()]
# The pipeline first, for how its processes start.
OTHER_OUTPUTS = "import sys, tfx_pipeline, outputs; outputs.write(sys.argv[1])"
MODELS = {
    # In training each backend draws its own: here all slots are refined, and the order
    # is not drawn.
    "amended": {"refine_size": 4, "block_size": 3, "target_order": "shown"},
    "printed": PRINTED | {"block_size": 1, "interaction": "late_fusion"},
}
PEERS = {name: (name, {}) for name in RERANKERS}
PEERS["evaluator"] = ("prm", {"loss": "bce"})


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What this backend computes and what the other one does, by name."""
    folder = tmp_path_factory.mktemp("models")
    for name, changes in MODELS.items():
        model = PSAD(tiny(**changes))
        model.build()
        # Gentle enough for steps of training to stay together.
        awake(model, scale=0.5).save(folder / f"{name}.keras")
    for name, (kind, options) in PEERS.items():
        awake(build_reranker(kind, TINY, **options)).save(folder / f"{name}.keras")
    inputs, label = make_batch(TINY, [6, 5, 4, 3, 2, 1, 6, 6])
    label[0], label[1] = 0, inputs["candidate_is_valid"][1]  # no click, and all
    orders = np.array([[[0, 1, 2, 3], [2, 0, -1, -1]]] * 8, "int32")
    np.savez(folder / "lists.npz", **arrays(inputs), label=label, orders=orders)
    path = os.pathsep.join(map(str, (TESTS.parent, TESTS, Path(__file__).parent)))
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER_OUTPUTS, str(folder)],
        env=os.environ | JAX_ENVIRONMENT | {"KERAS_BACKEND": OTHER, "PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
    )
    mine = all_outputs(folder)
    _, errors = process.communicate()
    assert process.returncode == 0, errors[-3000:]
    return mine, dict(np.load(folder / "found.npz"))


def chosen(found, is_wanted):
    """Pairs of the values whose names are wanted, by name."""
    mine, others = found
    assert mine.keys() == others.keys()
    pairs = {name: (mine[name], others[name]) for name in mine if is_wanted(name)}
    assert pairs
    return pairs


def assert_close(pairs, **tolerance):
    for name, (mine, other) in pairs.items():
        assert mine.dtype == other.dtype, name
        np.testing.assert_allclose(mine, other, err_msg=name, **tolerance)


def test_scores_states_logits_losses_and_values(found):
    def is_output(name):
        # A beam of PSAD is an order; that of a peer has scores.
        others = (": d ", ": after", ": logged", ": beam")
        return not any(word in name for word in others)

    pairs = chosen(found, is_output)
    assert {"evaluator: value", "amended: states", "printed: logits"} <= pairs.keys()
    assert {f"printed: {part}" for part in PARTS} <= pairs.keys()
    assert_close(pairs, atol=1e-5, rtol=1e-5)
    assert all(np.isfinite(mine).all() for mine, _ in pairs.values())


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_ranks_alike_by_every_readout(found, name):
    pairs = chosen(found, lambda key: key.startswith(f"{name}: ") and "scores" in key)
    assert len(pairs) == (2 if name == "seq2slate" else 1)
    for key, (mine, other) in pairs.items():
        np.testing.assert_array_equal(
            np.argsort(-mine, axis=1, kind="stable"),
            np.argsort(-other, axis=1, kind="stable"),
            err_msg=key,
        )
    assert_close(pairs, atol=1e-5, rtol=1e-5)
    assert any(np.ptp(mine[0]) > 0.05 for mine, _ in pairs.values())


def test_orders_are_equal(found):
    for mine, other in chosen(found, lambda name: name.endswith(": beam")).values():
        np.testing.assert_array_equal(mine, other)


def test_gradients_of_the_joint_loss(found):
    pairs = chosen(found, lambda name: ": d " in name)
    assert_close(pairs, atol=1e-5, rtol=1e-4)
    assert any(np.abs(mine).max() > 0.1 for mine, _ in pairs.values())


def test_steps_of_the_own_trainer_and_of_keras_give_the_same_weights_and_logs(found):
    """TensorFlow takes `JointStep.train_step`, JAX the stock trainer."""

    def is_trained(name):
        return any(word in name for word in (": after", ": logged", ": evaluated"))

    pairs = chosen(found, is_trained)
    assert {f"amended: logged {part}_loss" for part in PARTS} <= pairs.keys()
    losses = pairs["amended: logged loss"][0]
    assert len(losses) == 2 and losses[1] < losses[0]
    assert_close(pairs, atol=1e-5, rtol=1e-4)
