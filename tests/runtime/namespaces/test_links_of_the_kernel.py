"""Links that the kernel imposes, for real: rates, nodes that come back, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest

from placid.catalog.variants import shipped_zoo
from placid.errors import InputError, RunError
from placid.experiments.live import network_up
from placid.experiments.scenario import Scenario, load_scenario
from placid.inference.samples import read_samples
from placid.network.graph import Link, Network, Node
from placid.runtime.load.over_http import OverHttp
from placid.runtime.load.play import play
from placid.runtime.load.schedule import Schedule
from placid.runtime.namespaces import raised
from placid.runtime.namespaces.commands import missing, read
from placid.runtime.namespaces.plan import Plan, Run
from placid.runtime.namespaces.raised import left, raise_links, remove, sweep

LACKS = missing()
pytestmark = pytest.mark.skipif(LACKS is not None, reason=f"links in namespaces: {LACKS}")
PAIR = Network((Node("a"), Node("b")), (Link("a", "b", 0.01, 125_000.0),))
PICTURES = read_samples(shipped_zoo() / "pictures.npz")

#: sends 60 kB to itself on the other side; what it prints is seconds
SEND = """
import socket, sys, threading, time
from placid.runtime.namespaces.enter import enter
there, here, host = sys.argv[1:]
enter(there)
server = socket.create_server((host, 0))
enter(here)
client = socket.create_connection(server.getsockname())
come, _ = server.accept()
begun = time.monotonic()
threading.Thread(target=client.sendall, args=(bytes(60_000),)).start()
came = 0
while came < 60_000:
    came += len(come.recv(65536))
print(time.monotonic() - begun)
"""


def sent_s(plan: Plan, here: str, there: str) -> float:
    """Seconds of 60 kB from node `here` to node `there`."""
    command = [
        *(sys.executable, "-c", SEND, plan.places[there].namespace),
        *(plan.places[here].namespace, plan.reached(there)[here]),
    ]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_both_ways_have_the_rate_and_nothing_is_left() -> None:
    plan = raise_links(PAIR)
    try:
        assert [len(found) for found in left(plan.run)] == [2, 3], "two namespaces; a bridge and two devices"
        for here, there in (("a", "b"), ("b", "a")):
            took_s = sent_s(plan, here, there)
            # 60,000 B and 66 for each of 42 packets at 125 B/ms; the last packet is let through at once
            assert 0.47 < took_s < 0.62
    finally:
        remove(plan.run)
    assert left(plan.run) == ([], [])
    assert not [d for d in read("ip", "-json", "link") if plan.run.token in d["ifname"]]
    remove(plan.run)  # again is no error


def test_two_runs_do_not_meet() -> None:
    first, second = raise_links(PAIR), raise_links(PAIR)
    try:
        assert not first.management.supernet().overlaps(second.management)
        remove(first.run)
        assert [len(found) for found in left(second.run)] == [2, 3]
    finally:
        remove(first.run)
        remove(second.run)


def test_what_fails_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Run] = []

    def fails(tool: str, lines: list[str], *, namespace: str = "") -> None:
        if tool == "tc":
            runs.append(next(r for n in raised._namespaces() if (r := Run.of(n)) and r.pid == os.getpid()))
            assert left(runs[0])[0]
            raise RunError("no")
        batch(tool, lines, namespace=namespace)

    batch = raised.batch
    monkeypatch.setattr(raised, "batch", fails)
    with pytest.raises(RunError, match="no"):
        raise_links(PAIR)
    assert left(runs[0]) == ([], [])


def test_what_a_killed_run_left_is_swept() -> None:
    code = (
        "from placid.network.graph import *; from placid.runtime.namespaces.raised import raise_links; import time\n"
        "p = raise_links(Network((Node('a'), Node('b')), (Link('a', 'b', 0.01, 1e5),)))\n"
        "print(p.run.mark, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    run = Run.of(process.stdout.readline().strip())
    assert run is not None
    sweep()
    assert [len(found) for found in left(run)] == [2, 3], "it lives"
    process.kill()
    process.wait()
    process.stdout.close()
    assert [len(found) for found in left(run)] == [2, 3]
    sweep()
    assert left(run) == ([], [])


def scenario(tmp_path: Path) -> Scenario:
    """A camera below a base station below a cloud that answers all."""
    network = {
        "nodes": [
            {"id": "cloud", "tier": "cloud", "processor": "a100", "repository": True},
            {"id": "bs", "tier": "edge", "processor": "x86-server", "memory": "4 MiB"},
            {"id": "camera", "tier": "device", "processor": "jetson-nano", "memory": "1 MiB"},
        ],
        "edges": [
            {"source": "bs", "target": "cloud", "rtt": "20 ms"},
            {"source": "camera", "target": "bs", "rtt": "4 ms", "bandwidth": "2 Mbit/s"},
        ],
    }
    (tmp_path / "network.json").write_text(json.dumps(network))
    return load_scenario(
        {
            "name": "kernel",
            "slots": 10,
            "slot": "1 s",
            "network": {"file": str(tmp_path / "network.json"), "ingress": ["device"]},
            "catalog": {
                "family": "measured",
                "tasks": 1,
                "plans": True,
                "processors": ["jetson-nano", "x86-server", "a100"],
                "variants": ["local-resnet8", "remote-raw"],
            },
            "workload": {"process": "poisson", "rate": "40 /s"},
            "objective": {"latency": 1, "error": 0.5},
            "policies": ["cloud-only"],
        }
    )


def passed_bytes(namespace: str, device: str) -> int:
    """What left at `device` since it was raised."""
    (told,) = read("ip", "-n", namespace, "-json", "-s", "link", "show", device)
    return int(told["stats64"]["tx"]["bytes"])


def test_a_live_network_on_links_of_the_kernel(tmp_path: Path) -> None:
    """Requests go over the links, in no less than their time; a node that is killed comes back in its namespace."""
    told: list[str] = []
    marks: list[Run] = []

    async def main() -> None:
        async with network_up(
            scenario(tmp_path), tmp_path / "live", links="namespaces", hears=told.append
        ) as network:
            (run,) = {
                r for n in raised._namespaces() if (r := Run.of(n)) is not None and r.pid == os.getpid()
            }
            marks.append(run)
            spaces = {name: f"{run.mark}-{i}" for i, name in enumerate(("cloud", "bs", "camera"))}
            for name, running in network.running.items():
                assert os.readlink(f"/proc/{running.pid}/ns/net") != os.readlink("/proc/self/ns/net")
                assert (
                    os.stat(f"/proc/{running.pid}/ns/net").st_ino
                    == os.stat(f"/run/netns/{spaces[name]}").st_ino
                )
            nodes = {name: running.clients for name, running in network.running.items()}
            ask = OverHttp(["camera"], [network.live.catalog.tasks[0].name], nodes, PICTURES.pictures)

            async def asked(count: int) -> Any:
                n = np.arange(count)
                return await play(Schedule(n * 0.05, n * 0, n * 0, n % len(PICTURES)), ask)

            before = passed_bytes(spaces["camera"], "link0")
            records = await asked(20)
            assert (records.status == 200).all(), set(records.reason)
            assert set(records.node) == {"cloud"}
            sent = passed_bytes(spaces["camera"], "link0") - before
            assert 20 * 3072 < sent < 20 * 5000, "pictures of 3,072 B, each once"
            # 3 kB at 250 B/ms, and half of 4 + 20 ms there and back
            least_s = 3072 / 250e3 + 0.024
            assert least_s - 1e-3 < records.network_s.min() < least_s + 0.03
            killed = network.running["bs"].pid
            os.kill(killed, signal.SIGKILL)
            for _ in range(200):
                if any("bs is back" in line for line in told):
                    break
                await asyncio.sleep(0.05)
            again = network.running["bs"].pid
            assert again != killed
            assert os.stat(f"/proc/{again}/ns/net").st_ino == os.stat(f"/run/netns/{spaces['bs']}").st_ino
            assert ((await asked(5)).status == 200).all()
            await ask.close()

    asyncio.run(main())
    assert left(marks[0]) == ([], [])


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    scenario(tmp_path)
    file = tmp_path / "kernel.yaml"
    file.write_text(scenario(tmp_path).text)
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from placid.cli import main; main()", "up", str(file)),
            *("--links", "namespaces", "--out", str(tmp_path / "live")),
        ],
        stdout=subprocess.DEVNULL,
    )
    nodes = tmp_path / "live" / "nodes.json"
    until = monotonic() + 60
    while not nodes.exists() and monotonic() < until and process.poll() is None:
        sleep(0.05)
    runs = {r for n in raised._namespaces() if (r := Run.of(n)) is not None and r.pid == process.pid}
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert len(runs) == 1
    assert left(runs.pop()) == ([], [])


def test_namespaces_are_of_this_machine(tmp_path: Path) -> None:
    async def start() -> None:
        async with network_up(scenario(tmp_path), tmp_path / "live", engine="ray", links="namespaces"):
            pass

    with pytest.raises(InputError, match="--engine local"):
        asyncio.run(start())
