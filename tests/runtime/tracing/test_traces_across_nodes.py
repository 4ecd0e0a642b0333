"""A request over three processes is one trace, however it entered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("opentelemetry.sdk")

from test_live_network import PICTURES, scenario

from placid.experiments.live import NetworkUp, network_up
from placid.runtime.http.client import HttpClient
from placid.runtime.protocol.messages import InferRequest, Origin, ProtocolError, Tensor
from placid.runtime.tracing.reading import ReadSpan, ReadTrace, read_traces

PARENT = "00f067aa0ba902b7"
HTTP, GRPC, OTHER = (f"{n:032x}" for n in (0xA, 0xB, 0xC))


def traceparent(trace: str, flags: str = "01") -> dict[str, str]:
    return {"traceparent": f"00-{trace}-{PARENT}-{flags}", "tracestate": "vendor=opaque"}


def over_http(network: NetworkUp) -> None:
    """As a client of Triton asks, with a trace of its own; one that is not sampled; one that is refused."""
    triton = pytest.importorskip("tritonclient.http")
    at = network.running["camera"].clients
    with triton.InferenceServerClient(f"{at.host}:{at.port}") as client:
        given = triton.InferInput("image", [1, 32, 32, 3], "UINT8")
        given.set_data_from_numpy(PICTURES.pictures[:1])
        found = client.infer("task-1", [given], headers=traceparent(HTTP))
        assert found.get_response()["parameters"]["placid_trace_id"] == HTTP
        found = client.infer("task-1", [given], headers=traceparent(OTHER, "00"))
        assert "placid_trace_id" not in found.get_response()["parameters"]


def over_grpc(network: NetworkUp) -> None:
    triton = pytest.importorskip("tritonclient.grpc")
    at = network.running["camera"].grpc
    assert at is not None
    with triton.InferenceServerClient(f"{at.host}:{at.port}") as client:
        given = triton.InferInput("image", [1, 32, 32, 3], "UINT8")
        given.set_data_from_numpy(PICTURES.pictures[:1])
        client.infer("task-1", [given], headers=traceparent(GRPC))


async def refused(network: NetworkUp) -> list[str]:
    """The traces of requests that get no answer: unknown here, too late further up."""
    at = network.running["camera"].clients
    client = HttpClient(at.host, at.port)
    image = Tensor.of("image", PICTURES.pictures[:1])
    ids = [f"{n:032x}" for n in (1, 2)]
    asked = (
        InferRequest("task-9", (image,)),
        InferRequest("task-1", (image,), parameters={"placid_deadline_s": 0.015}),
    )
    for trace, request in zip(ids, asked, strict=True):
        told = InferRequest(
            request.model, request.inputs, parameters=request.parameters, origin=Origin(traceparent(trace)["traceparent"])
        )  # fmt: skip
        with pytest.raises(ProtocolError):
            await client.infer(told)
    await client.close()
    return ids


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReadTrace]:
    folder = tmp_path_factory.mktemp("traces")
    file = folder / "traces.jsonl"

    async def main() -> None:
        small = scenario(folder, policies=["cloud-only"])
        async with network_up(
            small, folder / "live", grpc=True, traces=f"file={file}", trace_ratio=0.0
        ) as network:
            await asyncio.to_thread(over_http, network)
            await asyncio.to_thread(over_grpc, network)
            await refused(network)

    asyncio.run(main())  # nodes end in order, and write what they have
    return {t.id: t for t in read_traces(file)}


def tree(trace: ReadTrace) -> list[tuple[int, str, str]]:
    kinds = {"POST /v2/models/{model}/infer": "asks", "inference.GRPCInferenceService/ModelInfer": "answers"}

    def what(span: ReadSpan) -> str:
        if span.name.startswith("POST") and "http.route" in span.attributes:
            return "answers"
        return kinds.get(span.name, span.name)

    return [(depth, span.node, what(span)) for depth, span in trace.walk()]


def test_only_requests_of_sampled_traces(traces: dict[str, ReadTrace]) -> None:
    assert set(traces) == {HTTP, GRPC, *(f"{n:032x}" for n in (1, 2))}


@pytest.mark.parametrize("trace", [HTTP, GRPC])
def test_one_trace_over_three_nodes(traces: dict[str, ReadTrace], trace: str) -> None:
    found = traces[trace]
    # the camera makes the picture's bytes, which is a stage of its own where the plan has a codec
    seen = [row for row in tree(found) if row != (1, "camera", "stage")]
    assert seen == [
        (0, "camera", "answers"),
        (1, "camera", "asks"),
        (2, "camera", "link"),
        (2, "bs", "answers"),
        (3, "bs", "asks"),
        (4, "bs", "link"),
        (4, "cloud", "answers"),
        (5, "cloud", "stage"),
        (4, "bs", "link"),
        (2, "camera", "link"),
    ]
    (top,) = found.below("")
    assert top.parent == PARENT
    for _, span in found.walk():
        for child in found.below(span.id):
            assert span.begun_ns <= child.begun_ns <= child.ended_ns <= span.ended_ns, (span, child)
    assert top.attributes["placid.answered_by"] == "cloud"
    assert ("rpc.method" in top.attributes) == (trace == GRPC)
    links = [s for s in found.spans if s.name == "link"]
    assert {s.attributes["placid.link.bytes"] for s in links if s.node == "camera"} > {3072}
    for span in links:  # one of 2 and one of 10 ms; alarms ring a millisecond early at most
        if span.attributes["placid.link.direction"] == "up":
            assert span.took_s > span.attributes["placid.link.delay_s"] - 1.5e-3 > 0


def test_refused_requests_are_marked(traces: dict[str, ReadTrace]) -> None:
    unknown, late = (traces[f"{n:032x}"] for n in (1, 2))
    assert unknown.refused
    assert len(unknown.spans) == 1
    assert "unknown model 'task-9'" in str(unknown.spans[0].error)
    assert unknown.spans[0].attributes["http.response.status_code"] == 404
    assert late.refused
    assert late.spans[0].attributes["error.type"] == "504"
    asking = next(s for s in late.spans if s.attributes.get("placid.peer") == "bs")
    assert asking.error


def test_a_collector_that_is_not_there_harms_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with network_up(
            scenario(tmp_path, policies=["cloud-only"]),
            tmp_path / "live",
            traces="otlp=http://127.0.0.1:1",  # nobody listens at a port of the system's
            trace_ratio=1.0,
        ) as network:
            at = network.running["camera"].clients
            client = HttpClient(at.host, at.port)
            image = Tensor.of("image", PICTURES.pictures[:1])
            for _ in range(20):
                await client.infer(InferRequest("task-1", (image,)))
            await client.close()

    asyncio.run(main())
    log = (tmp_path / "live" / "logs" / "camera.log").read_text()
    assert log.count("traces are lost") == 1
    assert "Traceback" not in log
    assert len(log.splitlines()) == 1, log
