"""End-to-end times by hand; accuracies compared seed by seed; rivals among pictures."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from placid.catalog.variants import Variant, Zoo
from placid.errors import InputError, UnknownNameError
from placid.reports.splits.costs import Cost, costs
from placid.reports.splits.end_to_end import journey, stations
from placid.reports.splits.rivals import beaten_by, best_within, pictures, smallest_no_worse
from placid.reports.splits.seedwise import accuracies_by_seed, difference


def way(zoo: Zoo, name: str) -> Cost:
    return next(c for c in costs(zoo) if c.name == name)


def seeded(variant: Variant, *accuracies: float, seeds: list[int] | None = None) -> Variant:
    made = {} if seeds is None else {"seeds": seeds}
    return replace(variant, seed_accuracies=accuracies, made=made)


def test_a_split_travels_from_device_over_link_to_server(zoo: Zoo) -> None:
    cost = way(zoo, "bottlefit-free-4x4bit")
    between = stations("phone", "ble", "t4")
    found = journey(cost, between)
    assert found is not None
    first, second = cost.variant.segments
    # phone: 7.68e9 multiply-adds, 15e9 bytes a second, 50 us; T4: 4.05e11, 320e9, 300 us; CoreMarks 20,000 and 25,000
    device = 50e-6 + max(first.multiply_adds / 7.68e9, first.moved_bytes / 15e9)
    server = 300e-6 + max(second.multiply_adds / 4.05e11, second.moved_bytes / 320e9)
    crossing = cost.variant.crossings[0]
    assert found.device_s == pytest.approx(device + crossing.encode.mean_s * 25 / 20)
    assert found.link_s == pytest.approx(0.015 + 130 / (700e3 / 8))
    assert found.server_s == pytest.approx(server + crossing.decode.mean_s)
    assert found.total_s == found.device_s + found.link_s + found.server_s


def test_the_measured_class_is_taken_as_measured(zoo: Zoo) -> None:
    cost = way(zoo, "remote-jpeg-75")
    found = journey(cost, stations("cortex-m4", "wifi", "x86-server"))
    assert found is not None
    picture, network = cost.variant.crossings[0], cost.variant.segments[1]
    assert found.server_s == pytest.approx(network.latency.mean_s + picture.decode.mean_s)
    # a picture is no network: its codec is all that the device does
    assert found.device_s == pytest.approx(picture.encode.mean_s * 25_000 / 566)


def test_exits_count_by_what_goes_on_and_a_network_at_home_sends_nothing(zoo: Zoo) -> None:
    first, _, home = (c for c in costs(zoo) if c.variant.name == "exits-stage1-stage2")
    between = stations("x86-core", "lte")
    one, two, three = first.variant.segments
    found, at_home = journey(first, between), journey(home, between)
    assert found is not None
    assert at_home is not None
    assert found.link_s == pytest.approx(0.66 * (0.07 + 12_290 / (5.64e6 / 8)))
    crossing = first.variant.crossings[0]
    assert found.device_s == pytest.approx(one.latency.mean_s + 0.66 * crossing.encode.mean_s)
    rest = 0.66 * two.latency.mean_s + 0.33 * three.latency.mean_s
    assert found.server_s == pytest.approx(rest + 0.66 * crossing.decode.mean_s)
    assert at_home.link_s == at_home.server_s == 0
    assert at_home.device_s == pytest.approx(one.latency.mean_s + rest)
    whole = journey(way(zoo, "local-airbench"), between)
    assert whole is not None
    assert whole.total_s == pytest.approx(zoo.variant("remote-raw").segments[1].latency.mean_s)


def test_what_does_not_fit_has_no_time_and_eight_bits_are_the_device_s(zoo: Zoo) -> None:
    assert (
        journey(way(zoo, "local-airbench"), stations("cortex-m7", "ble")) is None
    )  # 8.8 MB in 2 MiB of flash
    cost = way(zoo, "bottlefit-free-4x4bit")
    device, *rest = cost.variant.segments
    quantised = (replace(device, arithmetic="int8"), *rest)
    small = replace(cost, variant=replace(cost.variant, segments=quantised))
    between = stations("ethos-u55", "ble", "t4")
    full, eight = journey(cost, between), journey(small, between)
    assert full is not None
    assert eight is not None
    assert eight.device_s < full.device_s / 5
    assert eight.server_s == full.server_s
    with pytest.raises(UnknownNameError, match="fax"):
        stations("phone", "fax")


def test_differences_are_of_the_same_seeds(zoo: Zoo) -> None:
    one, other = zoo.variants[:2]
    left = seeded(one, 0.9, 0.91, 0.92, seeds=[0, 1, 2])
    found = difference(left, seeded(other, 0.88, 0.9, seeds=[2, 0]))
    # .90 - .90 and .92 - .88
    assert found.seeds == 2
    assert found.mean == pytest.approx(0.02)
    assert found.high - found.mean == pytest.approx(12.706 * 0.02, rel=1e-3)
    alone = difference(left, seeded(other, 0.95))
    assert (alone.mean, alone.seeds) == (pytest.approx(-0.05), 1)
    assert math.isnan(alone.low)
    # 8-bit files are tested of the first seed alone
    assert accuracies_by_seed(seeded(one, 0.9, seeds=[0, 1, 2])) == {0: 0.9}
    with pytest.raises(InputError, match="no seed in common"):
        difference(left, seeded(other, 0.9, seeds=[7]))


def test_rivals_are_the_pictures_that_send_no_more_or_answer_no_worse(zoo: Zoo) -> None:
    ways = costs(zoo)
    found = pictures(ways)
    assert {w.name for w in found} == {v.name for v in zoo.variants if v.technique.startswith("remote")}
    assert {w.name for w in pictures(ways, "jpeg")} == {f"remote-jpeg-{q}" for q in (10, 25, 50, 75, 90)}
    best = best_within(found, 741)
    assert best is not None
    assert best.name == "remote-jpeg-75"
    assert best_within(found, 100) is None
    bottle = way(zoo, "bottlefit-free-4x4bit")
    smallest = smallest_no_worse(found, bottle)
    assert smallest is not None
    assert smallest.name == "remote-jpeg-90"
    nearer = smallest_no_worse(found, bottle, lost=0.0103)
    assert nearer is not None
    assert nearer.name == "remote-jpeg-75"
    assert beaten_by(bottle, found) is None
    loser = beaten_by(way(zoo, "split-stage2-4bit"), found)
    assert loser is not None
    assert loser.name == "remote-webp-lossless"
