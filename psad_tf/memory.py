"""The memory that training a model takes, before any of it is asked for."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from psad_tf.config import PSADConfig
from psad_tf.layers.compositional_embedding import composition
from psad_tf.model import build_psad
from psad_tf.training_config import TrainingConfig

FLOAT = 4
# Momentum and velocity.
SLOTS = 2
# Keras' AdamW, beside what it keeps: a dense gradient, a clipped copy and one or two
# terms of the update, each as large as the weight. Measured: docs/embedding_tables.md.
DENSE_UPDATE = 3.5


@dataclass(frozen=True)
class Part:
    """Weights that belong together, and what training them takes, in bytes.

    Args:
        name: What they are.
        rows: Rows of the table; of what is no table, the number of weights.
        dim: Width of the table; 1 of what is none.
        weights: Of the weights.
        optimizer: Of the optimizer's state.
        update: Of gradients and of the update's own copies, while a step lasts.
    """

    name: str
    rows: int
    dim: int
    weights: int
    optimizer: int
    update: int

    @property
    def total(self) -> int:
        return self.weights + self.optimizer + self.update


@dataclass(frozen=True)
class Memory:
    """What training takes; as text, a table in MiB.

    Args:
        parts: The weights, tables first.
        activations: Bytes that a batch takes between the two passes, estimated.
    """

    parts: tuple[Part, ...]
    activations: int

    @property
    def total(self) -> int:
        """All bytes at the peak of a step."""
        return sum(part.total for part in self.parts) + self.activations

    def __str__(self) -> str:
        head = ("part", "rows", "dim", "weights", "optimizer", "update", "MiB in all")
        lines = [head, *(_cells(part) for part in self.parts)]
        batch = ("a batch's activations", "", "", "", "", "", _mib(self.activations))
        lines += [batch, ("in all", "", "", "", "", "", _mib(self.total))]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if i else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in lines
        )


def memory(config: PSADConfig, training: TrainingConfig) -> Memory:
    """What training a model takes.

    Args:
        config: The model's configuration.
        training: How it is trained.
    """
    is_lazy = training.table_updates == "lazy"
    looked_up = training.batch_size * _lookups(config) if is_lazy else None
    parts = [
        _part(name, rows, config.embedding_dim, looked_up)
        for space in ("item", "user")
        for name, rows in _tables(config, space)
    ]
    parts.append(_part("all other weights", _other_weights(config), 1))
    size = FLOAT if training.precision == "float32" else FLOAT // 2
    floats = training.batch_size * floats_of_a_list(config)
    return Memory(tuple(parts), floats * size)


def _tables(config: PSADConfig, space: str) -> Iterator[tuple[str, int]]:
    rows = getattr(config, f"{space}_rows")
    if getattr(config, f"{space}_table") == "full":
        yield f"{space} table", rows
        return
    starts = getattr(config, f"{space}_unknown_ids")
    remainder_rows = getattr(config, f"{space}_table_remainder")
    found = composition(rows, starts, remainder_rows)
    yield f"{space} remainders", found.table_rows
    yield f"{space} quotients", found.quotient_rows


def _part(name: str, rows: int, dim: int, looked_up: int | None = None) -> Part:
    size = rows * dim * FLOAT
    touched = size if looked_up is None else min(looked_up * dim * FLOAT, size)
    return Part(name, rows, dim, size, SLOTS * size, int(DENSE_UPDATE * touched))


def _lookups(config: PSADConfig) -> int:
    """Ids of a list: each reads one row of each table at most."""
    items = config.list_length + config.history_length
    return items * sum(config.item_widths) + sum(config.user_widths)


def _other_weights(config: PSADConfig) -> int:
    """Weights outside the tables, of which there may be too many to make."""
    few = {}
    for space in ("item", "user"):
        fields = len(getattr(config, f"{space}_widths"))
        few[f"{space}_rows"] = fields + 1
        few[f"{space}_unknown_ids"] = tuple(range(1, fields + 1))
        few[f"{space}_hash_buckets"] = ()
        few[f"{space}_table"], few[f"{space}_table_remainder"] = "full", 0
    small = replace(config, **few)
    model = build_psad(small)
    tables = (small.item_rows + small.user_rows) * small.embedding_dim
    return sum(math.prod(w.shape) for w in model.trainable_weights) - tables


def floats_of_a_list(config: PSADConfig) -> int:
    """About how many floats a list's forward pass keeps for the backward one."""
    c = config
    length = c.list_length + c.history_length
    ids = length * sum(c.item_widths) + sum(c.user_widths)
    # Rows looked up, with and without padding, and the gated items.
    floats = 3 * ids * c.embedding_dim + 10 * length * c.hidden_dim
    for layer in range(c.num_layers):
        rows = c.list_length if layer == c.num_layers - 1 else length
        floats += _attention(c, rows, length)
    for queries in (c.slate_length, c.refine_size):
        keys = c.list_length + c.slate_length
        floats += c.num_decoder_layers * _attention(c, queries, keys)
        floats += 6 * queries * c.list_length
    return floats


def _attention(config: PSADConfig, queries: int, keys: int) -> int:
    """Of a block: logits and weights of each head, a bias; states and wide ones."""
    weights = (2 * config.num_heads + 1) * queries * keys
    states = (8 + 2 * config.ffn_multiple) * queries * config.hidden_dim
    return weights + states + 2 * keys * config.hidden_dim


def _cells(part: Part) -> tuple[str, ...]:
    bytes_of = (part.weights, part.optimizer, part.update, part.total)
    return (part.name, f"{part.rows:,}", str(part.dim), *map(_mib, bytes_of))


def _mib(size: int) -> str:
    return f"{size / 2**20:,.1f}"
