"""An unmodified Triton client, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from echo_server import Echo

from placid.runtime.http.server import serve_http

triton = pytest.importorskip("tritonclient.http")


def with_client(work: Callable[[Any], Any], **given: Any) -> tuple[Any, Echo]:
    """What `work` makes of a client of an echo server, in a thread of its own."""
    echo = Echo()

    async def main() -> Any:
        server = await serve_http(echo, **given)

        def asking() -> Any:
            client = triton.InferenceServerClient(f"127.0.0.1:{server.port}")
            try:
                return work(client)
            finally:
                client.close()

        try:
            return await asyncio.to_thread(asking)
        finally:
            await server.close(grace_s=0.5)

    return asyncio.run(main()), echo


def tensor(array: np.ndarray, name: str = "x", binary: bool = True) -> Any:
    datatype = triton.np_to_triton_dtype if hasattr(triton, "np_to_triton_dtype") else None
    from tritonclient.utils import np_to_triton_dtype

    made = triton.InferInput(name, list(array.shape), (datatype or np_to_triton_dtype)(array.dtype))
    made.set_data_from_numpy(array, binary_data=binary)
    return made


def test_health_and_metadata() -> None:
    def work(client: Any) -> None:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("echo")
        assert client.get_server_metadata()["name"] == "echo"
        told = client.get_model_metadata("echo", "1")
        assert told["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}]
        assert client.get_model_config("echo")["input"][0]["data_type"] == "TYPE_FP32"
        assert [m["name"] for m in client.get_model_repository_index()] == ["echo", "slow", "broken", "full"]
        assert client.get_inference_statistics()["model_stats"][0]["name"] == "echo"
        with pytest.raises(triton.InferenceServerException, match="unknown model 'none'"):
            client.get_model_metadata("none")

    with_client(work)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64", "uint64", "float32", "float64"])
def test_arrays_come_back_as_they_went(dtype: str, binary: bool) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)

    def work(client: Any) -> np.ndarray:
        asked = triton.InferRequestedOutput("x", binary_data=binary)
        return np.asarray(client.infer("echo", [tensor(array, binary=binary)], outputs=[asked]).as_numpy("x"))

    found, _ = with_client(work)
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype


@pytest.mark.parametrize("binary", [True, False])
def test_text_and_half_precision(binary: bool) -> None:
    text = np.array([b"one", "zwölf".encode(), b""], dtype=np.object_)
    half = np.array([[0.5, -2.0]], dtype=np.float16)

    def work(client: Any) -> Any:
        asked = [triton.InferRequestedOutput("t", binary_data=binary), triton.InferRequestedOutput("h")]
        answer = client.infer("echo", [tensor(text, "t", binary), tensor(half, "h")], outputs=asked)
        return answer.as_numpy("t"), answer.as_numpy("h")

    (words, numbers), _ = with_client(work)
    assert [w if isinstance(w, bytes) else w.encode() for w in words] == list(text)
    np.testing.assert_array_equal(numbers, half)


def test_parameters_ids_versions_and_outputs_that_are_wanted() -> None:
    def work(client: Any) -> dict[str, Any]:
        answer = client.infer(
            "echo",
            [tensor(np.ones((1, 3), np.float32)), tensor(np.ones((2,), np.int32), "y")],
            model_version="1",
            request_id="seven",
            outputs=[triton.InferRequestedOutput("y")],
            parameters={"placid_deadline_s": 0.5, "who": "me"},
        )
        assert answer.as_numpy("x") is None
        found: dict[str, Any] = answer.get_response()
        return found

    told, echo = with_client(work)
    assert told["id"] == "seven"
    assert told["parameters"] == {"placid_deadline_s": 0.5, "who": "me"}
    assert [o["name"] for o in told["outputs"]] == ["y"]
    assert echo.asked[0].parameters == {"placid_deadline_s": 0.5, "who": "me"}


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
def test_packed_requests(packing: str) -> None:
    array = np.zeros((100, 3), np.float32)

    def work(client: Any) -> np.ndarray:
        return np.asarray(
            client.infer("echo", [tensor(array)], request_compression_algorithm=packing).as_numpy("x")
        )

    np.testing.assert_array_equal(with_client(work)[0], array)


def test_errors_carry_their_reason_and_nothing_else() -> None:
    def work(client: Any) -> list[str]:
        told = []
        for model in ("full", "broken", "none"):
            with pytest.raises(triton.InferenceServerException) as caught:
                client.infer(model, [tensor(np.ones((1, 3), np.float32))])
            told.append(f"{caught.value.status()} {caught.value.message()}")
        return told

    told, _ = with_client(work)
    assert told[0] == "429 too many are waiting"
    assert told[1].startswith("500 ")
    assert "secret" not in told[1]
    assert told[2] == "404 unknown model 'none'"


def test_a_token_is_asked_for() -> None:
    def work(client: Any) -> None:
        assert client.is_server_live()
        with pytest.raises(triton.InferenceServerException, match="token"):
            client.infer("echo", [tensor(np.ones((1, 3), np.float32))])
        headers = {"Authorization": "Bearer sesame"}
        client.infer("echo", [tensor(np.ones((1, 3), np.float32))], headers=headers)

    with_client(work, token="sesame")
