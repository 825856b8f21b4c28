"""A label that moves between a request's look at it and the version's use."""

from fake_servable import Fake, make
from tensorflow_serving.apis.model_pb2 import ModelSpec

from serving.model_config import ModelConfig
from serving.policy import VersionPolicy
from serving.store import ModelStore


def only(number, base):
    """A configuration of one version, which is the stable one."""
    policy = VersionPolicy(newest=None, numbers=frozenset({number}))
    return ModelConfig("psad", base, policy, {"stable": number})


def test_a_request_is_not_lost_when_its_label_moves_meanwhile(tmp_path):
    for number in (1, 2):
        make(tmp_path, number)
    store = ModelStore([only(1, tmp_path)], load=Fake)
    assert store.wait_until_loaded()
    model = store._models["psad"]

    def acquire_late(number):
        del model.acquire  # the class's own again
        store.reload([only(2, tmp_path)])
        return model.acquire(number)

    model.acquire = acquire_late
    with store.lease(ModelSpec(name="psad", version_label="stable")) as servable:
        assert servable.number == 2
    store.close()
