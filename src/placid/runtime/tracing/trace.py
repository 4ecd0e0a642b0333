"""One request's trace as far as it is one node's: a span for the request, and one for everything done about it here."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from placid.runtime.protocol.messages import InferRequest, InferResponse, Origin
from placid.runtime.spec import Stage

if TYPE_CHECKING:
    from placid.runtime.node.networks import Left, Networks
    from placid.runtime.node.shaped import Direction, Shaped
    from placid.runtime.node.travel import Travelling
    from placid.runtime.node.worker import Ran

__all__ = ["Asking", "Trace"]

_W3C = TraceContextTextMapPropagator()
_ROUTE = "/v2/models/{model}/infer"
#: what an answer tells of itself, and the attribute that has it
_TOLD = {
    "placid_answered_by": "placid.answered_by",
    "placid_variant": "placid.variant",
    "placid_exit": "placid.exit",
    "placid_estimated_quality": "placid.estimated_quality",
}


class Trace:
    """What a node tells of a request that is sampled; `_counted` of the node carries it along.

    Args:
        span: of the request at this node; whoever began it ends it.
    """

    def __init__(self, tracer: Tracer, span: Span, networks: Networks, request: InferRequest) -> None:
        self._tracer = tracer
        self._networks = networks
        self._span = span
        self._context = set_span_in_context(span)
        self._grpc = request.origin is not None and request.origin.over == "grpc"
        self._task = request.model
        self._asking: Asking | None = None
        told: dict[str, Any] = {"placid.task": request.model}
        if request.id:
            told["placid.request.id"] = request.id
        if self._grpc:
            told |= {"rpc.system.name": "grpc", "rpc.method": "inference.GRPCInferenceService/ModelInfer"}
        else:
            told |= {
                "http.request.method": "POST",
                "http.route": _ROUTE,
                "url.scheme": "http",
                "url.path": f"/v2/models/{request.model}/infer",
            }
        span.set_attributes(told)

    def stage(self, trip: Travelling, stage: Stage, ran: Ran, left: Left) -> None:
        """A stage ran here, and is over now."""
        told: dict[str, Any] = {
            "placid.variant": trip.variant,
            "placid.segment.first": stage.first,
            "placid.segment.last": left.ran - 1,
            "placid.batch.size": ran.together,
            "placid.queue.wait_s": (ran.begun_ns - ran.asked_ns) / 1e9,
            "placid.compute_s": (ran.ended_ns - ran.begun_ns) / 1e9,
        }
        if stage.item:
            told["placid.item"] = stage.item
        span = self._tracer.start_span(
            "stage", self._context, attributes=told, start_time=ran.asked_ns, record_exception=False
        )
        span.add_event("placid.computing", timestamp=ran.begun_ns)
        for number, sureness in left.doubts:
            self._exit(span, trip.variant, number, sureness, False, ran.ended_ns)
        if left.answer is not None:
            self._exit(span, trip.variant, left.answer.exit, left.answer.sureness, True, ran.ended_ns)
        span.end()

    def _exit(self, span: Span, variant: str, number: int, sureness: float, taken: bool, at_ns: int) -> None:
        told: dict[str, Any] = {
            "placid.exit": number,
            "placid.estimated_quality": sureness,
            "placid.exit.taken": taken,
        }
        if number >= 0:
            told["placid.exit.threshold"] = self._networks.runnable(variant).variant.exits[number].threshold
        span.add_event("placid.exit", told, at_ns)

    def happened(self, what: str, **told: Any) -> None:
        """Something that is over at once: an event of the request."""
        self._span.add_event(f"placid.{what}", {f"placid.{k}": v for k, v in told.items()})

    def ask(self, shaped: Shaped, trip: Travelling) -> Asking:
        """The next node is about to be asked."""
        at = shaped.uplink.at
        told: dict[str, Any] = {
            "http.request.method": "POST",
            "url.template": _ROUTE,
            "server.address": at.host,
            "server.port": at.port,
            "placid.peer": shaped.uplink.node,
            "placid.variant": trip.variant,
        }
        span = self._tracer.start_span(
            f"POST {_ROUTE}", self._context, SpanKind.CLIENT, told, record_exception=False
        )
        codec = "picture"
        if isinstance(trip.content, bytes):
            first = trip.stages[trip.at].first
            crossings = self._networks.runnable(trip.variant).variant.crossings
            if 0 < first <= len(crossings):  # if not, the node above refuses it
                codec = crossings[first - 1].codec
        self._asking = Asking(self._tracer, span, shaped, codec)
        return self._asking

    def sent(self, request: InferRequest) -> InferRequest:
        """`request`, with the trace on it, for the node that is asked."""
        assert self._asking is not None
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, self._asking.context)
        return replace(request, origin=Origin(carrier["traceparent"], carrier.get("tracestate", "")))

    def failed_above(self, reason: str) -> None:
        """The node that was asked will not answer, and this one tries what it can."""
        self._end_asking(reason)
        self.happened("answers_alone", reason=reason)

    def answered(self, response: InferResponse) -> None:
        """The request has its answer."""
        told: dict[str, Any] = {ours: response.parameters[key] for key, ours in _TOLD.items()}
        told |= {"rpc.response.status_code": "OK"} if self._grpc else {"http.response.status_code": 200}
        self._span.set_attributes(told)

    def refused(self, reason: str, status: int) -> None:
        """The request will have no answer."""
        self._end_asking(reason)
        told: dict[str, Any] = {"error.type": str(status)}
        if self._grpc:
            from placid.runtime.rpc.server import CODES

            code = CODES.get(status)
            told["rpc.response.status_code"] = told["error.type"] = "INTERNAL" if code is None else code.name
        else:
            told["http.response.status_code"] = status
        self._span.set_attributes(told)
        self._span.set_status(Status(StatusCode.ERROR, reason))

    def _end_asking(self, reason: str) -> None:
        if self._asking is not None:
            self._asking.fail(reason)


class Asking:
    """The next node is asked: a span from when the request sets out until its answer is here, one in it for each way.

    It stands for the link (`Shaped.carry`) as long as that lasts.
    """

    def __init__(self, tracer: Tracer, span: Span, shaped: Shaped, codec: str) -> None:
        self._tracer = tracer
        self._span = span
        self._shaped = shaped
        self._codec = codec
        self._open = True
        self.context = set_span_in_context(span)

    async def carry(self, way: Direction, size_bytes: int, *, took_s: float = 0.0) -> None:
        """Return when a message would have crossed, as `Shaped.carry`."""
        shaped, down = self._shaped, way is self._shaped.down
        link = shaped.uplink
        told: dict[str, Any] = {
            "placid.link.to": link.node,
            "placid.link.direction": "down" if down else "up",
            "placid.link.bytes": size_bytes,
            "placid.link.codec": "answer" if down else self._codec,
            "placid.link.delay_s": link.rtt_s / 2,
            "placid.link.wait_s": max(0.0, way.free_at_s - monotonic()),
        }
        if link.bandwidth_bytes_per_s:
            told["placid.link.transfer_s"] = size_bytes / link.bandwidth_bytes_per_s
        if took_s:
            told["placid.link.carried_in_s"] = took_s
        crossing = self._tracer.start_span("link", self.context, attributes=told, record_exception=False)
        try:
            await shaped.carry(way, size_bytes, took_s=took_s)
        finally:
            crossing.end()
        if down:
            self._span.set_attribute("http.response.status_code", 200)
            self._end()

    def fail(self, reason: str) -> None:
        """The answer does not come. Nothing, if it has."""
        if self._open:
            self._span.set_status(Status(StatusCode.ERROR, reason))
            self._end()

    def _end(self) -> None:
        self._open = False
        self._span.end(time_ns())
