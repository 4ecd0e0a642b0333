"""Nodes that decide by themselves: what exits offer, what is heard and told, and three processes that answer or forward."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from placid.catalog.variants import shipped_zoo
from placid.errors import InputError
from placid.inference.ladder import ladder_of
from placid.inference.samples import read_samples
from placid.inference.scores import confidence
from placid.runtime.engines.local import LocalEngine
from placid.runtime.http.client import HttpClient
from placid.runtime.load.over_http import OverHttp
from placid.runtime.load.play import Answered
from placid.runtime.node.networks import Answer, Networks
from placid.runtime.node.offloading import Offloading
from placid.runtime.spec import NodeSpec, Offload, Orders, Stage, TaskSpec, Uplink, Way

VARIANT = "exits-stage1-stage2-heads-only"
LADDER = ladder_of(shipped_zoo(), VARIANT)
PICTURES = read_samples(shipped_zoo() / "pictures.npz")


def test_exits_offer_and_do_not_decide() -> None:
    networks = Networks(shipped_zoo())
    pictures = list(PICTURES.pictures[:20])
    first = networks.offer(VARIANT, 0, 1, pictures, LADDER.temperatures)
    crossed, logits = networks.outputs(VARIANT, 0, pictures)
    assert [one.answer.label for one in first if one.answer] == logits.argmax(1).tolist()
    sure = [one.answer.sureness for one in first if one.answer]
    assert sure == pytest.approx(confidence(logits / LADDER.temperatures[0]).tolist())
    assert all(np.array_equal(one.crossing, c) for one, c in zip(first, crossed, strict=True))
    whole = networks.offer(VARIANT, 0, 3, pictures, LADDER.temperatures)
    assert all(one.crossing is None and one.answer and one.answer.exit == -1 for one in whole)


def test_orders_and_specs_carry_it() -> None:
    offload = Offload(LADDER, 0.5, (0.1, 0.2), 2.0, 3.0)
    assert Orders.from_json(Orders(3, offload=offload).to_json()).offload == offload
    assert Orders.from_json(Orders(3).to_json()).offload is None
    spec = NodeSpec(
        "n", "edge", "phone", 0, False, "zoo", "x86-core", offload=replace(offload, thresholds=None)
    )
    assert NodeSpec.from_json(spec.to_json()) == spec
    with pytest.raises(InputError, match="threshold for each of 2 exits"):
        Offload(LADDER, 0.5, (0.1,))


def test_what_is_heard_raises_the_price() -> None:
    offloading = Offloading(Offload(LADDER, 0.5, probe_every_s=10.0))
    unsure = Answer(3, 0, 0.5)
    assert offloading.goes_up(unsure, 1000, 0.01, 1.0)
    # 1.1 s on the way of which 90 ms above: a link of 1 s for a thousand bytes
    offloading.hears({"placid_here_s": 0.05, "placid_up_s": 0.02}, 1000, 1.1, 0.09, 2.0)
    assert not offloading.goes_up(unsure, 1000, 0.01, 2.1)
    assert offloading.goes_up(unsure, 10, 0.01, 2.1)  # that little passes even there
    told = offloading.tells(0.5, True)
    assert told["placid_here_s"] == 0.5
    assert told["placid_up_s"] == pytest.approx(0.01 + 10 * 1e-3 + 0.05)
    assert offloading.tells(0.5, False)["placid_up_s"] == 0.0


def test_three_processes(tmp_path: Path) -> None:
    """Never, always, and by the rule: over a fast link, over one on which nothing pays, and with nobody above."""
    names = ("device", "edge", "cloud")
    task = TaskSpec("look", 100)
    specs = [
        NodeSpec(
            *(name, name, "x86-core", 1 << 30, False, str(shipped_zoo()), "x86-core"),
            tasks=(task,),
            models={"part": (VARIANT, k, k + 1)},
            token="secret",
        )
        for k, name in enumerate(names)
    ]
    way = Way(VARIANT, tuple(Stage(n, k, k + 1, "part") for k, n in enumerate(names)))
    offered = Networks(shipped_zoo()).offer(VARIANT, 0, 1, list(PICTURES.pictures[:100]), LADDER.temperatures)
    unsure = np.argsort([one.answer.sureness for one in offered if one.answer])[:8].tolist()

    async def work() -> dict[str, list[Answered]]:
        engine = LocalEngine(tmp_path)
        found: dict[str, list[Answered]] = {}
        try:
            running = await engine.start(specs)
            told = {n: HttpClient(r.peers.host, r.peers.port, token="secret") for n, r in running.items()}

            async def order(offload: Offload, rate: float, reachable: bool = True) -> None:
                for k, name in enumerate(names):
                    up = None
                    if k < 2 and reachable:
                        up = Uplink(names[k + 1], running[names[k + 1]].peers, 0.002, rate_bytes_per_s=rate)
                    orders = Orders(0, {"part": 1}, {"look": (way,)} if not k else {}, up, offload=offload)
                    status, body = await told[name].post("/placid/orders", orders.to_json().encode())
                    assert status == 200, json.loads(body)

            ask = OverHttp(["device"], ["look"], {"device": running["device"].clients}, PICTURES.pictures)
            for case, offload, rate, reachable in (
                ("never", Offload(LADDER, 1.0, (0.0, 0.0)), 1e8, True),
                ("always", Offload(LADDER, 1.0, (2.0, 2.0)), 1e8, True),
                ("fast", Offload(LADDER, 10.0), 1e8, True),
                ("slow", Offload(LADDER, 0.05), 2e4, True),
                ("alone", Offload(LADDER, 11.0), 1e8, False),
            ):
                await order(offload, rate, reachable)
                found[case] = [await ask(0, i) for i in unsure]
            await ask.close()
            for client in told.values():
                await client.close()
        finally:
            await engine.close()
        return found

    found = asyncio.run(work())
    by = {case: [one.node for one in answers] for case, answers in found.items()}
    assert set(by["never"]) == set(by["alone"]) == {"device"}
    assert set(by["always"]) == {"cloud"}
    assert {one.exit for one in found["always"]} == {-1}
    assert "device" not in by["fast"]
    assert by["slow"][0] != "device"  # nothing was heard yet
    assert by["slow"].count("device") >= 6
