"""A node's traces: which requests have one, and where their spans go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random
from threading import Thread
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from placid.errors import InputError
from placid.runtime.protocol.messages import InferRequest, InferResponse, Origin, ProtocolError
from placid.runtime.spec import NodeSpec
from placid.runtime.tracing.exporters import EXPORT_S, exporter_of
from placid.runtime.tracing.target import Target
from placid.runtime.tracing.trace import Trace
from placid.version import __version__

if TYPE_CHECKING:
    from placid.runtime.node.networks import Networks

__all__ = ["TRACE_ID", "Traces", "open_traces"]

#: parameter of the answer to a client whose request has a trace
TRACE_ID = "placid_trace_id"
#: spans that wait for the exporter; further ones are lost
_MOST_WAITING, _EVERY_MS = 4096, 1000
_NOWHERE = Context()
_W3C = TraceContextTextMapPropagator()
_HTTP, _GRPC = "POST /v2/models/{model}/infer", "inference.GRPCInferenceService/ModelInfer"
Answering = Callable[[InferRequest, Trace | None], Awaitable[InferResponse]]


def open_traces(spec: NodeSpec, networks: Networks) -> Traces:
    """The traces of the node that `spec` describes.

    Raises:
        InputError: `spec.traces` is no target, or a file that cannot be written.
    """
    target = Target.parse(spec.traces)
    try:
        return Traces(spec, networks, exporter_of(target))
    except OSError as error:
        raise InputError(f"traces cannot be written here: {error.strerror}", where=target.at) from None


class Traces:
    """Begins, goes on with and ends a node's part of a trace; spans are exported in a thread, in batches.

    A request that enters belongs to its client's trace if it says so, and is sampled as that one is; of the others
    `spec.trace_ratio` begin one here. What comes from a node below has a trace if that node told of one.
    """

    def __init__(self, spec: NodeSpec, networks: Networks, exporter: SpanExporter) -> None:
        self._spec = spec
        self._networks = networks
        self._exporter = exporter
        self._provider = TracerProvider(
            sampler=ParentBased(ALWAYS_ON),
            resource=Resource.create(
                {
                    "service.namespace": "placid",
                    "service.name": spec.name,
                    "service.version": __version__,
                    "placid.tier": spec.tier,
                    "placid.processor": spec.processor,
                }
            ),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, _MOST_WAITING, schedule_delay_millis=_EVERY_MS)
        )
        self._tracer = self._provider.get_tracer("placid", __version__)
        self._begins = Random()  # of the system's seed: nodes must not draw alike
        networks.tells_doubts = True

    async def enter(self, request: InferRequest, answer: Answering) -> InferResponse:
        """`answer`, to a client."""
        parent = _NOWHERE if request.origin is None else _parent(request.origin)
        # drawn before there is a span: the SDK's own way of not sampling takes ten microseconds
        if not parent and self._begins.random() >= self._spec.trace_ratio:
            return await answer(request, None)
        span = self._begin(request.origin, parent)
        if not span.is_recording():
            return await answer(request, None)
        response = await self._answered(request, span, answer)
        parameters = {**response.parameters, TRACE_ID: f"{span.get_span_context().trace_id:032x}"}
        return replace(response, parameters=parameters)

    async def go_on(self, request: InferRequest, answer: Answering) -> InferResponse:
        """`answer`, to a node below."""
        parent = _NOWHERE if request.origin is None else _parent(request.origin)
        if not parent:
            return await answer(request, None)
        return await self._answered(request, self._begin(request.origin, parent), answer)

    async def close(self) -> None:
        """Export what waits; whoever does not take it in time does not get it."""
        # the SDK's own shutdown waits for half a minute
        ending = Thread(target=self._provider.shutdown, name="traces end", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, 1.5 * EXPORT_S)
        if ending.is_alive():
            # else the SDK's thread goes on trying, also where the process lives on
            self._exporter.shutdown()

    def _begin(self, origin: Origin | None, parent: Context) -> Span:
        name = _GRPC if origin is not None and origin.over == "grpc" else _HTTP
        return self._tracer.start_span(name, parent, SpanKind.SERVER)

    async def _answered(self, request: InferRequest, span: Span, answer: Answering) -> InferResponse:
        trace = Trace(self._tracer, span, self._networks, request)
        try:
            response = await answer(request, trace)
        except ProtocolError as error:
            trace.refused(str(error), error.status)
            raise
        except asyncio.CancelledError:
            trace.refused("whoever asked has hung up", 499)
            raise
        except Exception as error:
            trace.refused(str(error), 500)
            raise
        else:
            trace.answered(response)
        finally:
            span.end()
        return response


def _parent(origin: Origin) -> Context:
    """Empty if there is none, or what was sent is no trace context."""
    if not origin.traceparent:
        return _NOWHERE
    told = {"traceparent": origin.traceparent, "tracestate": origin.tracestate}
    return _W3C.extract(told, _NOWHERE)
