"""A new version for a few clients first: labels, counts, and what follows of them."""

import json

import numpy as np
import pytest

from psad_tf import cli
from psad_tf.errors import InputError
from serving.client_metrics import ClientMetrics
from serving.model_config import read_config
from tfx_pipeline import model_store, store_versions
from tfx_pipeline.canary import labels
from tfx_pipeline.canary.counts import Counts, Share, read_clicks, read_counts
from tfx_pipeline.canary.decision import (
    PROMOTE,
    ROLL_BACK,
    WAIT,
    CanaryConfig,
    compare,
    decide,
    difference,
)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Versions 1000, 1001 and 1002."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"graph")
    monkeypatch.setattr(model_store.time, "time", lambda: 1000.0)
    for _ in range(3):
        model_store.publish(tmp_path / "model", tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def config(tmp_path):
    return tmp_path / "models.config"


def served(config):
    """Labels and versions, as the server itself reads them."""
    (model,) = read_config(config)
    return dict(model.labels), sorted(model.policy.eligible([1000, 1001, 1002]))


def test_a_canary_is_served_beside_the_stable_version(store, config):
    assert labels.start(config, store, 1002) == {"stable": 1001, "canary": 1002}
    assert served(config) == ({"stable": 1001, "canary": 1002}, [1001, 1002])
    assert labels.promote(config, store) == 1002
    assert served(config) == ({"stable": 1002}, [1002])
    # From here on, stable is what the file says, not the newest of the others.
    assert labels.start(config, store, 1000)["stable"] == 1002


def test_a_canary_that_is_withdrawn_leaves_the_store_if_it_was_the_newest(
    store, config
):
    labels.start(config, store, 1002)
    assert labels.withdraw(config, store) == (1002, True)
    assert served(config) == ({"stable": 1001}, [1001])
    assert model_store.versions(store) == [1000, 1001]
    assert store_versions.retired(store) == [1002]
    labels.start(config, store, 1000)
    assert labels.withdraw(config, store) == (1000, False)
    assert model_store.versions(store) == [1000, 1001]


def test_what_cannot_be_a_canary_is_named(store, config, tmp_path):
    with pytest.raises(InputError, match="version 7 is not in"):
        labels.start(config, store, 7)
    for act in (labels.promote, labels.withdraw):
        with pytest.raises(InputError, match="has no canary"):
            act(config, store)
    labels.start(config, store, 1002)
    labels.promote(config, store)
    with pytest.raises(InputError, match="1002 is stable already"):
        labels.start(config, store, 1002)
    store_versions.prune(store, keep=1)
    with pytest.raises(InputError, match="no version besides 1002"):
        labels.start(tmp_path / "new.config", store, 1002)


def page(file, ok, failed, fast, slow):
    """A client's metrics page after so many requests."""
    metrics = ClientMetrics()
    metrics.count("requests", ok, code="OK")
    metrics.count("requests", failed, code="UNAVAILABLE")
    for seconds, times in ((0.01, fast), (0.1, 0), (0.3, slow)):
        for _ in range(times):
            metrics.observe(seconds)
    file.write_text(metrics.text())
    return str(file)


def test_pages_of_several_clients_are_added_up(tmp_path):
    pages = [page(tmp_path / "a", 90, 10, 95, 5), page(tmp_path / "b", 50, 0, 50, 0)]
    found = read_counts(pages, 0.1)
    assert found == Counts(Share(10, 150), Share(5, 150), None)
    assert read_counts(pages, 0.5).slow == Share(0, 150)


def test_a_page_that_says_nothing_is_named(tmp_path):
    with pytest.raises(InputError, match="no bound 0.15 s.*0.1, 0.2"):
        read_counts([page(tmp_path / "a", 1, 0, 1, 0)], 0.15)
    with pytest.raises(InputError, match="give a client's metrics page"):
        read_counts([str(tmp_path / "none")], 0.1)
    (tmp_path / "html").write_text("<html>")
    with pytest.raises(InputError, match="no bound"):
        read_counts([str(tmp_path / "html")], 0.1)


def test_clicks_are_read_strictly(tmp_path):
    file = tmp_path / "clicks.json"
    told = {"stable": {"lists": 9, "clicked": 4}, "canary": {"lists": 3, "clicked": 1}}
    file.write_text(json.dumps(told))
    assert read_clicks(file) == {"stable": Share(4, 9), "canary": Share(1, 3)}
    file.write_text(json.dumps(told | {"canary": {"lists": 3, "clicked": 4}}))
    with pytest.raises(InputError, match="canary has 4 of 3 lists"):
        read_clicks(file)
    file.write_text("{}")
    with pytest.raises(InputError, match="KeyError.*give"):
        read_clicks(file)


def test_the_interval_of_a_difference_is_newcombes():
    # Newcombe 1998, table II, example (a): 56/70 - 48/80.
    found = difference(Share(48, 80), Share(56, 70), 0.975)
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    # Without a single error the interval still has a width.
    none = difference(Share(0, 100), Share(0, 100), 0.975)
    assert none.value == 0 and none.low < -0.03 and none.high > 0.03


def counts(errors, slow=(20, 2000), clicked=None):
    return Counts(Share(*errors), Share(*slow), clicked and Share(*clicked))


@pytest.mark.parametrize(
    "canary, verdict",
    [
        (counts((2, 2000)), PROMOTE),
        (counts((60, 2000)), ROLL_BACK),
        (counts((0, 50), (0, 50)), WAIT),  # too few to tell
        (counts((0, 0), (0, 0)), WAIT),
        (counts((2, 2000), (300, 2000)), ROLL_BACK),
        (counts((2, 20_000), (20, 2000), (4000, 20_000)), PROMOTE),
        (counts((2, 20_000), (20, 2000), (3000, 20_000)), ROLL_BACK),
        (counts((2, 20_000), (20, 2000), (15, 100)), WAIT),
    ],
)
def test_the_verdict_is_on_intervals(canary, verdict):
    stable = counts((2, 20_000), (20, 2000), (4000, 20_000))
    findings = compare(stable, canary, CanaryConfig())
    assert decide(findings) == verdict
    assert len(findings) == (2 if canary.clicked is None else 3)
    assert all(f.text.endswith(f": {f.verdict}") for f in findings)


def test_looking_often_does_not_take_good_canaries_away():
    """500 canaries as good as stable, each looked at ten times: one in 40 at most."""
    config = CanaryConfig(max_error_increase=0.0, max_slow_increase=0.0, looks=10)
    random = np.random.default_rng(0)
    errors = random.binomial(200, 0.05, (500, 10, 2)).cumsum(axis=1)
    taken = 0
    for canary in errors:
        for look, (first, second) in enumerate(canary, start=1):
            pair = (Share(int(n), 200 * look) for n in (first, second))
            found = difference(*pair, config.level())
            if found.low > 0:
                taken += 1
                break
    assert taken / len(errors) <= 0.025


def watch(store, config, *words):
    place = ["--store", str(store), "--target", str(config)]
    return cli.main(["models", words[0], *place, *map(str, words[1:])])


def test_the_commands(store, config, tmp_path, capsys):
    good = page(tmp_path / "good", 4000, 4, 4000, 4)
    bad = page(tmp_path / "bad", 3800, 200, 4000, 0)
    assert watch(store, config, "canary", 1002) == 0
    assert "canary: version 1002" in capsys.readouterr().out
    sides = ("--stable-metrics", good, "--canary-metrics")
    assert watch(store, config, "watch", *sides, bad, "--dry-run") == cli.REFUSED
    assert served(config)[0] == {"stable": 1001, "canary": 1002}
    assert watch(store, config, "watch", *sides, bad) == cli.REFUSED
    told = capsys.readouterr().out
    assert "failed requests: 200 of 4,000 against 4 of 4,004" in told
    assert "psad models restore 1002" in told
    assert model_store.versions(store) == [1000, 1001]
    store_versions.restore(store, 1002)
    watch(store, config, "canary", 1002)
    few = page(tmp_path / "few", 40, 0, 40, 0)
    pause = ("--looks", 2, "--every", 0)
    assert watch(store, config, "watch", *sides, few, *pause) == 5
    assert "look 2 of 2: wait" in capsys.readouterr().out
    assert watch(store, config, "watch", *sides, good) == 0
    assert served(config) == ({"stable": 1002}, [1002])
    watch(store, config, "canary", 1001)
    assert watch(store, config, "promote") == 0
    assert served(config)[0] == {"stable": 1001}
