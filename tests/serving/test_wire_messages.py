"""The light messages have the bytes of the official ones."""

import re

import numpy as np
import pytest
from google.protobuf import descriptor_pool

from psad_tf.data.messages import Example
from serving import messages
from serving.proto.reader import read_proto
from serving.tensors import _NUMBERS, STRING, fill_tensor

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


def test_a_label_and_a_version_exclude_each_other_as_officially():
    spec = messages.ModelSpec(name="psad", version_label="canary")
    read = official("ModelSpec").FromString(spec.SerializeToString())
    assert read.version_label == "canary"
    spec.version.value = 3
    read = official("ModelSpec").FromString(spec.SerializeToString())
    assert read.WhichOneof("version_choice") == "version" and not read.version_label


def test_data_types_are_numbered_as_in_the_official_enum():
    types_pb2 = pytest.importorskip("tensorflow.core.framework.types_pb2")
    light = messages.TensorProto.DESCRIPTOR.fields_by_name["dtype"].enum_type
    for value in light.values:
        assert types_pb2.DataType.Value(value.name) == value.number, value.name
    # Every type that tensors are read from and written to has a name.
    named = {value.number for value in light.values}
    assert {STRING, *_NUMBERS} <= named


def test_the_example_for_other_languages_is_the_official_one():
    example_pb2 = pytest.importorskip("tensorflow.core.example.example_pb2")
    pool = descriptor_pool.DescriptorPool()
    text = (messages.PROTO_FOLDER / "example.proto").read_text()
    pool.Add(read_proto("example.proto", text))
    light = pool.FindMessageTypeByName("tensorflow.Example")
    assert fields(light) == fields(example_pb2.Example.DESCRIPTOR)
    assert fields(light) == fields(Example.DESCRIPTOR)  # what Python encodes with


def test_the_services_are_named_as_they_are_called():
    text = (messages.PROTO_FOLDER / "serving.proto").read_text()
    package = re.search(r"^package ([\w.]+);", text, re.M)[1]
    found = re.findall(r"service (\w+) \{\s*rpc (\w+)\(", text)
    paths = {f"/{package}.{service}/{method}" for service, method in found}
    assert paths == {messages.PREDICT, messages.GET_MODEL_STATUS}
