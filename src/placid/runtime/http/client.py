"""Asking a node, over connections that are kept."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import deque
from typing import cast
from urllib.parse import quote

import httptools

from placid.runtime.protocol.messages import InferRequest, InferResponse, Origin, ProtocolError
from placid.runtime.protocol.rest import read_response, write_request

__all__ = ["HttpClient"]


class HttpClient:
    """Keeps connections to one server, as many as are needed at a time, up to `most_connections`.

    A request is never sent twice: it is given another connection only if the first was found closed before anything
    was written to it.

    Args:
        timeout_s: for a response, unless a call says otherwise; to connect, a fifth of that.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
        most_connections: int = 256,
        timeout_s: float = 30.0,
    ) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._timeout_s = timeout_s
        self._free: deque[_Connection] = deque()
        self._slots = asyncio.Semaphore(most_connections)
        self._closed = False
        bearer = f"authorization: Bearer {token}\r\n" if token else ""
        self._head = f"host: {host}:{port}\r\n{bearer}"

    async def infer(self, request: InferRequest, *, timeout_s: float | None = None) -> InferResponse:
        """The answer to `request`.

        Raises:
            ProtocolError: the server refuses (its status), cannot be reached (503), or does not answer in time (504).
        """
        body, json_bytes = write_request(request)
        trace = "" if request.origin is None else _trace(request.origin)
        version = f"/versions/{quote(request.version, safe='')}" if request.version else ""
        status, headers, answer = await self._ask(
            f"POST /v2/models/{quote(request.model, safe='')}{version}/infer",
            f"inference-header-content-length: {json_bytes}\r\ncontent-type: application/octet-stream\r\n{trace}",
            body,
            timeout_s,
        )
        if status != 200:
            raise ProtocolError(_reason(answer, status), status=status)
        told = headers.get("inference-header-content-length")
        return read_response(answer, None if told is None else int(told))

    async def get(self, path: str, *, timeout_s: float | None = None) -> tuple[int, bytes]:
        """Status and body."""
        status, _, body = await self._ask(f"GET {path}", "", b"", timeout_s)
        return status, body

    async def post(
        self,
        path: str,
        body: bytes,
        *,
        content_type: str = "application/json",
        timeout_s: float | None = None,
    ) -> tuple[int, bytes]:
        """Status and body."""
        status, _, answer = await self._ask(
            f"POST {path}", f"content-type: {content_type}\r\n", body, timeout_s
        )
        return status, answer

    async def close(self) -> None:
        """Hang up; calls that are out fail."""
        self._closed = True
        while self._free:
            self._free.popleft().transport.close()

    async def _ask(
        self, line: str, headers: str, body: bytes, timeout_s: float | None
    ) -> tuple[int, dict[str, str], bytes]:
        data = (
            f"{line} HTTP/1.1\r\n{self._head}{headers}content-length: {len(body)}\r\n\r\n".encode("latin-1")
            + body
        )
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        async with self._slots:
            connection = await self._connection(limit_s)
            try:
                answer = await connection.ask(data, limit_s)
            except TimeoutError:
                connection.transport.abort()
                raise ProtocolError(f"{self._who} did not answer within {limit_s:g} s", status=504) from None
            except asyncio.CancelledError:
                connection.transport.abort()
                raise
            except ConnectionError as error:
                raise ProtocolError(
                    f"{self._who} hung up: {error or 'connection lost'}", status=503
                ) from None
            if connection.usable and not self._closed:
                self._free.append(connection)
            else:
                connection.transport.close()
            return answer

    async def _connection(self, limit_s: float) -> _Connection:
        if self._closed:
            raise ProtocolError(f"the client of {self._who} is closed", status=503)
        while self._free:
            connection = self._free.pop()
            if connection.usable:
                return connection
        loop = asyncio.get_running_loop()
        try:
            _, made = await asyncio.wait_for(
                loop.create_connection(_Connection, self._host, self._port, ssl=self._tls),
                min(limit_s, self._timeout_s / 5),
            )
        except TimeoutError:
            raise ProtocolError(f"{self._who} cannot be reached: no connection in time", status=503) from None
        except (OSError, ssl.SSLError) as error:
            raise ProtocolError(f"{self._who} cannot be reached: {error}", status=503) from None
        return made

    @property
    def _who(self) -> str:
        return f"{self._host}:{self._port}"


class _Connection(asyncio.Protocol):
    """One request at a time."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.usable = True
        self._answer: asyncio.Future[tuple[int, dict[str, str], bytes]] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, data: bytes, limit_s: float) -> tuple[int, dict[str, str], bytes]:
        loop = asyncio.get_running_loop()
        if not self.usable or self.transport.is_closing():
            # closed by the other side as soon as it was open: nothing has been sent
            raise ConnectionError("connection closed before anything was sent")
        self._answer = loop.create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._timer = loop.call_later(limit_s, self._late)
        self.transport.write(data)
        try:
            return await self._answer
        finally:
            self._timer.cancel()
            self._answer = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are of no common class

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.usable = False  # nobody asked
            self.transport.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.usable = False
            self._fail(ConnectionError(f"what came is no HTTP response ({error})"))

    def eof_received(self) -> bool:
        self.usable = False
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        self._fail(ConnectionError(str(exc or "")))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self.usable = self.usable and self._parser.should_keep_alive()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((self._parser.get_status_code(), self._headers, b"".join(self._body)))

    def _late(self) -> None:
        self.usable = False
        self._fail(TimeoutError())

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def _reason(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return f"status {status}"


def _trace(origin: Origin) -> str:
    """The headers of W3C trace context."""
    state = f"tracestate: {origin.tracestate}\r\n" if origin.tracestate else ""
    return f"traceparent: {origin.traceparent}\r\n{state}"
