"""What clients may not send over gRPC, and that the server outlives whatever they send."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from echo_server import Echo
from spoiling import spoilt

from placid.runtime.rpc.schema import message
from placid.runtime.rpc.server import serve_grpc

triton = pytest.importorskip("tritonclient.grpc")

from grpc_client import channel_to, raw_call, tensor, with_client  # noqa: E402

ONES = np.ones((1, 3), np.float32)
REFUSED = grpc.StatusCode.INVALID_ARGUMENT


def request(**given: Any) -> Any:
    asked = message("ModelInferRequest")(model_name="echo", id="i", **given)
    asked.inputs.add(name="x", datatype="FP32", shape=[2])
    asked.raw_input_contents.append(bytes(8))
    return asked


def no_inputs(asked: Any) -> None:
    del asked.inputs[:]


def more_raw(asked: Any) -> None:
    asked.raw_input_contents.append(b"")


def both(asked: Any) -> None:
    asked.inputs[0].contents.fp32_contents.extend([1, 2])


def too_short(asked: Any) -> None:
    asked.raw_input_contents[0] = bytes(7)


def neither(asked: Any) -> None:
    del asked.raw_input_contents[:]


def negative(asked: Any) -> None:
    asked.inputs[0].shape[:] = [-1, -2]


def unknown_type(asked: Any) -> None:
    asked.inputs[0].datatype = "BF16"


def half_typed(asked: Any) -> None:
    del asked.raw_input_contents[:]
    asked.inputs[0].datatype = "FP16"
    asked.inputs[0].contents.fp32_contents.extend([1, 2])


def out_of_range(asked: Any) -> None:
    del asked.raw_input_contents[:]
    asked.inputs[0].datatype = "UINT8"
    asked.inputs[0].contents.uint_contents.extend([1, 256])


def words_too_few(asked: Any) -> None:
    del asked.raw_input_contents[:]
    asked.inputs[0].datatype = "BYTES"
    asked.inputs[0].contents.bytes_contents.append(b"one")


def many_dimensions(asked: Any) -> None:
    asked.inputs[0].shape[:] = [2] * 1_000_000


def empty_parameter(asked: Any) -> None:
    asked.parameters["p"].SetInParent()


def shared_memory(asked: Any) -> None:
    asked.inputs[0].parameters["shared_memory_region"].string_param = "r"


def classes(asked: Any) -> None:
    asked.outputs.add(name="x").parameters["classification"].int64_param = 3


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (no_inputs, "the request has no 'inputs'"),
        (more_raw, "1 inputs, but 2 in 'raw_input_contents'"),
        (both, "'contents' beside 'raw_input_contents'"),
        (too_short, "needs 8 bytes, got 7"),
        (neither, "needs 8 bytes, got 0"),
        (negative, "negative size"),
        (unknown_type, "unknown datatype 'BF16'"),
        (half_typed, "needs raw contents"),
        (out_of_range, "tensor 'x' of UINT8"),
        (words_too_few, "needs 2 elements, got 1"),
        (many_dimensions, "has 1000000 dimensions"),
        (empty_parameter, "the parameter 'p' has no value"),
        (shared_memory, "'shared_memory_region'"),
        (classes, "'classification'"),
    ],
)
def test_a_request_that_is_none_is_told_why(spoil: Callable[[Any], None], told: str) -> None:
    def work(client: Any, port: int) -> None:
        asked = request()
        spoil(asked)
        with channel_to(port) as channel:
            with pytest.raises(grpc.RpcError) as caught:
                raw_call(channel)(asked, timeout=5)
            assert caught.value.code() is REFUSED
            assert told in caught.value.details()
            assert raw_call(channel)(request()).id == "i"

    with_client(work)


def test_an_error_fits_where_it_travels() -> None:
    """It is a header: one too long would hide the reason."""

    def work(client: Any, port: int) -> None:
        asked = request()
        asked.inputs[0].name = "\N{SNOWMAN}\n" * 50_000
        asked.inputs[0].datatype = "none"
        with channel_to(port) as channel, pytest.raises(grpc.RpcError) as caught:
            raw_call(channel)(asked)
        assert caught.value.code() is REFUSED
        assert caught.value.details().startswith("tensor '\N{SNOWMAN}\n")

    with_client(work)


@pytest.mark.parametrize("packing", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_a_request_is_not_larger_than_allowed(packing: grpc.Compression) -> None:
    """Measured unpacked."""

    def work(client: Any, port: int) -> None:
        asked = request()
        asked.inputs[0].shape[:] = [250_000]
        asked.raw_input_contents[0] = bytes(1_000_000)
        with channel_to(port) as channel:
            with pytest.raises(grpc.RpcError) as caught:
                raw_call(channel)(asked, compression=packing)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "larger than max" in caught.value.details()
            assert raw_call(channel)(request()).id == "i"

    _, echo = with_client(work, most_bytes=65_536)
    assert len(echo.asked) == 1


def test_whatever_comes_the_server_goes_on() -> None:
    rng = np.random.default_rng(0)
    asked = request(model_version="1")
    asked.parameters["p"].double_param = 0.5
    asked.outputs.add(name="x")
    typed = message("ModelInferRequest")(model_name="echo")
    typed.inputs.add(name="x", datatype="INT8", shape=[2]).contents.int_contents.extend([1, -2])
    typed.inputs.add(name="t", datatype="BYTES", shape=[1]).contents.bytes_contents.append(b"word")
    whole = [asked.SerializeToString(), typed.SerializeToString()]

    def work(client: Any, port: int) -> None:
        codes = set()
        with channel_to(port) as channel:
            call = raw_call(channel)
            for n in range(600):
                data = rng.bytes(n) if n % 10 == 0 else spoilt(whole[n % 2], rng)
                answer = call.future(data, timeout=5)
                codes.add(answer.code())
                assert answer.code() is not grpc.StatusCode.INTERNAL, (data, answer.details())
        assert codes == {grpc.StatusCode.OK, REFUSED, grpc.StatusCode.NOT_FOUND}
        client.infer("echo", [tensor(ONES)])

    with_client(work)


def test_other_calls_outlive_what_is_no_message() -> None:
    def work(client: Any, port: int) -> None:
        with channel_to(port) as channel:
            for name in ("ServerLive", "ModelMetadata", "ModelConfig", "ModelStatistics", "RepositoryIndex"):
                with pytest.raises(grpc.RpcError) as caught:
                    raw_call(channel, name)(b"\xff\xff\xff")
                assert caught.value.code() is REFUSED
                assert f"this is no {name}Request" in caught.value.details()
        assert client.is_server_live()

    with_client(work)


def test_closing_ends_what_takes_too_long_and_frees_the_port() -> None:
    echo = Echo()

    def slow(seconds: float) -> Any:
        asked = request()
        asked.model_name = "slow"
        asked.parameters["seconds"].double_param = seconds
        return asked

    async def main() -> None:
        server = await serve_grpc(echo)
        with pytest.raises(OSError, match=f"cannot listen at 127.0.0.1:{server.port}"):
            await serve_grpc(echo, port=server.port)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            soon, late = (raw_call(channel)(slow(seconds)) for seconds in (0.1, 30))
            while len(echo.asked) < 2:
                await asyncio.sleep(0.01)
            closing = asyncio.create_task(server.close(grace_s=0.4))
            assert (await soon).id == "i"
            with pytest.raises(grpc.RpcError) as caught:
                await late
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            await closing
        assert echo.cancelled == 1
        again = await serve_grpc(echo, port=server.port)
        assert again.port == server.port
        await again.close(grace_s=0)

    asyncio.run(main())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_tls(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = f"-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {key} -out {certificate}"
    named = "-days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        ["openssl", "req", "-x509", *made.split(), *named.split()], check=True, capture_output=True
    )
    tls = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])

    def work(client: Any, port: int) -> Any:
        with (
            triton.InferenceServerClient(f"127.0.0.1:{port}") as plain,
            pytest.raises(triton.InferenceServerException),
        ):
            plain.is_server_live(client_timeout=1)
        return client.infer("echo", [tensor(ONES)]).as_numpy("x")

    found, _ = with_client(work, tls=tls, client={"ssl": True, "root_certificates": str(certificate)})
    np.testing.assert_array_equal(found, ONES)
