"""The reader of `.proto` files, on files whose descriptors are known."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from serving.proto.reader import read_proto

Field = descriptor_pb2.FieldDescriptorProto
TEXT = """
// A comment; with { signs } = 1;
syntax = "proto3";
package shop.page;

import "other.proto";

enum Kind {
  NONE = 0;
  SHOE = 7;  // another
}

message Page {
  enum State { EMPTY = 0; FULL = 3; }
  message Slot {
    int64 place = 1;
    Kind kind = 2;
    State state = 4;
  }
  repeated Slot slots = 1;
  map<string, Slot> by_name = 3;
  oneof choice {
    string label = 5;
    other.Thing thing = 6;
  }
  repeated float scores = 7;
}

service Pages { rpc Show(Page) returns (Page); }
"""
PLACE = "shop.page.Page"


@pytest.fixture(scope="module")
def page():
    """The message's class."""
    other = read_proto(
        "other.proto", 'syntax = "proto3"; package other; message Thing {}'
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(other)
    pool.Add(read_proto("page.proto", TEXT))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(PLACE))


def test_names_are_found_from_the_inside_out(page):
    slot = page.DESCRIPTOR.fields_by_name["slots"].message_type
    assert slot.full_name == f"{PLACE}.Slot"
    kinds = {f.name: f.enum_type and f.enum_type.full_name for f in slot.fields}
    assert kinds == {
        "place": None,
        "kind": "shop.page.Kind",
        "state": f"{PLACE}.State",
    }
    assert slot.fields_by_name["kind"].enum_type.values_by_name["SHOE"].number == 7


def test_fields_have_their_numbers_and_types(page):
    fields = {f.name: (f.number, f.type) for f in page.DESCRIPTOR.fields}
    assert fields == {
        "slots": (1, Field.TYPE_MESSAGE),
        "by_name": (3, Field.TYPE_MESSAGE),
        "label": (5, Field.TYPE_STRING),
        "thing": (6, Field.TYPE_MESSAGE),
        "scores": (7, Field.TYPE_FLOAT),
    }


def test_maps_and_choices_behave_as_such(page):
    one = page()
    one.by_name["a"].place = 3
    one.by_name["b"].kind = 7
    one.label = "x"
    one.thing.SetInParent()
    assert one.WhichOneof("choice") == "thing" and one.label == ""
    read = page.FromString(one.SerializeToString())
    assert read == one and read.by_name["a"].place == 3
    # Packed, as proto3 has it: a tag, a length, 8 bytes.
    assert page(scores=[1.0, 2.0]).SerializeToString()[:2] == bytes([7 << 3 | 2, 8])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("message A { string a = 1 }", "bad.proto: '}' before '' .*';' must stand"),
        ("message A { string a = 1;", "bad.proto ends too early"),
        ("option java = 1;", "bad.proto: 'option' before 'java = 1 ;' is not known"),
        ("message A { string a = 1; # b\n }", "bad.proto: '#' is not known"),
        ("message A ( )", r"'\(' before .* '{' must stand"),
    ],
)
def test_what_it_does_not_know_is_refused(text, told):
    with pytest.raises(ValueError, match=told):
        read_proto("bad.proto", text)
