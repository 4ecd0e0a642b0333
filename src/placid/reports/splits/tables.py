"""All numbers of a comparison: as rows, for the terminal, as CSV, and as a table of the page that sorts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

import polars as pl
from rich import box
from rich.markup import escape as plain

from placid.catalog.variants import Zoo
from placid.reports.html_table import MARKS
from placid.reports.splits.amounts import amount
from placid.reports.splits.costs import Cost, costs
from placid.reports.splits.families import Family
from placid.reports.splits.pareto import efficient_ways
from placid.reports.splits.story import Comparison
from placid.reports.terminal import PrintableTable
from placid.reports.wording import count, quantity

__all__ = ["csv_download", "family_swatch", "splits_csv", "splits_frame", "splits_html", "splits_table"]


def splits_frame(zoo: Zoo) -> pl.DataFrame:
    """A row for every way to answer, in SI units and shares; `measured` times are those of the zoo's processor."""
    ways = costs(zoo)
    return pl.DataFrame(
        [
            {
                "name": w.name,
                "technique": w.variant.technique,
                "family": w.family.name,
                "network": w.variant.network,
                "cut": w.variant.cut,
                "segments": len(w.variant.segments),
                "device_segments": w.device_segments,
                "derived": w.derived,
                "accuracy": w.accuracy,
                "accuracy_low": w.accuracy_low,
                "accuracy_high": w.accuracy_high,
                "seeds": len(w.variant.seed_accuracies),
                "sent_share": w.sent_share,
                "bytes_mean": w.bytes_mean,
                "bytes_p95": w.bytes_p95,
                "device_multiply_adds": w.device_multiply_adds,
                "server_multiply_adds": w.server_multiply_adds,
                "device_operations": w.device_operations,
                "encoder_bytes": w.encoder_bytes,
                "encode_s": w.encode_s,
                "decode_s": w.decode_s,
                "device_measured_s": w.device_measured_s(),
                "server_measured_s": w.server_measured_s(),
                "segment_p50_s": "; ".join(f"{s.name} {s.latency.p50_s:.6g}" for s in w.variant.segments),
                "efficient": e,
            }
            for w, e in zip(ways, efficient_ways(ways), strict=True)
        ]
    )


def splits_csv(zoo: Zoo) -> str:
    """`splits_frame` as CSV."""
    return splits_frame(zoo).write_csv()


def splits_table(told: Comparison) -> PrintableTable:
    """The table for a terminal: a line for every way, the fewest bytes last; * marks what no other beats."""
    table = PrintableTable(
        title=plain(f"{told.about}: {count(len(told.zoo.variants), 'variant')}"),
        caption="* no other sends less, computes less and answers better at once; ± half of the 95 % interval",
        box=box.SIMPLE_HEAD, title_justify="left", caption_justify="left", pad_edge=False,
    )  # fmt: skip
    table.add_column("variant", no_wrap=True)
    for head in (
        "accuracy, %", "bytes\nmean", "device\noperations", "server\nmult-adds", "bytes\np95", "device\nkeeps",
        "device,\nmeasured", "server,\nmeasured",
    ):  # fmt: skip
        table.add_column(head, justify="right", no_wrap=True)
    ways = told.ways
    for k in sorted(range(len(ways)), key=lambda k: (-ways[k].bytes_mean, -ways[k].accuracy)):
        w = ways[k]
        table.add_row(
            plain(w.name) + (" *" if told.efficient[k] else ""),
            _accuracy(w),
            f"{w.bytes_mean:,.0f}",
            amount(w.device_operations),
            amount(w.server_multiply_adds),
            f"{w.bytes_p95:,.0f}",
            quantity(w.encoder_bytes, "size"),
            _time(w.device_measured_s()),
            _time(w.server_measured_s()),
        )
    return table


def splits_html(told: Comparison) -> str:
    """The table of the page, most accurate first, with heads that sort. Families are told by their marks."""
    heads: Sequence[tuple[str, str]] = (
        ("accuracy", "%"), ("sent,\nmean", "B"), ("sent,\np95", "B"), ("device\noperations", "M"),
        ("server\nmult-adds", "M"), ("device\nkeeps", "kB"), ("device,\nmeasured", "ms"), ("server,\nmeasured", "ms"),
        ("no other\nbeats it", ""),
    )  # fmt: skip
    head = '<th scope="col" data-text><button type="button">variant</button></th>' + "".join(
        f'<th scope="col"{" aria-sort=descending" if k == 0 else ""}><button type="button">{escape(name)}</button>'
        f"<small>{unit or '&nbsp;'}</small></th>"
        for k, (name, unit) in enumerate(heads)
    )
    body = []
    marked = dict(zip((w.name for w in told.ways), told.efficient, strict=True))
    for w in sorted(told.ways, key=lambda w: -w.accuracy):
        cells = (
            (w.accuracy, _accuracy(w)),
            (w.bytes_mean, f"{w.bytes_mean:,.0f}"),
            (w.bytes_p95, f"{w.bytes_p95:,.0f}"),
            (w.device_operations, _in(w.device_operations, 1e6)),
            (w.server_multiply_adds, _in(w.server_multiply_adds, 1e6)),
            (w.encoder_bytes, _in(w.encoder_bytes, 1e3)),
            (w.device_measured_s(), _in(w.device_measured_s(), 1e-3)),
            (w.server_measured_s(), _in(w.server_measured_s(), 1e-3)),
            (float(marked[w.name]), "●" if marked[w.name] else ""),
        )
        name = escape(w.name, quote=True)
        note = " †" if w.derived else ""
        body.append(
            f'<tr><td data-value="{name}" title="{escape(w.family.name)}">{family_swatch(w.family)}{name}{note}</td>'
            + "".join(f'<td data-value="{float(value)!r}">{text}</td>' for value, text in cells)
            + "</tr>"
        )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def csv_download(zoo: Zoo) -> str:
    """A link that saves the table as CSV; the file is in the link."""
    content = quote(splits_csv(zoo), safe="")
    return (
        f'<a id="csv" download="splits.csv" href="data:text/csv;charset=utf-8,{content}">Download as CSV</a>'
    )


def family_swatch(family: Family) -> str:
    """The mark of a family, as in the charts."""
    mark = MARKS[family.shape].format(c=family.colour)
    return f'<svg class="swatch" width="14" height="14" viewBox="6 0 14 14" aria-hidden="true">{mark}</svg>'


def _accuracy(way: Cost) -> str:
    return f"{100 * way.accuracy:.2f} ± {50 * (way.accuracy_high - way.accuracy_low):.2f}"


def _in(value: float, unit: float) -> str:
    """Three digits; grouped where there are more before the point."""
    value /= unit
    return "0" if value == 0 else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _time(seconds: float) -> str:
    return quantity(seconds, "time")
