"""Requests accounted for per second of wall time: placid's slots beside an event simulation of the same network.

The rival is SimPy, the toolkit that most simulators of this field are built on: one process per request, which climbs its
path, finds the first placed copy of its task with a free place, occupies it for its latency, and goes to the cloud
otherwise. Same network, same placement, same rates. The two answer different questions: SimPy gives every request its own
queueing, placid a slot's totals, exactly. So the ratio says what asking for totals saves, not that one replaces the other.

ECLYPSE has no stream of requests: its step (move resources, place every application, write metrics) is held against our
slot, on as many nodes and tasks, in an environment of its own under build/. Other simulators of the field (YAFS, Icarus,
EdgeSimPy, faas-sim) are not on the Python package index and are not measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import simpy

from benchmarks.instances import infida_36
from benchmarks.table import Row
from placid.placement.offline import Greedy
from placid.placement.online.fixed import Fixed
from placid.placement.online.infida import AdaptiveInfida
from placid.problem.arrays import Problem
from placid.simulation.slots import Episode, play
from placid.workload import Poisson

__all__ = ["run"]

ECLYPSE = "eclypse==0.9.1"
BUILD = Path(__file__).resolve().parents[1] / "build" / "eclypse"


def run(quick: bool) -> Iterator[Row]:
    """A fixed placement on both; then ours with a policy that learns as well."""
    problem, workload = infida_36()
    expected = workload.expected(0)
    assert expected is not None
    placed = Greedy().solve(problem, expected).placed
    seconds = 0.5 if quick else 5.0
    count, took, served = _simpy(problem, workload, placed, seconds)
    theirs = count / took
    slots = 3 if quick else 30
    for policy, what in (
        (Fixed(placed), "a fixed placement"),
        (AdaptiveInfida(), "infida-adaptive learning and loading"),
    ):
        list(play(Episode(((0, problem),), workload, policy, 0, 2)))
        t0 = perf_counter()
        records = [record for record, _ in play(Episode(((0, problem),), workload, policy, 0, slots))]
        ours = sum(r.demand.sum() for r in records) / (perf_counter() - t0)
        fixed = isinstance(policy, Fixed)
        here = 1 - records[-1].outcome.repository_load.sum() / records[-1].demand.sum()
        note = f" ({100 * here:.0f} % answered below the cloud, SimPy {100 * served:.0f} %)" if fixed else ""
        yield Row(
            f"{what}: 36 nodes, 7,500 requests/s{note}",
            f"{ours / 1e6:.3g} million requests/s",
            f"{theirs / 1e6:.3g} million requests/s",
            "SimPy, one process a request",
            ours / theirs,
        )
    if quick:
        return
    begun = perf_counter()
    list(play(Episode(((0, problem),), workload, AdaptiveInfida(), 0, slots)))
    per_s = slots / (perf_counter() - begun)
    steps = _eclypse(36, 20, 50)
    yield Row(
        "steps of 36 nodes and 20 tasks: a slot of infida-adaptive with 600 models",
        f"{per_s:.0f} slots/s",
        steps if isinstance(steps, str) else f"{steps:.0f} steps/s",
        "ECLYPSE, first fit, one service a task",
        None if isinstance(steps, str) else per_s / steps,
    )


def _eclypse(nodes: int, tasks: int, steps: int) -> float | str:
    """Steps a second, or why there are none."""
    python = BUILD / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(BUILD)], check=True, capture_output=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", ECLYPSE]
        subprocess.run(install, check=True, capture_output=True, timeout=300)
        script = str(Path(__file__).parent / "eclypse_rival.py")
        done = subprocess.run(
            [str(python), script, str(nodes), str(tasks), str(steps)],
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except (subprocess.SubprocessError, OSError) as error:
        return f"not measured: {ECLYPSE} could not be installed and run ({type(error).__name__})"
    return float(json.loads(done.stdout.splitlines()[-1])["steps_per_s"])


def _simpy(
    problem: Problem, workload: Poisson, placed: np.ndarray, seconds: float
) -> tuple[int, float, float]:
    """(requests, wall seconds, share answered below the cloud) of `seconds` of simulated time."""
    rng = np.random.default_rng(0)
    expected = workload.expected(0)
    assert expected is not None
    rates = expected / 60.0
    environment = simpy.Environment()
    # capacity x latency is how many requests a copy has in hand at once
    latency = problem.option_vector[:, 0].astype(float)
    free = np.maximum(1, np.round(problem.item_capacity / 60.0 * 0.05)).astype(int).tolist()
    copies: list[list[tuple[int, float]]] = [[] for _ in range(problem.type_count)]
    for o in range(problem.option_count):
        if placed[problem.option_item[o]]:
            copies[problem.option_type[o]].append((int(problem.option_item[o]), float(latency[o])))
    far = problem.repository_vector[:, 0]
    below = 0

    def request(r: int) -> Generator[Any, Any, None]:
        nonlocal below
        for item, wait in copies[r]:
            if free[item] > 0:
                free[item] -= 1
                below += 1
                yield environment.timeout(wait)
                free[item] += 1
                return
        yield environment.timeout(float(far[r]))

    def source(arrivals: list[tuple[float, int]]) -> Generator[Any, Any, None]:
        for at, r in arrivals:
            yield environment.timeout(at - environment.now)
            environment.process(request(r))

    total = int(rng.poisson(rates.sum() * seconds))
    types = rng.choice(len(rates), total, p=rates / rates.sum()).tolist()
    arrivals = list(zip(np.sort(rng.random(total) * seconds).tolist(), types, strict=True))
    environment.process(source(arrivals))
    t0 = perf_counter()
    environment.run()
    return total, perf_counter() - t0, below / max(total, 1)
