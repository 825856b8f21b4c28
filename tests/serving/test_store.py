"""The models of a server: start, watch, labels, and changes of what is served."""

import threading

import grpc
import pytest
from fake_servable import Fake, make, remove

from serving.fault import Fault
from serving.model_config import ModelConfig
from serving.policy import VersionPolicy
from serving.store import ModelStore
from serving.version import State


def test_a_store_waits_for_the_first_version(tmp_path):
    store = ModelStore([ModelConfig("psad", tmp_path)], poll_seconds=0.02, load=Fake)
    threading.Timer(0.1, make, (tmp_path, 1)).start()
    assert store.wait_until_loaded()
    store.close()


def test_a_store_that_is_stopped_waits_no_more(tmp_path):
    store = ModelStore([ModelConfig("psad", tmp_path)], poll_seconds=10, load=Fake)
    threading.Timer(0.1, store.stop).start()
    assert not store.wait_until_loaded()


def test_a_store_does_not_start_with_nothing_but_broken_versions(tmp_path):
    make(tmp_path, 1, "broken")
    make(tmp_path, 2, "broken")
    store = ModelStore([ModelConfig("psad", tmp_path)], load=Fake)
    with pytest.raises(Fault, match="2 is broken"):
        store.wait_until_loaded()


def test_a_store_watches_each_of_its_models(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    make(tmp_path / "a", 1)
    make(tmp_path / "b", 7)
    configs = [ModelConfig(name, tmp_path / name) for name in "ab"]
    store = ModelStore(configs, poll_seconds=0.02, load=Fake)
    assert store.wait_until_loaded()
    store.watch()
    make(tmp_path / "b", 8)
    model_spec = pytest.importorskip("tensorflow_serving.apis.model_pb2").ModelSpec
    for _ in range(200):
        if [v.number for v in store.statuses(model_spec(name="b"))] == [8, 7]:
            break
        threading.Event().wait(0.02)
    store.close()
    ended = {v.number: v.state for v in store.statuses(model_spec(name="b"))}
    assert ended == {8: State.END, 7: State.END}


def spec(name="a", number=None, label=""):
    model_pb2 = pytest.importorskip("tensorflow_serving.apis.model_pb2")
    version = None if number is None else {"value": number}
    made = model_pb2.ModelSpec(name=name, version=version)
    if label:
        made.version_label = label
    return made


ALL = VersionPolicy(newest=None)


def config(root, name="a", labels=(), policy=ALL):
    return ModelConfig(name, root / name, policy, dict(labels))


def only(*numbers):
    return VersionPolicy(newest=None, numbers=frozenset(numbers))


@pytest.fixture
def root(tmp_path):
    """Models a and b, each with versions 1 and 2."""
    for name in "ab":
        for number in (1, 2):
            make(tmp_path / name, number)
    return tmp_path


@pytest.fixture
def opened():
    """Stores that are loaded, and closed in the end."""
    stores = []

    def open_store(*configs, **more):
        stores.append(ModelStore(configs, load=Fake, **more))
        assert stores[-1].wait_until_loaded()
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


def told(store, **asked):
    with pytest.raises(Fault) as raised, store.lease(spec(**asked)):
        pass
    return raised.value.message


def answering(store, **asked):
    with store.lease(spec(**asked)) as servable:
        return servable.number


def test_a_label_leads_to_its_version(opened, root):
    store = opened(config(root, labels={"stable": 1, "canary": 2}))
    assert answering(store, label="stable") == 1
    assert answering(store, label="canary") == 2
    assert told(store, label="beta") == "Unrecognized servable version label: beta"


LABEL_9 = (
    "Request to assign label to version 9 of model a, which is not currently "
    "available for inference"
)


def test_a_label_of_no_served_version_is_refused(root):
    store = ModelStore([config(root, labels={"canary": 9})], load=Fake)
    with pytest.raises(Fault, match=LABEL_9) as raised:
        store.wait_until_loaded()
    assert raised.value.code == grpc.StatusCode.FAILED_PRECONDITION
    store.close()


def test_a_new_label_may_run_ahead_when_that_is_allowed(opened, root):
    ahead = config(root, labels={"canary": 9, "stable": 1})
    store = opened(ahead, allows_unavailable_labels=True)
    message = "Servable not found for request: Specific(a, 9)"
    assert told(store, label="canary") == message
    moved = config(root, labels={"stable": 9})
    with pytest.raises(Fault, match="not currently available"):
        store.reload([moved])
    assert answering(store, label="stable") == 1


def test_a_reload_adds_removes_and_changes_models(opened, root):
    store = opened(config(root, "a"))
    store.reload([config(root, "b"), config(root, "a", policy=only(1))])
    assert store.served() == {"a": {1}, "b": {1, 2}}
    store.reload([config(root, "b")])
    assert told(store) == "Servable not found for request: Latest(a)"
    store.reload([])
    assert store.served() == {}


def test_a_reload_keeps_what_stays_loaded(opened, root):
    store = opened(config(root))
    with store.lease(spec(number=1)) as before:
        store.reload([config(root, policy=only(1)), config(root, "b")])
    with store.lease(spec(number=1)) as after:
        assert after is before


def test_a_request_under_way_outlives_the_reload_that_removes_its_model(opened, root):
    store = opened(config(root))
    with store.lease(spec()) as servable:
        store.reload([config(root, "b")])
        assert not servable.is_closed
    assert servable.is_closed


def test_a_model_may_move_to_another_folder(opened, root):
    make(root / "c", 7)
    store = opened(config(root))
    with store.lease(spec()) as old:
        store.reload([ModelConfig("a", root / "c")])
        assert answering(store) == 7
    assert old.is_closed


REJECTED = {
    "a folder that is not there": (lambda root: [config(root, "c")], "no version"),
    "a version that is not there": (
        lambda root: [config(root, policy=only(1, 9))],
        r"versions \[9\] are missing",
    ),
    "a version that does not load": (
        lambda root: [config(root, policy=only(1, 3))],
        "version 3: 3 is broken",
    ),
    "a label of no version": (
        lambda root: [config(root, "b"), config(root, labels={"x": 9})],
        LABEL_9,
    ),
}


@pytest.mark.parametrize("case", REJECTED)
def test_a_rejected_reload_changes_nothing_and_the_next_is_taken(case, opened, root):
    """The real server remembers what it rejected."""
    make(root / "a", 3, "broken")
    store = opened(config(root, labels={"stable": 1}))
    wanted, message = REJECTED[case]
    with store.lease(spec(number=1)) as before:
        with pytest.raises(Fault, match=message) as raised:
            store.reload(wanted(root))
        assert raised.value.code == grpc.StatusCode.FAILED_PRECONDITION
        assert store.served() == {"a": {1, 2}}
        assert answering(store, label="stable") == 1
        with store.lease(spec(number=1)) as after:
            assert after is before
    store.reload([config(root, policy=only(2), labels={"stable": 2})])
    assert answering(store, label="stable") == 2


def test_a_model_without_versions_does_not_stop_the_reload_of_others(opened, root):
    store = opened(config(root))
    for number in (1, 2):
        remove(root / "a" / str(number))
    store.reload([config(root), config(root, "b")])
    assert store.served() == {"a": set(), "b": {1, 2}}


def test_no_request_fails_while_a_hundred_reloads_pass(opened, root):
    """Each of them moves the model to the other folder and back."""
    store = opened(ModelConfig("a", root / "a"))
    failures, answered, stop = [], [0] * 4, threading.Event()

    def ask(client):
        while not stop.is_set():
            try:
                with store.lease(spec()) as servable:
                    failures.extend([servable] if servable.is_closed else [])
                answered[client] += 1
            except Fault as fault:
                failures.append(fault)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(100):
        store.reload([ModelConfig("a", root / "ab"[turn % 2])])
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert all(answered)


def test_a_store_that_stops_takes_no_reload(opened, root):
    store = opened(config(root))
    store.stop()
    with pytest.raises(Fault, match="the server is stopping"):
        store.reload([config(root, "b")])
    assert store.served() == {"a": {1, 2}}


def test_a_removed_model_tells_its_end_until_it_comes_back(opened, root):
    store = opened(config(root, "a"), config(root, "b"))
    store.reload([config(root, "b")])
    ended = {v.number: v.state for v in store.statuses(spec())}
    assert ended == {1: State.END, 2: State.END}
    assert not store.knows("a")
    store.reload([])
    assert {v.state for name in "ab" for v in store.statuses(spec(name))} == {State.END}
    store.reload([config(root, "a", policy=only(2))])
    assert [(v.number, v.state) for v in store.statuses(spec())] == [
        (2, State.AVAILABLE)
    ]


def test_a_reload_that_comes_too_late_changes_nothing(root):
    wanted = [config(root, "a"), config(root, "b")]
    deadline, loaded = threading.Event(), []

    class Slow(Fake):
        def __init__(self, name, number, path):
            super().__init__(name, number, path)
            loaded.append(self)
            if name == "a":
                deadline.wait(0.3)

    store = ModelStore([config(root, "b", policy=only(1))], load=Slow)
    assert store.wait_until_loaded()
    with pytest.raises(Fault) as raised:
        store.reload(wanted, remaining=0.1)
    assert raised.value.code == grpc.StatusCode.DEADLINE_EXCEEDED
    assert store.served() == {"b": {1}}
    assert [one.is_closed for one in loaded] == [False, True, True]
    assert {one.name for one in loaded[1:]} == {"a"}  # b's second was not begun
    deadline.set()
    store.reload(wanted, remaining=30)
    assert store.served() == {"a": {1, 2}, "b": {1, 2}}
    store.close()


def test_a_reload_waits_for_another_one_until_its_deadline(opened, root):
    store = opened(config(root))
    with store._changing, pytest.raises(Fault) as raised:
        store.reload([], remaining=0.05)
    assert raised.value.code == grpc.StatusCode.DEADLINE_EXCEEDED
    assert store.served() == {"a": {1, 2}}
