"""Cost of a slot and memory against the non-zeros (options) of the problem, each size in a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.table import Row

__all__ = ["run"]

SIZES = (3, 30, 260, 2_600, 26_000)


def measure(base_stations: int) -> dict[str, float]:
    """Compile, warm up, play three slots of infida-adaptive; seconds and bytes."""
    from benchmarks.instances import wide
    from placid.placement.base import Feedback
    from placid.placement.online.infida import Infida
    from placid.problem.serving import serve
    from placid.randomness import stream

    def slots(problem, workload, count):  # type: ignore[no-untyped-def]
        policy = Infida(horizon=100)
        state = policy.start(problem, stream(0))
        took = []
        for slot in range(count):
            demand = workload.demand(slot, 0)
            t0 = perf_counter()
            state, placed = policy.place(state, problem, slot, stream(0, slot))
            outcome = serve(problem, placed, demand)
            state = policy.learn(state, problem, Feedback(slot, demand, placed, outcome), stream(0, slot))
            took.append(perf_counter() - t0)
        return took

    slots(*wide(2), 3)  # compiles the kernels
    before = _rss_bytes()
    t0 = perf_counter()
    problem, workload = wide(base_stations)
    compile_s = perf_counter() - t0
    arrays = sum(
        value.nbytes for f in fields(problem) if isinstance(value := getattr(problem, f.name), np.ndarray)
    )
    took = slots(problem, workload, 4)
    return {
        "options": problem.option_count,
        "items": problem.item_count,
        "compile_s": compile_s,
        "slot_s": float(np.median(took[1:])),
        "problem_bytes": arrays,
        "peak_bytes": _peak_bytes() - before,
    }


def run(quick: bool) -> Iterator[Row]:
    """From about 10^3 to 10^7 options."""
    found = []
    for size in SIZES[:3] if quick else SIZES:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                f"import json; from benchmarks.scaling import measure; print(json.dumps(measure({size})))",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        m = json.loads(done.stdout)
        found.append(m)
        per = m["problem_bytes"] / m["options"]
        yield Row(
            f"{m['options']:,} options, {m['items']:,} items",
            f"{_seconds(m['slot_s'])} a slot = {1e9 * m['slot_s'] / m['options']:.0f} ns an option; "
            f"{per:.0f} B an option for the problem, {m['peak_bytes'] / m['options']:.0f} B at the peak of everything; "
            f"compiled in {_seconds(m['compile_s'])}",
            bar="problem under 64 B an option",
            met=per < 64,
        )
    large = [m for m in found if m["options"] >= 1e4] or found
    slope = float(
        np.polyfit(np.log([m["options"] for m in large]), np.log([m["slot_s"] for m in large]), 1)[0]
    )
    yield Row(
        "growth of a slot's cost with the options, log-log slope from 10^4 on",
        f"{slope:.2f}",
        bar="linear: about 1",
        met=slope < 1.15,
    )
    if not quick:
        _plot(found)


def _plot(found: list[dict[str, float]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    options = [m["options"] for m in found]
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    left.loglog(options, [m["slot_s"] for m in found], "o-", color="#0072B2", label="measured")
    last = found[-1]
    left.loglog(
        options, [last["slot_s"] / last["options"] * k for k in options], ":", color="0.5", label="linear"
    )
    left.set(xlabel="options (non-zeros)", ylabel="one slot [s]")
    left.legend(frameon=False)
    right.semilogx(
        options, [m["problem_bytes"] / m["options"] for m in found], "o-", color="#0072B2", label="problem"
    )
    right.axhline(64, linestyle=":", color="0.5", label="64 B")
    right.set(xlabel="options (non-zeros)", ylabel="bytes an option", ylim=(0, 100))
    right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(Path(__file__).parent / "figures" / "scaling.svg")


def _rss_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _peak_bytes() -> int:
    # not getrusage: its maximum outlives exec, so that a large parent would count
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    return int(line.split()[1]) * 1024


def _seconds(value: float) -> str:
    return (
        f"{value:.2f} s"
        if value >= 1
        else f"{1e3 * value:.2g} ms"
        if value < 0.01
        else f"{1e3 * value:.0f} ms"
    )
