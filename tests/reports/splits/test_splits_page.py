"""The comparison's page: what it says, that it holds together, and that nothing in a zoo can break it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from placid.catalog.variants import Zoo
from placid.errors import InputError
from placid.reports.labels import SIDES
from placid.reports.splits import Setting, compare_splits, splits_csv, write_comparison
from placid.reports.splits.charts import accuracy_chart, exits_chart, risk_chart, three_axes
from placid.reports.splits.costs import costs
from placid.reports.splits.page import comparison_page


def embedded(page: str) -> dict[str, Any]:
    """The data that a page carries."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    told: dict[str, Any] = json.loads(found[1])
    return told


class _Text(HTMLParser):
    """What a reader sees, and which elements stay open."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br", "line", "path", "rect", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        elif tag not in ("line", "path", "rect", "circle"):
            raise AssertionError(f"</{tag}> closes {self.open[-3:]}")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.seen.append(data)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    from example_zoos import lab_zoo

    return comparison_page(compare_splits(lab_zoo(tmp_path_factory.mktemp("zoo"))))


def test_both_files_are_written_and_nothing_else(small: Zoo, tmp_path: Path) -> None:
    told = compare_splits(small)
    written = write_comparison(told, tmp_path / "a" / "b")
    assert written == tmp_path / "a" / "b" / "splits.html"
    assert {f.name for f in written.parent.iterdir()} == {"splits.html", "splits.csv"}
    assert written.with_suffix(".csv").read_text() == splits_csv(small)
    assert written.read_text() == comparison_page(told)


def test_the_page_is_sound_and_has_every_part(page: str) -> None:
    parser = _Text()
    parser.feed(page)
    assert parser.open == []
    text = " ".join(parser.seen)
    for heading in (
        "What wins where", "Against bytes", "Against operations of the device", "All three at once", "Who answers first",
        "Who takes the device least energy", "What exits do", "Risk against coverage", "All numbers", "What is modelled",
    ):  # fmt: skip
        assert heading in text, heading
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert set(embedded(page)["specs"]) == {"bytes", "operations", "axes", "exits", "risk"}
    assert {f"chart-{name}" for name in embedded(page)["specs"]} <= set(ids)
    assert page.count('class="panel"') == 8


def test_what_is_modelled_is_called_so(page: str) -> None:
    for heading in ("What wins where", "Who answers first", "Who takes the device least energy"):
        assert f'<h2>{heading} <span class="modelled">modelled</span></h2>' in page
    assert "round trip of 10 ms" in page
    assert "400 G multiply-adds a second" in page
    assert "Nothing on this page is fetched" in page


def test_how_it_was_made_is_told(page: str) -> None:
    assert "placid splits train labs/cifar10.yaml --out runs/cifar10" in page
    assert "placid catalog build labs/cifar10.yaml --trained runs/cifar10 --out zoo" in page
    assert "<dt>seeds</dt><dd>0, 1, 2</dd>" in page
    assert "Invented for tests" in page


def test_the_command_says_what_differs_from_the_usual(small: Zoo) -> None:
    told = compare_splits(small, Setting(server_multiply_adds_per_s=1e10, round_trip_s=0.05), loss=0.02)
    page = comparison_page(told)
    assert "--out FOLDER --accuracy-loss 2 --round-trip &#x27;50 ms&#x27; --server 1e+10</pre>" in page
    assert "round trip of 50 ms" in page
    assert "At most 2 points below the whole network" in page


def test_what_is_read_under_the_pointer_is_what_was_drawn(lab: Zoo) -> None:
    told = compare_splits(lab)
    read = embedded(comparison_page(told))["winners"]
    found = told.latency[0.01]
    terms = np.array(read["latency"]["terms"])
    cost = (
        terms[:, 0, None, None]
        + terms[:, 1, None, None] / found.y[:, None]
        + terms[:, 2, None, None] / found.x
    )
    np.testing.assert_allclose(cost, found.cost, rtol=1e-5)
    assert read["reaching"][1] == [int(r) for r in found.reaching]
    assert read["names"] == [w.name for w in told.ways]
    energy = told.energy[0.01]
    terms = np.array(read["energy"]["terms"])
    np.testing.assert_allclose(
        terms[:, 1, None, None] * energy.y[:, None] + terms[:, 2, None, None] * energy.x,
        energy.cost,
        rtol=1e-5,
    )


def test_charts_hold_every_way(lab: Zoo) -> None:
    ways = costs(lab)
    for chart in (accuracy_chart(ways, "bytes"), accuracy_chart(ways, "operations"), three_axes(ways)):
        rows = chart["datasets"]["ways"]
        assert [r["name"] for r in rows] == [w.name for w in ways]
        assert chart["description"]
    by_bytes = accuracy_chart(ways, "bytes")["datasets"]["ways"]
    far = next(r for r in by_bytes if r["name"] == "remote-webp-10")
    # out of scale: on the lower edge, with its number
    assert far["label"] == "remote-webp-10 (65 %)"
    assert far["y"] > far["accuracy"]
    assert all(r["y"] == r["accuracy"] for r in by_bytes if r["accuracy"] > 88)
    home = next(r for r in by_bytes if r["name"] == "local-airbench")
    assert 0 < home["x"] < min(r["x"] for r in by_bytes if r["bytes"] != "0 B")


@pytest.mark.parametrize(("plot", "width", "least"), [("wide", 900, 18), ("narrow", 290, 8)])
@pytest.mark.parametrize("of", ["bytes", "operations"])
def test_names_in_a_chart_do_not_meet(lab: Zoo, of: str, plot: str, width: int, least: int) -> None:
    """On a plot as wide as they are placed for, by a reckoning of its own: letters 5.5 wide, lines 11 high."""
    chart = accuracy_chart(costs(lab), of)
    x, y = (np.array(chart["layer"][0]["encoding"][axis]["scale"]["domain"]) for axis in "xy")
    boxes = []
    for row in chart["datasets"]["ways"]:
        at = width * np.log(row["x"] / x[0]) / np.log(x[1] / x[0])
        down = 400 * (y[1] - row["y"]) / (y[1] - y[0])
        if row[plot]:
            right, below = SIDES[row[plot]]
            half, gap = 5.5 * len(row["label"]) / 2, 9 if below == 0 else 6
            middle = at + right * (half + gap), down + below * (5.5 + (9 if right == 0 else 4))
            boxes.append((middle[0] - half, middle[0] + half, middle[1] - 5.5, middle[1] + 5.5))
    assert len(boxes) >= least
    for k, one in enumerate(boxes):
        for other in boxes[k + 1 :]:
            apart = one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
            assert apart, (one, other)


def test_exits_add_up_and_their_curves_are_the_manifests(lab: Zoo) -> None:
    bars = exits_chart(lab)
    assert bars is not None
    rows = bars["datasets"]["exits"]
    assert [r["exit"] for r in rows] == ["exit 1", "exit 2", "the end"]
    assert sum(r["share"] for r in rows) == pytest.approx(1)
    assert sum(r["share"] * r["accuracy"] for r in rows) == pytest.approx(92.91)
    curves = risk_chart(lab)
    assert curves is not None
    assert {r["curve"] for r in curves["datasets"]["risk"]} == {
        "exits-stage1-stage2-heads-only, exit 1", "exits-stage1-stage2-heads-only, exit 2"
    }  # fmt: skip


def test_without_exits_there_is_no_section_of_theirs(zoo: Zoo) -> None:
    plain = replace(zoo, variants=tuple(v for v in zoo.variants if not v.exits))
    assert exits_chart(plain) is None
    assert risk_chart(plain) is None
    page = comparison_page(compare_splits(plain))
    assert 'id="exits"' not in page
    assert set(embedded(page)["specs"]) == {"bytes", "operations", "axes"}


def test_hostile_names_stay_text(small: Zoo) -> None:
    hostile = '</script><img src=x onerror="alert(1)">&\''
    odd = replace(small.variants[0], name=hostile)
    page = comparison_page(compare_splits(replace(small, variants=(odd, *small.variants[1:]), task=hostile)))
    assert "<img src=x" not in page
    assert hostile in embedded(page)["winners"]["names"]
    parser = _Text()
    parser.feed(page)
    assert parser.open == []


def test_what_cannot_be_shown_is_refused(small: Zoo, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no variant to compare"):
        compare_splits(replace(small, variants=()))
    exits = next(v for v in small.variants if v.exits)
    wrong = replace(exits, made={"risk_coverage": [[[0.5, 2.0]], []]})
    told = compare_splits(replace(small, variants=(*small.variants[:-1], wrong)))
    with pytest.raises(InputError, match="risk_coverage"):
        write_comparison(told, tmp_path)
    assert list(tmp_path.glob("splits.*")) == []
