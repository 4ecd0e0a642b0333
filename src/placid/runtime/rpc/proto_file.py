"""A ``.proto`` file as a descriptor, without protoc: what it generates is tied to the version of protobuf it was made for.

Reads the part of proto3 that messages of a public protocol are written in: messages in messages, enumerations, ``repeated``,
``map``, ``oneof``, services of unary calls. What it does not know it refuses; it leaves nothing out.
"""

from __future__ import annotations

import re
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from placid.errors import InputError

__all__ = ["read_proto"]

_TOKENS = re.compile(r"//[^\n]*|[\w.]+|\"[^\"]*\"|\S")
_SCALARS = {
    name: getattr(FieldDescriptorProto, f"TYPE_{name.upper()}")
    for name in ("bool", "string", "bytes", "int32", "int64", "uint32", "uint64", "float", "double")
}


def read_proto(text: str, name: str) -> FileDescriptorProto:
    """The descriptor of the file `name` with the content `text`; types of messages are left for the pool to resolve.

    Raises:
        InputError: the file is no proto3, or more of it than is known here.
    """
    return _Reader(text, name).read()


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self._file = FileDescriptorProto(name=name)
        self._tokens = [
            (match.group(), text.count("\n", 0, match.start()) + 1)
            for match in _TOKENS.finditer(text)
            if not match.group().startswith("//")
        ]
        self._at = 0

    def read(self) -> FileDescriptorProto:
        while self._at < len(self._tokens):
            match self._next():
                case "syntax":
                    self._skip("=", '"proto3"', ";")
                    self._file.syntax = "proto3"
                case "package":
                    self._file.package = self._next()
                    self._skip(";")
                case "message":
                    self._message(self._file.message_type.add())
                case "enum":
                    self._enumeration(self._file.enum_type.add())
                case "service":
                    self._service(self._file.service.add())
                case other:
                    raise self._wrong(f"'{other}' begins nothing that is known here")
        return self._file

    def _message(self, message: DescriptorProto) -> None:
        message.name = self._next()
        self._skip("{")
        while (token := self._next()) != "}":
            match token:
                case "message":
                    self._message(message.nested_type.add())
                case "oneof":
                    message.oneof_decl.add(name=self._next())
                    self._skip("{")
                    while (kind := self._next()) != "}":
                        self._field(message, kind).oneof_index = len(message.oneof_decl) - 1
                case "map":
                    self._map(message)
                case "repeated":
                    self._field(message, self._next()).label = FieldDescriptorProto.LABEL_REPEATED
                case kind:
                    self._field(message, kind)

    def _field(self, message: DescriptorProto, kind: str) -> Any:
        field = message.field.add(name=self._next(), label=FieldDescriptorProto.LABEL_OPTIONAL)
        self._skip("=")
        field.number = self._number()
        self._skip(";")
        _set_type(field, kind)
        return field

    def _map(self, message: DescriptorProto) -> None:
        """A map is a repeated message of key and value, of a name that follows from the field's."""
        self._skip("<")
        key = self._next()
        self._skip(",")
        value = self._next()
        self._skip(">")
        entry = message.nested_type.add()
        entry.options.map_entry = True
        for number, (name, kind) in enumerate((("key", key), ("value", value)), start=1):
            _set_type(
                entry.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL), kind
            )
        field = self._field(message, "")
        entry.name = field.type_name = field.name.title().replace("_", "") + "Entry"
        field.label = FieldDescriptorProto.LABEL_REPEATED

    def _enumeration(self, enumeration: Any) -> None:
        enumeration.name = self._next()
        self._skip("{")
        while (name := self._next()) != "}":
            self._skip("=")
            enumeration.value.add(name=name, number=self._number())
            self._skip(";")

    def _service(self, service: Any) -> None:
        service.name = self._next()
        self._skip("{")
        while (token := self._next()) != "}":
            if token != "rpc":
                raise self._wrong(f"'{token}' stands where 'rpc' is due")
            method = service.method.add(name=self._next())
            self._skip("(")
            method.input_type = self._next()
            self._skip(")", "returns", "(")
            method.output_type = self._next()
            self._skip(")", "{", "}")

    def _next(self) -> str:
        if self._at == len(self._tokens):
            raise self._wrong("the file ends too early")
        self._at += 1
        return self._tokens[self._at - 1][0]

    def _number(self) -> int:
        token = self._next()
        if not token.isdecimal():
            raise self._wrong(f"'{token}' stands where a number is due")
        return int(token)

    def _skip(self, *due: str) -> None:
        for one in due:
            token = self._next()
            if token != one:
                raise self._wrong(f"'{token}' stands where '{one}' is due")

    def _wrong(self, what: str) -> InputError:
        line = self._tokens[self._at - 1][1] if self._at else 1
        return InputError(what, where=f"{self._file.name}, line {line}")


def _set_type(field: Any, kind: str) -> None:
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type_name = kind
