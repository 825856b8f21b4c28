"""The light messages have the bytes of the official ones."""

import subprocess
import sys

import numpy as np
import pytest

from serving import messages
from serving.tensors import fill_tensor

OFFICIAL = {
    "TensorProto": "tensorflow.core.framework.tensor_pb2",
    "TensorShapeProto": "tensorflow.core.framework.tensor_shape_pb2",
    "ModelSpec": "tensorflow_serving.apis.model_pb2",
    "PredictRequest": "tensorflow_serving.apis.predict_pb2",
    "PredictResponse": "tensorflow_serving.apis.predict_pb2",
    "GetModelStatusRequest": "tensorflow_serving.apis.get_model_status_pb2",
    "GetModelStatusResponse": "tensorflow_serving.apis.get_model_status_pb2",
}


def official(name):
    module = pytest.importorskip(OFFICIAL[name])
    return getattr(module, name)


def fields(descriptor, seen=()):
    """Every field below a message: path → (number, whether repeated, wire type)."""
    enum, int32 = 14, 5
    found = {}
    for field in descriptor.fields:
        kind = int32 if field.type == enum else field.type
        found[field.name] = (field.number, field.is_repeated, kind)
        if field.message_type and field.message_type.full_name not in seen:
            below = fields(field.message_type, (*seen, field.message_type.full_name))
            found |= {f"{field.name}.{path}": value for path, value in below.items()}
    return found


@pytest.mark.parametrize("name", OFFICIAL)
def test_each_field_is_that_of_the_official_message(name):
    light, full = getattr(messages, name).DESCRIPTOR, official(name).DESCRIPTOR
    assert light.full_name == full.full_name
    assert fields(light).items() <= fields(full).items()


def test_a_request_survives_the_way_through_the_official_message():
    request = messages.PredictRequest()
    request.model_spec.name = "psad"
    request.model_spec.version.value = 7
    request.model_spec.signature_name = "rank"
    request.output_filter.append("scores")
    fill_tensor(request.inputs["x"], np.arange(6, dtype=np.float32).reshape(2, 3))
    fill_tensor(request.inputs["text"], np.array([b"a\0", "é".encode()], object))
    read = official("PredictRequest").FromString(request.SerializeToString())
    assert read.model_spec.version.value == 7
    assert messages.PredictRequest.FromString(read.SerializeToString()) == request


def test_a_status_is_read_from_the_official_message():
    response = official("GetModelStatusResponse")()
    row = response.model_version_status.add(version=3, state=messages.END)
    row.status.error_code = 5
    row.status.error_message = "gone"
    light = messages.GetModelStatusResponse.FromString(response.SerializeToString())
    (version,) = light.model_version_status
    assert (version.version, version.state) == (3, 50)
    assert (version.status.error_code, version.status.error_message) == (5, "gone")


def test_the_states_are_numbered_as_in_the_official_enum():
    from serving.versions import State

    enum = official("GetModelStatusResponse").DESCRIPTOR.file.message_types_by_name
    values = enum["ModelVersionStatus"].enum_types_by_name["State"].values_by_name
    assert {s.name: int(s) for s in State} == {
        name: value.number for name, value in values.items() if name != "UNKNOWN"
    }
    assert (messages.AVAILABLE, messages.END) == (State.AVAILABLE, State.END)


def test_clients_load_no_framework(tmp_path):
    """In a process of its own: whatever this one has imported does not count."""
    code = (
        "import sys, time; began = time.perf_counter()\n"
        "import serving.client, serving.probe, serving.rerank_command\n"
        "print(f'imports took {time.perf_counter() - began:.2f} s', file=sys.stderr)\n"
        "roots = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(roots & {'tensorflow', 'keras', 'tfx', 'apache_beam', 'tf_keras',"
        " 'tensorflow_serving'}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    print(run.stderr)
    assert run.stdout.strip() == "[]"
