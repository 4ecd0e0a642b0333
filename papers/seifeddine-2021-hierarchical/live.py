"""The case that is played live: five processes of the engine that `placid up` uses, and the same requests, simulated."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import monotonic

import numpy as np
import polars as pl
from setting import Case, Requests, config, requests_of
from simulated import run

from placid.catalog.variants import shipped_zoo
from placid.errors import RunError
from placid.inference.samples import read_samples
from placid.runtime.engines.base import Running
from placid.runtime.engines.local import LocalEngine
from placid.runtime.http.client import HttpClient
from placid.runtime.load.over_http import OverHttp
from placid.runtime.load.play import play
from placid.runtime.load.schedule import Schedule
from placid.runtime.spec import NodeSpec, Offload, Orders, Stage, TaskSpec, Uplink, Way
from placid.simulation.events.climbing import Deciding

__all__ = ["play_live"]

_TASK = "picture"
_ITEM = "part"


class Hierarchy:
    """The nodes of a case, live: what they are told, and when."""

    def __init__(self, case: Case, logs: Path) -> None:
        told = config()
        self.case = case
        self._engine = LocalEngine(logs)
        levels, counts = told["levels"]["processors"], told["levels"]["nodes"]
        self._names = [f"device-{v}" for v in range(counts[0])] + ["edge", "cloud"]
        token = secrets.token_urlsafe(24)
        self._specs = {
            name: NodeSpec(
                *(name, levels[k], levels[k], 1 << 30, False, str(shipped_zoo()), "x86-core"),
                tasks=(TaskSpec(_TASK, told["response_bytes"]),),
                models={_ITEM: (case.variant, k, k + 1)},
                most_wait_s=1e9,  # whoever has to wait waits, as in the simulation
                token=token,
            )
            for name, k in zip(self._names, case.tree.level.tolist(), strict=True)
        }
        self._token = token
        self.running: Mapping[str, Running] = {}
        self._clients: dict[str, HttpClient] = {}

    async def begin(self) -> None:
        """Start all, and have them hold their part."""
        self.running = await self._engine.start(list(self._specs.values()))
        self._clients = {
            n: HttpClient(r.peers.host, r.peers.port, token=self._token) for n, r in self.running.items()
        }
        for v in range(len(self._names)):
            await self._tell(v, 0, items=True)

    async def decide(self, deciding: Deciding) -> None:
        """From now on all decide so, and have heard nothing yet."""
        thresholds = None if deciding.mode == "dynamic" else deciding.thresholds
        offload = Offload(
            self.case.ladder, deciding.value_s, thresholds, deciding.forget_s, deciding.probe_every_s
        )
        for other in (
            replace(offload, value_s=offload.value_s + 1),
            offload,
        ):  # orders that differ make all forget
            for v in range(len(self._names)):
                await self._tell(v, 0, offload=other)

    async def change(self, begin_s: float) -> None:
        """Links as each phase has them, from phase to phase."""
        for phase, at_s in enumerate(self.case.tree.change_s.tolist(), start=1):
            await asyncio.sleep(max(0.0, begin_s + at_s - monotonic()))
            for v in np.flatnonzero(self.case.tree.rate[phase] != self.case.tree.rate[phase - 1]).tolist():
                await self._tell(v, phase)

    async def end(self) -> None:
        """No process is left."""
        for client in self._clients.values():
            await client.close()
        await self._engine.close()

    async def _tell(self, v: int, phase: int, *, items: bool = False, offload: Offload | None = None) -> None:
        name, tree = self._names[v], self.case.tree
        up = int(tree.parent[v])
        uplink = None
        if up >= 0:
            above = self._names[up]
            uplink = Uplink(
                above,
                self.running[above].peers,
                float(tree.rtt_s[v]),
                rate_bytes_per_s=float(tree.rate[phase, v]),
            )
        stages = (Stage(name, 0, 1, _ITEM), Stage("edge", 1, 2, _ITEM), Stage("cloud", 2, 3, _ITEM))
        ways = {_TASK: (Way(self.case.variant, stages),)} if tree.level[v] == 0 else {}
        orders = Orders(phase, {_ITEM: 1} if items else None, ways, uplink, offload=offload)
        status, body = await self._clients[name].post("/placid/orders", orders.to_json().encode())
        if status != 200:
            raise RunError(f"{name} does not obey: {bytes(body)[:300]!r}")


def play_live(case: Case, policies: Mapping[str, Deciding], repeats: int) -> pl.DataFrame:
    """A row for every request, live and simulated, of every policy and repeat."""
    with tempfile.TemporaryDirectory() as logs:
        return asyncio.run(_play_live(case, policies, repeats, Path(logs)))


async def _play_live(case: Case, policies: Mapping[str, Deciding], repeats: int, logs: Path) -> pl.DataFrame:
    samples = read_samples(shipped_zoo() / "pictures.npz")
    hierarchy = Hierarchy(case, logs)
    frames = []
    try:
        await hierarchy.begin()
        for repeat in range(repeats):
            requests = requests_of(case, 1000 + repeat, len(samples))
            for name, deciding in policies.items():
                await hierarchy.decide(deciding)
                for v in range(len(case.tree.parent)):  # links of the first phase again
                    await hierarchy._tell(v, 0)
                live = await _one(hierarchy, requests, samples.pictures, samples.labels)
                told = run(case, deciding, requests)
                simulated = pl.DataFrame(
                    {
                        "time_s": requests.time_s,
                        "latency_s": told.latency_s,
                        "level": told.level,
                        "right": case.right[told.level, requests.picture],
                        "where": "simulated",
                    }
                )
                frames += [
                    f.with_columns(pl.lit(name).alias("policy"), pl.lit(repeat).alias("repeat"))
                    for f in (live, simulated)
                ]
    finally:
        await hierarchy.end()
    return pl.concat(frames)


async def _one(
    hierarchy: Hierarchy, requests: Requests, pictures: np.ndarray, labels: np.ndarray
) -> pl.DataFrame:
    devices = [n for n in hierarchy.running if n.startswith("device")]
    devices.sort()
    at = {n: hierarchy.running[n].clients for n in devices}
    ask = OverHttp(devices, [_TASK] * len(devices), at, pictures)
    schedule = Schedule(
        requests.time_s, requests.leaf, np.zeros(len(requests.leaf), np.int64), requests.picture
    )
    begin_s = monotonic() + 0.2
    changing = asyncio.create_task(hierarchy.change(begin_s))
    try:
        records = await play(schedule, ask, begin_at_s=begin_s)
        await changing
    finally:
        changing.cancel()
        await ask.close()
    if (records.status != 200).any():
        raise RunError(f"{(records.status != 200).sum()} of {len(schedule)} requests were not answered live")
    level = np.array([0 if n.startswith("device") else 1 if n == "edge" else 2 for n in records.node])
    return pl.DataFrame(
        {
            "time_s": requests.time_s,
            "latency_s": records.network_s,
            "level": level,
            "right": records.label == labels[requests.picture],
            "where": "live",
        }
    )
