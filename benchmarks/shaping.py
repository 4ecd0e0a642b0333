"""Links, imposed by nodes and by the kernel: by how much messages are late, and what rate a saturating sender gets.

Sender and receiver are processes that do what nodes do to pass a request on: the same transport, the same protocol. "By the
kernel" needs Linux and root (`placid up --links namespaces`) and is left out where they are absent.

What is declared is of payload. In process nothing else counts; the kernel counts every byte of HTTP, TCP, IP and Ethernet.
"Late" is against what the link alone would take for what it counts: payload, or the bytes that passed the device.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shaping_ends import ANSWER_BYTES
from benchmarks.table import Row
from placid.network.graph import Link, Network, Node
from placid.runtime.namespaces.commands import missing, read
from placid.runtime.namespaces.raised import raise_links, remove

__all__ = ["run"]

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Kind:
    """A kind of link.

    Attributes:
        size_bytes: of a message where delay is asked.
        load_bytes: of one where rate is.
    """

    name: str
    bit_per_s: float
    rtt_s: float
    size_bytes: int
    load_bytes: int

    @property
    def bytes_per_s(self) -> float:
        return self.bit_per_s / 8


#: those of scenarios/split-metro.json; LoRa carries 222 bytes at most, the others a picture
KINDS = (
    Kind("LoRa, 5.47 kbit/s", 5.47e3, 0.100, 200, 200),
    Kind("Bluetooth LE, 700 kbit/s", 700e3, 0.015, 3072, 3072),
    Kind("LTE, 5.64 Mbit/s", 5.64e6, 0.070, 3072, 30_720),
    Kind("Wi-Fi, 20 Mbit/s", 20e6, 0.004, 3072, 30_720),
    Kind("Ethernet, 100 Mbit/s", 100e6, 0.002, 3072, 307_200),
    Kind("Ethernet, 1 Gbit/s", 1e9, 0.004, 3072, 1 << 20),
)


@dataclass(frozen=True)
class Way:
    """Sender and receiver of one kind of link, one way of imposing it.

    Attributes:
        sender, receiver: namespaces; "" in process.
    """

    kind: Kind
    sender: str
    receiver: str
    host: str
    port: int

    @property
    def kernel(self) -> bool:
        return bool(self.sender)

    def send(self, size_bytes: int, **how: Any) -> tuple[np.ndarray, float, float]:
        """Float64 [n, 3], when messages began, arrived, were answered; what one weighed there and back."""
        link = {"host": self.host, "port": self.port, "rtt_s": self.kind.rtt_s, "kernel": self.kernel}
        link |= {"bandwidth_bytes_per_s": self.kind.bytes_per_s, "rate_bytes_per_s": self.kind.bytes_per_s}
        told = {"namespace": self.sender, "link": link, "size_bytes": size_bytes, **how}
        before = self._passed()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.shaping_ends", "send", json.dumps(told)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        rows = np.array(json.loads(done.stdout))
        if not self.kernel:
            return rows, size_bytes, ANSWER_BYTES
        passed = (self._passed() - before) / (len(rows) + how["warm"])
        return rows, float(passed[0]), float(passed[1])

    def _passed(self) -> np.ndarray:
        """Bytes that the kernel let leave at the sender's and at the receiver's device; float64 [2]."""
        if not self.kernel:
            return np.zeros(2)
        found = []
        for namespace in (self.sender, self.receiver):
            # the bucket's own count: the device's takes what is sent as one packet to have one header
            (told,) = read("tc", "-n", namespace, "-json", "-s", "qdisc", "show", "dev", "link0")
            found.append(told["bytes"])
        return np.array(found, float)


def run(quick: bool) -> Iterator[Row]:
    """Delay of single messages, delay under half the load that fits, and the rate under all of it."""
    lacks = missing()
    if lacks is not None:
        print(f"  links of the kernel left out: {lacks}", file=sys.stderr)
    for kind in KINDS[3:4] if quick else KINDS:
        with _in_process(kind) as ours:
            found = [_measured(ours, quick)]
        if lacks is None:
            with _in_kernel(kind) as theirs:
                found.append(_measured(theirs, quick))
        yield from _rows(kind, found)


@dataclass(frozen=True)
class Measured:
    """What one way came to.

    Attributes:
        declared_s, due_s: round trip of a message, as declared of its payload, and of what the link counts.
        idle_late_s: float64 [n]; later than `due_s`, of messages one by one.
        load_late_s: float64 [n]; how late messages arrived that came at random and filled half of the link, each against
            where it stood in the queue.
        rate: of a saturating sender over the declared rate, of what the link counts; `payload_rate` of payload.
    """

    declared_s: float
    due_s: float
    idle_late_s: np.ndarray
    load_late_s: np.ndarray
    rate: float
    payload_rate: float


def _measured(way: Way, quick: bool) -> Measured:
    kind = way.kind
    rate = kind.bytes_per_s
    declared_s = kind.rtt_s + (kind.size_bytes + ANSWER_BYTES) / rate
    slow = declared_s > 0.2
    count = 10 if quick else 15 if slow else 100
    # further apart than the kernel's bytes take too
    apart_s = 2.0 if slow else 2 * declared_s + 0.02
    rows, up, down = way.send(kind.size_bytes, warm=2, times=(np.arange(count) * apart_s).tolist())
    due_s = kind.rtt_s + (up + down) / rate
    idle = rows[:, 2] - rows[:, 0] - due_s

    # at random, half of what the link can carry, but no more than 200 a second: this machine has to keep up
    per_s = min(0.5 * rate / up, 200.0)
    times = np.cumsum(np.random.default_rng(3).exponential(1 / per_s, count * (1 if slow else 3)))
    rows, up, _ = way.send(kind.size_bytes, warm=2, times=times.tolist())
    late = _late_in_queue(rows, up / rate, kind.rtt_s / 2)

    for_s = 1.0 if quick else 40.0 if slow else 5.0
    rows, up, _ = way.send(kind.load_bytes, warm=2, at_once=8, for_s=for_s)
    # from the first arrival until the last message began: all that time as many were out
    until_s = rows[:, 0].max()
    per_s = ((rows[:, 1] <= until_s).sum() - 1) / (until_s - rows[:, 1].min())
    return Measured(declared_s, due_s, idle, late, per_s * up / rate, per_s * kind.load_bytes / rate)


def _late_in_queue(rows: np.ndarray, takes_s: float, half_s: float) -> np.ndarray:
    """How much later each arrived than a link that serves one after the other, each for `takes_s`, would have had it."""
    rows = rows[np.argsort(rows[:, 0])]
    free, late = 0.0, []
    for began, arrived, _ in rows:
        free = max(began, free) + takes_s
        late.append(arrived - free - half_s)
    return np.array(late)


def _rows(kind: Kind, found: list[Measured]) -> Iterator[Row]:
    names = ("", "kernel")

    def row(what: str, told: list[str], bar: str, met: bool | None) -> Row:
        return Row(
            f"{kind.name}: {what}",
            told[0],
            told[1] if len(told) > 1 else "",
            names[len(told) - 1],
            bar=bar,
            met=met,
        )

    first = found[0]
    also = f" (the kernel's: {1e3 * found[1].due_s:.2f} ms)" if len(found) > 1 else ""
    yield row(
        f"{kind.size_bytes:,} B there, an answer back, declared {1e3 * first.declared_s:.2f} ms{also}: late p50, p95",
        [_late(m.idle_late_s) for m in found],
        "in process, p50 within 0.5 ms",
        bool(abs(np.median(first.idle_late_s)) < 0.5e-3),
    )
    yield row(
        "half full, at random: late on arrival p50, p95",
        [_late(m.load_late_s) for m in found],
        "",
        None,
    )
    yield row(
        f"a sender with 8 x {kind.load_bytes:,} B out: rate over declared, payload's",
        [f"{100 * m.rate:.1f} %, {100 * m.payload_rate:.1f} %" for m in found],
        "within 3 % of what the link counts",
        all(abs(m.rate - 1) < 0.03 for m in found),
    )


def _late(late_s: np.ndarray) -> str:
    p50, p95 = (1e3 * float(np.quantile(late_s, q)) for q in (0.5, 0.95))
    return f"{p50:+.2f}, {p95:+.2f} ms"


@contextlib.contextmanager
def _in_process(kind: Kind) -> Iterator[Way]:
    with _receiver("", "127.0.0.1") as port:
        yield Way(kind, "", "", "127.0.0.1", port)


@contextlib.contextmanager
def _in_kernel(kind: Kind) -> Iterator[Way]:
    network = Network(
        (Node("sender"), Node("receiver")), (Link("sender", "receiver", kind.rtt_s, kind.bytes_per_s),)
    )
    plan = raise_links(network)
    try:
        sender, receiver = (plan.places[name].namespace for name in ("sender", "receiver"))
        host = plan.reached("receiver")["sender"]
        with _receiver(receiver, host) as port:
            yield Way(kind, sender, receiver, host, port)
    finally:
        remove(plan.run)


@contextlib.contextmanager
def _receiver(namespace: str, host: str) -> Iterator[int]:
    told = json.dumps({"namespace": namespace, "host": host})
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.shaping_ends", "receive", told],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
