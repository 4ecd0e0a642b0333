"""The tables say what the manifest says, in any width, and the CSV can be read back."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import polars as pl
import pytest
from rich.console import Console

from placid.catalog.variants import Zoo
from placid.reports.splits import compare_splits, splits_csv, splits_table
from placid.reports.splits.costs import costs
from placid.reports.splits.pareto import efficient_ways
from placid.reports.splits.tables import splits_html


def printed(zoo: Zoo, width: int) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=width, color_system=None).print(splits_table(compare_splits(zoo)))
    return [line.strip() for line in text.getvalue().splitlines()]


def test_the_csv_holds_every_way_in_si_units(zoo: Zoo) -> None:
    table = pl.read_csv(io.StringIO(splits_csv(zoo)))
    ways = costs(zoo)
    assert table["name"].to_list() == [w.name for w in ways]
    assert table["efficient"].to_list() == efficient_ways(ways)
    row = table.row(by_predicate=pl.col("name") == "bottlefit-early-exit", named=True)
    assert row["sent_share"] == pytest.approx(1 - 0.41)
    assert row["bytes_mean"] == pytest.approx(0.59 * 130)
    assert row["bytes_p95"] == 130
    assert row["device_multiply_adds"] == 10_100_000
    assert row["server_multiply_adds"] == pytest.approx(0.59 * 130e6)
    assert row["device_measured_s"] == pytest.approx(10.1e6 / 2e10 + 5e-5 + 0.59 * 1e-5)
    assert row["segment_p50_s"] == "encoder 0.000555; tail2 0.00655"
    raw = table.row(by_predicate=pl.col("name") == "remote-raw", named=True)
    assert (raw["family"], raw["segments"], raw["derived"]) == ("raw picture", 2, False)


def test_the_terminal_shows_all_columns_where_there_is_room(lab: Zoo) -> None:
    lines = printed(lab, 160)
    assert lines[0] == "cifar10-classification: 40 variants"
    assert all(len(line) <= 160 for line in lines)
    row = next(line for line in lines if line.startswith("remote-jpeg-90"))
    assert row.split() == [
        "remote-jpeg-90", "*", "92.38", "±", "0.50", "1,079", "70", "k", "33.1", "M", "1,241", "0", "B", "70", "µs",
        "1.45", "ms",
    ]  # fmt: skip
    assert sum(map(bool, lines)) > 43
    assert "more column" not in "\n".join(lines)


def test_a_narrow_terminal_loses_whole_columns_and_says_so(lab: Zoo) -> None:
    lines = printed(lab, 100)
    assert all(len(line) <= 100 for line in lines)
    row = next(line for line in lines if line.startswith("remote-jpeg-90"))
    # accuracy, bytes, what either side computes: what the comparison is about
    assert row.split() == ["remote-jpeg-90", "*", "92.38", "±", "0.50", "1,079", "70", "k", "33.1", "M"]
    assert re.search(r"4\s+more\s+columns\s+in\s+a\s+wider\s+terminal", "\n".join(lines))


def test_the_fewest_bytes_come_last(zoo: Zoo) -> None:
    lines = printed(zoo, 160)
    names = [line.split()[0] for line in lines if line and line.split()[0] in {v.name for v in zoo.variants}]
    sent = {v.name: v.crossings[0].mean_bytes if v.crossings else 0 for v in zoo.variants if not v.exits}
    order = [sent[name] for name in names if name in sent]
    assert order == sorted(order, reverse=True)


def test_markup_in_a_name_is_a_name(zoo: Zoo) -> None:
    odd = replace(zoo.variants[0], name='[red]<b>"&')
    there = replace(zoo, variants=(odd, *zoo.variants[1:]), task="[bold]t")
    assert any(line.startswith('[red]<b>"&') for line in printed(there, 160))
    assert printed(there, 160)[0].startswith("[bold]t")
    html = splits_html(compare_splits(there))
    assert "<b>" not in html
    assert "[red]&lt;b&gt;&quot;&amp;" in html


def test_the_table_of_the_page_is_sorted_and_sortable(zoo: Zoo) -> None:
    told = compare_splits(zoo)
    html = splits_html(told)
    rows = re.findall(r'<tr><td data-value="([^"]*)"[^>]*>.*?</tr>', html)
    assert len(rows) == len(told.ways)
    accuracy = {w.name: w.accuracy for w in told.ways}
    assert [accuracy[r] for r in rows] == sorted(accuracy.values(), reverse=True)
    assert html.count("●") == sum(told.efficient)
    assert "local-airbench †" in html
    heads, first = (
        re.search(r"<thead>(.*?)</thead>", html, re.DOTALL),
        re.search(r"<tbody>(<tr>.*?</tr>)", html),
    )
    assert heads is not None
    assert first is not None
    assert heads[1].count("<th ") == first[1].count("<td ") == 10
