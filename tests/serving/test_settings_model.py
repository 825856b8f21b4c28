"""Settings of a server, held to the model that it is to serve."""

import json

import pytest

from psad_tf import cli
from psad_tf.serving_config import ServingConfig

BATCHED = {"batching": True, "batch_sizes": [1, 8], "list_buckets": [10]}


@pytest.fixture
def write(tmp_path):
    """Writes an export's word of itself and a settings file; runs the command."""

    def run(serving, settings=""):
        extra = tmp_path / "model" / "assets.extra"
        extra.mkdir(parents=True)
        report = {"serving": serving and ServingConfig().to_dict() | serving}
        (extra / "export_report.json").write_text(json.dumps(report))
        (extra / "psad.json").write_text(json.dumps({"dataset": "movielens_100k"}))
        file = tmp_path / "my.toml"
        file.write_text(settings)
        words = ["serve", "config", f"--settings={file}", f"--out={tmp_path}/out"]
        return cli.main([*words, f"--model={tmp_path}/model"])

    return run


@pytest.mark.parametrize(
    ("serving", "settings"),
    [
        ({}, ""),
        ({}, "[graph]\nbatch_sizes = [1, 2]"),  # its graph makes no batches
        (BATCHED, "[graph]\nbatch_sizes = [1, 8]\nlist_buckets = 2"),
        (BATCHED | {"xla": True}, "[graph]\nbatch_sizes = [1, 8]\nlist_buckets = 2"),
        ({"batching": True, "history_buckets": [5, 50]}, "[graph]\nlist_buckets = 2"),
    ],
)
def test_settings_that_fit_are_written(write, tmp_path, serving, settings):
    assert write(serving, settings) == 0
    assert (tmp_path / "out" / "flags.txt").exists()


@pytest.mark.parametrize(
    ("serving", "settings", "told"),
    [
        (BATCHED, "", "graph.batch_sizes=[1, 4, 16, 64] must be [1, 8], for so "),
        (BATCHED, "[graph]\nbatch_sizes = [1, 8]", "graph.list_buckets=1 must be 2"),
        (
            {"batching": True},
            "[batching]\nin_server = true",
            "batching.in_server=true must be false",
        ),
        (
            {"batching": True, "xla": True},
            "[graph]\ncompiled = false",
            "graph.compiled=false must be true",
        ),
        (None, "", "do not say how it was exported"),
        ({"batching": 3}, "", "do not say how it was exported (serving: batching=3"),
    ],
)
def test_settings_that_do_not_fit_are_told(
    write, tmp_path, capsys, serving, settings, told
):
    assert write(serving, settings) == cli.BAD_INPUT
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_version_is_told(tmp_path, capsys):
    words = ["serve", "config", f"--out={tmp_path}/out", f"--model={tmp_path}"]
    assert cli.main(words) == cli.BAD_INPUT
    assert "give a version's folder, such as models/1" in capsys.readouterr().err
