"""One model behind a node of ours, behind others' servers, and in a plain loop: what serving adds.

The rivals live in an environment of their own, which PLACID_PEERS says where it is:

    python -m venv peers/serving-env
    peers/serving-env/bin/pip install fastapi 'uvicorn[standard]' mosec litserve 'ray[serve]' onnxruntime
    PLACID_PEERS=peers python -m benchmarks serving

All are asked by the same client, over kept-alive HTTP on loopback, with the same picture: ours as the protocol has it (uint8
of 3,072 bytes), the others as the network takes it (float32, 12,288 bytes). LitServe takes JSON, the bytes in hexadecimal.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from time import perf_counter, process_time, sleep

import numpy as np

from benchmarks.table import Row
from placid.catalog.variants import shipped_zoo
from placid.inference.inputs import network_input
from placid.inference.session import open_session
from placid.runtime.event_loop import run as run_loop
from placid.runtime.http.client import HttpClient
from placid.runtime.protocol.messages import InferRequest, Tensor
from placid.runtime.spec import NodeSpec, Orders, Stage, TaskSpec, Way

__all__ = ["run"]

SMALLEST, SLOW = "local-resnet8-int8", "remote-raw"
RIVALS = ("fastapi", "mosec", "litserve", "ray")


def run(quick: bool) -> Iterator[Row]:
    """The zoo's smallest network, one request at a time and sixteen at once; then the largest under load."""
    count = 200 if quick else 3000
    picture = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    zoo = shipped_zoo()
    session = open_session(zoo / f"{SMALLEST}.onnx")
    given = {session.get_inputs()[0].name: network_input(picture)}
    loop_s, loop_cpu_s = _timed(lambda: session.run(None, given), count)
    with _node(SMALLEST, 8) as (port, pid):
        ask = _ours(port, picture)
        one, cpu_s = _asked(ask, count, 1, pid)
        many, _ = _asked(ask, count, 16, pid)
    ours = len(many) / many.sum() * 16  # sixteen were always out
    p50 = float(np.median(one))
    yield Row(
        "a request to a node over calling ONNX Runtime in a loop, the zoo's smallest network, median",
        f"{1e3 * (p50 - loop_s):.2f} ms",
        f"{1e3 * loop_s:.2f} ms",
        "the loop itself",
        bar="under 1 ms more",
        met=bool(p50 - loop_s < 1e-3),
    )
    yield Row(
        "processor time of the node for it, over the loop's",
        f"{1e3 * (cpu_s - loop_cpu_s):.2f} ms",
        bar="under 0.4 ms more",
        met=bool(cpu_s - loop_cpu_s < 0.4e-3),
    )
    folder = Path(os.environ.get("PLACID_PEERS", "peers")).resolve()
    python = folder / "serving-env" / "bin" / "python"
    if not python.exists():
        print(
            f"  rivals left out: there is no serving-env in {folder}; {Path(__file__).name} says how to get it",
            file=sys.stderr,
        )
    for rival in RIVALS if python.exists() else ():
        with _rival(python, rival, zoo / f"{SMALLEST}.onnx") as theirs:
            their_one, _ = _asked(theirs, max(100, count // 4), 1, None)
            their_many, _ = _asked(theirs, max(160, count // 4), 16, None)
        rate = len(their_many) / their_many.sum() * 16
        yield Row(
            f"requests/s, 16 at a time (one at a time: {1e3 * p50:.2f} against {1e3 * float(np.median(their_one)):.2f} ms)",
            f"{ours:,.0f}",
            f"{rate:,.0f}",
            rival,
            ours / rate,
            bar="more",
            met=bool(ours > rate),
        )
    yield _saturated(quick, zoo, picture)


def _saturated(quick: bool, zoo: Path, picture: np.ndarray) -> Row:
    """The largest network, under more requests than it can take, against a loop of single pictures."""
    session = open_session(zoo / "teacher.onnx")
    given = {session.get_inputs()[0].name: network_input(picture)}
    count = 100 if quick else 1500
    loop_s, _ = _timed(lambda: session.run(None, given), count)
    with _node(SLOW, 8) as (port, pid):
        many, _ = _asked(_ours(port, picture), count, 32, pid)
    rate = len(many) / many.sum() * 32
    return Row(
        f"requests/s of the zoo's largest network ({1e3 * loop_s:.1f} ms), 32 at a time, beside a loop of single pictures",
        f"{rate:,.0f}",
        f"{1 / loop_s:,.0f}",
        "ONNX Runtime in a loop",
        rate * loop_s,
        bar="at least 0.9 x",
        met=bool(rate * loop_s >= 0.9),
    )


def _timed(work: Callable[[], object], count: int) -> tuple[float, float]:
    """Median seconds, and seconds of the processor in the mean."""
    for _ in range(50):
        work()
    took, begun = [], process_time()
    for _ in range(count):
        t0 = perf_counter()
        work()
        took.append(perf_counter() - t0)
    return float(np.median(took)), (process_time() - begun) / count


Ask = Callable[[], Awaitable[object]]
Close = Callable[[], Awaitable[None]]
Client = Callable[[], tuple[Ask, Close]]


def _asked(client: Client, count: int, at_once: int, pid: int | None) -> tuple[np.ndarray, float]:
    """Seconds of every request, and processor seconds of process `pid` for one."""

    async def main() -> tuple[np.ndarray, float]:
        ask, close = client()
        for _ in range(50):
            await ask()
        took: list[float] = []

        async def one(n: int) -> None:
            for _ in range(n):
                t0 = perf_counter()
                await ask()
                took.append(perf_counter() - t0)

        before = _cpu_s(pid)
        await asyncio.gather(*(one(count // at_once) for _ in range(at_once)))
        used = _cpu_s(pid) - before
        await close()
        return np.array(took), used / len(took)

    return run_loop(main())


def _cpu_s(pid: int | None) -> float:
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _ours(port: int, picture: np.ndarray) -> Client:
    def client() -> tuple[Ask, Close]:
        made = HttpClient("127.0.0.1", port)
        request = InferRequest("task", (Tensor.of("image", picture),), outputs=("label",))
        return lambda: made.infer(request), made.close

    return client


@contextlib.contextmanager
def _node(variant: str, batch: int) -> Iterator[tuple[int, int]]:
    """A node of ours that answers everything with one network, at this machine's own pace."""
    first = 1 if variant.startswith("remote") else 0
    spec = NodeSpec(
        name="one",
        tier="cloud",
        processor="x86-core",
        memory_bytes=0,
        repository=True,
        zoo=str(shipped_zoo()),
        measured_on="x86-core",
        tasks=(TaskSpec("task", 8),),
        pace="real",
        batch=batch,
        token="t",
    )
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(spec.to_json())
        file.flush()
        process = subprocess.Popen(
            [sys.executable, "-m", "placid.runtime.node", file.name], stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            ways = {"task": (Way(variant, (Stage("one", 0, first + 1),)),)}

            async def order() -> None:
                client = HttpClient("127.0.0.1", told["peers"], token="t")
                status, body = await client.post(
                    "/placid/orders", Orders(0, None, ways, None).to_json().encode()
                )
                assert status == 200, body
                await client.close()

            run_loop(order())
            yield told["port"], process.pid
        finally:
            process.terminate()
            process.wait(10)


@contextlib.contextmanager
def _rival(python: Path, name: str, file: Path) -> Iterator[Client]:
    """A server of somebody else's, as a client of it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(__file__).with_name("serving_rivals.py")
    image = np.zeros((1, 3, 32, 32), np.float32).tobytes()
    path = "/inference" if name == "mosec" else "/predict"
    body = json.dumps({"image": image.hex()}).encode() if name == "litserve" else image
    kind = "application/json" if name == "litserve" else "application/octet-stream"
    process = subprocess.Popen(
        [python, script],
        env=os.environ | {"RIVAL": name, "RIVAL_FILE": str(file), "RIVAL_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
    )

    def client() -> tuple[Ask, Close]:
        made = HttpClient("127.0.0.1", port, timeout_s=60)

        async def ask() -> None:
            status, answer = await made.post(path, body, content_type=kind)
            assert status == 200, (name, status, answer[:200])

        return ask, made.close

    async def up() -> bool:
        ask, close = client()
        try:
            await ask()
        except Exception:
            return False
        finally:
            await close()
        return True

    try:
        for _ in range(240):
            if run_loop(up()):
                break
            if process.poll() is not None:
                raise RuntimeError(f"{name} did not start: run {script} by hand to see why")
            sleep(0.5)
        else:
            raise RuntimeError(f"{name} did not answer within two minutes")
        yield client
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
