"""A file of OTLP as JSON, a line for each batch, as collectors write it; all nodes of a machine share one."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

__all__ = ["JsonLines"]

_IDS = ("traceId", "spanId", "parentSpanId")


class JsonLines(SpanExporter):
    """Appends to `path`; a line is one write, so that those of several processes do not mix.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        told = MessageToDict(encode_spans(spans), use_integers_for_enums=True)
        for resource in told.get("resourceSpans", ()):
            for scope in resource.get("scopeSpans", ()):
                for span in scope.get("spans", ()):
                    _hex(span)
        line = orjson.dumps(told) + b"\n"
        written = os.write(self._file, line)
        return SpanExportResult.SUCCESS if written == len(line) else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _hex(span: dict[str, Any]) -> None:
    """OTLP has ids in hex, where protobuf's own JSON has base64."""
    for key in _IDS:
        if key in span:
            span[key] = base64.b64decode(span[key]).hex()
