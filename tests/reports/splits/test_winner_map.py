"""The maps of winners: against brute force on a tiny grid, seeds set apart, and as drawn."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from placid.catalog.processors import PROCESSORS
from placid.catalog.radios import RADIOS
from placid.catalog.variants import Zoo
from placid.errors import InputError
from placid.reports.splits import Setting, compare_splits, energy_winners, latency_winners
from placid.reports.splits.costs import costs
from placid.reports.splits.map_drawing import Axis, draw_map, ranking
from placid.reports.splits.map_section import map_section
from placid.reports.splits.story import Comparison
from placid.reports.splits.winners import BANDWIDTHS, SPEEDS


def test_energy_winners_are_those_of_brute_force(lab: Zoo) -> None:
    ways = costs(lab)
    per_byte, per_operation = np.geomspace(1e-8, 1e-2, 6), np.geomspace(1e-12, 1e-8, 5)
    found = energy_winners(ways, 0.92, byte_energies=per_byte, operation_energies=per_operation)
    seen = set()
    for i, operation_j in enumerate(per_operation):
        for j, byte_j in enumerate(per_byte):
            cost = {}
            for w in ways:
                if w.accuracy >= 0.92:
                    each = w.bytes_mean / w.sent_share if w.sent_share else 0.0
                    air = w.bytes_mean + w.sent_share * 28 * max(1.0, each / 1472)
                    cost[w.name] = w.device_operations * operation_j + air * byte_j
            best = min(cost.values())
            winner = ways[found.winner[i, j]]
            assert cost[winner.name] == pytest.approx(best, rel=1e-12)
            seen.add(winner.family.name)
    assert len(seen) >= 3


def test_the_map_spans_lora_to_fibre_and_microcontroller_to_server(lab: Zoo) -> None:
    assert (BANDWIDTHS[0], BANDWIDTHS[-1]) == (pytest.approx(5e3), pytest.approx(1e9))
    assert SPEEDS[0] <= PROCESSORS["cortex-m4"].multiply_adds_per_s()
    assert SPEEDS[-1] >= PROCESSORS["a100"].multiply_adds_per_s()
    assert SPEEDS[0] < PROCESSORS["cortex-m7"].multiply_adds_per_s() < SPEEDS[-1]
    told = compare_splits(lab)
    assert list(told.latency) == list(told.energy) == [0.005, 0.01, 0.02, 0.05]
    # a plain picture wins somewhere, and is not hidden
    assert {"compressed picture", "raw picture"} <= {
        told.ways[k].family.name for k, _ in ranking(told.latency[0.01])
    }


def test_another_loss_joins_the_maps(lab: Zoo) -> None:
    told = compare_splits(lab, loss=0.03)
    assert list(told.latency) == [0.005, 0.01, 0.02, 0.03, 0.05]
    assert told.latency[0.03].required == pytest.approx(told.reference - 0.03)
    with pytest.raises(InputError, match="from 0 to below 1"):
        compare_splits(lab, loss=1.0)


def test_what_is_lost_is_counted_seed_by_seed(zoo: Zoo) -> None:
    """A network trained from one good teacher is not held against the mean of all teachers."""
    whole = replace(
        zoo.variant("remote-raw"), accuracy=0.92, seed_accuracies=(0.93, 0.91), made={"seeds": [0, 1]}
    )
    once = replace(
        zoo.variant("plain-4x4bit"), accuracy=0.915, accuracy_low=0.91, accuracy_high=0.92, seed_accuracies=(0.915,),
        made={"seeds": [0]},
    )  # fmt: skip
    elsewhere = replace(once, name="elsewhere", made={"seeds": [7]})
    told = compare_splits(replace(zoo, variants=(whole, once, elsewhere)))
    lost = dict(zip((w.name for w in told.ways), told.lost, strict=True))
    assert lost["remote-raw"] == 0
    assert lost["plain-4x4bit"] == pytest.approx(0.015)  # of seed 0
    assert lost["elsewhere"] == pytest.approx(0.005)  # of the mean: no seed in common
    assert "plain-4x4bit" not in {w.name for w in told.reaching(0.01)}
    assert "elsewhere" in {w.name for w in told.reaching(0.01)}
    names = [w.name for w in told.ways]
    assert not told.latency[0.01].reaching[names.index("plain-4x4bit")]
    assert told.latency[0.02].reaching[names.index("plain-4x4bit")]


def test_a_setting_moves_the_borders(lab: Zoo) -> None:
    ways = costs(lab)
    grid = {"bandwidths": np.array([1e9]), "speeds": np.array([1e9])}
    near = latency_winners(ways, 0.93, **grid, setting=Setting(round_trip_s=0.0))
    far = latency_winners(ways, 0.93, **grid, setting=Setting(round_trip_s=1.0))
    assert ways[near.winner[0, 0]].sent_share == 1
    assert ways[far.winner[0, 0]].sent_share == 0


@pytest.fixture
def told(lab: Zoo) -> Comparison:
    return compare_splits(lab)


def test_regions_are_drawn_where_they_win(told: Comparison) -> None:
    found = told.latency[0.01]
    drawing = draw_map(
        found, told.ways, Axis("x", [(1e6, "1 M")], [(1e6, "mark")]), Axis("y", [], []), "T", "one"
    )
    ranks = ranking(found)
    assert sum(share for _, share in ranks) == pytest.approx(1)
    regions = re.findall(r'<path class="region" d="([^"]*)" fill="([^"]*)".*?<title>(.*?)</title>', drawing)
    assert [r[1] for r in regions] == [told.ways[k].family.colour for k, _ in ranks]
    for (shape, _, title), (k, share) in zip(regions, ranks, strict=True):
        boxes = re.findall(r"M([\d.-]+) ([\d.-]+)h([\d.-]+)v([\d.-]+)h", shape)
        area = sum(float(w) * float(h) for _, _, w, h in boxes)
        assert area / (600 * 372) == pytest.approx(share, abs=0.01)
        assert title.startswith(told.ways[k].name)
    assert drawing.count('class="glass"') == 1
    assert ">mark<" in drawing


def test_marks_too_near_go_into_a_second_row(told: Comparison) -> None:
    marks = [(1e6, "a first name"), (3e6, "a second name"), (2.9e6, "no room for it")]
    drawing = draw_map(told.latency[0.01], told.ways, Axis("x", [], marks), Axis("y", [], []), "T", "one")
    heights = {
        name: float(y) for y, name in re.findall(r'y="(-[\d.]+)" text-anchor="middle"[^>]*>([^<]*)<', drawing)
    }
    assert heights == {"a first name": -9, "a second name": -22}


def test_where_nothing_reaches_the_map_says_so(zoo: Zoo) -> None:
    found = latency_winners(costs(zoo), 0.99)
    drawing = draw_map(found, costs(zoo), Axis("x", [], []), Axis("y", [], []), "T", "one")
    assert "Nothing reaches 99.00 %." in drawing
    assert ranking(found) == []


def test_devices_and_links_have_the_winner_of_their_own_figures(told: Comparison) -> None:
    section = map_section(told, "latency")
    (first,) = re.findall(r'data-level="1".*?<table class="classes">(.*?)</table>', section, re.DOTALL)
    links = sorted(RADIOS.values(), key=lambda r: r.bytes_per_s)
    rows = re.findall(r'<tr><th scope="row">([\w-]+)<.*?</tr>', first)
    assert rows == [
        "cortex-m7",
        "raspberry-pi-4",
        "phone",
        "x86-core",
        "jetson-nano",
        "jetson-orin-nano",
        "t4",
    ]
    for device in rows:
        (cells,) = re.findall(rf'<tr><th scope="row">{device}<.*?</th>(.*?)</tr>', first)
        spans = re.findall(r'<td colspan="(\d)">.*?</svg>(.*?)<small>', cells)
        names = [name for n, name in spans for _ in range(int(n))]
        assert len(names) == len(links)
        speed = np.array([PROCESSORS[device].multiply_adds_per_s()])
        for link, name in zip(links, names, strict=True):
            best = latency_winners(
                told.ways, told.reference - 0.01, bandwidths=np.array([8 * link.bytes_per_s]), speeds=speed
            )
            assert told.ways[best.winner[0, 0]].name == name
