"""Costs are the manifest's own numbers, summed by hand here; winners and efficient ways are those of brute force."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from placid.catalog.variants import Zoo
from placid.errors import InputError
from placid.reports.splits.costs import Cost, costs, risk_coverage, whole_network
from placid.reports.splits.pareto import efficient, efficient_ways
from placid.reports.splits.winners import (
    Setting,
    answer_s,
    bytes_on_the_air,
    device_energy_j,
    energy_winners,
    latency_winners,
)


def way(zoo: Zoo, name: str) -> Cost:
    return next(c for c in costs(zoo) if c.name == name)


def test_a_variant_without_exits_costs_what_its_segments_say(zoo: Zoo) -> None:
    variant, cost = zoo.variant("bottlefit-free-4x4bit"), way(zoo, "bottlefit-free-4x4bit")
    assert cost.bytes_mean == cost.bytes_p95 == 130
    assert cost.device_multiply_adds == variant.segments[0].multiply_adds == 9_800_000
    assert cost.server_multiply_adds == variant.segments[1].multiply_adds == 130_000_000
    assert cost.encoder_bytes == variant.segments[0].size_bytes
    # packing takes time that no segment counts
    assert cost.device_operations == pytest.approx(9_800_000 + 1e-5 * 1e9)
    assert cost.device_measured_s() == pytest.approx(variant.segments[0].latency.p50_s + 1e-5)


def test_what_exits_answer_is_neither_sent_nor_computed(zoo: Zoo) -> None:
    first, second, home = (c for c in costs(zoo) if c.variant.name == "exits-stage1-stage2")
    assert first.sent_share == pytest.approx(0.66)
    assert first.bytes_mean == pytest.approx(0.66 * 12_290)
    assert first.bytes_p95 == 12_290
    assert first.device_multiply_adds == 53e6
    assert first.server_multiply_adds == pytest.approx(0.66 * 70e6 + 0.33 * 130e6)
    assert second.device_multiply_adds == pytest.approx(53e6 + 0.66 * 70e6)
    assert second.bytes_mean == pytest.approx(0.33 * 12_290)
    assert home.bytes_mean == home.bytes_p95 == home.sent_share == home.server_multiply_adds == 0
    assert home.device_multiply_adds == pytest.approx(53e6 + 0.66 * 70e6 + 0.33 * 130e6)
    assert {c.family.name for c in (first, second, home)} == {"early exits"}


def test_a_picture_codec_is_counted_once(zoo: Zoo) -> None:
    cost = way(zoo, "remote-jpeg-75")
    assert cost.device_operations == cost.device_multiply_adds == 27_600
    unsaid = replace(
        cost.variant,
        segments=(replace(cost.variant.segments[0], multiply_adds=0), cost.variant.segments[1]),
    )
    timed = costs(replace(zoo, variants=(unsaid,)))[0]
    assert timed.device_multiply_adds == 0
    assert timed.device_operations == pytest.approx(4e-5 * 1e9)


def test_the_whole_network_is_also_run_at_home_once(zoo: Zoo) -> None:
    home = way(zoo, "local-airbench")
    assert home.derived
    assert home.device_multiply_adds == 250_000_000
    assert home.bytes_mean == home.server_multiply_adds == 0
    assert home.accuracy == zoo.variant("remote-raw").accuracy
    there = replace(zoo.variant("local-resnet8"), name="another", network="airbench")
    assert "local-airbench" not in {c.name for c in costs(replace(zoo, variants=(*zoo.variants, there)))}
    assert whole_network(zoo) is zoo.variant("remote-raw")
    assert whole_network(replace(zoo, variants=zoo.variants[:1])) is None


def test_risk_and_coverage_are_read_or_refused(zoo: Zoo) -> None:
    variant = zoo.variant("exits-stage1-stage2")
    assert risk_coverage(variant)[1][0] == (0.2, 0.001)
    assert risk_coverage(zoo.variant("remote-raw")) == []
    for wrong in ([[]], [[[0.1, 0.2]], [[0.1]]], [[[0.5, 0.1], [0.2, 0.1]], []], [[[0.5, 1.1]], []], "no"):
        with pytest.raises(InputError, match="exits-stage1-stage2"):
            risk_coverage(replace(variant, made={"risk_coverage": wrong}))


@pytest.mark.parametrize("loss", [0.0, 0.01, 0.05])
def test_winners_are_those_of_brute_force(zoo: Zoo, loss: float) -> None:
    ways = costs(zoo)
    setting = Setting(server_multiply_adds_per_s=1e11, round_trip_s=0.02)
    bandwidths, speeds = np.geomspace(3e3, 2e9, 9), np.geomspace(1e6, 1e12, 7)
    required = zoo.variant("remote-raw").accuracy - loss
    found = latency_winners(ways, required, bandwidths=bandwidths, speeds=speeds, setting=setting)
    seen = set()
    for i, speed in enumerate(speeds):
        for j, bandwidth in enumerate(bandwidths):
            times = {}
            for w in ways:
                if w.accuracy < required:
                    continue
                on_device = max(w.device_operations / speed, w.device_moved_bytes / (0.6 * speed))
                beyond = max(w.server_multiply_adds / 1e11, w.server_moved_bytes / (0.6 * 1e11))
                payload = w.bytes_mean / w.sent_share if w.sent_share else 0.0
                bits = 8 * (w.bytes_mean + w.sent_share * max(1.0, payload / 1472) * 28)
                times[w.name] = on_device + bits / bandwidth + w.sent_share * 0.02 + beyond + w.decode_s
            best = min(times, key=lambda name: times[name])
            winner = ways[found.winner[i, j]]
            assert times[winner.name] == pytest.approx(times[best], rel=1e-12)
            assert found.cost[found.winner[i, j], i, j] == pytest.approx(times[best])
            others = {n: t for n, t in times.items() if way(zoo, n).family != winner.family}
            assert found.margin[i, j] == pytest.approx(min(others.values()) / times[best])
            assert ways[found.rival[i, j]].family != winner.family
            seen.add(winner.family.name)
    assert len(seen) > 1


def test_energy_is_operations_and_bytes(zoo: Zoo) -> None:
    ways = costs(zoo)
    each = device_energy_j(ways, 1e-9, 1e-6, Setting(packet_header_bytes=0))
    for w, joule in zip(ways, each, strict=True):
        assert joule == pytest.approx(1e-9 * w.device_operations + 1e-6 * w.bytes_mean)
    found = energy_winners(
        ways, 0.9, byte_energies=np.array([1e-9, 1.0]), operation_energies=np.array([1e-9])
    )
    # where sending is free nothing beats what computes least; where it is dear nobody sends
    assert ways[found.winner[0, 0]].name == "remote-raw"
    assert ways[found.winner[0, 1]].bytes_mean == 0


def test_no_way_that_reaches_is_no_winner_and_equals_are_told(zoo: Zoo) -> None:
    ways = costs(zoo)
    none = latency_winners(ways, 0.99)
    assert not none.reaching.any()
    assert np.all(none.winner == -1)
    assert np.isnan(none.margin).all()
    assert not none.close().any()
    raw = way(zoo, "remote-raw")
    twin = replace(raw, name="twin", family=way(zoo, "remote-png").family,
                   variant=replace(raw.variant, accuracy=0.926, accuracy_high=0.93))  # fmt: skip
    tied = latency_winners([raw, twin], 0.9)
    assert np.all(tied.winner == 1)  # the more accurate of equals
    assert np.all(tied.margin == 1)
    assert tied.close().all()
    alone = latency_winners([raw], 0.9)
    assert np.all(np.isinf(alone.margin))
    assert np.all(alone.rival == -1)


def test_headers_weigh_on_every_packet(zoo: Zoo) -> None:
    raw, small, exits, home = (
        way(zoo, n) for n in ("remote-raw", "entropic-8x3e-4", "exits-stage1-stage2", "local-resnet8")
    )
    air = bytes_on_the_air([raw, small, exits, home], Setting())
    assert air[0] == pytest.approx(3074 * (1 + 28 / 1472))
    assert air[1] == 98 + 28
    assert air[2] == pytest.approx(0.66 * 12_290 * (1 + 28 / 1472))
    assert air[3] == 0


def test_what_cannot_be_is_refused(zoo: Zoo) -> None:
    with pytest.raises(InputError, match="rates above 0"):
        Setting(server_multiply_adds_per_s=0)
    with pytest.raises(InputError, match="above 0"):
        answer_s(costs(zoo), 0.0, 1e6, Setting())
    with pytest.raises(InputError, match="no way"):
        latency_winners([], 0.5)


def test_efficient_points_are_those_that_no_other_beats(zoo: Zoo) -> None:
    rng = np.random.default_rng(3)
    table = rng.integers(0, 6, (60, 3)).astype(float)
    by_hand = [not any(all(b <= a) and any(b < a) for b in table) for a in table]
    assert efficient(table).tolist() == by_hand
    assert 0 < sum(by_hand) < 60
    marked = {w.name for w, e in zip(costs(zoo), efficient_ways(costs(zoo)), strict=True) if e}
    assert {"remote-raw", "entropic-8x3e-4", "local-resnet8"} <= marked
    assert not {"split-stage2-32bit", "plain-4x4bit"} & marked


def test_an_empty_zoo_has_no_costs(tmp_path: Path) -> None:
    empty = Zoo(tmp_path, "t", "d", "p", 3072, ("a",), ())
    assert costs(empty) == []
    assert efficient_ways([]) == []
