"""The protobuf messages a client of TensorFlow Serving needs, without TensorFlow.

They are those of `serving/proto/`, with the public names and field numbers, so that the
bytes are those of the official messages. They live in a descriptor pool of their own:
TensorFlow, when it is in the same process, registers the same names in the default
pool, and two registrations there would clash.
"""

from pathlib import Path

from google.protobuf import descriptor_pool, message_factory, wrappers_pb2

from serving.proto.reader import read_proto

PROTO_FOLDER = Path(__file__).parent / "proto"

_POOL = descriptor_pool.DescriptorPool()
_POOL.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
for _name in ("tensor.proto", "serving.proto"):  # each after those that it imports
    _text = (PROTO_FOLDER / _name).read_text(encoding="utf-8")
    _POOL.Add(read_proto(_name, _text))


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
