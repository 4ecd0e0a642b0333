"""An unmodified Triton client, over gRPC."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import numpy as np
import pytest
from echo_server import Echo

from placid.runtime.event_loop import run
from placid.runtime.http.connection import Pending
from placid.runtime.protocol.messages import InferRequest, InferResponse, ProtocolError
from placid.runtime.rpc.schema import message

triton = pytest.importorskip("tritonclient.grpc")

from grpc_client import channel_to, raw_call, tensor, with_client  # noqa: E402

ONES = np.ones((1, 3), np.float32)


class Asleep(Echo):
    def ready(self) -> bool:
        return False


class Refusing(Echo):
    """Answers with the status that is asked for."""

    async def infer(self, request: InferRequest) -> InferResponse:
        raise ProtocolError("as you asked", status=int(request.parameters["status"]))


@pytest.mark.parametrize("runner", [asyncio.run, run])
def test_health_and_metadata(runner: Any) -> None:
    """In the event loop of Python and in uvloop's."""

    def work(client: Any, port: int) -> None:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("echo")
        assert not client.is_model_ready("none")
        server = client.get_server_metadata()
        assert (server.name, server.version) == ("echo", "1")
        assert "statistics" in server.extensions
        told = client.get_model_metadata("echo", "1")
        assert [(t.name, t.datatype, list(t.shape)) for t in told.inputs] == [("x", "FP32", [-1, 3])]
        assert [(t.name, t.datatype, list(t.shape)) for t in told.outputs] == [("x", "FP32", [-1, 3])]
        assert (list(told.versions), told.platform) == (["1"], "onnxruntime_onnx")
        with pytest.raises(triton.InferenceServerException, match="unknown model 'none'"):
            client.get_model_metadata("none")

    with_client(work, run=runner)


def test_a_server_that_is_not_ready_says_so() -> None:
    def work(client: Any, port: int) -> None:
        assert client.is_server_live()
        assert not client.is_server_ready()
        assert not client.is_model_ready("echo")
        assert {m.state for m in client.get_model_repository_index().models} == {"UNAVAILABLE"}
        with channel_to(port) as channel:
            wanted = message("RepositoryIndexRequest")(ready=True)
            assert not raw_call(channel, "RepositoryIndex")(wanted).models

    with_client(work, echo=Asleep())


def test_what_triton_tells_beside_the_protocol() -> None:
    def work(client: Any, port: int) -> None:
        config = client.get_model_config("echo", as_json=True)["config"]
        assert config == {
            "name": "echo",
            "platform": "onnxruntime_onnx",
            "input": [{"name": "x", "data_type": "TYPE_FP32", "dims": ["-1", "3"]}],
            "output": [{"name": "x", "data_type": "TYPE_FP32", "dims": ["-1", "3"]}],
        }
        index = client.get_model_repository_index().models
        assert [(m.name, m.version, m.state) for m in index[:2]] == [
            ("echo", "1", "READY"),
            ("slow", "1", "READY"),
        ]
        with pytest.raises(triton.InferenceServerException) as caught:
            client.get_trace_settings()
        assert caught.value.status() == "StatusCode.UNIMPLEMENTED"

    with_client(work)


def test_requests_are_counted() -> None:
    def work(client: Any, port: int) -> None:
        for model in ("echo", "echo", "broken", "none"):
            try:
                client.infer(model, [tensor(ONES)])
            except triton.InferenceServerException:
                assert model != "echo"
        told = {m.name: m for m in client.get_inference_statistics().model_stats}
        assert list(told) == ["echo", "slow", "broken", "full"]
        assert told["echo"].inference_count == told["echo"].inference_stats.success.count == 2
        assert told["echo"].inference_stats.success.ns > 0
        assert told["echo"].last_inference > 1.7e12
        assert told["broken"].inference_stats.fail.count == 1
        assert told["slow"].last_inference == 0
        assert [m.name for m in client.get_inference_statistics("slow").model_stats] == ["slow"]

    with_client(work)


@pytest.mark.parametrize(
    "dtype",
    [
        *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
        *("float16", "float32", "float64"),
    ],
)
def test_arrays_come_back_as_they_went(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)

    def work(client: Any, port: int) -> np.ndarray:
        return np.asarray(client.infer("echo", [tensor(array)]).as_numpy("x"))

    found, _ = with_client(work)
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype


def test_text_parameters_and_outputs_that_are_wanted() -> None:
    text = np.array([b"one", b"", "zwölf".encode()], dtype=np.object_)
    given = {"placid_deadline_s": 0.5, "who": "me", "n": -3, "most": (1 << 64) - 1, "yes": True, "no": False}

    def work(client: Any, port: int) -> Any:
        # the client itself sends no fractions
        asked = message("ModelInferRequest")(model_name="echo", model_version="1", id="seven")
        asked.inputs.add(name="t", datatype="BYTES", shape=[3])
        asked.inputs.add(name="x", datatype="FP32", shape=[1, 3])
        asked.outputs.add(name="t")
        asked.raw_input_contents.extend([b"\3\0\0\0one\0\0\0\0\6\0\0\0" + "zwölf".encode(), ONES.tobytes()])
        for key, value in given.items():
            kind = {bool: "bool_param", int: "int64_param", float: "double_param", str: "string_param"}
            field = "uint64_param" if key == "most" else kind[type(value)]
            setattr(asked.parameters[key], field, value)
        with channel_to(port) as channel:
            told = raw_call(channel)(asked)
        kept = {k: getattr(p, p.WhichOneof("parameter_choice")) for k, p in told.parameters.items()}
        assert kept == given
        assert {k: type(v) for k, v in kept.items()} == {k: type(v) for k, v in given.items()}
        return client.infer(
            "echo",
            [tensor(text, "t"), tensor(ONES)],
            model_version="1",
            request_id="eight",
            outputs=[triton.InferRequestedOutput("t")],
            parameters={"who": "me", "n": 3, "yes": True},
        )

    answer, echo = with_client(work)
    assert list(answer.as_numpy("t")) == list(text)
    assert answer.as_numpy("x") is None
    assert answer.get_response().id == "eight"
    assert echo.asked[0].parameters == given
    assert echo.asked[0].outputs == ("t",)
    assert echo.asked[1].parameters == {"who": "me", "n": 3, "yes": True}


def test_a_packed_request() -> None:
    array = np.zeros((100, 3), np.float32)

    def work(client: Any, port: int) -> np.ndarray:
        return np.asarray(client.infer("echo", [tensor(array)], compression_algorithm="gzip").as_numpy("x"))

    np.testing.assert_array_equal(with_client(work)[0], array)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (413, "RESOURCE_EXHAUSTED"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (502, "INTERNAL"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
    ],
)
def test_a_refusal_keeps_its_meaning(status: int, code: str) -> None:
    def work(client: Any, port: int) -> None:
        with pytest.raises(triton.InferenceServerException) as caught:
            client.infer("echo", [tensor(ONES)], parameters={"status": status})
        assert caught.value.status() == f"StatusCode.{code}"
        assert ("as you asked" in caught.value.message()) == (code != "INTERNAL")

    with_client(work, echo=Refusing())


def test_what_breaks_inside_stays_inside(caplog: pytest.LogCaptureFixture) -> None:
    def work(client: Any, port: int) -> str:
        with pytest.raises(triton.InferenceServerException) as caught:
            client.infer("broken", [tensor(ONES)])
        return f"{caught.value.status()} {caught.value.message()}"

    told, _ = with_client(work)
    assert told.startswith("StatusCode.INTERNAL")
    assert "secret" not in told
    assert "the secret of the house" in caplog.text


def test_a_deadline_and_a_client_that_turns_away_end_the_work() -> None:
    pending = Pending()

    def work(client: Any, port: int) -> None:
        long = {"seconds": 30}
        with pytest.raises(triton.InferenceServerException) as caught:
            client.infer("slow", [tensor(ONES)], client_timeout=0.05, parameters=long)
        assert caught.value.status() == "StatusCode.DEADLINE_EXCEEDED"
        under_way = client.async_infer("slow", [tensor(ONES)], lambda result, error: None, parameters=long)
        wait(lambda: len(echo.asked) == 2)
        assert pending.count == 1
        under_way.cancel()
        wait(lambda: echo.cancelled == 2)
        told = client.get_inference_statistics("slow").model_stats[0]
        assert told.inference_stats.fail.count == 2

    echo = Echo()
    with_client(work, echo=echo, pending=pending)
    assert pending.count == 0


def wait(until: Any) -> None:
    import time

    for _ in range(500):
        if until():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to be")


def test_a_token_is_asked_for() -> None:
    def work(client: Any, port: int) -> None:
        assert client.is_server_live()
        assert client.is_server_ready()
        for headers in (None, {"authorization": "Bearer wrong"}, {"authorization": "sesame"}):
            for ask in (
                lambda headers=headers: client.infer("echo", [tensor(ONES)], headers=headers),
                lambda headers=headers: client.get_server_metadata(headers=headers),
                lambda headers=headers: client.is_model_ready("echo", headers=headers),
            ):
                with pytest.raises(triton.InferenceServerException, match="token") as caught:
                    ask()
                assert caught.value.status() == "StatusCode.UNAUTHENTICATED"
        headers = {"authorization": "Bearer sesame"}
        client.infer("echo", [tensor(ONES)], headers=headers)
        assert client.is_model_ready("echo", headers=headers)

    _, echo = with_client(work, token="sesame")
    assert len(echo.asked) == 1


def test_typed_contents() -> None:
    """As clients without raw contents send them."""
    typed = {
        "BOOL": ("bool_contents", [True, False], np.bool_),
        "INT8": ("int_contents", [-128, 127], np.int8),
        "INT16": ("int_contents", [-300, 300], np.int16),
        "INT32": ("int_contents", [-70000, 1], np.int32),
        "INT64": ("int64_contents", [-(1 << 63), 1], np.int64),
        "UINT8": ("uint_contents", [0, 255], np.uint8),
        "UINT16": ("uint_contents", [0, 65535], np.uint16),
        "UINT32": ("uint_contents", [0, (1 << 32) - 1], np.uint32),
        "UINT64": ("uint64_contents", [0, (1 << 64) - 1], np.uint64),
        "FP32": ("fp32_contents", [0.5, float("inf")], np.float32),
        "FP64": ("fp64_contents", [0.1, -1e300], np.float64),
    }

    def work(client: Any, port: int) -> Any:
        asked = message("ModelInferRequest")(model_name="echo")
        for datatype, (field, values, _) in typed.items():
            contents = asked.inputs.add(name=datatype, datatype=datatype, shape=[1, 2]).contents
            getattr(contents, field).extend(values)
        asked.inputs.add(name="t", datatype="BYTES", shape=[2]).contents.bytes_contents.extend([b"word", b""])
        with channel_to(port) as channel:
            return raw_call(channel)(asked)

    found, _ = with_client(work)
    for made, raw in zip(found.outputs[:-1], found.raw_output_contents[:-1], strict=True):
        _, values, dtype = typed[made.datatype]
        assert list(made.shape) == [1, 2]
        np.testing.assert_array_equal(np.frombuffer(raw, dtype), np.array(values, dtype))
    assert found.raw_output_contents[-1] == b"\4\0\0\0word\0\0\0\0"


def test_code_of_an_unknown_call() -> None:
    def work(client: Any, port: int) -> None:
        with channel_to(port) as channel, pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary("/inference.GRPCInferenceService/Nothing")(b"")
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED

    with_client(work)
