"""Which version is served, without a model: loading is a function of the test."""

import threading

import pytest
from fake_servable import Fake, make, remove

from serving.fault import Fault
from serving.policy import VersionPolicy
from serving.version import State
from serving.versions import Versions


@pytest.fixture
def models(tmp_path):
    return Versions("psad", tmp_path, Fake)


def served(models):
    with models.lease() as servable:
        return servable.number


def states(models):
    return {version.number: version.state.name for version in models.snapshot()}


def fault_of(models, number=None):
    with pytest.raises(Fault) as raised, models.lease(number):
        pass
    return raised.value.message


def test_the_newest_number_is_served_and_not_the_last_name(models, tmp_path):
    for number in (9, 10, 2):
        make(tmp_path, number)
    models.poll()
    assert served(models) == 10
    assert states(models) == {10: "AVAILABLE"}


@pytest.mark.parametrize("name", ["tmp-2", "2.bak", "-2", "+2", "2 ", "²", "v2", "1e1"])
def test_a_folder_that_is_no_number_is_no_version(models, tmp_path, name):
    make(tmp_path, 1)
    make(tmp_path, name)
    models.poll()
    assert served(models) == 1
    assert states(models) == {1: "AVAILABLE"}


def test_a_folder_is_ready_when_its_model_is_there(models, tmp_path):
    make(tmp_path, 1)
    (tmp_path / "2").mkdir()
    models.poll()
    assert served(models) == 1
    (tmp_path / "2" / "saved_model.pb").write_text("x")
    models.poll()
    assert served(models) == 2
    assert states(models) == {2: "AVAILABLE", 1: "END"}


def test_a_broken_version_is_reported_and_the_old_one_stays(models, tmp_path):
    make(tmp_path, 1)
    models.poll()
    make(tmp_path, 2, "broken")
    models.poll()
    assert served(models) == 1
    broken, old = models.snapshot()
    assert (broken.state, broken.fault.message) == (State.END, "2 is broken")
    assert (old.state, old.fault) == (State.AVAILABLE, None)


def test_a_broken_version_is_tried_again_only_when_its_files_change(tmp_path):
    loads = []

    def load(name, number, path):
        loads.append(number)
        return Fake(name, number, path)

    models = Versions("psad", tmp_path, load)
    folder = make(tmp_path, 1, "broken")
    for _ in range(3):
        models.poll()
    assert loads == [1]
    (folder / "broken").unlink()
    models.poll()
    assert loads == [1, 1]
    assert served(models) == 1


def test_a_start_with_a_broken_newest_version_serves_the_one_below(models, tmp_path):
    make(tmp_path, 1)
    make(tmp_path, 2, "broken")
    models.poll()
    assert served(models) == 1
    assert states(models) == {2: "END", 1: "AVAILABLE"}


def test_removing_the_newest_rolls_back(models, tmp_path):
    make(tmp_path, 1)
    newest = make(tmp_path, 2)
    models.poll()
    remove(newest)
    models.poll()
    assert served(models) == 1
    assert states(models) == {2: "END", 1: "AVAILABLE"}


def test_removing_the_last_version_unloads_it(models, tmp_path):
    folder = make(tmp_path, 1)
    models.poll()
    remove(folder)
    models.poll()
    assert fault_of(models) == "Servable not found for request: Latest(psad)"
    assert states(models) == {1: "END"}


def test_the_served_version_stays_while_what_replaces_it_is_broken(models, tmp_path):
    make(tmp_path, 1, "broken")
    newest = make(tmp_path, 2)
    models.poll()
    remove(newest)
    models.poll()
    assert served(models) == 2


def test_nothing_changes_while_the_folder_cannot_be_read(models, tmp_path):
    make(tmp_path / ".", 1)
    models.poll()
    hidden = tmp_path.rename(tmp_path.with_name("hidden"))
    models.poll()
    assert served(models) == 1
    hidden.rename(tmp_path)


def test_rewriting_the_served_version_is_warned_of_once(models, tmp_path, caplog):
    folder = make(tmp_path, 1)
    models.poll()
    (folder / "saved_model.pb").write_text("another model")
    models.poll()
    models.poll()
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert "publish the change under a new number" in caplog.text


def test_a_version_is_loaded_before_the_old_one_goes(tmp_path):
    seen = []

    def load(name, number, path):
        seen.append((number, bool(models.available) and served(models)))
        return Fake(name, number, path)

    models = Versions("psad", tmp_path, load)
    make(tmp_path, 1)
    models.poll()
    make(tmp_path, 2)
    models.poll()
    assert seen == [(1, False), (2, 1)]


def test_requests_under_way_finish_on_the_old_version(models, tmp_path):
    make(tmp_path, 1)
    models.poll()
    with models.lease() as first, models.lease(1) as same:
        make(tmp_path, 2)
        models.poll()
        assert first is same and not first.is_closed
        assert states(models) == {2: "AVAILABLE", 1: "UNLOADING"}
        assert served(models) == 2
        told = "Servable not found for request: Specific(psad, 1)"
        assert fault_of(models, 1) == told
    assert first.is_closed
    assert states(models) == {2: "AVAILABLE", 1: "END"}


def test_a_request_that_fails_gives_its_version_back(models, tmp_path):
    make(tmp_path, 1)
    models.poll()
    with pytest.raises(KeyError), models.lease() as servable:
        raise KeyError
    models.close()
    assert servable.is_closed


def test_ended_versions_are_forgotten_in_time(models, tmp_path):
    for number in range(1, 30):
        make(tmp_path, number)
        models.poll()
    known = [version.number for version in models.snapshot()]
    assert known == list(range(29, 18, -1))


def test_a_lease_never_meets_a_closed_servable(models, tmp_path):
    """Many threads lease while versions come and go."""
    make(tmp_path, 1)
    models.poll()
    wrong, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            with models.lease() as servable:
                wrong.extend([servable.number] if servable.is_closed else [])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(2, 40):
        make(tmp_path, number)
        models.poll()
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert all(v.in_flight == 0 for v in models.snapshot())


def test_a_version_that_changes_while_it_loads_is_not_offered(tmp_path):
    """As one that is being copied does; it is tried again when the copy goes on."""
    made = []

    def load(name, number, path):
        (path / f"file{len(made)}").write_text("late")
        made.append(Fake(name, number, path))
        return made[-1]

    models = Versions("psad", tmp_path, load)
    make(tmp_path, 1)
    models.poll()
    assert not models.available and made[0].is_closed
    (failed,) = models.snapshot()
    assert failed.state is State.END
    assert "changed while it was loaded" in failed.fault.message
    models._load = Fake  # the copy is complete
    models.poll()
    assert served(models) == 1


NEWEST_TWO = VersionPolicy(newest=2)
ALL = VersionPolicy(newest=None)


@pytest.mark.parametrize(
    ("policy", "broken", "expected"),
    [
        (VersionPolicy(), (), {4}),
        (VersionPolicy(), (4,), {3}),
        (NEWEST_TWO, (), {4, 3}),
        (NEWEST_TWO, (3,), {4, 2}),
        (ALL, (), {1, 2, 3, 4}),
        (ALL, (2,), {1, 3, 4}),
        (VersionPolicy(newest=None, numbers=frozenset({1, 3, 9})), (), {1, 3}),
        (VersionPolicy(newest=None, numbers=frozenset({1, 3})), (3,), {1}),
    ],
)
def test_a_policy_says_which_versions_are_served(policy, broken, expected, tmp_path):
    for number in (1, 2, 3, 4):
        make(tmp_path, number, *(["broken"] if number in broken else []))
    models = Versions("psad", tmp_path, Fake, policy)
    models.poll()
    assert models.available == expected
    assert served(models) == max(expected)
    for number in expected:
        with models.lease(number) as servable:
            assert servable.number == number
    models.close()


def test_the_newest_two_move_up_by_one(tmp_path):
    models = Versions("psad", tmp_path, Fake, NEWEST_TWO)
    seen = []
    for number in (1, 2, 3):
        make(tmp_path, number)
        models.poll()
        seen.append(models.available)
    assert seen == [{1}, {1, 2}, {2, 3}]


def test_a_named_version_that_goes_is_unloaded(tmp_path):
    models = Versions("psad", tmp_path, Fake, VersionPolicy(None, frozenset({1})))
    folder = make(tmp_path, 1)
    make(tmp_path, 2)
    models.poll()
    assert models.available == {1}
    remove(folder)
    models.poll()
    assert fault_of(models) == "Servable not found for request: Latest(psad)"


def test_policies_are_read_from_the_official_message():
    pb2 = pytest.importorskip(
        "tensorflow_serving.config.file_system_storage_path_source_pb2"
    )
    kind = pb2.FileSystemStoragePathSourceConfig.ServableVersionPolicy
    assert VersionPolicy.from_message(kind()) == VersionPolicy(newest=1)
    assert VersionPolicy.from_message(kind(latest={})) == VersionPolicy(newest=1)
    assert VersionPolicy.from_message(kind(latest={"num_versions": 2})) == NEWEST_TWO
    assert VersionPolicy.from_message(kind(all={})) == ALL
    two = kind(specific={"versions": [2, 5]})
    assert VersionPolicy.from_message(two).numbers == {2, 5}
