"""A live network whose nodes keep ending: every request has one end, and the network recovers each time."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from placid.catalog.variants import shipped_zoo
from placid.experiments.live import NetworkUp, network_up
from placid.experiments.scenario import load_scenario
from placid.inference.samples import read_samples
from placid.runtime.load.over_http import OverHttp
from placid.runtime.load.play import Answered, play
from placid.runtime.load.schedule import Schedule

SCENARIO = Path(__file__).parents[2] / "scenarios" / "live.yaml"
#: SOAK_FAULTS=30 SOAK_EVERY_S=20 make test-slow is the ten-minute soak
FAULTS, EVERY_S = int(os.environ.get("SOAK_FAULTS", "8")), float(os.environ.get("SOAK_EVERY_S", "6"))
SLOT_S, RATE = 2.0, 25.0


@pytest.mark.slow
def test_nodes_that_keep_ending(tmp_path: Path) -> None:
    """Every few seconds a node is killed with signal 9, in turn a device, a gateway, a base station, the metro site."""
    pictures = read_samples(shipped_zoo() / "pictures.npz")
    rng = np.random.default_rng(0)
    killed: list[tuple[float, str]] = []
    told: list[str] = []

    async def kill(network: NetworkUp, begun: float) -> None:
        names = [n.name for n in network.live.network.nodes if not n.repository]
        for _ in range(FAULTS):
            await asyncio.sleep(EVERY_S)
            name = str(rng.choice(names))
            try:
                os.kill(network.controller.running[name].pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it is being started again
            killed.append((monotonic() - begun, name))

    async def main() -> tuple[np.ndarray, np.ndarray, list[str], list[bool]]:
        within: list[bool] = []
        async with network_up(
            load_scenario(SCENARIO), tmp_path / "live", slot_s=SLOT_S, hears=told.append
        ) as network:
            controller, live = network.controller, network.live
            devices = [n.name for n in live.network.nodes if n.tier == "device"]
            tasks = [t.name for t in live.catalog.tasks]
            # clients ask where the node listens now: its new process has another port
            at = {name: running.clients for name, running in network.running.items()}
            seconds = (FAULTS + 1) * EVERY_S
            count = int(RATE * seconds)
            schedule = Schedule(
                np.sort(rng.random(count)) * seconds,
                rng.integers(len(devices) * len(tasks), size=count),
                np.zeros(count, np.int64),
                rng.integers(len(pictures), size=count),
            )
            asks: dict[tuple[str, int], OverHttp] = {}

            async def ask(kind: int, picture: int) -> Answered:
                node = devices[kind // len(tasks)]
                now = controller.running[node].clients
                if (node, now.port) not in asks:
                    asks[node, now.port] = OverHttp(
                        [node] * len(tasks), tasks, at | {node: now}, pictures.pictures
                    )
                return await asks[node, now.port](kind % len(tasks), picture)

            begun = monotonic()
            playing = asyncio.create_task(network.play(None, lambda slot: within.append(_within(network))))
            killing = asyncio.create_task(kill(network, begun))
            records = await play(schedule, ask, begin_at_s=begun)
            await killing
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            for asker in asks.values():
                await asker.close()
        return records.status, records.schedule.time_s, records.reason, within

    status, due_s, reason, within = asyncio.run(main())
    assert len(killed) >= FAULTS // 2, told
    # every request has one end: an answer, or a refusal that says why
    assert set(status.tolist()) <= {200, 503}, {
        r for r, s in zip(reason, status, strict=True) if s not in (200, 503)
    }
    assert all(r for r, s in zip(reason, status, strict=True) if s != 200)
    # two slots after a fault all is well until the next one
    # (a request that was on its way when the node ended was due up to a second before)
    calm = np.ones(len(due_s), bool)
    for at_s, _ in killed:
        calm &= (due_s < at_s - 1) | (due_s > at_s + 2 * SLOT_S)
    late = [
        (round(due - max(at for at, _ in killed if at < due), 1), why)
        for due, why, quiet, got in zip(due_s, reason, calm, status, strict=True)
        if quiet and got != 200
    ]
    assert not late, f"seconds after the last fault, and why: {late[:20]} of {len(late)}; {killed}"
    assert (status == 200).mean() > 0.9
    assert all(within), "memory budgets hold whatever happens"
    assert sum("is back" in line for line in told) >= len(killed) - 1


def _within(network: NetworkUp) -> bool:
    return all(
        told["used_bytes"] <= told["budget_bytes"] or not told["held"]
        for told in network.controller.tallies.values()
    )
