"""Traces of requests (OpenTelemetry): nothing here is imported unless tracing is on."""
