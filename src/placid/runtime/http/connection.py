"""One connection of a client: requests in, one after another; answers out, in the order of the requests."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import zlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

import httptools

from placid.runtime.http.eager import start

__all__ = ["Connection", "Handle", "Limits", "Pending", "Reply", "Request", "error_reply"]

#: for which a connection has to be the only one that asks, before its requests are answered where they come
_QUIET_S = 3e-3
_LOG = logging.getLogger("placid.http")


@dataclass(frozen=True)
class Limits:
    """What a client may ask of a server.

    Attributes:
        body_bytes: of a request, unpacked if it was compressed.
        header_bytes: of one request, all headers and the target together.
        arrival_s: for a request to arrive completely once it has begun.
        idle_s: for which a connection may stand unused.
        connections: at a time.
        waiting: requests of one connection that were sent before the first was answered.
    """

    body_bytes: int = 16 << 20
    header_bytes: int = 16 << 10
    arrival_s: float = 20.0
    idle_s: float = 120.0
    connections: int = 1000
    waiting: int = 64


@dataclass
class Pending:
    """How many requests have arrived and are not answered, over all connections that share it."""

    count: int = 0
    _last: object = None
    _last_s: float = 0.0

    def quiet_but_for(self, who: object, now_s: float) -> bool:
        """Whether nobody but `who` has sent a request of late; it sends one now."""
        quiet = self._last is who or now_s - self._last_s > _QUIET_S
        self._last, self._last_s = who, now_s
        return quiet and self.count <= 1


@dataclass(frozen=True, slots=True)
class Request:
    """A request that has arrived: names of headers in small letters."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


Handle = Callable[[Request], Awaitable[Reply]]


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Connection(asyncio.Protocol):
    """Parses what comes (llhttp, through httptools), answers in order, and hangs up on whoever goes beyond the limits."""

    def __init__(self, handle: Handle, limits: Limits, open_: set[Connection], pending: Pending) -> None:
        self._handle = handle
        self._limits = limits
        self._open = open_
        self._pending = pending
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[Request | None, _Refused | None, bool]] = deque()
        self._working: asyncio.Task[None] | None = None
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0
        self._writable = asyncio.Event()
        self._writable.set()
        self._arriving = False
        self._paused = False
        self._ending = False
        self._reset()

    # what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are of no common class
        if len(self._open) >= self._limits.connections:
            self._write(error_reply(503, "too many connections"), keep=False)
            transport.close()
            return
        self._open.add(self)
        self._wait(self._limits.idle_s)

    def data_received(self, data: bytes) -> None:
        if self._ending:
            return
        if not self._arriving:
            self._arriving = True
            self._wait(self._limits.arrival_s)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(_Refused(400, "this server upgrades no connection"))
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(
                cause if isinstance(cause, _Refused) else _Refused(400, f"this is no HTTP request: {error}")
            )

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        self._ending = True
        if self._timer is not None:
            self._timer.cancel()
        self._writable.set()
        self._pending.count -= len(self._waiting)
        self._waiting.clear()
        if self._working is not None:
            self._working.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # what the parser calls

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        key, told = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {told}" if key in self._headers else told

    def on_headers_complete(self) -> None:
        length = self._headers.get("content-length", "")
        if length.isdigit() and int(length) > self._limits.body_bytes:
            raise _Refused(413, f"a body has at most {self._limits.body_bytes} bytes")
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > self._limits.body_bytes:
            raise _Refused(413, f"a body has at most {self._limits.body_bytes} bytes")
        self._body.append(body)

    def on_message_complete(self) -> None:
        keep = self._parser.should_keep_alive()
        try:
            body = self._unpacked(b"".join(self._body) if len(self._body) != 1 else self._body[0])
        except _Refused as refused:
            self._queue(None, refused, keep)
        else:
            method = self._parser.get_method().decode("latin-1")
            target = self._url.decode("latin-1")
            self._queue(Request(method, target, self._headers, body), None, keep)
        self._reset()
        self._arriving = False
        self._wait(self._limits.idle_s)

    # the rest

    def shut(self) -> None:
        """Hang up after what has been asked is answered."""
        self._ending = True
        if not self._busy:
            self._transport.close()

    def abort(self) -> None:
        """Hang up now."""
        self._transport.abort()

    def _reset(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0
        self._header_bytes = 0

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > self._limits.header_bytes:
            raise _Refused(431, f"headers have at most {self._limits.header_bytes} bytes")

    def _unpacked(self, body: bytes) -> bytes:
        coding = self._headers.get("content-encoding", "identity").strip().lower()
        if coding in ("", "identity"):
            return body
        if coding not in ("gzip", "deflate"):
            raise _Refused(415, f"content encoding '{coding}' is not known here: gzip, deflate, or none")
        try:
            engine = zlib.decompressobj(wbits=47)  # gzip and zlib alike
            out = engine.decompress(body, self._limits.body_bytes + 1)
        except (zlib.error, gzip.BadGzipFile) as error:
            raise _Refused(400, f"the body is not {coding}: {error}") from None
        if len(out) > self._limits.body_bytes:
            raise _Refused(413, f"a body has at most {self._limits.body_bytes} bytes, unpacked")
        if not engine.eof:
            raise _Refused(400, f"the body is cut short: {coding} without an end")
        return out

    def _queue(self, request: Request | None, refused: _Refused | None, keep: bool) -> None:
        self._waiting.append((request, refused, keep))
        self._pending.count += 1
        if len(self._waiting) > self._limits.waiting and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        eager = self._pending.quiet_but_for(self, self._loop.time())
        if not self._busy:
            self._busy = True
            self._working = start(self._work(), self._loop) if eager else self._loop.create_task(self._work())

    def _refuse(self, refused: _Refused) -> None:
        """Answer what came before, then this, then hang up."""
        self._ending = True
        self._queue(None, refused, False)

    async def _work(self) -> None:
        try:
            while self._waiting:
                request, refused, keep = self._waiting.popleft()
                if self._paused and len(self._waiting) <= self._limits.waiting // 2:
                    self._paused = False
                    self._transport.resume_reading()
                if refused is not None:
                    self._pending.count -= 1
                    reply = error_reply(refused.status, str(refused))
                else:
                    assert request is not None
                    try:
                        reply = await self._answer(request)
                    finally:
                        self._pending.count -= 1
                self._write(reply, keep=keep)
                if not keep:
                    self._transport.close()
                    return
                if not self._writable.is_set():
                    await self._writable.wait()
        finally:
            self._busy, self._working = False, None
            if self._ending and not self._waiting:
                self._transport.close()

    async def _answer(self, request: Request) -> Reply:
        try:
            return await self._handle(request)
        except Exception:
            _LOG.exception("%s %s failed", request.method, request.target)
            return error_reply(500, "this failed inside the server; its log says more")

    def _write(self, reply: Reply, *, keep: bool) -> None:
        head = [
            f"HTTP/1.1 {reply.status} {_PHRASES.get(reply.status, '')}\r\n",
            f"content-type: {reply.content_type}\r\ncontent-length: {len(reply.body)}\r\n",
            *(f"{name}: {value}\r\n" for name, value in reply.headers),
            "\r\n" if keep else "connection: close\r\n\r\n",
        ]
        self._transport.write("".join(head).encode("latin-1") + reply.body)

    def _wait(self, seconds: float) -> None:
        # one timer for many requests: it looks again when it was set too early
        self._due_s = self._loop.time() + seconds
        if self._timer is not None and self._timer.when() > self._due_s:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(self._due_s, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._loop.time() < self._due_s - 1e-3:
            self._timer = self._loop.call_at(self._due_s, self._look)
        else:
            self._late()

    def _late(self) -> None:
        if self._arriving and not self._ending:
            self._refuse(_Refused(408, f"a request must arrive within {self._limits.arrival_s:g} s"))
        elif not self._busy:
            self._transport.close()
        else:
            self._wait(self._limits.idle_s)


def error_reply(status: int, message: str, *headers: tuple[str, str]) -> Reply:
    """What the protocol has for errors."""
    return Reply(status, json.dumps({"error": message}).encode(), headers=headers)


_PHRASES: Mapping[int, str] = {s.value: s.phrase for s in HTTPStatus}
