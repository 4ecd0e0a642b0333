"""`placid trace`: a request's way through the network, from a file of traces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from placid.runtime.tracing.reading import ReadSpan, ReadTrace

__all__ = ["trace"]

console = Console()
_PICKS = ("last", "slowest", "refused")


def trace(
    file: Annotated[Path, typer.Argument(help="What `placid up --traces file=FILE` writes.", metavar="FILE")],
    id: Annotated[
        str | None, typer.Argument(help="Of the trace, or how it begins.", metavar="[ID]", show_default="")
    ] = None,
    pick: Annotated[
        str, typer.Option(help="Without an ID: the last one, the slowest, or the last that was refused.")
    ] = "last",
    listed: Annotated[bool, typer.Option("--list", help="One line for each trace instead.")] = False,
) -> None:
    """Show one request as it went through the network: every node, stage, link and exit, with durations."""
    from placid.errors import InputError
    from placid.runtime.tracing.reading import read_traces

    if pick not in _PICKS:
        raise InputError(f"--pick is {', '.join(_PICKS)}, got '{pick}'")
    traces = read_traces(file)
    if not traces:
        raise InputError("no trace is in it yet: nodes write every second", where=str(file))
    if listed:
        console.print(_list(traces))
        return
    console.print(_title(chosen := _chosen(traces, id, pick)), highlight=False)
    console.print(_waterfall(chosen))


def _chosen(traces: list[ReadTrace], id: str | None, pick: str) -> ReadTrace:
    from placid.errors import InputError

    if id is not None:
        found = [t for t in traces if t.id.startswith(id.lower())]
        if len(found) != 1:
            raise InputError(f"{len(found) or 'no'} traces begin with '{id}': --list shows all")
        return found[0]
    if pick == "slowest":
        return max(traces, key=lambda t: t.took_s)
    if pick == "refused":
        traces = [t for t in traces if t.refused]
        if not traces:
            raise InputError("no request of these traces was refused")
    return traces[-1]


def _title(one: ReadTrace) -> str:
    nodes = list(dict.fromkeys(s.node for s in one.spans))
    return f"[bold]{one.id}[/]: {1e3 * one.took_s:.2f} ms, {len(one.spans)} spans on {', '.join(nodes)}"


def _list(traces: list[ReadTrace]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("trace", "task", "entered at", "answered by"):
        table.add_column(name)
    table.add_column("ms", justify="right")
    table.add_column("spans", justify="right")
    for one in traces:
        top = one.spans[0]
        end = f"[red]{top.error or 'refused'}[/]" if top.error is not None else _of(top, "answered_by")
        table.add_row(one.id, _of(top, "task"), top.node, end, f"{1e3 * one.took_s:.2f}", str(len(one.spans)))
    return table


def _waterfall(one: ReadTrace) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    wide = max(10, min(30, console.width - 90))
    for depth, span in one.walk():
        style = "red" if span.error is not None else ""
        table.add_row(
            Text(f"{'  ' * depth}{_what(span)}", style),
            f"{1e3 * span.took_s:.2f} ms",
            Text(_bar(one, span, wide), style or "cyan"),
            Text(span.error or _details(span), style or "dim"),
        )
    return table


def _bar(one: ReadTrace, span: ReadSpan, wide: int) -> str:
    per_s = wide / max(one.took_s, 1e-9)
    begins = min(wide - 1, int((span.begun_ns - one.begun_ns) / 1e9 * per_s))
    long = max(1, min(wide - begins, round(span.took_s * per_s)))
    return " " * begins + "█" * long + " " * (wide - begins - long)


def _what(span: ReadSpan) -> str:
    """The span in the network's words."""
    if span.name == "link":
        return f"link {_of(span, 'link.direction')}"
    if span.name == "stage":
        return f"stage on {span.node}"
    if "placid.peer" in span.attributes:
        return f"asks {_of(span, 'peer')}"
    return f"{span.node}: {_of(span, 'task')}"


def _details(span: ReadSpan) -> str:
    told = span.attributes
    if span.name == "link":
        return (
            f"{told['placid.link.bytes']:,} B {_of(span, 'link.codec')}, delay {_ms(told, 'link.delay_s')}"
            + (f", transfer {_ms(told, 'link.transfer_s')}" if "placid.link.transfer_s" in told else "")
        )
    if span.name == "stage":
        exits = "".join(
            f", exit {_exit(e.attributes['placid.exit'])} {'takes' if e.attributes['placid.exit.taken'] else 'passes'} "
            f"at {e.attributes['placid.estimated_quality']:.3f}"
            for e in span.events
            if e.name == "placid.exit"
        )
        return (
            f"{_of(span, 'variant')} {_of(span, 'segment.first')}–{_of(span, 'segment.last')}, "
            f"batch {_of(span, 'batch.size')}, waits {_ms(told, 'queue.wait_s')}, computes {_ms(told, 'compute_s')}{exits}"
        )
    if "placid.answered_by" in told:
        return f"answered by {_of(span, 'answered_by')}, exit {_exit(told['placid.exit'])}"
    return ""


def _of(span: ReadSpan, key: str) -> str:
    return str(span.attributes.get(f"placid.{key}", ""))


def _ms(told: Any, key: str) -> str:
    return f"{1e3 * told[f'placid.{key}']:.2f} ms"


def _exit(number: int) -> str:
    return str(number) if number >= 0 else "end"
