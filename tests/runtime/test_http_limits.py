"""What clients may not do, and that the server outlives whatever they send."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import pytest
from echo_server import Echo
from spoiling import spoilt

from placid.runtime.http.client import HttpClient
from placid.runtime.http.connection import Limits
from placid.runtime.http.server import HttpServer, serve_http
from placid.runtime.protocol.messages import InferRequest, ProtocolError, Tensor
from placid.runtime.protocol.rest import write_request

X = Tensor.of("x", np.ones((1, 3), np.float32))


async def raw(server: HttpServer, data: bytes, wait_s: float = 5.0) -> bytes:
    """All that comes back for `data` until the server hangs up, or nothing more comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(data)
    found = b""
    try:
        while True:
            got = await asyncio.wait_for(reader.read(1 << 16), wait_s)
            if not got:
                return found
            found += got
    except TimeoutError:
        return found
    except ConnectionError:
        return found
    finally:
        writer.close()


def infer(model: str = "echo", **parameters: Any) -> bytes:
    body, length = write_request(InferRequest(model, (X,), parameters=parameters))
    head = f"POST /v2/models/{model}/infer HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n"
    return f"{head}inference-header-content-length: {length}\r\n\r\n".encode() + body


def served(work: Any, limits: Limits | None = None, **given: Any) -> Any:
    async def main() -> Any:
        echo = Echo()
        server = await serve_http(echo, limits=limits, **given)
        try:
            return await work(server, echo)
        finally:
            await server.close(grace_s=0.5)

    return asyncio.run(main())


def test_answers_come_in_the_order_of_the_requests() -> None:
    async def work(server: HttpServer, echo: Echo) -> bytes:
        return await raw(
            server, infer("slow", seconds=0.1, n=1) + infer(n=2) + infer("none") + infer(n=3), 0.5
        )

    found = served(work)
    at = [found.index(mark) for mark in (b'"n":1', b'"n":2', b"unknown model 'none'", b'"n":3')]
    assert at == sorted(at)
    assert found.count(b"HTTP/1.1 200") == 3


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"POST /v2/models/echo/infer HTTP/1.1\r\ncontent-length: 9999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2000\r\n" + bytes(0x2000) + b"\r\n", 413),
        (b"GET /v2 HTTP/1.1\r\nx: " + b"a" * 5000 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"this is no request\r\n\r\n", 400),
        (b"GET /v2/nothing HTTP/1.1\r\nconnection: close\r\n\r\n", 404),
        (b"DELETE /v2 HTTP/1.1\r\nconnection: close\r\n\r\n", 405),
        (b"GET /v2/models/echo/infer HTTP/1.1\r\nconnection: close\r\n\r\n", 405),
        (b"POST /v2/models/echo/infer HTTP/1.1\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\n{}", 415),
        (
            b"POST /v2/models/echo/infer HTTP/1.1\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
            400,
        ),
        (b"GET /v2 HTTP/1.1\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n", 100),
    ],
)
def test_limits(data: bytes, status: int) -> None:
    async def work(server: HttpServer, echo: Echo) -> bytes:
        return await raw(server, data, 0.5)

    found = served(work, Limits(body_bytes=4096, header_bytes=4096))
    assert found.startswith(f"HTTP/1.1 {status} ".encode()), found[:200]


def test_a_client_that_is_slow_is_told_and_one_that_stands_still_is_let_go() -> None:
    async def work(server: HttpServer, echo: Echo) -> tuple[bytes, bytes]:
        slow = await raw(server, b"POST /v2/models/echo/infer HTTP/1.1\r\ncontent-le")
        return slow, await raw(server, b"")

    slow, idle = served(work, Limits(arrival_s=0.2, idle_s=0.3))
    assert slow.startswith(b"HTTP/1.1 408 ")
    assert idle == b""


def test_too_many_connections() -> None:
    async def work(server: HttpServer, echo: Echo) -> bytes:
        kept = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(2)]
        await asyncio.sleep(0.05)
        found = await raw(server, b"GET /v2 HTTP/1.1\r\n\r\n", 1)
        for _, writer in kept:
            writer.close()
        return found

    assert served(work, Limits(connections=2)).startswith(b"HTTP/1.1 503 ")


def test_work_for_a_client_that_is_gone_is_not_done() -> None:
    async def work(server: HttpServer, echo: Echo) -> int:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(infer("slow", seconds=30))
        while not echo.asked:
            await asyncio.sleep(0.01)
        writer.close()
        for _ in range(100):
            if echo.cancelled:
                break
            await asyncio.sleep(0.01)
        return echo.cancelled

    assert served(work) == 1


def test_a_packed_body_is_measured_unpacked() -> None:
    import gzip

    async def work(server: HttpServer, echo: Echo) -> bytes:
        body = gzip.compress(bytes(1 << 20))
        head = f"POST / HTTP/1.1\r\ncontent-encoding: gzip\r\ncontent-length: {len(body)}\r\n\r\n"
        return await raw(server, head.encode() + body, 0.5)

    assert served(work, Limits(body_bytes=1 << 16)).startswith(b"HTTP/1.1 413 ")


def test_our_client_and_what_it_says_when_it_goes_wrong() -> None:
    async def work(server: HttpServer, echo: Echo) -> None:
        client = HttpClient("127.0.0.1", server.port, token="t")
        answer = await client.infer(InferRequest("echo", (X,), id="i", parameters={"a": 1}))
        assert (answer.id, answer.parameters) == ("i", {"a": 1})
        np.testing.assert_array_equal(answer.outputs[0].array(), X.array())
        both = await asyncio.gather(*(client.infer(InferRequest("echo", (X,), id=str(i))) for i in range(50)))
        assert [a.id for a in both] == [str(i) for i in range(50)]
        with pytest.raises(ProtocolError, match="too many are waiting") as caught:
            await client.infer(InferRequest("full", (X,)))
        assert caught.value.status == 429
        with pytest.raises(ProtocolError, match="did not answer within") as caught:
            await client.infer(InferRequest("slow", (X,), parameters={"seconds": 9}), timeout_s=0.1)
        assert caught.value.status == 504
        status, body = await client.get("/v2")
        assert (status, json.loads(body)["name"]) == (200, "echo")
        await client.close()
        with pytest.raises(ProtocolError, match="closed"):
            await client.get("/v2")

    served(work, token="t")
    with pytest.raises(ProtocolError, match="cannot be reached"):
        asyncio.run(HttpClient("127.0.0.1", 1).get("/v2"))


def test_a_request_is_not_sent_twice() -> None:
    """The server takes it and hangs up: whether it was done nobody knows."""
    taken = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        await reader.readuntil(b"\r\n\r\n")
        taken += 1
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        client = HttpClient("127.0.0.1", server.sockets[0].getsockname()[1])
        with pytest.raises(ProtocolError, match="hung up") as caught:
            await client.infer(InferRequest("echo", (X,)))
        assert caught.value.status == 503
        server.close()

    asyncio.run(main())
    assert taken == 1


def test_shapes_of_very_many_dimensions_are_refused_at_once() -> None:
    """Their product alone would keep the event loop busy for seconds."""

    async def work(server: HttpServer, echo: Echo) -> bytes:
        told = {"name": "x", "datatype": "FP32", "shape": [2] * 100_000, "data": [1.0]}
        body = json.dumps({"inputs": [told]}).encode()
        head = f"POST /v2/models/echo/infer HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n"
        return await raw(server, head.encode() + body, 0.5)

    found = served(work)
    assert found.startswith(b"HTTP/1.1 400 ")
    assert b"at most 32 are taken" in found


def test_whatever_comes_the_server_goes_on() -> None:
    rng = np.random.default_rng(0)
    whole = infer(a=1)

    async def work(server: HttpServer, echo: Echo) -> None:
        for _ in range(300):
            data = spoilt(whole, rng)
            found = await raw(server, data, 0.02)
            assert not found or found.startswith(b"HTTP/1.1 ")
            assert b"HTTP/1.1 500" not in found, (data, found)
        assert (await raw(server, infer(b=2), 0.3)).startswith(b"HTTP/1.1 200")

    served(work)
