"""Requests and responses as REST bodies: JSON, and the binary tensor extension behind it.

A body is JSON, or JSON of which the header ``Inference-Header-Content-Length`` says how long it is, then the bytes of the
tensors whose parameter ``binary_data_size`` says how many are theirs, in order.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from placid.runtime.protocol.messages import (
    DATATYPES,
    MOST_DIMENSIONS,
    InferRequest,
    InferResponse,
    ModelMetadata,
    Parameter,
    ProtocolError,
    Tensor,
    TensorMetadata,
)

__all__ = ["metadata_body", "read_request", "read_response", "write_request", "write_response"]

_SIZE, _WANTED, _ALL = "binary_data_size", "binary_data", "binary_data_output"
#: parameters of the request that clients of Triton send and that are no concern of the model
_DROPPED = (_ALL,)


def read_request(
    model: str, version: str, body: bytes, json_bytes: int | None
) -> tuple[InferRequest, frozenset[str] | None]:
    """A request, and which outputs are to be binary; None for all.

    Args:
        json_bytes: length of the JSON part; None if all of the body is JSON.

    Raises:
        ProtocolError: the body is no request.
    """
    head, rest = _parted(body, json_bytes)
    told = _object(head, "the request")
    parameters = _parameters(told.get("parameters"), "the request")
    outputs = told.get("outputs") or []
    if not isinstance(outputs, list):
        raise ProtocolError("'outputs' must be a list")
    wanted, binary = [], set()
    everything = bool(parameters.get(_ALL, False))
    for output in outputs:
        if not isinstance(output, dict) or not isinstance(output.get("name"), str):
            raise ProtocolError("every output needs a 'name'")
        wanted.append(output["name"])
        asked = _parameters(output.get("parameters"), f"output '{output['name']}'")
        if asked.get(_WANTED, everything):
            binary.add(output["name"])
    request = InferRequest(
        model,
        _tensors(told.get("inputs"), rest, "inputs"),
        version,
        _text(told.get("id", ""), "'id'"),
        tuple(wanted),
        {k: v for k, v in parameters.items() if k not in _DROPPED},
    )
    if not request.inputs:
        raise ProtocolError("the request has no 'inputs'")
    return request, None if everything and not outputs else frozenset(binary)


def write_request(request: InferRequest) -> tuple[bytes, int]:
    """The body of `request`, all tensors binary, and the length of its JSON part."""
    told: dict[str, Any] = {"inputs": [_binary(t) for t in request.inputs]}
    if request.id:
        told["id"] = request.id
    told["parameters"] = {**request.parameters, _ALL: True}
    if request.outputs:
        told["outputs"] = [{"name": name, "parameters": {_WANTED: True}} for name in request.outputs]
    return _joined(told, request.inputs)


def write_response(response: InferResponse, binary: frozenset[str] | None) -> tuple[bytes, int | None]:
    """The body of `response`, and the length of its JSON part, None if that is all.

    Args:
        binary: outputs whose content goes behind the JSON; None for all.
    """
    behind = [t for t in response.outputs if binary is None or t.name in binary]
    told: dict[str, Any] = {"model_name": response.model, "model_version": response.version}
    if response.id:
        told["id"] = response.id
    if response.parameters:
        told["parameters"] = dict(response.parameters)
    told["outputs"] = [
        _binary(t) if binary is None or t.name in binary else _plain(t) for t in response.outputs
    ]
    if not behind:
        return orjson.dumps(told), None
    return _joined(told, behind)


def read_response(body: bytes, json_bytes: int | None) -> InferResponse:
    """Raises ProtocolError if the body is no response."""
    head, rest = _parted(body, json_bytes)
    told = _object(head, "the response")
    return InferResponse(
        _text(told.get("model_name", ""), "'model_name'"),
        _tensors(told.get("outputs"), rest, "outputs"),
        _text(told.get("model_version", "1"), "'model_version'"),
        _text(told.get("id", ""), "'id'"),
        _parameters(told.get("parameters"), "the response"),
    )


def metadata_body(model: ModelMetadata) -> bytes:
    """What is told of a model."""
    return orjson.dumps(
        {
            "name": model.name,
            "versions": list(model.versions),
            "platform": model.platform,
            "inputs": [_about(t) for t in model.inputs],
            "outputs": [_about(t) for t in model.outputs],
        }
    )


def _about(tensor: TensorMetadata) -> dict[str, Any]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}


def _joined(told: Mapping[str, Any], tensors: Sequence[Tensor]) -> tuple[bytes, int]:
    head = orjson.dumps(told)
    return b"".join((head, *(t.data for t in tensors))), len(head)


def _binary(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "datatype": tensor.datatype,
        "shape": list(tensor.shape),
        "parameters": {_SIZE: len(tensor.data)},
    }


def _plain(tensor: Tensor) -> dict[str, Any]:
    told = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
    if tensor.datatype == "BYTES":
        try:
            return told | {"data": [e.decode() for e in tensor.elements()]}
        except UnicodeDecodeError:
            raise ProtocolError(f"output '{tensor.name}' is no text: ask for it as binary data") from None
    if tensor.datatype == "FP16":
        raise ProtocolError(
            f"output '{tensor.name}' is of FP16, which JSON has no form for: ask for binary data"
        )
    array = tensor.array().ravel()
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ProtocolError(
            f"output '{tensor.name}' holds numbers that JSON has no form for: ask for binary data"
        )
    return told | {"data": array.tolist()}


def _parted(body: bytes, json_bytes: int | None) -> tuple[memoryview, memoryview]:
    whole = memoryview(body)
    if json_bytes is None:
        return whole, whole[:0]
    if not 0 < json_bytes <= len(body):
        raise ProtocolError(
            f"Inference-Header-Content-Length says {json_bytes} bytes of JSON, the body has {len(body)}"
        )
    return whole[:json_bytes], whole[json_bytes:]


def _object(data: memoryview, what: str) -> dict[str, Any]:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ProtocolError(f"{what} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise ProtocolError(f"{what} must be a JSON object")
    return found


def _tensors(told: object, rest: memoryview, what: str) -> tuple[Tensor, ...]:
    if told is None:
        return ()
    if not isinstance(told, list):
        raise ProtocolError(f"'{what}' must be a list")
    found, at = [], 0
    for one in told:
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise ProtocolError(f"every one of '{what}' needs a 'name'")
        name, datatype, shape = one["name"], one.get("datatype"), one.get("shape")
        if not isinstance(datatype, str):
            raise ProtocolError(f"tensor '{name}' needs a 'datatype'")
        if not isinstance(shape, list) or not all(type(s) is int and 0 <= s < 1 << 31 for s in shape):
            raise ProtocolError(f"tensor '{name}' needs a 'shape' of whole numbers from 0 on")
        if len(shape) > MOST_DIMENSIONS:
            raise ProtocolError(
                f"tensor '{name}' has {len(shape)} dimensions, at most {MOST_DIMENSIONS} are taken"
            )
        size = _parameters(one.get("parameters"), f"tensor '{name}'").get(_SIZE)
        data: bytes | memoryview
        if size is not None:
            if type(size) is not int or not 0 <= size <= len(rest) - at:
                raise ProtocolError(
                    f"tensor '{name}' says that {size} bytes of binary data are its own, {len(rest) - at} are left"
                )
            data = rest[at : at + size]
            at += size
        else:
            data = _packed(name, datatype, shape, one.get("data"))
        found.append(Tensor(name, datatype, tuple(shape), data))
    if at != len(rest):
        raise ProtocolError(f"{len(rest) - at} bytes of binary data belong to no tensor")
    return tuple(found)


def _packed(name: str, datatype: str, shape: list[int], data: object) -> bytes:
    """The bytes of numbers as JSON has them, nested or not."""
    if not isinstance(data, list):
        raise ProtocolError(f"tensor '{name}' has neither 'data' nor '{_SIZE}'")
    flat = _flat(data)
    if len(flat) != math.prod(shape):
        raise ProtocolError(
            f"tensor '{name}' of shape {shape} needs {math.prod(shape)} numbers, got {len(flat)}"
        )
    if datatype == "BYTES":
        if not all(isinstance(e, str) for e in flat):
            raise ProtocolError(f"tensor '{name}' of BYTES needs text in 'data'")
        return b"".join(struct.pack("<I", len(e)) + e for e in (str(t).encode() for t in flat))
    if datatype == "FP16":
        raise ProtocolError(f"tensor '{name}' is of FP16, which JSON has no form for: send it as binary data")
    if datatype not in DATATYPES:
        return b""  # `Tensor` says which there are
    kind = DATATYPES[datatype].kind
    fits = (bool,) if kind == "b" else (int,) if kind in "iu" else (int, float)
    if not all(type(e) in fits for e in flat):
        raise ProtocolError(f"tensor '{name}' of {datatype} holds data of another type")
    try:
        return np.array(flat, dtype=DATATYPES[datatype]).tobytes()
    except (OverflowError, ValueError, TypeError) as error:
        raise ProtocolError(f"tensor '{name}' of {datatype}: {error}") from None


def _flat(data: list[Any]) -> list[Any]:
    flat: list[Any] = []
    stack = [iter(data)]
    while stack:
        for one in stack[-1]:
            if isinstance(one, list):
                if len(stack) > 32:
                    raise ProtocolError("'data' is nested too deeply")
                stack.append(iter(one))
                break
            flat.append(one)
        else:
            stack.pop()
    return flat


def _parameters(told: object, what: str) -> dict[str, Parameter]:
    if told is None:
        return {}
    if not isinstance(told, dict):
        raise ProtocolError(f"'parameters' of {what} must be an object")
    for key, value in told.items():
        if not isinstance(value, bool | int | float | str):
            raise ProtocolError(f"parameter '{key}' of {what} must be a number, text, true or false")
    return told


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise ProtocolError(f"{what} must be text")
    return value
