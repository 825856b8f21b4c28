"""What training takes: worked out by hand, and counted on the model itself."""

from dataclasses import replace

import pytest
from model_cases import tiny

from psad_tf.memory import DENSE_UPDATE, memory
from psad_tf.model import build_psad
from psad_tf.training_config import TrainingConfig

TRAINING = TrainingConfig(batch_size=4)


LAZY = replace(TRAINING, table_updates="lazy")


def parts_of(config, training=TRAINING):
    return {p.name: p for p in memory(config, training).parts}


def test_a_full_table_by_hand():
    config = tiny(item_rows=1_000_000, embedding_dim=16)
    table = parts_of(config)["item table"]
    weights = 1_000_000 * 16 * 4
    assert (table.rows, table.dim, table.weights) == (1_000_000, 16, weights)
    assert table.optimizer == 2 * weights
    assert table.update == DENSE_UPDATE * weights
    assert table.total == 6.5 * weights


def test_a_lazy_update_takes_what_a_batch_looks_up():
    config = tiny(item_rows=1_000_000, embedding_dim=16)
    table = parts_of(config, LAZY)["item table"]
    # 4 lists of 6 + 5 items with 4 columns, and 2 columns of the user's.
    assert table.update == int(DENSE_UPDATE * 4 * (11 * 4 + 2) * 16 * 4)
    small = parts_of(tiny(), LAZY)["item table"]
    assert small.update == DENSE_UPDATE * small.weights  # never more than the table


def test_a_composed_table_by_hand():
    # Ids 1-29 are the first field's, of 29 ids, and 30-99,999 the second's.
    choices = {"item_table": "quotient_remainder", "item_table_remainder": 1000}
    parts = parts_of(tiny(item_rows=100_000, **choices))
    assert parts["item remainders"].rows == 1 + 29 + 1000
    assert parts["item quotients"].rows == 100  # 99,970 ids by 1,000, rounded up
    assert "item table" not in parts


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"num_layers": 1, "interaction": "none", "user_table_remainder": 2}
        | {"user_table": "quotient_remainder", "item_hash_buckets": [3, 2]},
    ],
)
def test_all_weights_of_the_model_are_counted(choices):
    config = tiny(**choices)
    counted = sum(p.weights for p in memory(config, TRAINING).parts)
    model = build_psad(config)
    sizes = [w.numpy().size for w in model.trainable_weights]
    assert counted == 4 * sum(sizes)


def test_fifty_million_rows_are_stated_without_being_made():
    found = memory(tiny(item_rows=50_000_000, embedding_dim=64), TRAINING)
    assert found.total > 6.5 * 50_000_000 * 64 * 4  # 83 GB


def test_activations_grow_with_the_batch_and_halve_with_the_precision():
    found = memory(tiny(), TRAINING).activations
    assert memory(tiny(), replace(TRAINING, batch_size=12)).activations == 3 * found
    half = replace(TRAINING, precision="mixed_bfloat16")
    assert memory(tiny(), half).activations == found // 2


def test_the_table_as_text_adds_up():
    found = memory(tiny(item_rows=1_000_000, embedding_dim=16), TRAINING)
    lines = str(found).splitlines()
    assert len({len(line) for line in lines}) == 1
    (item,) = (line.split() for line in lines if line.startswith("item table"))
    assert item[2:] == ["1,000,000", "16", "61.0", "122.1", "213.6", "396.7"]
    assert lines[-1].split()[-1] == f"{found.total / 2**20:,.1f}"
    assert found.total == sum(p.total for p in found.parts) + found.activations
