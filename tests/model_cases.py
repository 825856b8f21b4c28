"""A small model and lists of every awkward length."""

import keras
import numpy as np

from psad_tf.config import PSADConfig

TINY = PSADConfig(
    item_rows=40,
    item_widths=(1, 3),
    item_unknown_ids=(1, 30),
    user_rows=12,
    user_widths=(1, 1),
    user_unknown_ids=(1, 8),
    candidate_dense_size=2,
    history_dense_size=3,
    list_length=6,
    history_length=5,
    slate_length=4,
    embedding_dim=4,
    hidden_dim=8,
    dropout=0.0,
    id_dropout=0.0,
)
# Every choice where the paper's equations as they are printed are not the default.
PRINTED = {
    "history": "encoded",
    "position": "table",
    "position_placement": "weights",
    "generation_loss": "clicks",
    "scorer_loss": "clicks",
    "hinge_on": "probabilities",
    "hinge_weight": 1.0,
    "distill_from": "probabilities",
    "loss_reduction": "sum",
}


def tiny(**changes) -> PSADConfig:
    """The small configuration with some values changed."""
    return PSADConfig.of(TINY.to_dict() | changes)


def make_batch(config, counts, history_counts=None, seed=0, click_rate=0.4):
    """Random inputs and labels; `counts` candidates and `history_counts` past items.

    What stands in the padding is random too: nothing may depend on it.
    """
    random = np.random.default_rng(seed)
    if history_counts is None:
        history_counts = [i % (config.history_length + 1) for i in range(len(counts))]
    size, length, past = len(counts), config.list_length, config.history_length
    columns = sum(config.item_widths)
    is_valid = np.arange(length) < np.array(counts)[:, None]

    def ids(shape, rows, fields):
        values = random.integers(0, rows, shape)
        values[..., 0] = random.integers(1, rows, shape[:-1])
        return values if fields else np.maximum(values, 1)

    def dense(*shape):
        return random.normal(size=shape).astype("float32")

    inputs = {
        "user_ids": ids((size, sum(config.user_widths)), config.user_rows, False),
        "candidate_ids": ids((size, length, columns), config.item_rows, True),
        "candidate_dense": dense(size, length, config.candidate_dense_size),
        "candidate_is_valid": is_valid,
        "history_ids": ids((size, past, columns), config.item_rows, True),
        "history_dense": dense(size, past, config.history_dense_size),
        "history_is_valid": np.arange(past) < np.array(history_counts)[:, None],
    }
    label = (random.random((size, length)) < click_rate) & is_valid
    return tensors(inputs), label.astype("float32")


def tensors(inputs):
    """Arrays by name as backend tensors."""
    return {k: keras.ops.convert_to_tensor(v) for k, v in inputs.items()}


def arrays(inputs):
    """Tensors by name as writable arrays."""
    return {k: keras.ops.convert_to_numpy(v).copy() for k, v in inputs.items()}


def repeated(values, times):
    """Lists by name, or their labels, over and over: one epoch is `times` of theirs."""
    return keras.tree.map_structure(lambda x: np.concatenate([x] * times), values)


def awake(layer, seed=0, scale=1.0):
    """Gives every weight a random value, so that none is hidden by its start at 0.

    Kernels keep the size of what passes through them and norms stay around 1, so that
    candidates stay as different as they come in.
    """
    random = np.random.default_rng(seed)
    for weight in layer.trainable_weights:
        value = random.normal(size=weight.shape) * scale
        if weight.path.endswith("gamma"):
            value = 1 + 0.3 * value
        elif weight.path.endswith("kernel"):
            value = value / np.sqrt(weight.shape[0])
        elif weight.path.endswith(("bias", "beta")):
            value = 0.3 * value
        weight.assign(value)
    return layer


def weight_of(layer, end):
    """The one weight whose path ends with `end`, as an array."""
    found = [w for w in layer.weights if w.path.endswith(end)]
    assert len(found) == 1, [w.path for w in layer.weights]
    return found[0].numpy()
