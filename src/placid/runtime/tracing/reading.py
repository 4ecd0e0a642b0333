"""Traces from a file of OTLP as JSON, without OpenTelemetry."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from placid.errors import InputError

__all__ = ["Event", "ReadSpan", "ReadTrace", "read_traces"]

_ERROR = 2


@dataclass(frozen=True)
class Event:
    """Something at one point in time of a span."""

    name: str
    at_ns: int
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class ReadSpan:
    """A span that has ended.

    Attributes:
        node: where it was, the name of its service.
        error: why it failed; None if it did not.
    """

    trace: str
    id: str
    parent: str
    node: str
    name: str
    begun_ns: int
    ended_ns: int
    attributes: Mapping[str, Any]
    events: tuple[Event, ...] = ()
    error: str | None = None

    @property
    def took_s(self) -> float:
        """From its beginning to its end."""
        return (self.ended_ns - self.begun_ns) / 1e9


@dataclass(frozen=True)
class ReadTrace:
    """All spans of one request, by when they began."""

    id: str
    spans: tuple[ReadSpan, ...]
    _below: Mapping[str, list[ReadSpan]] = field(repr=False)

    @property
    def begun_ns(self) -> int:
        """When the first span began."""
        return self.spans[0].begun_ns

    @property
    def took_s(self) -> float:
        """From the first beginning to the last end."""
        return (max(s.ended_ns for s in self.spans) - self.begun_ns) / 1e9

    @property
    def refused(self) -> bool:
        """Whether a span at the top has failed."""
        return any(s.error is not None for s in self.below(""))

    def below(self, parent: str) -> list[ReadSpan]:
        """Spans whose parent is `parent`; of "", those whose parent is not in the file, the client's own say."""
        return list(self._below.get(parent, ()))

    def walk(self, parent: str = "", depth: int = 0) -> Iterator[tuple[int, ReadSpan]]:
        """Every span with how deep it is, as a tree is read."""
        for span in self.below(parent):
            yield depth, span
            yield from self.walk(span.id, depth + 1)


def read_traces(path: Path) -> list[ReadTrace]:
    """All traces of a file, by when they began. A last line that is cut short is left out.

    Raises:
        InputError: there is no such file, or it is none of OTLP as JSON.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {getattr(error, 'strerror', error)}", where=str(path)) from None
    spans: dict[str, dict[str, ReadSpan]] = {}
    for number, line in enumerate(lines, 1):
        try:
            for span in _spans(json.loads(line)):
                spans.setdefault(span.trace, {})[span.id] = span
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if number == len(lines) and number > 1:
                break  # a node was killed as it wrote, or writes yet
            raise InputError(f"is no OTLP as JSON: {error!r}", where=f"{path}:{number}") from None
    return sorted((_trace(key, found) for key, found in spans.items()), key=lambda t: t.begun_ns)


def _trace(key: str, found: Mapping[str, ReadSpan]) -> ReadTrace:
    ordered = tuple(sorted(found.values(), key=lambda s: (s.begun_ns, -s.ended_ns)))
    below: dict[str, list[ReadSpan]] = {}
    for span in ordered:
        below.setdefault(span.parent if span.parent in found else "", []).append(span)
    return ReadTrace(key, ordered, below)


def _spans(told: Mapping[str, Any]) -> Iterator[ReadSpan]:
    for resource in told["resourceSpans"]:
        node = str(_attributes(resource.get("resource", {})).get("service.name", "?"))
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                status = span.get("status", {})
                yield ReadSpan(
                    trace=span["traceId"],
                    id=span["spanId"],
                    parent=span.get("parentSpanId", ""),
                    node=node,
                    name=span["name"],
                    begun_ns=int(span["startTimeUnixNano"]),
                    ended_ns=int(span["endTimeUnixNano"]),
                    attributes=_attributes(span),
                    events=tuple(
                        Event(e["name"], int(e["timeUnixNano"]), _attributes(e))
                        for e in span.get("events", ())
                    ),
                    error=status.get("message", "") if status.get("code") == _ERROR else None,
                )


def _attributes(told: Mapping[str, Any]) -> dict[str, Any]:
    return {a["key"]: _value(a["value"]) for a in told.get("attributes", ())}


def _value(told: Mapping[str, Any]) -> Any:
    ((kind, value),) = told.items()
    return int(value) if kind == "intValue" else value
