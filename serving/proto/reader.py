"""Reads `.proto` files without a compiler: as much of the language as ours use.

That is proto3 with messages, nested ones too, enums, maps, `oneof`, and services, which
are passed over: gRPC needs no more than a method's name.
"""

import re
from collections.abc import Iterator

from google.protobuf import descriptor_pb2

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = "bool bytes double float int32 int64 string uint32 uint64".split()
_TOKEN = re.compile(r'//[^\n]*|"([^"]*)"|([\w.]+)|([{}=;<>,()])|(\S)')


def read_proto(name: str, text: str) -> descriptor_pb2.FileDescriptorProto:
    """The descriptor of a file, for a descriptor pool.

    Args:
        name: The file's name, by which others import it.
        text: What is in it.

    Raises:
        ValueError: Something in it is not of the language as far as it is read here.
    """
    file = descriptor_pb2.FileDescriptorProto(name=name)
    return _Reader(name, text).read(file)


class _Reader:
    """Goes through a file's words once."""

    def __init__(self, name, text):
        self.name = name
        self.words = list(_words(name, text))
        self.words.reverse()

    def read(self, file):
        while self.words:
            word = self.take()
            if word == "syntax":
                self.expect("=")
                file.syntax = self.take()
            elif word == "package":
                file.package = self.take()
            elif word == "import":
                file.dependency.append(self.take())
            elif word == "message":
                self.message(file.message_type, file.package)
                continue
            elif word == "enum":
                self.enum(file.enum_type)
                continue
            elif word == "service":
                self.service()
                continue
            else:
                raise self.error(word)
            self.expect(";")
        _resolve(file)
        return file

    def message(self, siblings, scope):
        message = siblings.add(name=self.take())
        full_name = f"{scope}.{message.name}"
        self.expect("{")
        while (word := self.take()) != "}":
            if word == "message":
                self.message(message.nested_type, full_name)
            elif word == "enum":
                self.enum(message.enum_type)
            elif word == "oneof":
                message.oneof_decl.add(name=self.take())
                self.expect("{")
                while (kind := self.take()) != "}":
                    field = self.field(message, kind)
                    field.oneof_index = len(message.oneof_decl) - 1
            elif word == "map":
                self.map(message, full_name)
            elif word == "repeated":
                self.field(message, self.take(), _Field.LABEL_REPEATED)
            else:
                self.field(message, word)

    def field(self, message, kind, label=_Field.LABEL_OPTIONAL):
        field = message.field.add(name=self.take(), label=label)
        _set_kind(field, kind)
        self.expect("=")
        field.number = int(self.take())
        self.expect(";")
        return field

    def map(self, message, full_name):
        """A map is a list of hidden messages, an entry each."""
        self.expect("<")
        key = self.take()
        self.expect(",")
        value = self.take()
        self.expect(">")
        title = self.words[-1].title().replace("_", "")
        entry = message.nested_type.add(name=f"{title}Entry")
        entry.options.map_entry = True
        for number, (part, kind) in enumerate((("key", key), ("value", value)), 1):
            optional = _Field.LABEL_OPTIONAL
            _set_kind(entry.field.add(name=part, number=number, label=optional), kind)
        self.field(message, f".{full_name}.{entry.name}", _Field.LABEL_REPEATED)

    def enum(self, siblings):
        enum = siblings.add(name=self.take())
        self.expect("{")
        while (name := self.take()) != "}":
            self.expect("=")
            enum.value.add(name=name, number=int(self.take()))
            self.expect(";")

    def service(self):
        self.take()
        self.expect("{")
        while self.take() != "}":
            pass

    def take(self):
        if not self.words:
            raise ValueError(f"{self.name} ends too early")
        return self.words.pop()

    def expect(self, word):
        found = self.take()
        if found != word:
            raise self.error(found, f"; {word!r} must stand there")

    def error(self, word, more=""):
        rest = " ".join(self.words[-1:-6:-1])
        return ValueError(f"{self.name}: {word!r} before {rest!r} is not known{more}")


def _words(name: str, text: str) -> Iterator[str]:
    for found in _TOKEN.finditer(text):
        quoted, word, sign, other = found.groups()
        if other:
            raise ValueError(f"{name}: {other!r} is not known")
        if not found.group().startswith("//"):
            yield quoted if quoted is not None else word or sign


def _set_kind(field, kind: str) -> None:
    """A scalar's type, or for now the name of a message or an enum."""
    if kind in _SCALARS:
        field.type = _Field.Type.Value(f"TYPE_{kind.upper()}")
    else:
        field.type_name = kind


def _resolve(file) -> None:
    """Makes names of messages and enums absolute.

    A name is looked for in its own message, then further out; one with a dot that is
    not found so is of another file.
    """
    kinds = dict(_named(file, f".{file.package}"))

    def visit(messages, scope):
        for message in messages:
            inner = f"{scope}.{message.name}"
            visit(message.nested_type, inner)
            for field in message.field:
                if field.type_name:
                    field.type_name = _absolute(field.type_name, inner, kinds)
                    field.type = kinds.get(field.type_name, _Field.TYPE_MESSAGE)

    visit(file.message_type, f".{file.package}")


def _named(parent, scope):
    """The full name and the type of each message and enum below."""
    messages = getattr(parent, "message_type", None) or getattr(
        parent, "nested_type", ()
    )
    for enum in parent.enum_type:
        yield f"{scope}.{enum.name}", _Field.TYPE_ENUM
    for message in messages:
        yield f"{scope}.{message.name}", _Field.TYPE_MESSAGE
        yield from _named(message, f"{scope}.{message.name}")


def _absolute(name, scope, kinds):
    if name.startswith("."):
        return name
    while scope:
        if f"{scope}.{name}" in kinds:
            return f"{scope}.{name}"
        scope = scope.rpartition(".")[0]
    return f".{name}"
