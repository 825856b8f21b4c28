"""The protobuf messages a client of TensorFlow Serving needs, without TensorFlow.

Declared in the language of `.proto` files with the public names and field numbers, so
that the bytes are those of the official messages. They live in a descriptor pool of
their own: TensorFlow, when it is in the same process, registers the same names in the
default pool, and two registrations there would clash. Enums travel as int32, which is
the same on the wire.
"""

import re

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    wrappers_pb2,
)

_TENSOR = """
message TensorShapeProto {
  repeated TensorShapeProto.Dim dim = 2; bool unknown_rank = 3;
}
message TensorShapeProto.Dim { int64 size = 1; string name = 2; }
message TensorProto {
  int32 dtype = 1; TensorShapeProto tensor_shape = 2; int32 version_number = 3;
  bytes tensor_content = 4; repeated float float_val = 5;
  repeated double double_val = 6; repeated int32 int_val = 7;
  repeated bytes string_val = 8;
  repeated int64 int64_val = 10; repeated bool bool_val = 11;
  repeated int32 half_val = 13; repeated uint32 uint32_val = 16;
  repeated uint64 uint64_val = 17;
}
"""
_SERVING = """
message ModelSpec {
  string name = 1; google.protobuf.Int64Value version = 2; string signature_name = 3;
}
message PredictRequest {
  ModelSpec model_spec = 1; map<string, tensorflow.TensorProto> inputs = 2;
  repeated string output_filter = 3;
}
message PredictResponse {
  map<string, tensorflow.TensorProto> outputs = 1; ModelSpec model_spec = 2;
}
message GetModelStatusRequest { ModelSpec model_spec = 1; }
message StatusProto { int32 error_code = 1; string error_message = 2; }
message ModelVersionStatus {
  int64 version = 1; int32 state = 2; StatusProto status = 3;
}
message GetModelStatusResponse { repeated ModelVersionStatus model_version_status = 1; }
"""
_MESSAGE = re.compile(r"message ([\w.]+) \{(.*?)\}", re.DOTALL)
_FIELD = re.compile(r"(repeated )?(?:map<string, ([\w.]+)>|([\w.]+)) (\w+) = (\d+);")
_SCALARS = "bool bytes double float int32 int64 string uint32 uint64".split()
_Field = descriptor_pb2.FieldDescriptorProto


def _file(name, package, text, dependencies):
    """A file descriptor from the messages in `text`."""
    file = descriptor_pb2.FileDescriptorProto(
        name=name, package=package, syntax="proto3", dependency=dependencies
    )
    messages = {}
    for full_name, body in _MESSAGE.findall(text):
        parent, _, short_name = full_name.rpartition(".")
        siblings = messages[parent].nested_type if parent else file.message_type
        message = messages[full_name] = siblings.add(name=short_name)
        for repeated, map_of, kind, field_name, number in _FIELD.findall(body):
            if map_of:
                kind = _map_entry(message, field_name, map_of, package)
            _field(message, field_name, int(number), kind, package, repeated or map_of)
    return file


def _field(message, name, number, kind, package, is_repeated=False):
    """Adds a field; a kind without a dot other than a scalar is of the same package."""
    label = _Field.LABEL_REPEATED if is_repeated else _Field.LABEL_OPTIONAL
    field = message.field.add(name=name, number=number, label=label)
    if kind in _SCALARS:
        field.type = _Field.Type.Value(f"TYPE_{kind.upper()}")
    else:
        field.type = _Field.TYPE_MESSAGE
        is_absolute = kind.startswith(("tensorflow.", "google."))
        field.type_name = f".{kind}" if is_absolute else f".{package}.{kind}"


def _map_entry(message, field_name, value_kind, package):
    """Adds the hidden message that a map's entries are; gives its kind."""
    entry = message.nested_type.add(name=f"{field_name.capitalize()}Entry")
    entry.options.map_entry = True
    _field(entry, "key", 1, "string", package)
    _field(entry, "value", 2, value_kind, package)
    return f"{message.name}.{entry.name}"


_WRAPPERS = wrappers_pb2.DESCRIPTOR
_POOL = descriptor_pool.DescriptorPool()
_POOL.AddSerializedFile(_WRAPPERS.serialized_pb)
_POOL.Add(_file("tensor.proto", "tensorflow", _TENSOR, []))
_POOL.Add(
    _file(
        "serving.proto",
        "tensorflow.serving",
        _SERVING,
        ["tensor.proto", _WRAPPERS.name],
    )
)


def _class(full_name):
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(full_name))


TensorShapeProto = _class("tensorflow.TensorShapeProto")
TensorProto = _class("tensorflow.TensorProto")
ModelSpec = _class("tensorflow.serving.ModelSpec")
PredictRequest = _class("tensorflow.serving.PredictRequest")
PredictResponse = _class("tensorflow.serving.PredictResponse")
GetModelStatusRequest = _class("tensorflow.serving.GetModelStatusRequest")
GetModelStatusResponse = _class("tensorflow.serving.GetModelStatusResponse")

PREDICT = "/tensorflow.serving.PredictionService/Predict"
GET_MODEL_STATUS = "/tensorflow.serving.ModelService/GetModelStatus"
AVAILABLE = 30  # ModelVersionStatus.State
END = 50
