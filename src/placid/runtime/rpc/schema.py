"""The protocol's gRPC messages, described here and made at import: package ``inference``, as KServe and Triton publish it.

No generated code: what protoc writes is tied to the version of protobuf that it was written for. The descriptors live in a
pool of their own, so that a client of Triton in the same process can have its own.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

__all__ = ["MESSAGES", "SERVICE", "message"]

SERVICE = "inference.GRPCInferenceService"

#: message -> its fields: "name number type", ``*`` behind the type where it is repeated, ``map`` for a map of parameters;
#: names with a dot are messages inside a message
MESSAGES: dict[str, tuple[str, ...]] = {
    "ServerLiveRequest": (),
    "ServerLiveResponse": ("live 1 bool",),
    "ServerReadyRequest": (),
    "ServerReadyResponse": ("ready 1 bool",),
    "ModelReadyRequest": ("name 1 string", "version 2 string"),
    "ModelReadyResponse": ("ready 1 bool",),
    "ServerMetadataRequest": (),
    "ServerMetadataResponse": ("name 1 string", "version 2 string", "extensions 3 string*"),
    "ModelMetadataRequest": ("name 1 string", "version 2 string"),
    "ModelMetadataResponse": (
        *("name 1 string", "versions 2 string*", "platform 3 string"),
        *(
            "inputs 4 ModelMetadataResponse.TensorMetadata*",
            "outputs 5 ModelMetadataResponse.TensorMetadata*",
        ),
    ),
    "ModelMetadataResponse.TensorMetadata": ("name 1 string", "datatype 2 string", "shape 3 int64*"),
    "InferParameter": (
        *("bool_param 1 bool?", "int64_param 2 int64?", "string_param 3 string?"),
        *("double_param 4 double?", "uint64_param 5 uint64?"),
    ),
    "InferTensorContents": (
        *(
            "bool_contents 1 bool*",
            "int_contents 2 int32*",
            "int64_contents 3 int64*",
            "uint_contents 4 uint32*",
        ),
        *(
            "uint64_contents 5 uint64*",
            "fp32_contents 6 float*",
            "fp64_contents 7 double*",
            "bytes_contents 8 bytes*",
        ),
    ),
    "ModelInferRequest": (
        *("model_name 1 string", "model_version 2 string", "id 3 string", "parameters 4 map"),
        *(
            "inputs 5 ModelInferRequest.InferInputTensor*",
            "outputs 6 ModelInferRequest.InferRequestedOutputTensor*",
        ),
        "raw_input_contents 7 bytes*",
    ),
    "ModelInferRequest.InferInputTensor": (
        *(
            "name 1 string",
            "datatype 2 string",
            "shape 3 int64*",
            "parameters 4 map",
            "contents 5 InferTensorContents",
        ),
    ),
    "ModelInferRequest.InferRequestedOutputTensor": ("name 1 string", "parameters 2 map"),
    "ModelInferResponse": (
        *("model_name 1 string", "model_version 2 string", "id 3 string", "parameters 4 map"),
        *("outputs 5 ModelInferResponse.InferOutputTensor*", "raw_output_contents 6 bytes*"),
    ),
    "ModelInferResponse.InferOutputTensor": (
        *(
            "name 1 string",
            "datatype 2 string",
            "shape 3 int64*",
            "parameters 4 map",
            "contents 5 InferTensorContents",
        ),
    ),
    "RepositoryIndexRequest": ("repository_name 1 string", "ready 2 bool"),
    "RepositoryIndexResponse": ("models 1 RepositoryIndexResponse.ModelIndex*",),
    "RepositoryIndexResponse.ModelIndex": (
        "name 1 string",
        "version 2 string",
        "state 3 string",
        "reason 4 string",
    ),
}

_TYPES = {
    name: getattr(FieldDescriptorProto, f"TYPE_{name.upper()}")
    for name in ("bool", "string", "int32", "int64", "uint32", "uint64", "float", "double", "bytes")
}


def _described() -> FileDescriptorProto:
    file = FileDescriptorProto(
        name="placid/open_inference_protocol.proto", package="inference", syntax="proto3"
    )
    made: dict[str, DescriptorProto] = {}
    for name, fields in MESSAGES.items():
        outer, _, inner = name.rpartition(".")
        one = made[outer].nested_type.add(name=inner) if outer else file.message_type.add(name=name)
        made[name] = one
        for told in fields:
            _add_field(one, f".inference.{name}", *told.split())
    return file


def _add_field(message: DescriptorProto, path: str, name: str, number: str, kind: str) -> None:
    field = message.field.add(name=name, number=int(number))
    field.label = FieldDescriptorProto.LABEL_OPTIONAL
    if kind == "map":
        entry = message.nested_type.add(name="ParametersEntry")
        entry.options.map_entry = True
        _add_field(entry, "", "key", "1", "string")
        _add_field(entry, "", "value", "2", "InferParameter")
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f"{path}.ParametersEntry"
        field.label = FieldDescriptorProto.LABEL_REPEATED
        return
    if kind.endswith("*"):
        field.label = FieldDescriptorProto.LABEL_REPEATED
    if kind.endswith("?"):
        if not message.oneof_decl:
            message.oneof_decl.add(name="parameter_choice")
        field.oneof_index = 0
    kind = kind.rstrip("*?")
    if kind in _TYPES:
        field.type = _TYPES[kind]
    else:
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".inference.{kind}"


_POOL = DescriptorPool()
_POOL.AddSerializedFile(_described().SerializeToString())


def message(name: str) -> Any:
    """The class of a message."""
    return GetMessageClass(_POOL.FindMessageTypeByName(f"inference.{name}"))
