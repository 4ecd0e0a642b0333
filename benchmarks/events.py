"""Requests followed one by one per second of processor time: the request-level simulator beside SimPy, on the same work.

Both get the same tables, arrivals, service times and exits; that every request leaves at the same time is checked. Making
the tables and draws is not in either time. `python -m benchmarks peers` has the slot-level simulator, which only counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import process_time

import numpy as np

from benchmarks.instances import infida_36_parts
from benchmarks.simpy_walk import SimpyWalk
from benchmarks.table import Row
from placid.placement.offline import Greedy
from placid.simulation.events import (
    Arrivals,
    Draft,
    Queueing,
    System,
    compile_system,
    play,
    poisson_arrivals,
)

__all__ = ["run"]


def run(quick: bool) -> Iterator[Row]:
    """One queue, then a network of 36 nodes with a placement."""
    draft = Draft()
    draft.option(0, draft.step(draft.station("server", law="exponential"), work_s=1.0))
    one = draft.system()
    count = 2_000 if quick else 100_000
    yield _row("one queue with one server, 70 % busy", one, poisson_arrivals(np.array([0.7]), count / 0.7, 0))
    network, catalog, problem, workload = infida_36_parts()
    expected = workload.expected(0)
    placed = Greedy().solve(problem, expected).placed
    arrivals = poisson_arrivals(expected / problem.slot_s, 0.3 if quick else 10.0, 0)
    for what, queueing in (
        ("queues at copies", Queueing()),
        ("queues at copies, exponential service times", Queueing(law="exponential")),
    ):
        system = compile_system(problem, network, catalog, placed, queueing).system
        yield _row(f"36 nodes, 7,500 requests/s, {what}", system, arrivals)


def _row(what: str, system: System, arrivals: Arrivals) -> Row:
    play(system, arrivals, 0)
    times = []
    for _ in range(5):
        t0 = process_time()
        played = play(system, arrivals, 0)
        times.append(process_time() - t0)
    walk = SimpyWalk(system, arrivals, 0)
    t0 = process_time()
    walk.run()
    theirs = len(arrivals) / (process_time() - t0)
    ours = len(arrivals) / float(np.median(times))
    np.testing.assert_allclose(walk.departure_s, played.departure_s, rtol=0, atol=1e-9)
    return Row(
        f"{what} ({len(arrivals):,} requests, each leaving at the same time in both; processor time)",
        f"{ours / 1e6:.3g} million requests/s",
        f"{theirs / 1e6:.3g} million requests/s",
        "SimPy, one process a request",
        ours / theirs,
    )
