"""Requests, responses and what is told of models, from and to the messages of gRPC."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np

from placid.runtime.protocol.messages import (
    DATATYPES,
    InferRequest,
    InferResponse,
    ModelMetadata,
    Parameter,
    ProtocolError,
    Tensor,
    TensorMetadata,
)
from placid.runtime.rpc.schema import message

__all__ = ["read_request", "write_config", "write_metadata", "write_response"]

#: which field of `InferTensorContents` holds the elements of a datatype; FP16 has none
_CONTENTS = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
#: parameters of tensors that ask for other content than what is sent: they cannot be left unheard
_UNKNOWN = ("shared_memory_region", "classification")
_MOST_INT64 = (1 << 63) - 1


def read_request(told: Any) -> InferRequest:
    """The request in a `ModelInferRequest`, of which the inputs are raw or typed, not both.

    Raises:
        ProtocolError: it is no request.
    """
    if not told.inputs:
        raise ProtocolError("the request has no 'inputs'")
    raw = told.raw_input_contents
    if raw and len(raw) != len(told.inputs):
        raise ProtocolError(f"{len(told.inputs)} inputs, but {len(raw)} in 'raw_input_contents'")
    inputs = []
    for i, tensor in enumerate(told.inputs):
        _check_parameters(tensor, "input")
        if raw and tensor.HasField("contents"):
            raise ProtocolError(
                f"tensor '{tensor.name}' has 'contents' beside 'raw_input_contents': leave one out"
            )
        data = raw[i] if raw else _packed(tensor)
        inputs.append(Tensor(tensor.name, tensor.datatype, tuple(tensor.shape), data))
        if tensor.datatype == "BYTES" and not raw:
            _check_count(tensor)
    for output in told.outputs:
        _check_parameters(output, "output")
    return InferRequest(
        told.model_name,
        tuple(inputs),
        told.model_version,
        told.id,
        tuple(o.name for o in told.outputs),
        {key: _read_parameter(key, value) for key, value in told.parameters.items()},
    )


def write_response(answer: InferResponse) -> Any:
    """The `ModelInferResponse` of `answer`, with raw contents."""
    made = message("ModelInferResponse")(model_name=answer.model, model_version=answer.version, id=answer.id)
    for tensor in answer.outputs:
        made.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
        made.raw_output_contents.append(bytes(tensor.data))
    for key, value in answer.parameters.items():
        _write_parameter(made.parameters[key], value)
    return made


def write_metadata(model: ModelMetadata) -> Any:
    """The `ModelMetadataResponse` of `model`."""
    made = message("ModelMetadataResponse")(name=model.name, versions=model.versions, platform=model.platform)
    for tensors, told in ((model.inputs, made.inputs), (model.outputs, made.outputs)):
        for tensor in tensors:
            told.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
    return made


def write_config(model: ModelMetadata) -> Any:
    """The `ModelConfig` of `model`: shapes have the batch in them."""

    def told(tensors: Iterable[TensorMetadata]) -> list[dict[str, Any]]:
        return [{"name": t.name, "data_type": t.config_datatype, "dims": t.shape} for t in tensors]

    return message("ModelConfig")(
        name=model.name, platform=model.platform, input=told(model.inputs), output=told(model.outputs)
    )


def _check_parameters(tensor: Any, what: str) -> None:
    for key in _UNKNOWN:
        if key in tensor.parameters:
            raise ProtocolError(
                f"{what} '{tensor.name}' has the parameter '{key}', which this server does not know"
            )


def _check_count(tensor: Any) -> None:
    due, given = prod(tensor.shape), len(tensor.contents.bytes_contents)
    if given != due:
        raise ProtocolError(
            f"tensor '{tensor.name}' of BYTES {list(tensor.shape)} needs {due} elements, got {given}"
        )


def _packed(tensor: Any) -> bytes:
    """The bytes of typed contents."""
    field = _CONTENTS.get(tensor.datatype)
    if field is None:
        known = ", ".join(_CONTENTS)
        raise ProtocolError(
            f"tensor '{tensor.name}' of '{tensor.datatype}' needs raw contents. Typed ones: {known}"
        )
    values = list(
        getattr(tensor.contents, field)
    )  # as numbers of Python: arrays would wrap what does not fit
    if tensor.datatype == "BYTES":
        return b"".join(part for v in values for part in (struct.pack("<I", len(v)), v))
    try:
        return np.array(values, dtype=DATATYPES[tensor.datatype]).tobytes()
    except OverflowError as error:
        raise ProtocolError(f"tensor '{tensor.name}' of {tensor.datatype}: {error}") from None


def _read_parameter(key: str, told: Any) -> Parameter:
    chosen = told.WhichOneof("parameter_choice")
    if chosen is None:
        raise ProtocolError(f"the parameter '{key}' has no value")
    found: Parameter = getattr(told, chosen)
    return found


def _write_parameter(made: Any, value: Parameter) -> None:
    if isinstance(value, bool):
        made.bool_param = value
    elif isinstance(value, int) and value <= _MOST_INT64:
        made.int64_param = value
    elif isinstance(value, int):
        made.uint64_param = value
    elif isinstance(value, float):
        made.double_param = value
    else:
        made.string_param = value
