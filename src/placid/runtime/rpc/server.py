"""`inference.GRPCInferenceService`, in the event loop of whoever serves."""

from __future__ import annotations

import hmac
import logging
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import numpy as np
from google.protobuf.message import DecodeError

from placid.runtime.protocol.messages import (
    DATATYPES,
    InferRequest,
    InferResponse,
    ModelMetadata,
    Parameter,
    ProtocolError,
    Tensor,
)
from placid.runtime.protocol.serving import Serving
from placid.runtime.rpc.schema import SERVICE, message

__all__ = ["GrpcServer", "serve_grpc"]

_LOG = logging.getLogger("placid.grpc")
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
#: which field of `InferTensorContents` holds the numbers of a datatype
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


class GrpcServer:
    """A server that listens; `close` it."""

    def __init__(self, server: Any, port: int) -> None:
        self._server = server
        self.port = port

    async def close(self, grace_s: float = 5.0) -> None:
        """Take no more requests, answer those that came, for at most `grace_s`."""
        await self._server.stop(grace_s)


async def serve_grpc(
    serving: Serving,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    token: str | None = None,
    most_bytes: int = 16 << 20,
) -> GrpcServer:
    """Listen.

    Args:
        port: 0 for any that is free.
        token: if given, everything but health needs the metadata ``authorization: Bearer <token>``.
        most_bytes: of a request.

    Raises:
        RuntimeError: the port is taken.
    """
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", most_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ]
    )
    verbs = _Verbs(serving)
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            _guarded(
                getattr(verbs, _snake(name)),
                message(f"{name}Request"),
                None if name in ("ServerLive", "ServerReady") else token,
            ),
            response_serializer=message(f"{name}Response").SerializeToString,
        )
        for name in (
            *("ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer"),
            "RepositoryIndex",
        )
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    bound = server.add_insecure_port(f"{host}:{port}")
    await server.start()
    return GrpcServer(server, bound)


def _guarded(
    verb: Callable[[Any], Awaitable[Any]], kind: Any, token: str | None
) -> Callable[[bytes, Any], Awaitable[Any]]:
    """`verb`, from the bytes of a request of `kind`, with errors as gRPC tells them."""

    async def asked(data: bytes, context: Any) -> Any:
        if token is not None:
            given = dict(context.invocation_metadata() or ()).get("authorization", "")
            if not hmac.compare_digest(str(given).encode(), f"Bearer {token}".encode()):
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is missing or wrong")
        try:
            return await verb(kind.FromString(data))
        except DecodeError as error:
            code, told = grpc.StatusCode.INVALID_ARGUMENT, f"this is no {kind.DESCRIPTOR.name}: {error}"
        except ProtocolError as error:
            code, told = _CODES.get(error.status, grpc.StatusCode.INTERNAL), str(error)
        except Exception:
            _LOG.exception("a call failed")
            code, told = grpc.StatusCode.INTERNAL, "this failed inside the server; its log says more"
        await context.abort(code, told)
        raise AssertionError("abort raises")

    return asked


class _Verbs:
    """Each call of the service, from its request message to its response message."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    async def server_live(self, request: Any) -> Any:
        return message("ServerLiveResponse")(live=self._serving.live())

    async def server_ready(self, request: Any) -> Any:
        return message("ServerReadyResponse")(ready=self._serving.ready())

    async def model_ready(self, request: Any) -> Any:
        self._serving.model(request.name, request.version)
        return message("ModelReadyResponse")(ready=self._serving.ready())

    async def server_metadata(self, request: Any) -> Any:
        return message("ServerMetadataResponse")(
            name=self._serving.name, version=self._serving.version, extensions=["model_repository"]
        )

    async def model_metadata(self, request: Any) -> Any:
        return _metadata(self._serving.model(request.name, request.version))

    async def repository_index(self, request: Any) -> Any:
        index = message("RepositoryIndexResponse.ModelIndex")
        return message("RepositoryIndexResponse")(
            models=[index(name=m.name, version=m.versions[-1], state="READY") for m in self._serving.models()]
        )

    async def model_infer(self, request: Any) -> Any:
        return _response(await self._serving.infer(_request(request)))


def _request(told: Any) -> InferRequest:
    raw = list(told.raw_input_contents)
    if raw and len(raw) != len(told.inputs):
        raise ProtocolError(f"{len(told.inputs)} inputs, but {len(raw)} raw contents")
    if not told.inputs:
        raise ProtocolError("the request has no 'inputs'")
    inputs = tuple(
        Tensor(t.name, t.datatype, tuple(t.shape), raw[i] if raw else _packed(t))
        for i, t in enumerate(told.inputs)
    )
    return InferRequest(
        told.model_name,
        inputs,
        told.model_version,
        told.id,
        tuple(o.name for o in told.outputs),
        {key: _value(value) for key, value in told.parameters.items()},
    )


def _packed(tensor: Any) -> bytes:
    field = _CONTENTS.get(tensor.datatype)
    if field is None:
        known = ", ".join(_CONTENTS)
        raise ProtocolError(
            f"tensor '{tensor.name}' of '{tensor.datatype}' needs raw contents. Typed ones: {known}"
        )
    values = list(getattr(tensor.contents, field))
    if tensor.datatype == "BYTES":
        return b"".join(struct.pack("<I", len(v)) + v for v in values)
    try:
        return np.array(values, dtype=DATATYPES[tensor.datatype]).tobytes()
    except OverflowError as error:
        raise ProtocolError(f"tensor '{tensor.name}' of {tensor.datatype}: {error}") from None


def _response(answer: InferResponse) -> Any:
    tensor = message("ModelInferResponse.InferOutputTensor")
    made = message("ModelInferResponse")(
        model_name=answer.model,
        model_version=answer.version,
        id=answer.id,
        outputs=[tensor(name=t.name, datatype=t.datatype, shape=list(t.shape)) for t in answer.outputs],
        raw_output_contents=[bytes(t.data) for t in answer.outputs],
    )
    for key, value in answer.parameters.items():
        made.parameters[key].CopyFrom(_parameter(value))
    return made


def _parameter(value: Parameter) -> Any:
    kind = message("InferParameter")
    if isinstance(value, bool):
        return kind(bool_param=value)
    if isinstance(value, int):
        return kind(int64_param=value)
    return kind(double_param=value) if isinstance(value, float) else kind(string_param=value)


def _value(parameter: Any) -> Parameter:
    chosen = parameter.WhichOneof("parameter_choice")
    if chosen is None:
        raise ProtocolError("a parameter has no value")
    found: Parameter = getattr(parameter, chosen)
    return found


def _metadata(model: ModelMetadata) -> Any:
    tensor = message("ModelMetadataResponse.TensorMetadata")

    def told(tensors: Any) -> list[Any]:
        return [tensor(name=t.name, datatype=t.datatype, shape=list(t.shape)) for t in tensors]

    return message("ModelMetadataResponse")(
        name=model.name,
        versions=list(model.versions),
        platform=model.platform,
        inputs=told(model.inputs),
        outputs=told(model.outputs),
    )


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
