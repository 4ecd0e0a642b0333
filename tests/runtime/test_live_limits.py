"""Links and processors that carry so much and no more: the rest is refused where it enters, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
from test_live_network import PICTURES, scenario

from placid.experiments.live import network_up
from placid.experiments.scenario import Scenario
from placid.runtime.load.over_http import OverHttp
from placid.runtime.load.play import play
from placid.runtime.load.schedule import Schedule

SLOT_S, SLOTS, RATE = 1.5, 5, 40
#: of the 3,072 bytes of a picture and an answer, so many a second
CARRIED = 20


def limited(tmp_path: Path, **changed: Any) -> Scenario:
    plain = scenario(tmp_path)
    network = json.loads(Path(plain.document.data["network"]["file"]).read_text())
    for node in network["nodes"]:
        node |= changed.get(node["id"], {})
    for edge in network["edges"]:
        edge |= changed.get(f"{edge['source']}-{edge['target']}", {})
    (tmp_path / "limited.json").write_text(json.dumps(network))
    return scenario(
        tmp_path,
        network={"file": str(tmp_path / "limited.json"), "ingress": ["device"]},
        catalog={
            "family": "measured",
            "tasks": 2,
            "plans": True,
            "processors": ["a100", "x86-server", "phone", "jetson-nano"],
            "variants": ["remote-raw"],
        },
        policies=["cloud-only"],
        slot=f"{SLOT_S} s",
    )


def asked_of_camera(tmp_path: Path, made: Scenario) -> tuple[Any, list[Any]]:
    """40 requests a second at the camera, slot after slot."""

    async def main() -> tuple[Any, list[Any]]:
        async with network_up(made, tmp_path / "live") as network:
            ask = OverHttp(
                ["camera"], ["task-1"], {n: r.clients for n, r in network.running.items()}, PICTURES.pictures
            )
            playing = asyncio.create_task(network.play(SLOTS))
            n = np.arange(int(RATE * SLOT_S * SLOTS * 0.97))
            records = await play(Schedule(n / RATE, n * 0, n * 0, n % len(PICTURES)), ask)
            slots = await playing
            await ask.close()
            return records, slots

    return asyncio.run(main())


def test_a_link_with_a_hard_rate(tmp_path: Path) -> None:
    rate = {"rate": f"{CARRIED * 3.1} kB/s"}
    records, slots = asked_of_camera(tmp_path, limited(tmp_path, **{"camera-bs": rate}))
    late = records.schedule.time_s > 2.5 * SLOT_S
    assert set(records.status) == {200, 429}
    assert 0.4 < (records.status[late] == 200).mean() < 0.6, "half of them fit"
    assert {r for r, s in zip(records.reason, records.status, strict=True) if s == 429} == {
        "links or processors can carry no more of these requests"
    }
    told = slots[-1].tallies["camera"]
    assert told["link"]["up"]["bytes_sent"] / (SLOTS * SLOT_S) < 1.25 * CARRIED * 3100
    assert told["tally"]["refused"] == {"no room": int((records.status == 429).sum())}
    # before anything was known of the requests all were let in, and the link was filled; that is over
    answered = late & (records.status == 200)
    assert np.median(records.network_s[answered]) < 3.0
    assert (slots[-1].prices > 0).any()


def test_processors_that_all_share(tmp_path: Path) -> None:
    """A two-hundredth of a processor at the top, for everything."""
    few, slots = asked_of_camera(tmp_path, limited(tmp_path, cloud={"processors": 0.005}))
    late = few.schedule.time_s > 2.5 * SLOT_S
    load = (few.status[late] == 200).mean()
    assert set(few.status) == {200, 429}
    assert 0.05 < load < 0.9, load
    assert (slots[-1].prices > 0).any()
