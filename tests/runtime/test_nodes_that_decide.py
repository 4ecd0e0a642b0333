"""Nodes that run INFIDA by themselves decide what the simulated policy decides for the same requests, to the bit."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from time import time
from typing import Any

import numpy as np
from test_live_network import PICTURES, scenario

from placid.experiments.live import NetworkUp, network_up
from placid.experiments.scenario import Scenario, build
from placid.placement.base import Feedback
from placid.problem.compile import compile_problem
from placid.problem.serving import serve
from placid.randomness import stream
from placid.runtime.control.onlooker import Onlooker
from placid.runtime.load.over_http import OverHttp
from placid.runtime.load.play import play
from placid.runtime.load.schedule import Schedule

SLOT_S, SLOTS = 1.2, 5


def small(tmp_path: Path) -> Scenario:
    catalog = {
        "family": "measured",
        "tasks": 2,
        "processors": ["phone", "jetson-nano", "x86-server", "a100"],
        "variants": ["local-resnet8", "remote-raw", "exits-stage1-joint", "split-stage2-8bit"],
    }
    return scenario(tmp_path, catalog=catalog, policies=["infida-distributed"], slot=f"{SLOT_S} s")


async def slot_of(network: NetworkUp, counts: dict[tuple[str, str], int]) -> Any:
    """Requests in the middle of the slot that runs, so that nobody counts them for another one."""
    controller = network.controller
    assert isinstance(controller, Onlooker)
    begins_s = controller._begins_s + (controller.slot - controller._first_slot) * SLOT_S
    playing = asyncio.create_task(network.play(1))
    await asyncio.sleep(max(0.0, begins_s + 0.5 * SLOT_S - time()))
    kinds = [kind for kind, n in counts.items() for _ in range(n)]
    n = np.arange(len(kinds))
    nodes = {name: running.clients for name, running in controller.running.items()}
    ask = OverHttp([k[0] for k in kinds], [k[1] for k in kinds], nodes, PICTURES.pictures)
    records = await play(Schedule(n * 0.2 / len(kinds), n, n * 0, n % len(PICTURES)), ask)
    await ask.close()
    (slot,) = await playing
    return records, slot


def test_nodes_decide_what_the_simulation_decides(tmp_path: Path) -> None:
    built = build(small(tmp_path))
    problem = compile_problem(built.network, built.catalog, built.requests, built.weights, SLOT_S)
    names, tasks = problem.node_names, problem.task_names
    types = [(names[v], tasks[t]) for v, t in zip(problem.type_ingress, problem.type_task, strict=True)]
    rng = np.random.default_rng(3)
    demands = [rng.integers(0, 12, len(types)) for _ in range(SLOTS)]
    demands[1][0] = 0  # a type that is silent has no letter

    async def live() -> list[np.ndarray]:
        placed, answered_by = [], set()
        async with network_up(small(tmp_path), tmp_path / "live") as network:
            for demand in demands:
                records, slot = await slot_of(network, dict(zip(types, demand.tolist(), strict=True)))
                assert (records.status == 200).all(), set(records.reason)
                np.testing.assert_array_equal(slot.demand, demand)
                placed.append(slot.placed)
                answered_by.update(records.node)
            assert "bs" in answered_by, "what nodes placed is used"
            told = network.controller.tallies
            assert all(t["agent"]["alone"] == 0 for t in told.values())
            assert all(t["tally"]["passed_on"] == {} for t in told.values()), "what is offered is in place"
            assert told["camera"]["link"]["up"]["control_bytes"] > 0
        return placed

    placed = asyncio.run(live())
    policy = dict(built.policies)["infida-distributed"]
    state = policy.start(problem, stream(built.seeds[0], "policy", "start"))
    for t, demand in enumerate(demands):
        state, due = policy.place(state, problem, t, stream(built.seeds[0], "policy", "place", t))
        np.testing.assert_array_equal(placed[t], due, err_msg=f"slot {t}")
        feedback = Feedback(t, demand, due, serve(problem, due, demand))
        state = policy.learn(state, problem, feedback, stream(built.seeds[0], "policy", "learn", t))
    for v in range(len(names)):
        with np.load(tmp_path / "live" / "agents" / f"{v}.npz") as kept:
            mine = slice(problem.node_ptr[v], problem.node_ptr[v + 1])
            assert int(kept["learned"]) in (SLOTS - 1, SLOTS), "the last slot may end after the network"
            if int(kept["learned"]) == SLOTS:
                np.testing.assert_array_equal(kept["y"], state.y[mine])


def test_a_node_that_is_killed_takes_up_where_it_was(tmp_path: Path) -> None:
    counts = {(node, task): 6 for node in ("camera", "phone") for task in ("task-1", "task-2")}

    async def live() -> tuple[list[str], int, int]:
        told: list[str] = []
        async with network_up(small(tmp_path), tmp_path / "live", hears=told.append) as network:
            for _ in range(2):
                records, _ = await slot_of(network, counts)
                assert (records.status == 200).all()
            learned = network.controller.tallies["bs"]["agent"]["slots"]
            os.kill(network.controller.running["bs"].pid, signal.SIGKILL)
            for _ in range(4):
                records, slot = await slot_of(network, counts)
            assert (records.status == 200).all(), set(records.reason)
            assert slot.tallies["bs"]["agent"]["alone"] == 0
            assert slot.tallies["camera"]["agent"]["alone"] <= 2
            with np.load(tmp_path / "live" / "agents" / "1.npz") as kept:
                return told, learned, int(kept["learned"])

    told, before, after = asyncio.run(live())
    assert "bs is back, empty" in told
    assert before == 1
    assert after >= before + 2, "it goes on from what it had learned"
