"""The text messages of TensorFlow Serving's configuration that no package carries.

`tensorflow-serving-api` has the messages of models.config, not those of TLS, of
monitoring and of batching: their public declarations are repeated here, in a descriptor
pool of their own. Text is matched by the names of the fields.
"""

from pathlib import Path

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)

from serving.option_error import OptionError

_PACKAGE = "tensorflow.serving"
_WRAPPED = ".google.protobuf.Int64Value"
# Message → field → (number, type); a type in brackets is repeated.
_DECLARED = {
    "SSLConfig": {
        "server_key": (1, "string"),
        "server_cert": (2, "string"),
        "custom_ca": (3, "string"),
        "client_verify": (4, "bool"),
    },
    "PrometheusConfig": {"enable": (1, "bool"), "path": (2, "string")},
    "MonitoringConfig": {"prometheus_config": (1, f".{_PACKAGE}.PrometheusConfig")},
    "BatchingParameters": {
        "max_batch_size": (1, _WRAPPED),
        "batch_timeout_micros": (2, _WRAPPED),
        "max_enqueued_batches": (3, _WRAPPED),
        "num_batch_threads": (4, _WRAPPED),
        "thread_pool_name": (5, ".google.protobuf.StringValue"),
        "allowed_batch_sizes": (6, "[int64]"),
        "pad_variable_length_inputs": (7, "bool"),
    },
}


def _pool():
    file = descriptor_pb2.FileDescriptorProto(
        name="config_messages.proto",
        package=_PACKAGE,
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    for name, fields in _DECLARED.items():
        message = file.message_type.add(name=name)
        for field_name, (number, kind) in fields.items():
            field = message.field.add(name=field_name, number=number)
            field.label = 3 if kind.startswith("[") else 1
            kind = kind.strip("[]")
            if kind.startswith("."):
                field.type, field.type_name = field.TYPE_MESSAGE, kind
            else:
                field.type = field.Type.Value(f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return pool


_POOL = _pool()


def _class(name):
    full_name = f"{_PACKAGE}.{name}"
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(full_name))


SSLConfig = _class("SSLConfig")
MonitoringConfig = _class("MonitoringConfig")
BatchingParameters = _class("BatchingParameters")


def read_text_message(path: Path, kind):
    """The text message of a configuration file.

    Raises:
        OptionError: It cannot be read as a message of that kind.
    """
    try:
        return text_format.Parse(path.read_text(), kind())
    except (text_format.ParseError, OSError, UnicodeDecodeError) as error:
        name = kind.DESCRIPTOR.name
        raise OptionError(f"{path} is no text {name}: {error}") from error
