"""What takes finished spans out of a node, and is no harm to it when that fails."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from placid.runtime.tracing.json_lines import JsonLines
from placid.runtime.tracing.target import Target

__all__ = ["EXPORT_S", "SaysOnce", "exporter_of"]

_LOG = logging.getLogger("placid.traces")
#: within which a batch has to be taken; what is not is lost
EXPORT_S = 2.0


def exporter_of(target: Target) -> SpanExporter:
    """The SDK's for a collector, ours for a file; headers and certificates come from OTEL_EXPORTER_OTLP_*."""
    if target.kind == "file":
        return SaysOnce(JsonLines(target.at), target.at)
    return SaysOnce(OTLPSpanExporter(target.at, timeout=EXPORT_S), target.at)


class SaysOnce(SpanExporter):
    """Another exporter, of which the log hears once that it fails, and once that it works again.

    Args:
        where: what spans are sent to, for the log.
    """

    def __init__(self, exporter: SpanExporter, where: str) -> None:
        self._exporter = exporter
        self._where = where
        self._failing = False
        self.lost = 0
        # the SDK says it for every batch and every attempt
        for name in ("opentelemetry.exporter", "opentelemetry.sdk"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result, reason = self._exporter.export(spans), "it does not take them"
        except Exception as error:  # whatever it is, requests go on
            result, reason = SpanExportResult.FAILURE, str(error)
        failed = result is not SpanExportResult.SUCCESS
        if failed:
            self.lost += len(spans)
        if failed and not self._failing:
            _LOG.warning("traces are lost: %s: %s. Said once; requests go on", self._where, reason)
        elif self._failing and not failed:
            _LOG.warning("traces reach %s again, %d spans were lost", self._where, self.lost)
        self._failing = failed
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
