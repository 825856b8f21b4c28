"""The embedded server as a whole: reloads, labels and files, over the wire."""

import threading

import grpc
import numpy as np
import pytest
from embedded import publish, start
from parity_requests import RELOAD, listed, reload_of
from raw_client import call, fault, official, predict, predict_request
from serving_lists import FEATURES, ranking_list

from serving.client import RerankClient
from serving.config_watch import ConfigWatch
from serving.errors import RerankError
from serving.messages import PREDICT, PredictResponse
from serving.option_error import OptionError
from serving.options import Options
from serving.server import Server

LIST = ranking_list([1, 3, 2])
UP, DOWN = ("i1", "i2", "i0"), ("i0", "i2", "i1")
ALL = "model_version_policy { all {} }"


@pytest.fixture
def two(base, exports):
    """A base path with versions 1 (`up`) and 2 (`down`)."""
    publish(exports["down"], base, 2)
    return base


def models(*configs):
    return f"model_config_list {{ {' '.join(configs)} }}"


def serve_file(folder, text, **options):
    path = folder / "models.config"
    path.write_text(text)
    return path, *start(None, model_config_file=path, **options)


def answered(target, **asked):
    """(version, best position) that a Predict for a version or a label gets."""
    request = official("predict_pb2.PredictRequest", model_spec={"name": "psad"})
    request.MergeFromString(predict_request("rank", packed(LIST)).SerializeToString())
    if "label" in asked:
        request.model_spec.version_label = asked["label"]
    elif asked:
        request.model_spec.version.value = asked["version"]
    response = PredictResponse.FromString(predict(target, request))
    (order,) = np.array(response.outputs["order"].int_val).reshape(1, -1)
    return response.model_spec.version.value, int(order[0])


def packed(one):
    from psad_tf.data.packing import pack_lists

    return pack_lists([one], FEATURES)


def test_versions_and_labels_of_a_config_file_are_served(two, tmp_path):
    labels = (
        'version_labels { key: "stable" value: 1 } '
        'version_labels { key: "canary" value: 2 }'
    )
    text = models(listed(ALL + labels, path=two))
    _, server, target = serve_file(tmp_path, text)
    assert answered(target) == (2, 0)
    assert answered(target, version=1) == (1, 1)
    assert answered(target, label="stable") == (1, 1)
    assert answered(target, label="canary") == (2, 0)
    for version, expected in ((1, UP), (2, DOWN), ("stable", UP), ("canary", DOWN)):
        with RerankClient(target, FEATURES, timeout=10, version=version) as client:
            assert client.rerank(LIST).item_ids == expected
    for version, code in ((3, "NOT_FOUND"), ("new", "INVALID_ARGUMENT")):
        with RerankClient(target, FEATURES, timeout=10, version=version) as client:
            with pytest.raises(RerankError, match=f"{code}: .*; .*version"):
                client.rerank(LIST)
    server.stop()


def test_a_reload_under_load_loses_no_request(two, tmp_path):
    """To and fro between the versions; each answer is that of the version it names."""
    text = models(listed("model_version_policy { specific { versions: 1 } }", path=two))
    _, server, target = serve_file(tmp_path, text)
    stop, seen, failures = threading.Event(), set(), []

    def ask():
        with RerankClient(target, FEATURES, timeout=10) as client:
            while not stop.is_set():
                try:
                    answer = client.rerank(LIST)
                    seen.add((answer.model_version, answer.item_ids))
                except Exception as error:
                    failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in (2, 1, 2, 1):
        policy = f"model_version_policy {{ specific {{ versions: {number} }} }}"
        config = reload_of(models(listed(policy, path=two)))
        reply = official("model_management_pb2.ReloadConfigResponse")
        reply.ParseFromString(call(target, RELOAD, config, timeout=60))
        assert reply.HasField("status") and reply.status.error_code == 0
        assert answered(target)[0] == number
    stop.set()
    for thread in threads:
        thread.join()
    server.stop()
    assert failures == []
    assert seen == {(1, UP), (2, DOWN)}


def test_a_rejected_reload_poisons_nothing(two, tmp_path):
    _, server, target = serve_file(tmp_path, models(listed(path=two)))
    for config, code in (
        (listed(path=two, platform="torch"), grpc.StatusCode.INVALID_ARGUMENT),
        (listed(path=tmp_path / "none"), grpc.StatusCode.FAILED_PRECONDITION),
    ):
        assert fault(target, RELOAD, reload_of(models(config)))[0] == code
        assert answered(target) == (2, 0)
    call(target, RELOAD, reload_of(models(listed(ALL, path=two))), timeout=60)
    assert answered(target, version=1) == (1, 1)
    call(target, RELOAD, reload_of(models()))  # as the real one, it takes all away
    assert fault(target, PREDICT, predict_request())[0] == grpc.StatusCode.NOT_FOUND
    server.stop()


def test_a_reload_that_waits_past_its_deadline_is_not_made_later(two, tmp_path):
    text = models(listed(path=two))
    _, server, target = serve_file(tmp_path, text)
    served = server._store._models["psad"]
    with server._store._changing:
        told = fault(target, RELOAD, reload_of(models()), timeout=0.3)
    assert told[0] == grpc.StatusCode.DEADLINE_EXCEEDED
    call(target, RELOAD, reload_of(text), timeout=60)
    assert server._store._models["psad"] is served
    server.stop()


def test_the_config_file_is_followed_and_a_bad_one_changes_nothing(
    two, tmp_path, caplog
):
    path, server, target = serve_file(tmp_path, models(listed(path=two)))
    options = Options(model_config_file=path, model_config_file_poll_wait_seconds=1)
    watch = ConfigWatch(server._store, options)
    path.write_text("model {")
    watch.look()
    watch.look()  # told once
    assert len([r for r in caplog.records if "changes nothing" in r.message]) == 1
    assert answered(target) == (2, 0)
    path.write_text(models(listed(ALL, path=two)))
    watch.look()
    assert answered(target, version=1) == (1, 1)
    path.unlink()
    watch.look()
    assert answered(target, version=1) == (1, 1)
    server.stop()


def test_a_half_copied_version_is_offered_when_it_is_whole(base, exports):
    """In the order of a copy that writes the graph first."""
    import shutil

    server, target = start(base)
    models = server._store._models["psad"]
    folder = base / "2"
    folder.mkdir()
    shutil.copy(exports["down"] / "saved_model.pb", folder)
    with server._store._changing:
        models.poll()
    assert answered(target) == (1, 1)
    shutil.copytree(exports["down"] / "variables", folder / "variables")
    with server._store._changing:
        models.poll()
    assert answered(target) == (2, 0)
    server.stop()


def test_answers_come_as_content_when_that_is_asked_for(base):
    server, target = start(base, enable_serialization_as_tensor_content=True)
    response = PredictResponse.FromString(
        predict(target, predict_request("slow", {"steps": np.array(3, np.int32)}))
    )
    server.stop()
    assert response.outputs["steps"].tensor_content == b"\3\0\0\0"


def test_channel_arguments_reach_grpc(base):
    server, target = start(
        base, grpc_channel_arguments="grpc.max_receive_message_length=10,x=y"
    )
    code, message = fault(target, PREDICT, predict_request(name="n" * 50))
    server.stop()
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in message


def test_health_may_be_left_out(base):
    server, target = start(base, enable_grpc_healthcheck_service=False)
    told = fault(target, "/grpc.health.v1.Health/Check", b"")
    server.stop()
    assert told == (grpc.StatusCode.UNIMPLEMENTED, "")


def test_a_monitoring_file_that_is_none_is_told(base, tmp_path):
    path = tmp_path / "monitoring.config"
    path.write_text("prometheus { }")
    with pytest.raises(OptionError, match="no text MonitoringConfig"):
        Server(
            Options(model_base_path=base, rest_api_port=1, monitoring_config_file=path)
        )
