"""Which requests have a trace, what its spans say, and that a node without traces knows nothing of them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from placid.catalog.variants import shipped_zoo
from placid.errors import InputError
from placid.runtime.alarm import Alarm
from placid.runtime.node.networks import Answer, Left, Networks
from placid.runtime.node.shaped import Shaped
from placid.runtime.node.travel import Travelling, answered
from placid.runtime.node.worker import Ran
from placid.runtime.protocol.messages import InferRequest, InferResponse, Origin, ProtocolError
from placid.runtime.spec import Address, NodeSpec, Stage, Uplink
from placid.runtime.tracing.target import Target
from placid.runtime.tracing.trace import Trace
from placid.runtime.tracing.tracer import TRACE_ID, Traces

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{PARENT}-01"


async def answer(request: InferRequest, trace: Trace | None = None) -> InferResponse:
    return answered(request, Answer(3, 0, 0.9), "one", "exits-stage1-joint", 1e-3)


def spans_of(
    work: Callable[[Traces], Awaitable[object]], ratio: float = 0.0
) -> tuple[object, tuple[ReadableSpan, ...]]:
    """What `work` gives, and the spans that were exported."""
    exporter = InMemorySpanExporter()
    zoo = shipped_zoo()
    spec = NodeSpec("one", "edge", "phone", 0, False, str(zoo), "x86-core", trace_ratio=ratio)

    async def main() -> object:
        traces = Traces(spec, Networks(zoo), exporter)
        try:
            return await work(traces)
        finally:
            await traces.close()

    return asyncio.run(main()), exporter.get_finished_spans()


@pytest.mark.parametrize(
    ("origin", "ratio", "begun"),
    [
        (None, 0.0, False),
        (None, 1.0, True),
        (Origin(SAMPLED), 0.0, True),
        (Origin(f"00-{TRACE}-{PARENT}-00"), 1.0, False),  # the client says no
        (Origin("00-zz-1-01"), 0.0, False),
        (Origin(f"{SAMPLED}, {SAMPLED}"), 0.0, False),  # two headers are none
        (Origin("nonsense"), 1.0, True),
    ],
)
def test_which_requests_have_a_trace(origin: Origin | None, ratio: float, begun: bool) -> None:
    request = InferRequest("task-1", (), origin=origin)
    response, spans = spans_of(lambda traces: traces.enter(request, answer), ratio)
    assert isinstance(response, InferResponse)
    assert len(spans) == begun
    assert (TRACE_ID in response.parameters) == begun
    if begun:
        assert spans[0].kind is SpanKind.SERVER
        context, parent = spans[0].context, spans[0].parent
        assert context is not None
        assert response.parameters[TRACE_ID] == f"{context.trace_id:032x}"
        ours = origin is not None and origin.traceparent == SAMPLED
        assert (parent is not None and f"{parent.span_id:016x}" == PARENT) == ours


def test_a_share_of_requests_begins_a_trace() -> None:
    async def work(traces: Traces) -> None:
        for _ in range(4000):
            await traces.enter(InferRequest("task-1", ()), answer)

    assert 60 < len(spans_of(work, 0.03)[1]) < 180  # 120 are due, five standard deviations


def test_from_a_node_below_only_what_it_traces() -> None:
    async def work(traces: Traces) -> None:
        await traces.go_on(InferRequest("task-1", ()), answer)
        await traces.go_on(InferRequest("task-1", (), origin=Origin("nonsense")), answer)
        await traces.go_on(InferRequest("task-1", (), origin=Origin(SAMPLED, "vendor=1")), answer)

    _, (span,) = spans_of(work, 1.0)
    assert span.context is not None
    assert span.context.trace_state.to_header() == "vendor=1"


def test_what_a_stage_tells() -> None:
    async def with_stage(request: InferRequest, trace: Trace | None) -> InferResponse:
        assert trace is not None
        stage = Stage("one", 0, 3, "exits-stage1-joint#0:3")
        trip = Travelling("task-1", "exits-stage1-joint", (stage,), 0, b"")
        trace.stage(trip, stage, Ran(10**9, 2 * 10**9, 5 * 10**9, 4), Left(1, Answer(3, 0, 0.9)))
        trace.stage(trip, stage, Ran(1, 2, 3, 1), Left(3, None, b"", ((0, 0.4),)))
        return await answer(request)

    _, (sure, unsure, request) = spans_of(
        lambda traces: traces.enter(InferRequest("task-1", (), id="7"), with_stage), 1.0
    )
    told = dict(sure.attributes or {})
    assert told["placid.segment.first"] == told["placid.segment.last"] == 0
    assert (told["placid.queue.wait_s"], told["placid.compute_s"], told["placid.batch.size"]) == (1.0, 3.0, 4)
    assert told["placid.item"] == "exits-stage1-joint#0:3"
    computing, decided = sure.events
    assert (computing.name, computing.timestamp) == ("placid.computing", 2 * 10**9)
    assert decided.attributes is not None
    assert decided.attributes["placid.exit.taken"] is True
    threshold = Networks(shipped_zoo()).runnable("exits-stage1-joint").variant.exits[0].threshold
    assert decided.attributes["placid.exit.threshold"] == threshold
    (_, passed) = unsure.events
    assert passed.attributes is not None
    assert (passed.attributes["placid.exit.taken"], passed.attributes["placid.estimated_quality"]) == (
        False,
        0.4,
    )
    end = dict(request.attributes or {})
    assert (end["placid.answered_by"], end["placid.request.id"]) == ("one", "7")
    assert end["http.response.status_code"] == 200


def test_a_node_that_answers_alone_has_a_crossing_that_failed() -> None:
    """The request is answered, and is none that was refused; what was asked of the node above has failed."""

    async def alone(request: InferRequest, trace: Trace | None = None) -> InferResponse:
        assert trace is not None
        alarm = Alarm()
        shaped = Shaped(Uplink("bs", Address("127.0.0.1", 1), rtt_s=0.002, bandwidth_bytes_per_s=1e4), alarm)
        trip = Travelling("task-1", "split-stage2-8bit", (Stage("bs", 1, 2),), 0, b"12345")
        trace.happened("passed_on", item="x", reason="full")
        link = trace.ask(shaped, trip)
        await link.carry(shaped.up, trip.size_bytes)
        assert trace.sent(request).origin is not None
        trace.failed_above("nobody is there")
        alarm.close()
        return await answer(request)

    _, (link, asking, request) = spans_of(lambda traces: traces.enter(InferRequest("task-1", ()), alone), 1.0)
    assert asking.status.description == "nobody is there"
    assert request.status.status_code is StatusCode.UNSET
    assert [(e.name, dict(e.attributes or {})) for e in request.events] == [
        ("placid.passed_on", {"placid.item": "x", "placid.reason": "full"}),
        ("placid.answers_alone", {"placid.reason": "nobody is there"}),
    ]
    told = dict(link.attributes or {})
    assert (told["placid.link.bytes"], told["placid.link.transfer_s"]) == (5, 5e-4)
    assert (
        told["placid.link.codec"]
        == Networks(shipped_zoo()).runnable("split-stage2-8bit").variant.crossings[0].codec
    )


@pytest.mark.parametrize(
    ("over", "told"),
    [
        ("http", {"http.response.status_code": 404, "error.type": "404", "http.request.method": "POST"}),
        ("grpc", {"rpc.response.status_code": "NOT_FOUND", "error.type": "NOT_FOUND", "rpc.system.name": "grpc"}),
    ],
)  # fmt: skip
def test_refusals_are_marked(over: str, told: dict[str, object]) -> None:
    async def refuse(request: InferRequest, trace: Trace | None = None) -> InferResponse:
        raise ProtocolError("unknown model 'x'", status=404)

    async def work(traces: Traces) -> None:
        with pytest.raises(ProtocolError):
            await traces.enter(InferRequest("x", (), origin=Origin(SAMPLED, over=over)), refuse)

    _, (span,) = spans_of(work)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "unknown model 'x'")
    assert told.items() <= dict(span.attributes or {}).items()


def test_a_client_that_hangs_up_ends_its_span() -> None:
    async def slow(request: InferRequest, trace: Trace | None = None) -> InferResponse:
        await asyncio.sleep(30)
        raise AssertionError

    async def work(traces: Traces) -> None:
        task = asyncio.create_task(traces.enter(InferRequest("x", ()), slow))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    _, (span,) = spans_of(work, 1.0)
    assert span.status.description == "whoever asked has hung up"


def test_without_traces_nothing_of_them_is_imported() -> None:
    code = "import sys, placid.runtime.node.process, placid.cli.up; print([m for m in sys.modules if 'opentel' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_targets() -> None:
    assert str(Target.parse("otlp=http://here:4318")) == "otlp=http://here:4318/v1/traces"
    assert str(Target.parse("otlp=https://here/some/path")) == "otlp=https://here/some/path"
    assert Target.parse("file=a.jsonl").at.endswith("/a.jsonl")
    for text in ("", "file=", "otlp=here:4318", "otlp=ftp://here", "http://here:4318"):
        with pytest.raises(InputError, match="--traces is otlp="):
            Target.parse(text)
