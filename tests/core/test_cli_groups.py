"""What `psad` hands on to the code behind `data`, `pipeline`, `model` and `bench`."""

import json
import os
import sys
from types import SimpleNamespace

import platformdirs
import pytest

from psad_tf import cli
from psad_tf.data import build
from psad_tf.data.settings import LogSettings
from tfx_pipeline import command
from tfx_pipeline.config import load_config

BENCHES = (
    "overall efficiency prepare study ablation distillation hyperparameters "
    "interaction peers report"
)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """Where raw files are kept: nowhere that anybody else looks."""
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda _: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def builds(monkeypatch):
    """What `build_dataset` was given."""
    given = []

    def build_dataset(*arguments):
        given.append(arguments)
        return {"lists": 3, "rows": {"shown": {"read": 4, "train": 4}}}

    monkeypatch.setattr(build, "build_dataset", build_dataset)
    return given


def test_build_hands_size_and_workers_on(builds, tmp_path, capsys):
    flags = ["--dataset=click-world", "--size=fixture", "--workers=2", "--seed=4"]
    assert cli.main(["data", "build", f"--out={tmp_path}/out", *flags]) == 0
    (given,) = builds
    assert given[:-1] == ("click-world", tmp_path / "out", None, 4, 0.01, "fixture", 2)
    assert given[-1] == LogSettings()
    told = capsys.readouterr()
    assert json.loads(told.out)["lists"] == 3
    assert "shown: 4 rows read\n  train " in told.err


def test_build_hands_the_choices_for_logs_on(builds, tmp_path):
    flags = ["--dataset=ad", "--raw=gs://b/raw", "--protocol=librerank", "--work=w"]
    flags += ["--user-salt-file=env", "--max-user-rows=9", "--max-bad-share=0.5"]
    flags += ["--beam-arg=--runner=FlinkRunner", "--beam-arg=--parallelism=4"]
    assert cli.main(["data", "build", f"--out={tmp_path}/out", *flags]) == 0
    beam_args = ("--runner=FlinkRunner", "--parallelism=4")
    settings = LogSettings("librerank", "env", 9, "w", beam_args)
    given = ("ad", tmp_path / "out", "gs://b/raw", 0, 0.5, None, 1, settings)
    assert builds == [given]


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--size=huge", "size='huge' is unknown; known: fixture, study, "),
        ("--workers=0", "workers=0; give 1 or more processes"),
    ],
)
def test_a_size_or_number_of_workers_that_cannot_be_is_3(flag, told, tmp_path, capsys):
    line = ["data", "build", "--dataset=click-world", f"--out={tmp_path}/out", flag]
    assert cli.main(line) == 3
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--raw=gs://b/raw"], "gs://b/raw: the files of click-world are read from a"),
        (["--protocol=paper"], "protocol='paper': click_world is not built from raw"),
    ],
)
def test_what_only_logs_can_is_3_for_others(flags, told, tmp_path, capsys):
    line = ["data", "build", "--dataset=click-world", f"--out={tmp_path}/out", *flags]
    assert cli.main(line) == 3
    assert told in capsys.readouterr().err
    line = ["pipeline", "run", "--dataset=ad", "--raw=gs://b/raw"]
    assert cli.main(line) == 3
    assert "the pipeline reads a local folder" in capsys.readouterr().err


@pytest.fixture
def configs(monkeypatch):
    """What the pipeline would run with."""
    found = []
    monkeypatch.setattr(command, "_run", lambda configs, _: found.extend(configs))
    monkeypatch.setattr(command, "_tell", lambda config: 0)
    return found


def test_a_pipeline_of_a_size_reads_that_worlds_description(configs, cache, tmp_path):
    flags = ["--dataset=click-world", "--size=fixture", f"--root={tmp_path}/root"]
    assert cli.main(["pipeline", "run", *flags, "--seed=3"]) == 0
    (config,) = configs
    assert (config.dataset, config.seed) == ("click_world", 3)
    world = json.loads((cache / "click_world" / "fixture" / "world.json").read_text())
    assert config.raw == str(cache / "click_world" / "fixture")
    assert world["users"] == 120


def test_the_outcome_names_the_data_set_to_ask_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "outcome", lambda metrics: "Pushed.")
    config = load_config(
        None, dataset="click_world", raw="", root=str(tmp_path), model_store="models"
    )
    latest = tmp_path / "report" / "latest"
    latest.mkdir(parents=True)
    (latest / "lists.txt").write_text("three lists")
    for pushed, code in ((True, 0), (False, cli.REFUSED)):
        metrics = json.dumps({"decision": {"pushed": pushed}})
        (latest / "metrics.json").write_text(metrics)
        assert command._tell(config) == code
        ask = f"psad rerank --dataset click-world --request {latest}/request.json"
        assert (ask in capsys.readouterr().out) is pushed


def test_model_size_is_the_memory_of_the_configured_model(tmp_path, capsys):
    config = tmp_path / "config.json"
    config.write_text('{"model": {"embedding_dim": 4}}')
    line = ["model", "size", "--dataset=click-world", f"--config={config}"]
    assert cli.main([*line, "--rows", "item_id=2000000", "category=10"]) == 0
    values, _, item, user, *_, total = capsys.readouterr().out.splitlines()
    assert values.startswith("values: user_id 1,000, ")
    assert "item_id 2,000,000, category 10, brand 1,000" in values
    # Padding, and an unknown id for each of item, category and brand.
    rows = 1 + 3 + 2_000_000 + 10 + 1_000
    assert item.split()[:5] == ["item", "table", f"{rows:,}", "4", "30.5"]
    assert float(total.split()[-1].replace(",", "")) > 6.5 * rows * 4 * 4 / 2**20


def test_rows_of_what_is_no_text_feature_are_refused(capsys):
    assert cli.main(["model", "size", "--rows", "year=3", "genres=4"]) == 3
    error = capsys.readouterr().err
    assert "--rows: year are no text features of movielens_100k" in error
    assert error.endswith("those are: " + error.split("those are: ")[1])
    assert "item_id, genres" in error


@pytest.fixture
def benches(monkeypatch):
    """What the benches' code was called with."""
    from psad_tf import bench

    given = []
    fake = SimpleNamespace(main=lambda parsed: given.append(parsed) or 0)
    monkeypatch.setitem(sys.modules, "psad_tf.bench.command", fake)
    monkeypatch.setattr(bench, "command", fake, raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    return given


@pytest.mark.parametrize("name", BENCHES.split())
def test_a_bench_runs_on_jax_with_its_flags(name, benches, tmp_path):
    flags = ["--seeds", "7", "8", "--workers=3", "--size=fixture", "--preset=quick"]
    flags += ["--part=2/3", "--methods", "prm", "psad"]
    line = ["bench", name, "--dataset=click-world-5", f"--out={tmp_path}", *flags]
    assert cli.main(line) == 0
    (parsed,) = benches
    assert os.environ["KERAS_BACKEND"] == "jax"
    assert (parsed.bench, parsed.dataset, parsed.out) == (
        name,
        "click-world-5",
        tmp_path,
    )
    assert (parsed.seeds, parsed.workers, parsed.size) == ([7, 8], 3, "fixture")
    assert (parsed.preset, parsed.part) == ("quick", (2, 3))
    assert parsed.methods == ["prm", "psad"]


def test_a_bench_has_defaults_and_knows_what_it_cannot_do(benches, capsys, tmp_path):
    assert cli.main(["bench", "study"]) == 0
    (parsed,) = benches
    assert (parsed.dataset, str(parsed.out)) == ("movielens-100k", "runs/bench")
    # Which seeds there are depends on the preset.
    assert (parsed.seeds, parsed.workers) == (None, 1)
    assert (parsed.size, parsed.preset) == (None, "full")
    assert (parsed.part, parsed.methods) == ((1, 1), None)
    assert (parsed.raw, parsed.device) == (None, None)
    assert cli.main(["bench", "study", "--dataset=netflix"]) == 3
    assert "--dataset: data set 'netflix' is unknown" in capsys.readouterr().err
    assert (
        cli.main(["bench", "study", "--dataset=click-world", f"--raw={tmp_path}"]) == 3
    )
    assert "click-world itself; give --size instead" in capsys.readouterr().err
    assert len(benches) == 1


@pytest.mark.parametrize("part", ["0/2", "3/2", "2", "a/b", "-1/2"])
def test_what_is_no_part_is_refused(part, benches, capsys):
    with pytest.raises(SystemExit):
        cli.main(["bench", "study", f"--part={part}"])
    assert f"{part!r} is no part; give one such as 2/3" in capsys.readouterr().err
