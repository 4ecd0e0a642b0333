"""A small network, live: processes that answer, obey, end, come back, and leave nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from placid.catalog.variants import read_zoo, shipped_zoo
from placid.errors import InputError, RunError
from placid.experiments.live import LiveFolder, NetworkUp, network_up
from placid.experiments.scenario import Scenario, load_scenario
from placid.inference.samples import read_samples
from placid.runtime.http.client import HttpClient
from placid.runtime.load.over_http import OverHttp
from placid.runtime.load.play import play
from placid.runtime.load.schedule import Schedule
from placid.runtime.protocol.messages import InferRequest, ProtocolError, Tensor

PICTURES = read_samples(shipped_zoo() / "pictures.npz")


def scenario(tmp_path: Path, **changed: Any) -> Scenario:
    """A camera and a phone below a base station below a cloud, two tasks."""
    network = {
        "nodes": [
            {"id": "cloud", "tier": "cloud", "processor": "a100", "repository": True},
            {"id": "bs", "tier": "edge", "processor": "x86-server", "memory": "4 MiB"},
            {"id": "camera", "tier": "device", "processor": "jetson-nano", "memory": "1 MiB"},
            {"id": "phone", "tier": "device", "processor": "phone", "memory": "1 MiB"},
        ],
        "edges": [
            {"source": "bs", "target": "cloud", "rtt": "20 ms"},
            {"source": "camera", "target": "bs", "rtt": "4 ms", "bandwidth": "20 Mbit/s"},
            {"source": "phone", "target": "bs", "rtt": "10 ms", "bandwidth": "20 Mbit/s"},
        ],
    }
    (tmp_path / "network.json").write_text(json.dumps(network))
    content = {
        "name": "small",
        "slots": 10,
        "slot": "1 s",
        "network": {"file": str(tmp_path / "network.json"), "ingress": ["device"]},
        "catalog": {
            "family": "measured",
            "tasks": 2,
            "plans": True,
            "processors": ["phone", "jetson-nano", "x86-server", "a100"],
            "variants": ["local-resnet8", "remote-raw", "exits-stage1-joint", "split-stage2-8bit"],
        },
        "workload": {"process": "poisson", "rate": "40 /s"},
        "objective": {"latency": 1, "error": 0.5},
        "policies": ["portfolio", "cloud-only"],
    } | changed
    return load_scenario(content)


def live(
    tmp_path: Path, work: Callable[[NetworkUp, list[str]], Awaitable[Any]], **given: Any
) -> tuple[Any, list[str]]:
    """What `work` makes of a live network, and what was said meanwhile. Afterwards nothing of it is left."""
    told: list[str] = []
    pids: list[int] = []

    async def main() -> Any:
        async with network_up(scenario(tmp_path), tmp_path / "live", hears=told.append, **given) as network:
            pids.extend(running.pid for running in network.running.values())
            return await work(network, told)

    found = asyncio.run(main())
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert not LiveFolder(tmp_path / "live").nodes.exists()
    return found, told


def ask_of(network: NetworkUp) -> OverHttp:
    nodes = {name: running.clients for name, running in network.running.items()}
    return OverHttp(
        ["camera", "camera", "phone", "phone"], ["task-1", "task-2"] * 2, nodes, PICTURES.pictures
    )


async def metrics_agree(network: NetworkUp) -> None:
    """What nodes tell Prometheus is what they tell the controller."""
    families: dict[str, float] = {}
    tallies: list[dict[str, Any]] = []
    for running in network.running.values():
        client = HttpClient(running.clients.host, running.clients.port)
        status, text = await client.get("/metrics")
        assert status == 200
        for family in text_string_to_metric_families(text.decode()):
            for sample in family.samples:
                families[sample.name] = families.get(sample.name, 0.0) + sample.value
        await client.close()
        token = network.live.specs[running.name].token
        peer = HttpClient(running.peers.host, running.peers.port, token=token)
        tallies.append(json.loads((await peer.get("/placid/tally"))[1]))
        await peer.close()
    assert families["placid_requests_entered_total"] == families["placid_request_seconds_count"] == 180
    assert families["placid_requests_answered_total"] == 180
    assert families["placid_used_bytes"] == sum(t["used_bytes"] for t in tallies)
    assert families["placid_link_bytes_total"] == sum(
        t["link"][way]["bytes_sent"] for t in tallies if t["link"] for way in ("up", "down")
    )


async def asked(network: NetworkUp, count: int, over_s: float) -> Any:
    """Rows of `count` requests, evenly over `over_s`."""
    ask = ask_of(network)
    n = np.arange(count)
    try:
        records = await play(Schedule(n * over_s / count, n % 4, n * 0, n % len(PICTURES)), ask)
    finally:
        await ask.close()
    return records


def test_requests_are_answered_where_the_placement_says_and_rightly(tmp_path: Path) -> None:
    async def work(network: NetworkUp, told: list[str]) -> None:
        controller = network.controller
        for slot in range(3):
            playing = asyncio.create_task(network.play(1))
            records = await asked(network, 60, 0.8)
            (played,) = await playing
            assert (records.status == 200).all(), set(records.reason)
            # who answers holds what answers, or is the cloud
            held = {name: t["held"] for name, t in controller.tallies.items()}
            for node, used in ((n, t["used_bytes"]) for n, t in controller.tallies.items()):
                assert used <= network.live.specs[node].memory_bytes or node == "cloud"
            if slot:
                assert played.demand.sum() == 60
        assert (records.label == PICTURES.labels[records.schedule.picture]).mean() > 0.8
        assert set(records.node) - {"cloud"}, "after three slots something is answered below the cloud"
        assert all(held[n] for n in set(records.node) - {"cloud"})
        await metrics_agree(network)
        # a camera's answer from the cloud takes the links' time at the least
        far = np.array([n == "cloud" for n in records.node]) & (records.schedule.type < 2)
        assert not far.any() or records.network_s[far].min() > 0.022

    live(tmp_path, work)
    rows = [json.loads(line) for line in (tmp_path / "live" / "slots.jsonl").read_text().splitlines()]
    assert [row["slot"] for row in rows] == [0, 1, 2]


def test_a_node_that_is_killed_is_gone_round_and_comes_back(tmp_path: Path) -> None:
    async def work(network: NetworkUp, told: list[str]) -> tuple[Any, Any, Any]:
        before = await asked(network, 20, 0.2)
        os.kill(network.running["bs"].pid, signal.SIGKILL)
        during = await asked(network, 40, 0.5)
        for _ in range(100):
            if any("bs is back" in line for line in told):
                break
            await asyncio.sleep(0.05)
        after = await asked(network, 20, 0.2)
        await network.controller.play()
        return before, during, after

    (before, during, after), told = live(tmp_path, work)
    assert (before.status == 200).all()
    assert set(during.status) <= {200, 503}, "answered, or refused with a reason"
    assert all(reason for reason, status in zip(during.reason, during.status, strict=True) if status != 200)
    assert (after.status == 200).all()
    assert told[:1] == ["bs ended with code -9"]
    assert "bs is back, empty" in told


def test_a_network_that_starts_again_goes_on_where_it_was(tmp_path: Path) -> None:
    async def two(network: NetworkUp, told: list[str]) -> int:
        await network.play(2)
        return network.controller.slot

    assert live(tmp_path, two, slot_s=0.2)[0] == 2
    found, told = live(tmp_path, two, slot_s=0.2)
    assert (found, told[0]) == (4, "goes on at slot 2")
    with pytest.raises(RunError, match="another scenario, policy or seed"):
        live(tmp_path, two, slot_s=0.2, policy="cloud-only")
    assert live(tmp_path, two, slot_s=0.2, policy="cloud-only", fresh=True)[0] == 2


def test_two_networks_in_one_folder(tmp_path: Path) -> None:
    async def work(network: NetworkUp, told: list[str]) -> None:
        with pytest.raises(RunError, match="is up here already"):
            async with network_up(scenario(tmp_path), tmp_path / "live"):
                pass

    live(tmp_path, work)


def test_nodes_do_only_what_they_should(tmp_path: Path) -> None:
    """Of strangers they take requests; orders and requests on their way they take with the token alone."""

    async def work(network: NetworkUp, told: list[str]) -> None:
        camera = network.running["camera"]
        client = HttpClient(camera.clients.host, camera.clients.port)
        stranger = HttpClient(camera.peers.host, camera.peers.port)
        friend = HttpClient(camera.peers.host, camera.peers.port, token=network.live.specs["camera"].token)
        image = Tensor.of("image", PICTURES.pictures[:1])
        assert (await stranger.post("/placid/orders", b"{}"))[0] == 401
        assert (await stranger.get("/placid/tally"))[0] == 401
        assert (await client.get("/placid/tally"))[0] == 404
        for parameters, match in (
            ({"placid_way": "camera|0|1|"}, "between nodes"),
            ({"placid_deadline_s": -1.0}, "deadline"),
            ({"placid_deadline_s": "soon"}, "is a number of seconds"),
        ):
            with pytest.raises(ProtocolError, match=match):
                await client.infer(InferRequest("task-1", (image,), parameters=parameters))
        for wrong, match in (
            (InferRequest("task-9", (image,)), "unknown model 'task-9'"),
            (InferRequest("task-1", (image, image)), "one input 'image' is due"),
            (InferRequest("task-1", (Tensor.of("image", PICTURES.pictures[:1, :16]),)), "must be UINT8"),
            (InferRequest("task-1", (image,), outputs=("logits",)), "unknown output 'logits'"),
        ):
            with pytest.raises(ProtocolError, match=match) as caught:
                await client.infer(wrong)
            assert caught.value.status in (400, 404)
        # orders that cannot be: nothing of them is done
        status, body = await friend.post("/placid/orders", b'{"slot": 1}')
        assert (status, "these are no orders" in json.loads(body)["error"]) == (400, True)
        item = next(iter(network.live.specs["camera"].models))
        orders = {"slot": 1, "items": {item: 1 << 40}, "ways": None, "uplink": None}
        status, body = await friend.post("/placid/orders", json.dumps(orders).encode())
        assert (status, "would be exceeded" in json.loads(body)["error"]) == (409, True)
        way = {"placid_way": "camera|0|one|", "placid_variant": "local-resnet8"}
        with pytest.raises(ProtocolError, match="is no way"):
            await friend.infer(InferRequest("task-1", (image,), parameters=way))
        way = {"placid_way": "camera|0|1|", "placid_variant": "no-such-network"}
        with pytest.raises(ProtocolError, match="no-such-network"):
            await friend.infer(InferRequest("task-1", (image,), parameters=way))
        # and still it answers
        answer = await client.infer(InferRequest("task-1", (image,)))
        assert 0 <= int(answer.outputs[0].array()[0]) < 10
        assert answer.outputs[1].elements()[0].decode() in read_zoo().classes
        for one in (client, stranger, friend):
            await one.close()

    live(tmp_path, work)


def test_grpc_answers_as_http_does(tmp_path: Path) -> None:
    triton = pytest.importorskip("tritonclient.grpc")

    async def work(network: NetworkUp, told: list[str]) -> None:
        camera = network.running["camera"]
        assert camera.grpc is not None
        client = HttpClient(camera.clients.host, camera.clients.port)
        image = Tensor.of("image", PICTURES.pictures[:1])
        answer = await client.infer(InferRequest("task-1", (image,)))
        await client.close()

        def ask() -> int:
            assert camera.grpc is not None
            with triton.InferenceServerClient(f"127.0.0.1:{camera.grpc.port}") as other:
                given = triton.InferInput("image", [1, 32, 32, 3], "UINT8")
                given.set_data_from_numpy(PICTURES.pictures[:1])
                found = other.infer("task-1", [given])
                assert found.get_response().parameters["placid_answered_by"].string_param == "cloud"
                return int(found.as_numpy("label")[0])

        assert await asyncio.to_thread(ask) == int(answer.outputs[0].array()[0])

    live(tmp_path, work, grpc=True)


@pytest.mark.slow
def test_the_same_network_on_ray(tmp_path: Path) -> None:
    """The actors answer as the processes do; one that is killed is started again."""
    pytest.importorskip("ray")

    async def work(network: NetworkUp, told: list[str]) -> None:
        await network.play(2)
        before = await asked(network, 20, 0.5)
        assert (before.status == 200).all()
        assert (before.label == PICTURES.labels[before.schedule.picture]).mean() > 0.7
        os.kill(network.running["bs"].pid, signal.SIGKILL)
        for _ in range(600):
            if any("bs is back" in line for line in told):
                break
            await asyncio.sleep(0.1)
        after = await asked(network, 20, 0.5)
        assert (after.status == 200).all()

    _, told = live(tmp_path, work, engine="ray")
    assert "bs is back, empty" in told


def test_what_a_live_network_cannot_do_is_said(tmp_path: Path) -> None:
    async def start(**changed: Any) -> None:
        async with network_up(scenario(tmp_path, **changed), tmp_path / "live"):
            pass

    figures = {"catalog": {"family": "parametric", "gflops_per_s": {"a100": 1e4, "x86-server": 1e3, "jetson-nano": 1e2,
                                                                    "phone": 1e2}, "power": {}}}  # fmt: skip
    with pytest.raises(InputError, match="figures of models, not models"):
        asyncio.run(start(**figures))
    with pytest.raises(InputError, match="does not know 'prefer'"):
        asyncio.run(start(changes=[{"slot": 3, "prefer": {"latency": 1, "error": 2}}]))
    file = json.loads((tmp_path / "network.json").read_text())
    file["nodes"][1]["processors"] = 2
    (tmp_path / "limited.json").write_text(json.dumps(file))
    limited = {"file": str(tmp_path / "limited.json"), "ingress": ["device"]}
    models = {"family": "measured", "tasks": 1, "processors": ["phone", "jetson-nano", "x86-server", "a100"]}
    with pytest.raises(InputError, match="'infida-distributed' knows no hard 'rate'"):
        asyncio.run(start(network=limited, catalog=models, policies=["infida-distributed"]))
