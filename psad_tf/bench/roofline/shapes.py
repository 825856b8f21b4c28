"""Lists and models of any size, to be timed: made up, since values cost no time."""

from dataclasses import dataclass

import numpy as np

from psad_tf import tensors
from psad_tf.config import PSADConfig

# As the Ad data set has them: five ids of an item, eight of a user.
ITEM_FIELDS, USER_FIELDS = 5, 8
DENSE = 2


@dataclass(frozen=True)
class Shape:
    """The sizes that a model's cost depends on.

    Args:
        candidates: Of a list; M of the paper.
        history: Past items of a list; N of the paper.
        slate: Items that the generator puts in order; T of the paper.
        block: Items generated at once; K of the paper. 1 is autoregressive.
        refine: Slots predicted again; γ of the paper.
        layers: Of the encoder.
        width: Of its states; d of the paper.
        heads: Of its attention.
        rows: Of the table of item ids.
    """

    candidates: int = 30
    history: int = 50
    slate: int = 10
    block: int = 2
    refine: int = 1
    layers: int = 2
    width: int = 64
    heads: int = 2
    rows: int = 1_000_000


def config_of(shape: Shape, **choices) -> PSADConfig:
    """The configuration of a shape.

    Args:
        shape: The sizes.
        choices: Other values of `PSADConfig` by name.
    """
    return PSADConfig(
        **{
            "item_rows": shape.rows,
            "item_widths": (1,) * ITEM_FIELDS,
            "item_unknown_ids": tuple(range(1, ITEM_FIELDS + 1)),
            "user_rows": 1000,
            "user_widths": (1,) * USER_FIELDS,
            "user_unknown_ids": tuple(range(1, USER_FIELDS + 1)),
            "candidate_dense_size": DENSE,
            "history_dense_size": DENSE,
            "list_length": shape.candidates,
            "history_length": shape.history,
            "slate_length": min(shape.slate, shape.candidates),
            "block_size": shape.block,
            "refine_size": shape.refine,
            "num_layers": shape.layers,
            "hidden_dim": shape.width,
            "num_heads": shape.heads,
            **choices,
        }
    )


def lists_of(config: PSADConfig, count: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Full lists with labels, by the names of `psad_tf.tensors`; ids are int32.

    Args:
        config: The sizes.
        count: Lists.
        seed: Of ids, numbers and labels.
    """
    random = np.random.default_rng(seed)
    m, n = config.list_length, config.history_length

    def ids(rows, *shape):
        return random.integers(1, rows, shape, dtype=np.int32)

    def dense(length, size):
        return random.standard_normal((count, length, size), dtype=np.float32)

    return {
        tensors.USER_IDS: ids(config.user_rows, count, len(config.user_widths)),
        tensors.CANDIDATE_IDS: ids(config.item_rows, count, m, len(config.item_widths)),
        tensors.CANDIDATE_DENSE: dense(m, config.candidate_dense_size),
        tensors.CANDIDATE_IS_VALID: np.ones((count, m), bool),
        tensors.HISTORY_IDS: ids(config.item_rows, count, n, len(config.item_widths)),
        tensors.HISTORY_DENSE: dense(n, config.history_dense_size),
        tensors.HISTORY_IS_VALID: np.ones((count, n), bool),
        tensors.LABEL: (random.random((count, m)) < 0.15).astype(np.float32),
    }
