"""Spans reach a collector and a file as OTLP has them; a collector that cannot be reached harms nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from time import monotonic

import pytest

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from placid.catalog.variants import shipped_zoo
from placid.errors import InputError
from placid.runtime.http.connection import Reply, Request
from placid.runtime.http.server import listen
from placid.runtime.node.networks import Answer, Networks
from placid.runtime.node.travel import answered
from placid.runtime.protocol.messages import InferRequest, InferResponse, ProtocolError
from placid.runtime.spec import NodeSpec
from placid.runtime.tracing.exporters import EXPORT_S, SaysOnce, exporter_of
from placid.runtime.tracing.reading import read_traces
from placid.runtime.tracing.target import Target
from placid.runtime.tracing.trace import Trace
from placid.runtime.tracing.tracer import Traces, open_traces


def spec(target: str) -> NodeSpec:
    zoo = str(shipped_zoo())
    return NodeSpec("one", "edge", "phone", 0, False, zoo, "x86-core", traces=target, trace_ratio=1.0)


async def asked(traces: Traces, count: int) -> None:
    async def answer(request: InferRequest, trace: Trace | None = None) -> InferResponse:
        return answered(request, Answer(3, 0, 0.9), "one", "exits-stage1-joint", 1e-3)

    for _ in range(count):
        await traces.enter(InferRequest("task-1", ()), answer)


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def test_a_collector_gets_what_otlp_says() -> None:
    got: list[Request] = []

    async def collect(request: Request) -> Reply:
        got.append(request)
        return Reply(200, b"", "application/x-protobuf")

    async def main() -> None:
        server = await listen(collect, "127.0.0.1", 0)
        traces = open_traces(spec(f"otlp=http://127.0.0.1:{server.port}"), Networks(shipped_zoo()))
        await asked(traces, 3)
        await traces.close()  # what waits is sent first
        await server.close(grace_s=0.1)

    asyncio.run(main())
    assert {r.target for r in got} == {"/v1/traces"}
    (told,) = ExportTraceServiceRequest.FromString(got[0].body).resource_spans
    resource = {a.key: a.value.string_value for a in told.resource.attributes}
    assert (resource["service.name"], resource["service.namespace"]) == ("one", "placid")
    assert [s.name for s in told.scope_spans[0].spans] == ["POST /v2/models/{model}/infer"] * 3


def test_the_file_says_what_protobuf_says(tmp_path: Path) -> None:
    """JSON as protobuf reads it, but for ids, which OTLP has in hex."""
    from google.protobuf.json_format import ParseDict

    async def main() -> None:
        traces = open_traces(spec(f"file={tmp_path / 'deep' / 't.jsonl'}"), Networks(shipped_zoo()))

        async def refuse(request: InferRequest, trace: Trace | None = None) -> InferResponse:
            raise ProtocolError("no", status=503)

        await asked(traces, 1)
        with pytest.raises(ProtocolError):
            await traces.enter(InferRequest("task-1", ()), refuse)
        await traces.close()

    asyncio.run(main())
    (line,) = (tmp_path / "deep" / "t.jsonl").read_text().splitlines()
    told = json.loads(line)
    spans = told["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert [(len(s["traceId"]), len(s["spanId"])) for s in spans] == [(32, 16)] * 2
    for span in spans:
        span["traceId"] = span["spanId"] = ""
    parsed = ParseDict(told, ExportTraceServiceRequest())
    answered_span, refused_span = parsed.resource_spans[0].scope_spans[0].spans
    assert answered_span.kind == answered_span.SPAN_KIND_SERVER
    assert refused_span.status.code == refused_span.status.STATUS_CODE_ERROR
    read = read_traces(tmp_path / "deep" / "t.jsonl")
    assert [t.refused for t in read] == [False, True]
    assert read[0].spans[0].attributes["placid.exit"] == 0
    assert read[0].spans[0].attributes["placid.estimated_quality"] == 0.9


def test_what_waits_is_bounded() -> None:
    """An exporter that hangs: the node keeps a fixed number of spans, and loses the rest."""
    released, got = Event(), 0

    class Hangs(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            nonlocal got
            released.wait(20)
            got += len(spans)
            return SpanExportResult.SUCCESS

    async def main() -> None:
        traces = Traces(spec("file=/unused"), Networks(shipped_zoo()), Hangs())
        await asked(traces, 5500)
        released.set()
        await traces.close()

    asyncio.run(main())
    assert 4096 <= got <= 4096 + 512  # what waited, and the batch that was out


def test_a_file_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="traces cannot be written here"):
        open_traces(spec(f"file={tmp_path}"), Networks(shipped_zoo()))


def test_a_collector_that_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    """Requests go on, what waits is bounded, the log says it once, and a node ends in time."""

    async def main() -> float:
        traces = open_traces(spec(f"otlp=http://127.0.0.1:{closed_port()}"), Networks(shipped_zoo()))
        await asked(traces, 5500)  # more than may wait
        begun = monotonic()
        await traces.close()
        return monotonic() - begun

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(main()) < 2 * EXPORT_S
    told = [r.getMessage() for r in caplog.records]
    assert len(told) == 1, told
    assert told[0].startswith("traces are lost: http://127.0.0.1:")
    # no thread goes on trying
    for thread in threading.enumerate():
        if thread.name in ("OtelBatchSpanRecordProcessor", "traces end"):
            thread.join(5)
            assert not thread.is_alive(), thread.name


def test_what_fails_and_works_again_is_said_once_each(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inner = exporter_of(Target("file", str(tmp_path / "t.jsonl")))
    inner.shutdown()

    class Flaky(SaysOnce):
        def export(self, spans: object) -> SpanExportResult:
            if next(results):
                return SpanExportResult.SUCCESS
            raise OSError("disk full")

    results = iter((False, False, True, True))
    exporter = SaysOnce(Flaky(inner, ""), "there")
    with caplog.at_level(logging.WARNING):
        found = [exporter.export([]) for _ in range(4)]
    assert [f is SpanExportResult.SUCCESS for f in found] == [False, False, True, True]
    assert [r.getMessage() for r in caplog.records] == [
        "traces are lost: there: disk full. Said once; requests go on",
        "traces reach there again, 0 spans were lost",
    ]
