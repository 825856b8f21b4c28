"""`tf.train.Example` as light messages: the protobuf runtime and nothing else.

The classes live in a descriptor pool of their own, so that a process may load
TensorFlow beside them. Names and field numbers are those of TensorFlow's
`example.proto` and `feature.proto`, so the bytes are the same.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "tensorflow"


def _add_field(message, name, number, kind, type_name="", repeated=False):
    """Adds one field to a message's descriptor and returns it."""
    field = message.field.add(name=name, number=number, type=kind)
    field.label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
    if type_name:
        field.type_name = f".{_PACKAGE}.{type_name}"
    return field


def _add_value_list(file, name, kind):
    """A message that holds only `repeated <kind> value = 1`."""
    return _add_field(file.message_type.add(name=name), "value", 1, kind, "", True)


def _add_feature(file):
    """`Feature`: exactly one of three lists."""
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    lists = (("bytes_list", "BytesList"), ("float_list", "FloatList"))
    lists += (("int64_list", "Int64List"),)
    for number, (name, type_name) in enumerate(lists, start=1):
        field = _add_field(feature, name, number, _FIELD.TYPE_MESSAGE, type_name)
        field.oneof_index = 0


def _add_features(file):
    """`Features`: a map from name to `Feature`."""
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    _add_field(entry, "key", 1, _FIELD.TYPE_STRING)
    _add_field(entry, "value", 2, _FIELD.TYPE_MESSAGE, "Feature")
    kind = _FIELD.TYPE_MESSAGE
    _add_field(features, "feature", 1, kind, "Features.FeatureEntry", True)


def _file() -> descriptor_pb2.FileDescriptorProto:
    """The descriptors of everything an `Example` is made of."""
    file = descriptor_pb2.FileDescriptorProto(
        name="psad_tf/data/example.proto", package=_PACKAGE, syntax="proto3"
    )
    _add_value_list(file, "BytesList", _FIELD.TYPE_BYTES)
    # Packed on the wire, which is proto3's default for numbers.
    _add_value_list(file, "FloatList", _FIELD.TYPE_FLOAT)
    _add_value_list(file, "Int64List", _FIELD.TYPE_INT64)
    _add_feature(file)
    _add_features(file)
    example = file.message_type.add(name="Example")
    _add_field(example, "features", 1, _FIELD.TYPE_MESSAGE, "Features")
    return file


def _example_class():
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file())
    descriptor = pool.FindMessageTypeByName(f"{_PACKAGE}.Example")
    return message_factory.GetMessageClass(descriptor)


Example = _example_class()
