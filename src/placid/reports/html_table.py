"""The summary as a table of the page, and as a download."""

from __future__ import annotations

import math
import re
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import polars as pl

from placid.reports.palette import PolicyStyle
from placid.reports.wording import column_decimals, pick_unit, with_interval

if TYPE_CHECKING:
    from placid.reports.story import Story

__all__ = ["MARKS", "csv_link", "policy_swatch", "summary_html"]

#: marks of the charts, 26 x 14 pixels, by the name that Vega gives their shape
MARKS = {
    "circle": '<circle cx="13" cy="7" r="4.2" fill="{c}"/>',
    "square": '<rect x="9.2" y="3.2" width="7.6" height="7.6" fill="{c}"/>',
    "diamond": '<path d="M13 2 17.4 7 13 12 8.6 7Z" fill="{c}"/>',
    "triangle-up": '<path d="M13 2.6 17.6 11H8.4Z" fill="{c}"/>',
    "triangle-down": '<path d="M13 11.4 17.6 3H8.4Z" fill="{c}"/>',
    "cross": '<path d="M11.5 3h3v2.5H17v3h-2.5V11h-3V8.5H9v-3h2.5Z" fill="{c}"/>',
}


def policy_swatch(style: PolicyStyle) -> str:
    """The line and the mark of a policy, as in the charts."""
    dash = " ".join(map(str, style.dash))
    return (
        '<svg class="swatch" width="26" height="14" aria-hidden="true">'
        f'<line x1="1" y1="7" x2="25" y2="7" stroke="{style.colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        + MARKS[style.shape].format(c=style.colour)
        + "</svg>"
    )


def summary_html(story: Story) -> str:
    """The summary, best first, with heads that sort."""
    run = story.run
    rows = story.summary.to_dicts()
    rows.sort(key=lambda r: -(r["gain"] if r["gain"] is not None else -math.inf))
    unit, per_unit = run.gain_unit
    latency, latency_unit = _unit(rows, "latency_s", "time")
    energy, energy_unit = _unit(rows, "energy_j", "energy")
    loaded, loaded_unit = _unit(rows, "bytes_loaded", "size")
    columns: list[tuple[str, str, str, float]] = [
        ("gain", "gain per\nrequest", unit, 1 / per_unit),
        ("share_of_bound", "of LP\nbound", "%", 0.01),
        ("share_of_ceiling", "of\nceiling", "%", 0.01),
        ("regret", "regret per\nrequest", unit, 1 / per_unit),
        ("regret_discounted", "(1−1/e)-\nregret", unit, 1 / per_unit),
        ("regret_bound", "theorem's\nbound", unit, 1 / per_unit),
        ("latency_s", "latency", latency_unit, latency),
        ("error", "error", "", 1.0),
        ("energy_j", "energy per\nrequest", energy_unit, energy),
        ("bytes_loaded", "loaded\nper slot", loaded_unit, loaded),
        ("messages", "messages\nper slot", "", 1.0),
        *((f"share_{t}", f"served\n{t}", "%", 0.01) for t in run.tiers),
    ]
    columns = [c for c in columns if any(r[c[0]] is not None for r in rows)]
    heads = ['<th scope="col" data-text><button type="button">policy</button></th>']
    if run.adaptive:
        heads.append(
            '<th scope="col" class="text" data-text><button type="button">requests\nmade against</button></th>'
        )
    heads += [
        f'<th scope="col"{_class(c)}{" aria-sort=descending" if c == "gain" else ""}><button type="button">'
        f"{escape(head)}</button><small>{escape(unit) or '&nbsp;'}</small></th>"
        for c, head, unit, _ in columns
    ]
    cells = {c: _cells(rows, c, scale) for c, _, _, scale in columns}
    body = []
    for k, row in enumerate(rows):
        value = escape(row["policy"], quote=True)
        line = [
            f'<td data-value="{value}">{policy_swatch(story.styles[row["policy"]])}{escape(row["policy"])}</td>'
        ]
        if run.adaptive:
            line.append(
                f'<td class="text" data-value="{escape(row["trace"], quote=True)}">{escape(row["trace"])}</td>'
            )
        line += [
            f'<td{_class(c)} data-value="{"" if row[c] is None else repr(float(row[c]))}">{cells[c][k]}</td>'
            for c, _, _, _ in columns
        ]
        body.append(f'<tr class="{row["kind"]}">{"".join(line)}</tr>')
    return f"<table><thead><tr>{''.join(heads)}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _class(column: str) -> str:
    """Columns that print leaves out: a chart shows them."""
    return (
        ' class="tier"'
        if column.startswith("share_") and column not in ("share_of_bound", "share_of_ceiling")
        else ""
    )


def csv_link(summary: pl.DataFrame, name: str) -> str:
    """A link that saves the summary as CSV; the file is in the link."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "run"
    content = quote(summary.write_csv(), safe="")
    return (
        f'<a id="csv" download="{slug}.csv" href="data:text/csv;charset=utf-8,{content}">Download as CSV</a>'
    )


def _unit(rows: list[dict[str, Any]], column: str, dimension: str) -> tuple[float, str]:
    known = sorted(abs(r[column]) for r in rows if r[column])
    return pick_unit(known[len(known) // 2] if known else 0.0, dimension)


def _cells(rows: list[dict[str, Any]], column: str, scale: float) -> list[str]:
    known = [r for r in rows if r[column] is not None]
    low, high = f"{column}_low", f"{column}_high"
    decimals = column_decimals(
        [r[column] / scale for r in known],
        [None if r[low] is None else (r[high] - r[low]) / 2 / scale for r in known],
    )
    return [with_interval(r[column], r[low], r[high], scale, decimals).replace("-", "−") for r in rows]
