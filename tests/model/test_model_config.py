import dataclasses
import subprocess
import sys

import pytest
from model_cases import TINY, tiny

from psad_tf.config import PSADConfig


def test_json_round_trip():
    assert PSADConfig.from_json(TINY.to_json()) == TINY


def test_it_is_frozen_and_hashable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TINY.dropout = 0.5
    assert hash(TINY) == hash(tiny())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slate_length": 7}, "slate_length=7; it must be at most list_length=6"),
        ({"num_heads": 3}, "num_heads=3; it must be a divisor of hidden_dim=8"),
        ({"block_size": 5}, "block_size=5; it must be at most slate_length=4"),
        ({"block_size": 0}, "block_size=0; it must be at least 1"),
        ({"refine_size": 5}, "refine_size=5; it must be at most slate_length=4"),
        ({"dropout": 1.0}, r"dropout=1.0; it must be in \[0, 1\)"),
        ({"temperature": 0}, "temperature=0; it must be above 0"),
        ({"position": "sine"}, "position='sine'; it must be one of"),
        ({"item_widths": [1]}, r"item_unknown_ids=.* each of the 1 fields"),
        ({"item_widths": [1, 0]}, "item_widths=.* one width of at least 1 a field"),
        ({"user_unknown_ids": [0, 3]}, r"user_unknown_ids=.*one id in 1..11"),
        ({"user_unknown_ids": [1, 12]}, r"user_unknown_ids=.*one id in 1..11"),
        ({"item_id_dropout_fields": [2]}, r"item_id_dropout_fields=.*in 0..1"),
        ({"distillation_weight": -1}, "distillation_weight=-1; it must be at least 0"),
    ],
)
def test_a_bad_value_is_named_with_what_it_must_be(changes, message):
    with pytest.raises(ValueError, match=message):
        tiny(**changes)


def test_unknown_and_missing_names_are_errors():
    with pytest.raises(ValueError, match=r"unknown names \['blocksize'\]"):
        tiny(blocksize=2)
    values = TINY.to_dict()
    del values["list_length"]
    with pytest.raises(ValueError, match="list_length"):
        PSADConfig.of(values)


@pytest.mark.parametrize("module", ["psad_tf.config", "psad_tf.metrics"])
def test_light_modules_import_no_framework(module):
    code = (
        f"import sys, {module}; assert not {{'keras', 'tensorflow'}} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
