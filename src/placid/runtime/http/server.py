"""The protocol's REST endpoints over HTTP/1.1."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from urllib.parse import unquote

from placid.runtime.http.connection import Connection, Handle, Limits, Pending, Reply, Request, error_reply
from placid.runtime.protocol.messages import ModelMetadata, Origin, ProtocolError, TensorMetadata
from placid.runtime.protocol.rest import metadata_body, read_request, write_response
from placid.runtime.protocol.serving import Serving
from placid.runtime.protocol.token import check_token

__all__ = ["Extra", "HttpServer", "listen", "serve_http"]

#: takes a body and headers, gives a status, a content type and a body
Extra = Callable[[bytes, Mapping[str, str]], Awaitable[tuple[int, str, bytes]]]
_LENGTH = "inference-header-content-length"
_EXTENSIONS = ["binary_tensor_data", "model_configuration", "model_repository", "statistics"]


class HttpServer:
    """A server that listens; `close` it."""

    def __init__(self, server: asyncio.Server, open_: set[Connection]) -> None:
        self._server = server
        self._open = open_
        self.port: int = server.sockets[0].getsockname()[1]

    async def close(self, grace_s: float = 5.0) -> None:
        """Take no more requests, answer those that came, for at most `grace_s`."""
        self._server.close()
        for connection in tuple(self._open):
            connection.shut()
        deadline = asyncio.get_running_loop().time() + grace_s
        while self._open and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        for connection in tuple(self._open):
            connection.abort()
        await self._server.wait_closed()


async def serve_http(
    serving: Serving,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    limits: Limits | None = None,
    extra: Mapping[tuple[str, str], Extra] | None = None,
    token: str | None = None,
    tls: ssl.SSLContext | None = None,
    pending: Pending | None = None,
) -> HttpServer:
    """Listen.

    Args:
        port: 0 for any that is free.
        extra: (method, path) -> handler, beside the protocol's.
        token: if given, everything but health needs ``Authorization: Bearer <token>``.
        pending: counts what waits for an answer, for whoever wants to know.

    Raises:
        OSError: the port is taken.
    """
    return await listen(_Endpoints(serving, extra or {}, token), host, port, limits, tls, pending)


async def listen(
    handle: Handle,
    host: str,
    port: int,
    limits: Limits | None = None,
    tls: ssl.SSLContext | None = None,
    pending: Pending | None = None,
) -> HttpServer:
    """Let `handle` answer whatever is asked.

    Raises:
        OSError: the port is taken.
    """
    open_: set[Connection] = set()
    given, counted = limits or Limits(), pending or Pending()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(handle, given, open_, counted), host, port, ssl=tls, backlog=1024
    )
    return HttpServer(server, open_)


class _Endpoints:
    """From a target to an answer."""

    def __init__(self, serving: Serving, extra: Mapping[tuple[str, str], Extra], token: str | None) -> None:
        self._serving = serving
        self._extra = extra
        self._extra_paths = {path for _, path in extra}
        self._token = token

    async def __call__(self, request: Request) -> Reply:
        path = request.target.partition("?")[0]
        try:
            if self._token is not None and not path.startswith("/v2/health/"):
                check_token(request.headers.get("authorization", "").encode("latin-1"), self._token)
            if path in self._extra_paths:
                handler = self._extra.get((request.method, path))
                if handler is None:
                    return _wrong_method(", ".join(m for m, p in self._extra if p == path))
                status, content_type, body = await handler(request.body, request.headers)
                return Reply(status, body, content_type)
            return await self._protocol(request, [unquote(p) for p in path.strip("/").split("/")])
        except ProtocolError as error:
            return error_reply(error.status, str(error))

    async def _protocol(self, request: Request, parts: list[str]) -> Reply:
        serving = self._serving
        if parts[0] != "v2":
            raise ProtocolError(f"there is nothing at {request.target}", status=404)
        match parts[1:]:
            case ["models", name, "infer"]:
                return await self._infer(request, name, "")
            case ["models", name, "versions", version, "infer"]:
                return await self._infer(request, name, version)
            case ["repository", "index"]:
                if request.method != "POST":
                    return _wrong_method("POST")
                state = "READY" if serving.ready() else "UNAVAILABLE"
                index = [
                    {"name": m.name, "version": m.versions[-1], "state": state} for m in serving.models()
                ]
                return _json(index)
        if request.method not in ("GET", "HEAD"):
            return _wrong_method("GET")
        match parts[1:]:
            case []:
                return _json({"name": serving.name, "version": serving.version, "extensions": _EXTENSIONS})
            case ["health", "live"]:
                return Reply(200 if serving.live() else 503)
            case ["health", "ready"]:
                return Reply(200 if serving.ready() else 503)
            case ["models", "stats"]:
                return _json({"model_stats": [_stats(m) for m in serving.models()]})
            case ["models", name]:
                return Reply(200, metadata_body(serving.model(name)))
            case ["models", name, "versions", version]:
                return Reply(200, metadata_body(serving.model(name, version)))
            case ["models", name, *rest]:
                version = rest[1] if rest[:1] == ["versions"] and len(rest) > 2 else ""
                model = serving.model(name, version)
                match rest[2:] if version else rest:
                    case ["ready"]:
                        return Reply(200 if serving.ready() else 503)
                    case ["config"]:
                        return _json(_config(model))
                    case ["stats"]:
                        return _json({"model_stats": [_stats(model)]})
        raise ProtocolError(f"there is nothing at {request.target}", status=404)

    async def _infer(self, request: Request, name: str, version: str) -> Reply:
        if request.method != "POST":
            return _wrong_method("POST")
        told = request.headers.get(_LENGTH)
        if told is not None and not told.isdigit():
            raise ProtocolError(
                f"Inference-Header-Content-Length must be a number of bytes, got '{told[:40]}'"
            )
        asked, binary = read_request(name, version, request.body, None if told is None else int(told))
        traceparent = request.headers.get("traceparent")
        if traceparent is not None:
            asked = replace(asked, origin=Origin(traceparent, request.headers.get("tracestate", "")))
        response = await self._serving.infer(asked)
        body, json_bytes = write_response(response, binary)
        if json_bytes is None:
            return Reply(200, body)
        return Reply(
            200, body, "application/octet-stream", (("inference-header-content-length", str(json_bytes)),)
        )


def _json(what: object) -> Reply:
    return Reply(200, json.dumps(what).encode())


def _wrong_method(allowed: str) -> Reply:
    return error_reply(405, f"this takes {allowed}", ("allow", allowed))


def _config(model: ModelMetadata) -> dict[str, object]:
    return {
        "name": model.name,
        "platform": model.platform,
        "max_batch_size": 0,
        "input": [_configured(t) for t in model.inputs],
        "output": [_configured(t) for t in model.outputs],
    }


def _configured(tensor: TensorMetadata) -> dict[str, object]:
    return {"name": tensor.name, "data_type": tensor.config_datatype, "dims": list(tensor.shape)}


def _stats(model: ModelMetadata) -> dict[str, object]:
    return {"name": model.name, "version": model.versions[-1]}
