"""Labels of versions: the file that servers follow, and the commands that write it."""

from dataclasses import replace
from pathlib import Path

import pytest
from client_pages import page

from psad_tf import cli
from psad_tf.cli_canary import UNDECIDED
from psad_tf.errors import InputError
from serving.model_config import read_config
from tfx_pipeline import model_store, store_versions
from tfx_pipeline.canary import labels
from tfx_pipeline.canary.servers import addresses


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
def site(store):
    return labels.Site(store, store / "models.config")


def served(site):
    """Labels and versions, as the server itself reads them."""
    (model,) = read_config(site.config)
    return dict(model.labels), sorted(model.policy.eligible([1000, 1001, 1002]))


def test_a_canary_is_served_beside_the_stable_version(site):
    assert labels.start(site, 1002) == {"stable": 1001, "canary": 1002}
    assert served(site) == ({"stable": 1001, "canary": 1002}, [1001, 1002])
    assert labels.promote(site) == 1002
    assert served(site) == ({"stable": 1002, "canary": 1002}, [1002])
    # From here on, stable is what the file says, not the newest of the others.
    assert labels.start(site, 1000)["stable"] == 1002


def test_any_version_can_be_given_to_all(site):
    assert labels.promote(site, 1001) == 1001
    assert served(site) == ({"stable": 1001, "canary": 1001}, [1001])


def test_a_canary_that_is_withdrawn_leaves_the_store_if_it_was_the_newest(site):
    labels.start(site, 1002)
    assert labels.withdraw(site) == (1002, True)
    # Who asks for the canary is given the stable version meanwhile.
    assert served(site) == ({"stable": 1001, "canary": 1001}, [1001])
    assert model_store.versions(site.store) == [1000, 1001]
    assert store_versions.retired(site.store) == [1002]
    labels.start(site, 1000)
    assert labels.withdraw(site) == (1000, False)
    assert model_store.versions(site.store) == [1000, 1001]


def test_what_cannot_be_a_canary_is_named(site, tmp_path):
    for act in (labels.start, labels.promote):
        with pytest.raises(InputError, match="version 7 is not in"):
            act(site, 7)
    for act in (labels.promote, labels.withdraw):
        with pytest.raises(InputError, match="has no canary"):
            act(site)
    labels.start(site, 1002)
    labels.promote(site)
    with pytest.raises(InputError, match="1002 is stable already"):
        labels.start(site, 1002)
    for act in (labels.promote, labels.withdraw):
        with pytest.raises(InputError, match="has no canary"):
            act(site)
    store_versions.prune(site.store, keep=1)
    with pytest.raises(InputError, match="no version besides 1002"):
        labels.start(labels.Site(site.store, tmp_path / "new.config"), 1002)


def test_the_store_may_stand_elsewhere_for_servers(store, tmp_path):
    site = labels.Site(store, tmp_path / "c", name="shop", base_path=tmp_path)
    labels.start(site, 1002)
    (model,) = read_config(site.config)
    assert (model.name, model.base_path) == ("shop", tmp_path)


@pytest.mark.parametrize("has_labels", [False, True])
def test_servers_load_first_then_move_labels_then_unload(site, monkeypatch, has_labels):
    if has_labels:
        labels.promote(site, 1000)
    told = []
    monkeypatch.setattr(labels, "tell", lambda _, message: told.append(message) or {})
    labels.promote(replace(site, servers=("host:1",)), 1002)
    models = [message.model_config_list.config[0] for message in told]
    before = {"stable": 1000, "canary": 1000} if has_labels else {}
    after = {"stable": 1002, "canary": 1002}
    assert [dict(m.version_labels) for m in models] == [before, after, after]
    both = [1000, 1002] if has_labels else [1002]
    held = [[*m.model_version_policy.specific.versions] for m in models]
    assert held == [both, both, [1002]]


def test_a_name_of_several_servers_is_all_of_them(monkeypatch):
    def found(host, port, *_):
        return [(0, 0, 0, "", (f"10.0.0.{n}", port)) for n in (2, 1, 2)]

    monkeypatch.setattr("socket.getaddrinfo", found)
    assert addresses("reranker:8500") == ["10.0.0.1:8500", "10.0.0.2:8500"]


def psad(site, *words):
    command, *rest = map(str, words)
    return cli.main(["models", command, *rest, "--store", str(site.store)])


@pytest.fixture
def pages(tmp_path):
    """Flags that give pages of a good stable side, and of a canary as named."""
    made = {
        "good": page(tmp_path / "good", 4000, 4, 4000, 4),
        "bad": page(tmp_path / "bad", 3800, 200, 4000, 0),
        "few": page(tmp_path / "few", 40, 0, 40, 0),
    }
    sides = "--stable-metrics", made["good"], "--canary-metrics"
    return {name: (*sides, file) for name, file in made.items()}


def test_watch_promotes_or_takes_away(site, pages, capsys):
    assert psad(site, "canary", 1002) == 0
    assert "canary: version 1002" in capsys.readouterr().out
    assert psad(site, "watch", *pages["bad"], "--dry-run") == cli.REFUSED
    assert served(site)[0] == {"stable": 1001, "canary": 1002}
    assert psad(site, "watch", *pages["bad"]) == cli.REFUSED
    told = capsys.readouterr().out
    assert "failed requests: 200 of 4,000 against 4 of 4,004" in told
    assert "psad models restore 1002" in told
    assert model_store.versions(site.store) == [1000, 1001]
    store_versions.restore(site.store, 1002)
    psad(site, "canary", 1002)
    pause = ("--looks", 2, "--every", 0)
    assert psad(site, "watch", *pages["few"], *pause) == UNDECIDED
    assert "look 2 of 2: wait\ntoo early to tell" in capsys.readouterr().out
    # Nothing new since it began to look.
    assert psad(site, "watch", *pages["good"], "--from-now", *pause) == UNDECIDED
    assert "nothing to compare yet" in capsys.readouterr().out
    assert psad(site, "watch", *pages["good"]) == 0
    assert served(site)[0] == {"stable": 1002, "canary": 1002}


def test_a_page_that_is_gone_for_a_moment_is_waited_for(site, pages, monkeypatch):
    psad(site, "canary", 1002)
    good = Path(pages["good"][1])
    text = good.read_text()

    def while_waiting(seconds):
        assert seconds == 7
        is_there = good.exists()
        good.unlink() if is_there else good.write_text(text)

    monkeypatch.setattr("tfx_pipeline.canary.command.time.sleep", while_waiting)
    flags = ("--from-now", "--looks", 2, "--every", 7)
    assert psad(site, "watch", *pages["bad"], *flags) == UNDECIDED
    good.unlink()
    assert psad(site, "watch", *pages["bad"]) == cli.BAD_INPUT


def test_versions_can_be_moved_by_hand(site):
    assert psad(site, "canary", 1002) == 0
    assert psad(site, "promote") == 0
    assert psad(site, "promote", 1001) == 0
    assert served(site) == ({"stable": 1001, "canary": 1001}, [1001])
    assert psad(site, "canary", 1002) == 0
    assert psad(site, "withdraw") == 0
    assert model_store.versions(site.store) == [1000, 1001]


def test_what_clients_ask_for_stays_in_the_store(site, capsys):
    assert psad(site, "promote", 1000) == 0
    assert psad(site, "canary", 1002) == 0
    capsys.readouterr()
    assert psad(site, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines[::2]] == ["canary", "stable"]
    assert psad(site, "rollback") == cli.BAD_INPUT
    assert "version 1002 is canary, which clients ask for" in capsys.readouterr().err
    assert psad(site, "prune", "--keep", 1) == 0
    assert model_store.versions(site.store) == [1000, 1002]
    assert psad(site, "promote", 1000) == 0
    assert psad(site, "rollback") == 0


def test_a_release_is_the_newest_version_unless_another_is_named(site, pages, capsys):
    pause = ("--looks", 1, "--every", 0)
    assert psad(site, "release", *pages["few"], *pause) == UNDECIDED
    assert served(site)[0] == {"stable": 1001, "canary": 1002}
    # Again: it goes on with the same canary.
    assert psad(site, "release", *pages["few"], *pause) == UNDECIDED
    assert capsys.readouterr().out.count("canary: version 1002") == 1
    assert psad(site, "release", 1000, *pages["few"], *pause) == UNDECIDED
    assert served(site)[0] == {"stable": 1001, "canary": 1000}


def test_a_first_version_is_released_to_all(site, pages):
    store_versions.prune(site.store, keep=1)
    for _ in range(2):
        assert psad(site, "release", *pages["good"]) == 0
        assert served(site) == ({"stable": 1002, "canary": 1002}, [1002])
    (site.store / "1002").rename(site.store / ".retired-1002")
    assert psad(site, "release", *pages["good"]) == cli.BAD_INPUT
