"""An unmodified Triton client, over gRPC; and our messages against those that it was made with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest
from echo_server import Echo

from placid.runtime.rpc.schema import MESSAGES, SERVICE, message
from placid.runtime.rpc.server import serve_grpc

triton = pytest.importorskip("tritonclient.grpc")


def with_client(work: Callable[[Any, int], Any], **given: Any) -> tuple[Any, Echo]:
    """What `work` makes of a client of an echo server, in a thread of its own."""
    echo = Echo()

    async def main() -> Any:
        server = await serve_grpc(echo, **given)

        def asking() -> Any:
            client = triton.InferenceServerClient(f"127.0.0.1:{server.port}")
            try:
                return work(client, server.port)
            finally:
                client.close()

        try:
            return await asyncio.to_thread(asking)
        finally:
            await server.close(grace_s=0.2)

    return asyncio.run(main()), echo


def tensor(array: np.ndarray, name: str = "x") -> Any:
    from tritonclient.utils import np_to_triton_dtype

    made = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    made.set_data_from_numpy(array)
    return made


def test_messages_have_the_published_numbers_and_types() -> None:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto
    from tritonclient.grpc import service_pb2

    theirs, ours = FileDescriptorProto(), FileDescriptorProto()
    service_pb2.DESCRIPTOR.CopyToProto(theirs)
    message("ModelInferRequest").DESCRIPTOR.file.CopyToProto(ours)

    def fields(one: Any) -> set[tuple[str, int, int, int, str]]:
        return {(f.name, f.number, f.type, f.label, f.type_name) for f in one.field}

    def all_of(file: Any) -> dict[str, Any]:
        found = {m.name: m for m in file.message_type}
        return found | {f"{m.name}.{n.name}": n for m in found.values() for n in m.nested_type}

    published, mine = all_of(theirs), all_of(ours)
    assert {name for name in mine if "ParametersEntry" not in name} == set(MESSAGES)
    for name, one in mine.items():
        assert fields(one) == fields(published[name]), name


def test_health_and_metadata() -> None:
    def work(client: Any, port: int) -> None:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("echo")
        assert client.get_server_metadata().name == "echo"
        told = client.get_model_metadata("echo", "1")
        assert [(t.name, t.datatype, list(t.shape)) for t in told.inputs] == [("x", "FP32", [-1, 3])]
        assert [m.name for m in client.get_model_repository_index().models] == [
            "echo",
            "slow",
            "broken",
            "full",
        ]
        with pytest.raises(triton.InferenceServerException, match="unknown model 'none'"):
            client.get_model_metadata("none")

    with_client(work)


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int16", "int64", "uint64", "float16", "float32", "float64"]
)
def test_arrays_come_back_as_they_went(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)

    def work(client: Any, port: int) -> np.ndarray:
        return np.asarray(client.infer("echo", [tensor(array)]).as_numpy("x"))

    found, _ = with_client(work)
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype


def test_text_parameters_and_outputs_that_are_wanted() -> None:
    text = np.array([b"one", b""], dtype=np.object_)

    def work(client: Any, port: int) -> Any:
        return client.infer(
            "echo",
            [tensor(text, "t"), tensor(np.ones(3, np.float32))],
            request_id="seven",
            outputs=[triton.InferRequestedOutput("t")],
            parameters={"placid_deadline_s": "0.5", "n": 3, "yes": True},
        )

    answer, echo = with_client(work)
    assert list(answer.as_numpy("t")) == [b"one", b""]
    assert answer.as_numpy("x") is None
    assert answer.get_response().id == "seven"
    assert echo.asked[0].parameters == {"placid_deadline_s": "0.5", "n": 3, "yes": True}


def test_typed_contents() -> None:
    """As clients without raw contents send them."""

    def work(client: Any, port: int) -> Any:
        request = message("ModelInferRequest")(model_name="echo")
        request.inputs.add(name="x", datatype="INT8", shape=[3]).contents.int_contents.extend([1, -2, 3])
        request.inputs.add(name="t", datatype="BYTES", shape=[1]).contents.bytes_contents.append(b"word")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary(
                f"/{SERVICE}/ModelInfer",
                request_serializer=message("ModelInferRequest").SerializeToString,
                response_deserializer=message("ModelInferResponse").FromString,
            )
            found = call(request)
            request.inputs[0].contents.int_contents.append(999)
            with pytest.raises(grpc.RpcError) as caught:
                call(request)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            return found

    found, _ = with_client(work)
    assert np.frombuffer(found.raw_output_contents[0], np.int8).tolist() == [1, -2, 3]
    assert found.raw_output_contents[1] == b"\4\0\0\0word"


def test_errors_carry_their_reason_and_nothing_else() -> None:
    def work(client: Any, port: int) -> list[str]:
        told = []
        for model, timeout in (("full", None), ("broken", None), ("none", None), ("slow", 0.05)):
            with pytest.raises(triton.InferenceServerException) as caught:
                client.infer(model, [tensor(np.ones((1, 3), np.float32))], client_timeout=timeout)
            told.append(f"{caught.value.status()} {caught.value.message()}")
        return told

    told, echo = with_client(work)
    assert told[0] == "StatusCode.RESOURCE_EXHAUSTED too many are waiting"
    assert told[1].startswith("StatusCode.INTERNAL")
    assert "secret" not in told[1]
    assert told[2].startswith("StatusCode.NOT_FOUND")
    assert told[3].startswith("StatusCode.DEADLINE_EXCEEDED")
    assert echo.cancelled == 1


def test_a_token_and_a_size_are_asked_for() -> None:
    def work(client: Any, port: int) -> None:
        assert client.is_server_live()
        small = [tensor(np.ones((1, 3), np.float32))]
        with pytest.raises(triton.InferenceServerException, match="token"):
            client.infer("echo", small)
        headers = {"authorization": "Bearer sesame"}
        client.infer("echo", small, headers=headers)
        with pytest.raises(triton.InferenceServerException, match="larger than max"):
            client.infer("echo", [tensor(np.ones((1000, 3)))], headers=headers)

    with_client(work, token="sesame", most_bytes=4096)


def test_whatever_comes_the_server_goes_on() -> None:
    rng = np.random.default_rng(0)
    request = message("ModelInferRequest")(model_name="echo", id="i")
    request.inputs.add(name="x", datatype="FP32", shape=[2])
    request.raw_input_contents.append(bytes(8))
    whole = request.SerializeToString()

    def work(client: Any, port: int) -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary(f"/{SERVICE}/ModelInfer")
            codes = set()
            for _ in range(200):
                data = bytearray(whole)
                for _ in range(int(rng.integers(1, 4))):
                    data[int(rng.integers(len(data)))] = int(rng.integers(256))
                answer = call.future(bytes(data), timeout=5)
                codes.add(answer.code())
                assert "inside the server" not in str(answer.details()), bytes(data)
        assert codes <= {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}
        assert len(codes) == 3
        client.infer("echo", [tensor(np.ones((1, 3), np.float32))])

    with_client(work)
