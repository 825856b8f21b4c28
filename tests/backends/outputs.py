"""What both backends must agree on, computed by the one that runs."""

from pathlib import Path

import keras
import numpy as np
from backend_tools import IS_JAX, gradients, quick
from model_cases import tensors

from psad_tf.baselines.crum import CRUM
from psad_tf.baselines.prm import PRM
from psad_tf.baselines.registry import RERANKERS, reranker
from psad_tf.baselines.reranker import TRAIN
from psad_tf.decoding import beam_search
from psad_tf.model import PSAD


def psad_outputs(model, inputs, label):
    """Scores, states, generation logits, losses and beam orders, by name."""

    def compute(inputs, label):
        outputs, is_valid = model(inputs), inputs["candidate_is_valid"]
        order = model.target_order(label, is_valid, outputs["scores"])
        logits, remains = model.teach(order, is_valid, outputs["states"])
        found = {"target": order, "logits": logits, "remains": remains, **outputs}
        found |= model.joint_loss(label, is_valid, outputs)
        found["beam"], found["log_p"] = beam_search(model, inputs)
        return found

    found = quick(compute)(inputs, label)
    weights = model.trainable_weights

    def loss():
        outputs = model(inputs)
        return model.joint_loss(label, inputs["candidate_is_valid"], outputs)["loss"]

    slopes = gradients(weights, loss)
    return found | {f"d {w.path}": g for w, g in zip(weights, slopes, strict=True)}


def reranker_outputs(model, inputs, label, orders):
    """Scores of each readout, losses of each stage, values of orders, by name."""

    def compute(inputs, label, orders):
        found = {f"{name}: scores": way(inputs) for name, way in readouts}
        for stage in stages:
            found[f"{stage} loss"] = model.list_loss(inputs, label, False, stage)
        if isinstance(model, PRM) and model.gives_probabilities:
            found["value"] = model.value(inputs, orders)
        return found

    readouts = model.readouts().items()
    # Pairs are drawn, and each backend draws its own.
    stages = [s for s in model.stages if not (isinstance(model, CRUM) and s == TRAIN)]
    return quick(compute)(inputs, label, orders)


def trained(model, inputs, label):
    """Weights and logs after some steps of `fit`, and what `evaluate` then says."""
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), jit_compile=IS_JAX)
    weight = np.linspace(0.5, 1.5, len(label)).astype("float32")
    history = model.fit(
        inputs,
        label,
        sample_weight=weight,
        batch_size=4,
        epochs=2,
        shuffle=False,
        verbose=0,
    ).history
    found = {f"logged {name}": np.ravel(value) for name, value in history.items()}
    after = model.evaluate(inputs, label, batch_size=4, verbose=0, return_dict=True)
    found |= {f"evaluated {name}": np.ravel(value) for name, value in after.items()}
    return found | {f"after {w.path}": w.numpy() for w in model.trainable_weights}


def all_outputs(folder: Path) -> dict:
    """Everything above for every model of the folder, by model and name."""
    given = dict(np.load(folder / "lists.npz"))
    label, orders = given.pop("label"), given.pop("orders")
    inputs, found = tensors(given), {}
    for name in RERANKERS:
        reranker(name)  # A file is read by classes that are known.
    for path in sorted(folder.glob("*.keras")):
        model = keras.models.load_model(path, compile=False)
        if isinstance(model, PSAD):
            values = psad_outputs(model, inputs, label)
            if path.stem == "amended":
                values |= trained(model, inputs, label)
        else:
            values = reranker_outputs(model, inputs, label, orders)
        found |= {f"{path.stem}: {k}": np.array(v) for k, v in values.items()}
    return found


def write(folder: str) -> None:
    """Reads a folder's models and lists; writes what it computes to `found.npz`."""
    np.savez(Path(folder) / "found.npz", **all_outputs(Path(folder)))
