"""Settings are read strictly, and the cache sees what it must."""

import json

import pytest

from tfx_pipeline.config import GateConfig, load_config
from tfx_pipeline.fingerprint import code_fingerprint, folder_fingerprint

PLACES = {"raw": "raw", "root": "root", "model_store": "store"}


def test_a_file_is_overridden_by_the_command_line(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"seed": 3, "gate": {"min_gain_over_initial": 0.2}}))
    config = load_config(file, **PLACES, dataset=None)
    assert config.seed == 3
    assert config.gate == GateConfig(min_gain_over_initial=0.2)
    assert config.dataset == "movielens_100k"
    assert load_config(file, **PLACES, seed=4).seed == 4


def test_choices_stand_on_top_of_the_data_sets_preset(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"model": {"dropout": 0.5}}))
    preset = load_config(None, **PLACES).model_choices()
    chosen = load_config(file, **PLACES).model_choices()
    assert chosen == preset | {"dropout": 0.5}
    assert preset["dropout"] != 0.5


def test_beam_arguments_come_back_as_they_went(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(load_config(None, **PLACES, beam_args=("--runner=X",)).to_json())
    assert load_config(file).beam_args == ("--runner=X",)


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "not valid JSON"),
        ('{"sed": 1}', "'sed' is unknown; known: .*seed"),
        ('{"gate": {"margin": 1}}', "gate: field 'margin' is unknown"),
        ('{"gate": {"confidence": 2}}', "gate: confidence=2 must lie between"),
        ('{"data_gate": {"severity": "BAD"}}', "data_gate: severity='BAD' must be of"),
        ('{"spans": "3-4"}', "spans='3-4'; give numbers, as in 3,4"),
        ('{"warm_start": 1}', "warm_start=1; give true or false"),
        ("[1]", "must be an object"),
        ('{"model": {"num_layer": 1}}', "unknown names .'num_layer'.; known"),
        ('{"model": {"num_heads": 5}}', "num_heads=5; it must be a divisor"),
        ('{"training": {"epoch": 1}}', "training: .'epoch'. are unknown; known"),
        ('{"training": {"epochs": 0}}', "training: epochs=0 must be positive"),
        ('{"dataset": "ads"}', "data set 'ads' is unknown"),
    ],
)
def test_a_wrong_file_is_refused_with_its_field(tmp_path, text, message):
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_config(file, **PLACES)


def test_the_fingerprint_sees_names_and_contents(tmp_path):
    file = tmp_path / "u.data"
    file.write_text("1")
    first = folder_fingerprint(tmp_path)
    assert folder_fingerprint(tmp_path) == first
    file.write_text("2")
    second = folder_fingerprint(tmp_path)
    file.rename(tmp_path / "u.user")
    assert len({first, second, folder_fingerprint(tmp_path)}) == 3


def test_a_missing_raw_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.*raw files"):
        folder_fingerprint(tmp_path / "nowhere")


def test_the_code_has_a_fingerprint():
    assert code_fingerprint() == code_fingerprint()
