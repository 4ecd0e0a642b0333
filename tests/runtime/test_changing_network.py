"""A live network that changes in mid-run: links cut and restored, budgets that shrink, memory that is not to be had, a
controller that starts again."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path
from typing import Any

import numpy as np
from test_live_network import PICTURES, asked, live, scenario

from placid.experiments.live import NetworkUp, network_up
from placid.network.changes import Cut, Restore
from placid.runtime.control.controller import Controller


def test_what_a_scenario_has_happen_happens(tmp_path: Path) -> None:
    changes = [
        {"slot": 1, "memory": "bs", "to": "1 MiB"},
        {"slot": 2, "cut": ["bs", "cloud"]},
        {"slot": 3, "restore": ["bs", "cloud"]},
    ]

    async def main() -> list[Any]:
        found, told = [], []
        async with network_up(
            scenario(tmp_path, changes=changes), tmp_path / "live", hears=told.append
        ) as network:
            for _ in range(5):
                playing = asyncio.create_task(network.play(1))
                await asyncio.sleep(0.3)
                found.append((await asked(network, 20, 0.3), (await playing)[0]))
        assert [line for line in told if "changes" in line] == [
            f"slot {n}: the network changes" for n in (1, 2, 3)
        ]
        return found

    found = asyncio.run(main())
    for slot in (0, 1, 3, 4):
        assert (found[slot][0].status == 200).all(), (slot, set(found[slot][0].reason))
    budgets = [played.tallies["bs"]["budget_bytes"] >> 20 for _, played in found]
    assert budgets == [4, 1, 1, 1, 1]
    assert all(p.tallies["bs"]["used_bytes"] <= p.tallies["bs"]["budget_bytes"] for _, p in found)
    # nobody above: what stands below answers, or it is said why not
    cut = found[2][0]
    assert set(cut.status) <= {200, 503}
    assert "cloud" not in set(np.array(cut.node)[cut.status == 200])


def test_a_link_is_cut_under_load_and_restored(tmp_path: Path) -> None:
    async def work(network: NetworkUp, told: list[str]) -> Any:
        controller = network.controller
        whole = controller.network
        cut = Cut(0, "camera", "bs").apply(whole, whole)
        load = asyncio.create_task(asked(network, 120, 1.2))
        await asyncio.sleep(0.4)
        await controller.becomes(cut)
        await asyncio.sleep(0.4)
        await controller.becomes(Restore(0, "camera", "bs").apply(cut, whole))
        return await load

    records, _ = live(tmp_path, work)
    due, phone = records.schedule.time_s, records.schedule.type >= 2
    assert (records.status[phone] == 200).all(), "those on other links notice nothing"
    calm = ~phone & ((due < 0.3) | (due > 0.95))
    assert (records.status[calm] == 200).all()
    assert set(records.status) <= {200, 503}
    assert all(r for r, s in zip(records.reason, records.status, strict=True) if s != 200)


def test_a_node_that_gets_no_memory_answers_with_what_it_has(tmp_path: Path) -> None:
    async def work(network: NetworkUp, told: list[str]) -> None:
        controller = network.controller
        pid = controller.running["bs"].pid
        with open(f"/proc/{pid}/statm") as file:
            size_bytes = int(file.read().split()[0]) * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (size_bytes, size_bytes))
        for _ in range(3):
            playing = asyncio.create_task(network.play(1))
            await asyncio.sleep(0.3)
            records = await asked(network, 40, 0.4)
            (played,) = await playing
            assert (records.status == 200).all(), set(records.reason)
            assert (records.label == PICTURES.labels[records.schedule.picture]).mean() > 0.7
        held = set(controller.tallies["bs"]["held"])
        problem = controller.problem
        placed = {
            problem.model_names[problem.item_model[e]]
            for e in np.flatnonzero(played.placed)
            if problem.node_names[problem.item_node[e]] == "bs"
        }
        assert placed <= held, "nobody is sent to what is not there"

    _, told = live(tmp_path, work)
    assert any("bs could not load" in line for line in told)


def test_a_controller_that_starts_again_finds_nodes_that_answer(tmp_path: Path) -> None:
    async def work(network: NetworkUp, told: list[str]) -> None:
        first = network.controller
        for _ in range(2):
            playing = asyncio.create_task(network.play(1))
            await asyncio.sleep(0.2)
            await asked(network, 40, 0.4)
            await playing
        await first.leave()
        # meanwhile nodes answer alone
        between = await asked(network, 20, 0.2)
        assert (between.status == 200).all()
        second = Controller(network.live, first._engine, kept=first._kept, hears=told.append)
        await second.begin(first.running)
        np.testing.assert_array_equal(second.placed, first.placed)
        assert second.slot == 2
        playing_second = asyncio.create_task(second.play())
        await asyncio.sleep(0.2)
        after = await asked(network, 24, 0.4)
        played = await playing_second
        assert (after.status == 200).all()
        assert (played.slot, int(played.demand.sum())) == (2, 24), "what came before is not counted"
        await second.leave()

    _, told = live(tmp_path, work)
    assert told == ["goes on at slot 2"]
