"""Our messages against those that clients of Triton are made with; and what the reader of them refuses."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from placid.errors import InputError
from placid.runtime.rpc.proto_file import read_proto
from placid.runtime.rpc.schema import file_descriptor

#: of these we have a part
PARTIAL = {"ModelConfig", "ModelInput", "ModelOutput", "ModelStatistics", "InferStatistics"}


def described(descriptor: Any) -> FileDescriptorProto:
    made = FileDescriptorProto()
    descriptor.CopyToProto(made)
    return made


def messages(file: FileDescriptorProto) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def take(inside: Any, path: str) -> None:
        for one in inside:
            found[path + one.name] = one
            take(one.nested_type, f"{path}{one.name}.")

    take(file.message_type, "")
    return found


def fields(one: Any) -> set[tuple[Any, ...]]:
    return {
        (f.name, f.number, f.type, f.label, f.type_name, f.HasField("oneof_index"), one.options.map_entry)
        for f in one.field
    }


def test_names_numbers_and_types_are_the_published_ones() -> None:
    pytest.importorskip("tritonclient.grpc")
    from tritonclient.grpc import model_config_pb2, service_pb2

    service, config = described(service_pb2.DESCRIPTOR), described(model_config_pb2.DESCRIPTOR)
    published = messages(service) | messages(config)
    ours = described(file_descriptor())
    assert (ours.package, ours.syntax) == (service.package, service.syntax) == ("inference", "proto3")
    mine = messages(ours)
    assert set(mine) > PARTIAL
    for name, one in mine.items():
        if name in PARTIAL:
            assert fields(one) < fields(published[name]), name
        else:
            assert fields(one) == fields(published[name]), name
            assert [o.name for o in one.oneof_decl] == [o.name for o in published[name].oneof_decl], name
    for kind in ours.enum_type:
        (other,) = (k for k in config.enum_type if k.name == kind.name)
        assert [(v.name, v.number) for v in kind.value] == [(v.name, v.number) for v in other.value]
    calls = {
        m.name: (m.input_type, m.output_type, m.client_streaming, m.server_streaming)
        for m in service.service[0].method
    }
    assert ours.service[0].name == service.service[0].name == "GRPCInferenceService"
    assert len(ours.service[0].method) == 9
    for m in ours.service[0].method:
        assert calls[m.name] == (m.input_type, m.output_type, False, False)


def test_a_map_and_a_choice() -> None:
    text = """syntax = "proto3";  // a comment; with { what } is = not read
    message M { map<string, int64> how_many = 2; oneof one { bool a = 3; N b = 4; } }"""
    (made,) = read_proto(text, "f.proto").message_type
    (entry,) = made.nested_type
    assert (entry.name, entry.options.map_entry) == ("HowManyEntry", True)
    assert [(f.name, f.number, f.type) for f in entry.field] == [
        ("key", 1, FieldDescriptorProto.TYPE_STRING),
        ("value", 2, FieldDescriptorProto.TYPE_INT64),
    ]
    assert [(f.name, f.number, f.type_name, f.label) for f in made.field] == [
        ("how_many", 2, "HowManyEntry", FieldDescriptorProto.LABEL_REPEATED),
        ("a", 3, "", FieldDescriptorProto.LABEL_OPTIONAL),
        ("b", 4, "N", FieldDescriptorProto.LABEL_OPTIONAL),
    ]
    assert [f.HasField("oneof_index") for f in made.field] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('syntax = "proto2";', "f.proto, line 1: '\"proto2\"' stands where"),
        ('\nimport "other.proto";', "f.proto, line 2: 'import' begins nothing"),
        ("message M {\n  int32 a = b;\n}", "f.proto, line 2: 'b' stands where a number is due"),
        ("message M {\n  int32 a = 1 [packed = false];\n}", "line 2: '\\[' stands where ';' is due"),
        ("message M {\n  optional int32 a = 1;\n}", "line 2: 'a' stands where '=' is due"),
        ("message M {\n  reserved 2;\n}", "line 2: ';' stands where '=' is due"),
        ("message M {\n  enum E { A = 0; }\n}", "line 2: '{' stands where '=' is due"),
        ("message M {", "f.proto, line 1: the file ends too early"),
        ("service S {\n  option a = 1;\n}", "line 2: 'option' stands where 'rpc' is due"),
        ("service S { rpc A(stream M) returns (M) {} }", "'M' stands where '\\)' is due"),
    ],
)
def test_what_is_not_known_is_refused(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_proto(text, "f.proto")
