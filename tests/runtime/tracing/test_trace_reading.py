"""Traces out of a file, and `placid trace`, which needs no OpenTelemetry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from placid.cli.app import app
from placid.errors import InputError
from placid.runtime.tracing.reading import read_traces

A, B = "a" * 32, "b" * 32


def span(trace: str, id: str, parent: str, name: str, ms: tuple[float, float], **told: Any) -> dict[str, Any]:
    kinds = {str: "stringValue", int: "intValue", float: "doubleValue", bool: "boolValue"}
    error = told.pop("error", None)
    events = told.pop("events", [])
    return {
        "traceId": trace,
        "spanId": id,
        "parentSpanId": parent,
        "name": name,
        "startTimeUnixNano": str(int(ms[0] * 1e6)),
        "endTimeUnixNano": str(int(ms[1] * 1e6)),
        "attributes": [
            {
                "key": f"placid.{k.replace('__', '.')}",
                "value": {kinds[type(v)]: str(v) if type(v) is int else v},
            }
            for k, v in told.items()
        ],
        "events": events,
        "status": {} if error is None else {"code": 2, "message": error},
    }


def line(node: str, *spans: dict[str, Any]) -> str:
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": node}}]}
    return json.dumps({"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": list(spans)}]}]})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A request that the cloud answers for a camera, and one that the camera refuses; nodes write in no order."""
    exit_ = {
        "name": "placid.exit",
        "timeUnixNano": "9000000",
        "attributes": [
            {"key": "placid.exit", "value": {"intValue": "-1"}},
            {"key": "placid.exit.taken", "value": {"boolValue": True}},
            {"key": "placid.estimated_quality", "value": {"doubleValue": 0.75}},
        ],
    }
    lines = [
        line(
            "cloud",
            span(A, "5", "4", "POST", (7, 12), task="t", answered_by="cloud", exit=-1),
            span(
                *(A, "6", "5", "stage", (8, 11)),
                variant="remote-raw", segment__first=1, segment__last=1, batch__size=2,
                queue__wait_s=0.001, compute_s=0.002, events=[exit_],
            ),
        ),
        line(
            "camera",
            span(A, "1", "client", "POST", (0, 20), task="t", answered_by="cloud", exit=-1),
            span(A, "4", "1", "POST", (1, 19), peer="cloud"),
            span(A, "7", "4", "link", (1, 6), link__direction="up", link__bytes=3072, link__codec="raw",
                 link__delay_s=0.004, link__transfer_s=0.001),
            span(B, "1", "", "POST", (30, 31), task="t", error="too many"),
        ),
    ]  # fmt: skip
    found = tmp_path / "t.jsonl"
    found.write_text("\n".join(lines) + "\n" + lines[0][:50])  # the last one is still being written
    return found


def test_spans_of_several_nodes_are_one_tree(file: Path) -> None:
    first, second = read_traces(file)
    assert (first.id, second.id) == (A, B)
    assert [(depth, s.node, s.name) for depth, s in first.walk()] == [
        (0, "camera", "POST"),
        (1, "camera", "POST"),
        (2, "camera", "link"),
        (2, "cloud", "POST"),
        (3, "cloud", "stage"),
    ]
    assert first.took_s == pytest.approx(0.02)
    assert (first.refused, second.refused) == (False, True)
    assert first.spans[-1].attributes["placid.batch.size"] == 2


def test_no_traces(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_traces(tmp_path / "none.jsonl")
    wrong = tmp_path / "wrong.jsonl"
    for text in ("hello\n", '{"resourceSpans": 3}\n', "[]\n"):
        wrong.write_text(text)
        with pytest.raises(InputError, match="is no OTLP as JSON"):
            read_traces(wrong)


def shown(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["trace", *arguments], env={"COLUMNS": "180"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


def test_a_trace_is_shown(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placid.cli.trace.console.width", 180)
    text = shown(str(file), "aaa")
    rows = text.splitlines()
    assert rows[0] == f"{A}: 20.00 ms, 5 spans on camera, cloud"
    assert [r.split("  ")[0] or r.strip().split("  ")[0] for r in rows[1:]] == [
        "camera: t", "asks cloud", "link up", "cloud: t", "stage on cloud",
    ]  # fmt: skip
    assert "3,072 B raw, delay 4.00 ms, transfer 1.00 ms" in rows[3]
    assert "batch 2, waits 1.00 ms, computes 2.00 ms, exit end takes at 0.750" in rows[5]
    # bars begin and end where spans do: 20 ms are 30 places
    bars = [r.split("ms ", 1)[1][1:31] for r in rows[1:]]
    assert bars[0] == "█" * 30
    assert bars[2].rstrip() == " " + "█" * 8
    assert "too many" in shown(str(file), "--pick", "refused")
    assert shown(str(file)).startswith(B)
    assert shown(str(file), "--pick", "slowest").startswith(A)
    listed = shown(str(file), "--list").splitlines()
    assert [row.split()[0] for row in listed[1:]] == [A, B]


def test_what_cannot_be_shown(file: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    for arguments, match in (
        ((str(empty),), "no trace is in it yet"),
        ((str(file), "c"), "no traces begin with 'c'"),
        ((str(file), ""), "2 traces begin with ''"),
        ((str(file), "--pick", "best"), "--pick is last, slowest, refused"),
    ):
        with pytest.raises(InputError, match=match):
            shown(*arguments)
