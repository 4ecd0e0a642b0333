"""Reading a deep network and enumerating where it can be cut: how long until a person sees the table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch

from benchmarks.table import Row
from placid.splitting.cutting import trace
from placid.splitting.nets import network_named

__all__ = ["run"]

T = TypeVar("T")

BAR_S = 5.0
#: residual networks of 6n + 2 layers
DEPTH, QUICK_DEPTH = 200, 20


def run(quick: bool) -> Iterator[Row]:
    """Read it and list its cuts, the first time in a process and again; then part it in two, which has to change nothing."""
    torch.set_num_threads(1)
    depth = QUICK_DEPTH if quick else DEPTH
    network, example = network_named("resnet", {"depth": depth}, 0).eval(), torch.zeros(2, 3, 32, 32)
    for when in ("the first time in a process", "again"):
        traced, reading = _timed(partial(trace, network, example))
        cuts, enumerating = _timed(partial(getattr, traced, "cuts"))
        seconds = reading.wall_s + enumerating.wall_s
        yield Row(
            f"residual network of {depth} layers read, its {len(cuts)} cuts enumerated, {when}",
            f"{seconds:.2f} s ({reading.cpu_s + enumerating.cpu_s:.2f} s of processor time), "
            f"enumerating {enumerating.wall_s:.3f} s of it",
            bar=f"under {BAR_S:g} s",
            met=seconds < BAR_S,
        )
    middle = cuts[len(cuts) // 2]
    (head, tail), parting = _timed(partial(traced.segments, [middle.name]))
    images = torch.linspace(0, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)
    with torch.no_grad():
        crossing = head(images)
        together = tail(*crossing) if isinstance(crossing, tuple) else tail(crossing)
        torch.testing.assert_close(together, network(images), rtol=1e-4, atol=1e-5)
    yield Row(f"the same parted in two at {middle.name}", f"{parting.wall_s:.2f} s")


@dataclass(frozen=True)
class _Took:
    """Of one piece of work: by the clock, and of this process's processor time, which other programs do not change."""

    wall_s: float
    cpu_s: float


def _timed(work: Callable[[], T]) -> tuple[T, _Took]:
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    made = work()
    return made, _Took(time.perf_counter() - wall_s, time.process_time() - cpu_s)
