"""Tables for the terminal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from copy import copy
from io import StringIO
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape
from rich.table import Table

from placid.reports.run_data import RunData, read_run
from placid.reports.tables import compare, summary
from placid.reports.wording import column_decimals, count, pick_unit, with_interval

__all__ = ["PrintableTable", "comparison_table", "summary_table", "table"]


class PrintableTable(Table):
    """A rich table that `print` shows too; where the terminal is too narrow it leaves out its last columns."""

    def __str__(self) -> str:
        text = StringIO()
        Console(file=text, width=120, color_system=None).print(self)
        return text.getvalue().rstrip("\n")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        fitting = copy(self)
        fitting.columns = list(self.columns)
        roomy = options.update(width=1000)
        while len(fitting.columns) > 2 and fitting._natural_width(console, roomy) > options.max_width:
            fitting.columns.pop()
        left_out = len(self.columns) - len(fitting.columns)
        if left_out:
            more = f"{left_out} more column{'' if left_out == 1 else 's'} in a wider terminal"
            fitting.caption = f"{self.caption}; {more}"
        yield from Table.__rich_console__(fitting, console, options)

    def _natural_width(self, console: Console, roomy: ConsoleOptions) -> int:
        return Table.__rich_measure__(self, console, roomy).maximum


def summary_table(run_dir: str | os.PathLike[str] | RunData) -> PrintableTable:
    """What each policy came to, the best first; hindsight below, under a line."""
    run = read_run(run_dir)
    unit, per_unit = run.gain_unit
    rows = summary(run).to_dicts()
    rows.sort(key=lambda r: (r["kind"] == "hindsight", -(r["gain"] or 0.0)))
    seeds = max(r["n"] for r in rows)
    shown = table(
        f"{run.name}: {count(run.slots, 'slot')}, {count(seeds, 'seed')}",
        "mean ± 95 % interval over seeds" if seeds > 1 else "one seed: no intervals",
    )
    shown.add_column("policy", no_wrap=True)
    if run.adaptive:
        shown.add_column("requests made\nagainst", no_wrap=True)
    missed = any(row["unserved_share"] for row in rows)
    waited = any(row["waiting_s"] is not None for row in rows)
    loaded, loaded_unit = _unit_of(rows, "bytes_loaded", "size")
    latency, latency_unit = _unit_of(rows, "latency_s", "time")
    columns = [
        (f"gain per\nrequest, {unit}", _column(rows, "gain", 1 / per_unit)),
        ("of the LP\nbound, %", _column(rows, "share_of_bound", 0.01)),
        (f"regret,\n{unit}", _column(rows, "regret", 1 / per_unit, interval=False)),
        (f"latency,\n{latency_unit}", _column(rows, "latency_s", latency, interval=False)),
        *(
            [(f"waiting,\n{latency_unit}", _column(rows, "waiting_s", latency, interval=False))]
            if waited
            else []
        ),
        ("error", _column(rows, "error", 1.0, interval=False)),
        *([("not\nserved, %", _column(rows, "unserved_share", 0.01, interval=False))] if missed else []),
        (f"{loaded_unit} loaded\na slot", _column(rows, "bytes_loaded", loaded, interval=False)),
        ("messages\na slot", [f"{row['messages']:,.0f}" for row in rows]),
    ]
    for head, _ in columns:
        shown.add_column(head, justify="right", no_wrap=True)
    for k, row in enumerate(rows):
        last = k + 1 < len(rows) and row["kind"] != "hindsight" and rows[k + 1]["kind"] == "hindsight"
        shown.add_row(
            escape(row["policy"]),
            *([escape(row["trace"])] if run.adaptive else []),
            *(cells[k] for _, cells in columns),
            end_section=last,
            style="dim" if row["kind"] == "hindsight" else None,
        )
    return shown


def comparison_table(run_dirs: Sequence[str | os.PathLike[str] | RunData]) -> PrintableTable:
    """Gain per request, policy by policy, one column per run."""
    run_dirs = list(
        {str(read_run(d).path.resolve()): d for d in run_dirs}.values()
    )  # a run given twice stands once
    frame = compare(run_dirs)
    runs = frame["run"].unique(maintain_order=True).to_list()
    units = [read_run(d).gain_unit for d in run_dirs]
    shown = table("gain per request, and its share of the LP bound", "mean ± 95 % interval over seeds")
    shown.add_column("policy", no_wrap=True)
    for run, (unit, _) in zip(runs, units, strict=True):
        shown.add_column(f"{escape(run)}\n\\[{unit}]", justify="right")
    pairs = frame.select("policy", "trace").unique(maintain_order=True).rows()
    by_key: dict[tuple[str, str, str], dict[str, Any]] = {
        (r["run"], r["policy"], r["trace"]): r for r in frame.to_dicts()
    }
    for policy, trace in pairs:
        cells = []
        for run, (_, per_unit) in zip(runs, units, strict=True):
            row = by_key.get((run, policy, trace))
            if row is None:
                cells.append("–")
                continue
            share = row["share_of_bound"]
            cells.append(
                _cell(row, "gain", 1 / per_unit) + ("" if share is None else f"  ({100 * share:.1f} %)")
            )
        against = f" against {trace}" if trace and trace != policy else ""
        shown.add_row(escape(policy + against), *cells)
    return shown


def table(title: str, caption: str) -> PrintableTable:
    """An empty one in the house's manner."""
    return PrintableTable(
        title=escape(title),
        caption=caption,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        pad_edge=False,
    )


def _unit_of(rows: list[dict[str, Any]], column: str, dimension: str) -> tuple[float, str]:
    """One unit for a whole column: the one that suits its middle."""
    known = sorted(abs(r[column]) for r in rows if r[column])
    return pick_unit(known[len(known) // 2] if known else 0.0, dimension)


def _cell(row: dict[str, Any], column: str, scale: float) -> str:
    return with_interval(row[column], row[f"{column}_low"], row[f"{column}_high"], scale)


def _column(rows: list[dict[str, Any]], column: str, scale: float, *, interval: bool = True) -> list[str]:
    """The cells of one column, all with the same number of digits after the point."""
    known = [r for r in rows if r[column] is not None]
    ends = [(r[f"{column}_low"], r[f"{column}_high"]) for r in known]
    halves = [None if low is None else (high - low) / 2 / scale for low, high in ends] if interval else []
    decimals = column_decimals([r[column] / scale for r in known], halves)
    return [
        with_interval(
            r[column],
            r[f"{column}_low"] if interval else None,
            r[f"{column}_high"] if interval else None,
            scale,
            decimals,
        )
        for r in rows
    ]
