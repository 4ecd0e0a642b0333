"""A file of OTLP as JSON, a line for each batch, as collectors write it; all nodes of a machine share one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

__all__ = ["JsonLines"]

#: for `SpanKind` of the API, which counts from 0 where OTLP has "unspecified" there
_FIRST_KIND = 1


class JsonLines(SpanExporter):
    """Appends to `path`; a line is one write, so that those of several processes do not mix.

    The SDK has OTLP in protobuf's encoding alone; JSON made of that by protobuf takes ten times as long as this.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        line = orjson.dumps({"resourceSpans": [_of_resource(spans)]}) + b"\n"
        written = os.write(self._file, line)
        return SpanExportResult.SUCCESS if written == len(line) else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _of_resource(spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    """All of them: a node is one resource and has one tracer."""
    scope = spans[0].instrumentation_scope
    return {
        "resource": {"attributes": _attributes(spans[0].resource.attributes)},
        "scopeSpans": [
            {
                "scope": {} if scope is None else {"name": scope.name, "version": scope.version},
                "spans": [_span(span) for span in spans],
            }
        ],
    }


def _span(span: ReadableSpan) -> dict[str, Any]:
    context = span.context
    assert context is not None
    told: dict[str, Any] = {
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        "flags": int(context.trace_flags),
        "name": span.name,
        "kind": span.kind.value + _FIRST_KIND,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes or {}),
        "status": {"code": span.status.status_code.value},
    }
    if span.parent is not None:
        told["parentSpanId"] = f"{span.parent.span_id:016x}"
    if context.trace_state:
        told["traceState"] = context.trace_state.to_header()
    if span.status.description:
        told["status"]["message"] = span.status.description
    if span.events:
        told["events"] = [
            {"timeUnixNano": str(e.timestamp), "name": e.name, "attributes": _attributes(e.attributes or {})}
            for e in span.events
        ]
    return told


def _attributes(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in told.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}  # 64 bits, which JSON's numbers do not have
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    return {"arrayValue": {"values": [_value(v) for v in value]}}
