"""What is kept of a push, what the gate keeps from clients, and what is not read."""

import html
import json
import random

import pytest
from made_up_log import write_log
from pipeline_runs import COMPONENTS, SMALL, arguments, recorded_runs, run_pipeline

from psad_tf import cli
from psad_tf.cli import BAD_INPUT, REFUSED
from psad_tf.data.examples import decode_list
from psad_tf.data.fetch import movielens_folder
from psad_tf.feature_sets import MOVIELENS_100K
from tfx_pipeline.report.results import HEADLINE, SERVED, measure_lists
from tfx_pipeline.report.served import read_serialized, served_order

pytestmark = pytest.mark.e2e

LOG = "ml-100k.inter"


def shuffle_training_ratings(raw, begin, end, seed=0):
    """Gives the ratings of a period to other rows of that period, at random.

    Of every other user alone: half the lists are enough to judge it.
    """
    header, *rows = (raw / LOG).read_text().splitlines()
    rows = [row.split("\t") for row in rows]
    rows = [row for row in rows if int(row[0]) % 2]
    chosen = [row for row in rows if begin <= int(row[3]) < end]
    ratings = [row[2] for row in chosen]
    random.Random(seed).shuffle(ratings)
    for row, rating in zip(chosen, ratings, strict=True):
        row[2] = rating
    lines = [header, *("\t".join(row) for row in rows)]
    (raw / LOG).write_text("".join(f"{line}\n" for line in lines))


def test_the_pushed_version_has_a_card_beside_it(first_run):
    version = first_run.versions[0]
    card = first_run.root / "models" / "cards" / f"{version}.json"
    told = json.loads(card.read_text())
    assert told["version"] == version and told["root"] == str(first_run.root)
    assert told["gate"] == first_run.metrics()["gate"]
    assert f"psad lineage {version}" in card.with_suffix(".html").read_text()


def test_the_pushed_version_has_a_lineage_to_the_raw_files(first_run, capsys):
    version, store = first_run.versions[0], first_run.root / "models"
    words = ["lineage", version, "--model-store", str(store), "--json"]
    assert cli.main(words) == 0
    told = json.loads(capsys.readouterr().out)
    log = first_run.components["PrepareLog"].outputs["log"].custom_properties
    assert told["data"]["fingerprint"] == log["raw_fingerprint"].string_value
    assert told["data"]["counts"]["lists/test"] == told["gate"]["lists"]
    assert told["gate"]["passed"] is True and told["compared_with"] is None
    assert told["settings"]["training"] == SMALL["training"]
    names = [step["component"] for step in told["steps"]]
    assert set(COMPONENTS) - set(names) == {"ExampleValidator", "KeepOrigin"}
    assert names[-2:] == ["StorePusher", "Report"]


@pytest.fixture(scope="module")
def shuffled_run(first_run, tmp_path_factory):
    """After an honest run, one whose model learned from ratings that mean nothing."""
    raw = tmp_path_factory.mktemp("raw")
    for source in movielens_folder().glob("ml-100k.*"):
        (raw / source.name).write_bytes(source.read_bytes())
    plan = first_run.components["PrepareLog"].folder("log") / "plan.json"
    cuts = json.loads(plan.read_text())
    shuffle_training_ratings(raw, cuts["first_stage_end"], cuts["train_end"])
    return run_pipeline(first_run.root, SMALL, "--raw", str(raw))


def test_a_model_of_shuffled_labels_is_trained_and_refused(shuffled_run):
    assert shuffled_run.states()["Trainer"] == "COMPLETE"
    assert shuffled_run.code == REFUSED
    blessing = shuffled_run.components["GatedEvaluator"].folder("blessing")
    assert [p.name for p in blessing.iterdir()] == ["NOT_BLESSED"]
    # It answers as it should; it is only no good.
    assert shuffled_run.metrics()["decision"]["served"] is True


def test_the_store_keeps_what_it_had(first_run, shuffled_run):
    assert shuffled_run.versions == first_run.versions
    pushed = shuffled_run.components["StorePusher"].outputs["pushed_model"]
    assert pushed.custom_properties["pushed"].int_value == 0


def test_it_was_compared_with_what_clients_get(first_run, shuffled_run):
    baseline = shuffled_run.components["LastBlessed"].outputs["model"]
    version = baseline.custom_properties["version"].string_value
    assert version == first_run.versions[0]
    change = checks(shuffled_run)["gain_over_blessed"]
    new = shuffled_run.components["Trainer"].folder("model") / "Format-Serving"
    blessed = first_run.root / "models" / first_run.versions[0]
    # Both on the lists of this run, in whose histories the ratings are other ones.
    expected = mean_ndcg(new, shuffled_run) - mean_ndcg(blessed, shuffled_run)
    assert change["value"] == pytest.approx(expected, abs=1e-5)


def mean_ndcg(model, run):
    """NDCG@10 of a model on a run's test lists."""
    folder = run.components["ListExampleGen"].folder("examples") / "Split-test"
    encoded = read_serialized(folder)
    lists = [decode_list(x, MOVIELENS_100K) for x in encoded]
    order = served_order(model, encoded)
    measured = measure_lists(lists, order, MOVIELENS_100K, resamples=1)
    return measured.values[HEADLINE][SERVED].mean()


def checks(run):
    """Of all lists."""
    found = run.metrics()["gate"]["checks"]
    return {check["name"]: check for check in found if check["group"] == "all lists"}


def test_the_report_says_why(shuffled_run):
    decision = shuffled_run.metrics()["decision"]
    assert (decision["blessed"], decision["pushed"]) == (False, False)
    failed = [c for c in checks(shuffled_run).values() if c["passed"] is False]
    assert {"gain_over_blessed", "gain_over_initial"} <= {c["name"] for c in failed}
    assert all(c["margin"] < 0 and c["reason"] and c["remedy"] for c in failed)
    (reason,) = decision["reasons"]
    assert all(c["finding"] in reason for c in failed)
    assert reason in decision["sentence"]
    latest = shuffled_run.root / "report" / "latest" / "index.html"
    assert decision["sentence"] in html.unescape(latest.read_text())


def test_the_command_line_explains_it(shuffled_run, capsys):
    assert cli.main(["gate", "explain", str(shuffled_run.root)]) == REFUSED
    told = capsys.readouterr().out
    assert told.startswith("The gate refused the model")
    assert "What would have to change:" in told
    assert checks(shuffled_run)["gain_over_blessed"]["finding"] in told


@pytest.fixture
def raw(tmp_path):
    return write_log(tmp_path / "raw")


def refused(raw, capsys, *flags):
    """Runs on bad raw files; what standard error says, once all else was checked."""
    root = raw.parent / "root"
    assert cli.main(arguments(root, SMALL, "--raw", str(raw), *flags)) == BAD_INPUT
    (run,) = recorded_runs(root)
    (failed,) = (name for name, found in run.items() if found.state == "FAILED")
    assert failed in ("PrepareLog", "ListExampleGen") and "Transform" not in run
    written = [p for p in (root / "artifacts" / failed).rglob("*") if p.is_file()]
    assert written == []
    assert not (root / "models").exists() and not (root / "report").exists()
    return capsys.readouterr().err


def test_a_missing_file_is_named(raw, capsys):
    (raw / "u.item").unlink()
    message = refused(raw, capsys)
    assert f"{raw / 'u.item'}: No such file or directory" in message
    assert "give a folder that holds u.item" in message


def test_a_truncated_file_is_told_with_its_line(raw, capsys):
    content = (raw / "u.data").read_text()
    (raw / "u.data").write_text(content[:-12])
    message = refused(raw, capsys)
    last = content.count("\n")
    assert f"{raw / 'u.data'}, line {last}: the file is truncated" in message
    assert "copy or fetch it again" in message


def test_too_many_malformed_lines_stop_the_run(raw, capsys):
    lines = (raw / "u.data").read_text().splitlines()
    bad = range(9, len(lines), 50)
    for number in bad:
        lines[number] = lines[number].replace("\t", " ")
    (raw / "u.data").write_text("\n".join(lines) + "\n")
    message = refused(raw, capsys)
    assert f"u.data: {len(bad)} of {len(lines)} lines are unusable" in message
    assert "10" in message and "Repair the file, or raise the accepted share" in message


def test_a_log_too_short_for_its_splits_is_told(tmp_path, capsys):
    raw = write_log(tmp_path / "raw")
    lines = (raw / "u.data").read_text().splitlines()
    (raw / "u.data").write_text("\n".join(lines[: 8 * 4]) + "\n")
    message = refused(raw, capsys)
    assert "the log gives no list for" in message
    assert "give a longer log" in message
