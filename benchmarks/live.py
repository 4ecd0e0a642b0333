"""What a live network on this machine takes: from the command to the first answer, and memory while it answers."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import yaml

from benchmarks.table import Row
from placid.catalog.variants import shipped_zoo
from placid.inference.samples import read_samples
from placid.runtime.http.client import HttpClient
from placid.runtime.protocol.messages import InferRequest, ProtocolError, Tensor

__all__ = ["run"]

ROOT = Path(__file__).resolve().parents[1]
SCENARIO = ROOT / "scenarios" / "split-metro.yaml"


def run(quick: bool) -> Iterator[Row]:
    """The scenario of the demo, 39 nodes; and with eleven phones more."""
    with tempfile.TemporaryDirectory() as folder:
        first_s, memory_bytes, nodes = _up(SCENARIO, Path(folder) / "demo", 1 if quick else 8)
        what = f"scenarios/split-metro.yaml live, {nodes} nodes"
        yield Row(
            f"{what}: first answer", f"{first_s:.1f} s after the command", bar="under 20 s", met=first_s < 20
        )
        yield Row(f"{what}: memory, all processes", f"{memory_bytes / 2**30:.2f} GiB")
        if quick:
            return
        more = _with_phones(Path(folder), 50 - nodes)
        first_s, memory_bytes, nodes = _up(more, Path(folder) / "more", 8)
        yield Row(f"{nodes} nodes: first answer", f"{first_s:.1f} s after the command")
        gib = memory_bytes / 2**30
        yield Row(f"{nodes} nodes: memory, all processes", f"{gib:.2f} GiB", bar="under 10 GiB", met=gib < 10)


def _with_phones(folder: Path, count: int) -> Path:
    """The scenario with so many phones more, each beside one that there is."""
    scenario = yaml.safe_load(SCENARIO.read_text())
    network: dict[str, Any] = json.loads((SCENARIO.parent / scenario["network"]["file"]).read_text())
    like = next(n for n in network["nodes"] if n["id"] == "phone-1")
    edges = [e for e in network["edges"] if "phone-1" in (e["source"], e["target"])]
    for number in range(count):
        name = f"phone-{100 + number}"
        network["nodes"].append({**like, "id": name})
        for edge in edges:
            ends = {k: name if edge[k] == "phone-1" else edge[k] for k in ("source", "target")}
            network["edges"].append({**edge, **ends})
        scenario["workload"]["weights"][name] = 10
    (folder / "more.json").write_text(json.dumps(network))
    scenario["network"]["file"] = "more.json"
    (folder / "more.yaml").write_text(yaml.safe_dump(scenario))
    return folder / "more.yaml"


def _up(scenario: Path, out: Path, slots: int) -> tuple[float, float, int]:
    """Seconds to the first answer, bytes of all processes after so many slots of 3 s with requests, and nodes."""
    placid = [sys.executable, "-c", "from placid.cli import main; main()"]
    begun = perf_counter()
    with subprocess.Popen(
        [*placid, "up", str(scenario), "--slot", "3 s", "--out", str(out)], stdout=subprocess.DEVNULL
    ) as up:
        try:
            while not (out / "nodes.json").exists():
                if up.poll() is not None:
                    raise RuntimeError(f"placid up ended with {up.returncode}")
                sleep(0.01)
            told = json.loads((out / "nodes.json").read_text())
            first_s, answered = asyncio.run(_ask(told, begun, 3.0 * slots))
            if answered < 0.95:
                raise RuntimeError(f"{answered:.1%} of the requests were answered")
            memory_bytes = float(sum(_pss_bytes(pid) for pid in (up.pid, *(n["pid"] for n in told["nodes"]))))
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(timeout=60)
    alive = [n["name"] for n in told["nodes"] if Path(f"/proc/{n['pid']}").exists()]
    if alive:
        raise RuntimeError(f"left behind: {', '.join(alive)}")
    return first_s, memory_bytes, len(told["nodes"])


async def _ask(told: dict[str, Any], begun: float, seconds: float) -> tuple[float, float]:
    """When the first answer came, and what share of requests for all tasks at all devices were answered."""
    pictures = read_samples(shipped_zoo() / "pictures.npz").pictures
    image = Tensor.of("image", pictures[:1])
    # a LoRa device takes seconds for a request
    doors = [n for n in told["nodes"] if n["ingress"] and not n["name"].startswith("lora")]
    clients = {n["name"]: HttpClient(n["host"], n["port"]) for n in doors}
    await clients[doors[-1]["name"]].infer(InferRequest(told["tasks"][0], (image,)))
    first_s = perf_counter() - begun
    sent = answered = 0
    while perf_counter() - begun < first_s + seconds:
        for client in clients.values():
            for task in told["tasks"]:
                sent += 1
                try:
                    await client.infer(InferRequest(task, (image,)))
                    answered += 1
                except ProtocolError:
                    pass
    for client in clients.values():
        await client.close()
    return first_s, answered / sent


def _pss_bytes(pid: int) -> int:
    """What a process takes, with its part of what it shares."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
