"""Loading a version: warm-up, and what makes a load fail."""

import shutil
import threading
import time

import grpc
import numpy as np
import pytest
from raw_client import predict_request
from serving_lists import FEATURES, ranking_list

from psad_tf.data.examples import encode_list
from serving.fault import Fault
from serving.servable import MAX_WARMUP_RECORDS, WARMUP_FILE, Servable

Code = grpc.StatusCode
EXAMPLE = np.array([encode_list(ranking_list([1, 2]), FEATURES)], object)


def official(request):
    from tensorflow_serving.apis import predict_pb2

    return predict_pb2.PredictRequest.FromString(request.SerializeToString())


def logged(request):
    from tensorflow_serving.apis import prediction_log_pb2

    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(official(request))
    return log


@pytest.fixture
def version(exports, tmp_path):
    return shutil.copytree(exports["up"], tmp_path / "1")


def write_warmup(version, logs):
    import tensorflow as tf

    path = version / WARMUP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for log in logs:
            writer.write(log.SerializeToString())


def test_warm_up_records_are_replayed_before_the_load_ends(version, monkeypatch):
    asked = []
    predict = Servable.predict

    def spy(self, request, remaining=None):
        asked.append(request)
        return predict(self, request, remaining)

    monkeypatch.setattr(Servable, "predict", spy)
    requests = [
        predict_request(inputs={"examples": EXAMPLE}),
        predict_request("slow", {"steps": np.array(1, np.int32)}),
    ]
    write_warmup(version, [logged(request) for request in requests])
    servable = Servable("psad", 1, version)
    assert asked == [official(request) for request in requests]
    servable.close()


def failed_load(version):
    with pytest.raises(Fault) as raised:
        Servable("psad", 1, version)
    return raised.value


def test_a_failing_warm_up_record_fails_the_load(version):
    broken = predict_request(inputs={"examples": np.array([b"\xff"], object)})
    write_warmup(version, [logged(broken)])
    fault = failed_load(version)
    assert fault.code == Code.INVALID_ARGUMENT
    assert "Could not parse example input" in fault.message


def test_a_warm_up_of_another_kind_fails_the_load(version):
    from tensorflow_serving.apis import prediction_log_pb2

    log = prediction_log_pb2.PredictionLog()
    log.classify_log.SetInParent()
    write_warmup(version, [log])
    fault = failed_load(version)
    assert (fault.code, "classify_log" in fault.message) == (Code.UNIMPLEMENTED, True)


def test_too_many_warm_up_records_fail_the_load(version):
    quick = predict_request("slow", {"steps": np.array(0, np.int32)})
    write_warmup(version, [logged(quick)] * (MAX_WARMUP_RECORDS + 1))
    assert "exceeds the maximum (1000)" in failed_load(version).message


def test_a_cut_warm_up_file_fails_the_load(version):
    write_warmup(version, [logged(predict_request(inputs={"examples": EXAMPLE}))])
    path = version / WARMUP_FILE
    path.write_bytes(path.read_bytes()[:-5])
    assert failed_load(version).code == Code.DATA_LOSS


def test_missing_variables_fail_the_load(version):
    shutil.rmtree(version / "variables")
    assert "variables" in failed_load(version).message


def test_a_graph_that_is_none_fails_the_load(version):
    (version / "saved_model.pb").write_bytes(b"\xff\xff")
    assert failed_load(version).message


def test_time_that_is_up_runs_nothing(version):
    servable = Servable("psad", 1, version)
    endless = official(predict_request("slow", {"steps": np.array(2**31 - 1, "i4")}))
    for remaining in (0.0, 0.2):
        began = time.monotonic()
        with pytest.raises(Fault) as raised:
            servable.predict(endless, remaining)
        assert raised.value.code == Code.DEADLINE_EXCEEDED
        assert time.monotonic() - began < remaining + 1.0
    servable.close()


def test_requests_run_side_by_side(version):
    """A quick request is answered while a slow one runs in the same session."""
    servable = Servable("psad", 1, version)
    endless = official(predict_request("slow", {"steps": np.array(2**31 - 1, "i4")}))

    def run_out_of_time():
        with pytest.raises(Fault):
            servable.predict(endless, 1.5)

    thread = threading.Thread(target=run_out_of_time)
    thread.start()
    time.sleep(0.2)
    servable.predict(official(predict_request(inputs={"examples": EXAMPLE})))
    assert thread.is_alive()
    thread.join()
    servable.close()


def test_a_long_message_is_cut_where_the_real_server_cuts_it():
    fault = Fault(Code.INTERNAL, "x" * 2000)
    assert fault.message == "x" * 1024 + "...TRUNCATED"
