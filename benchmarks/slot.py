"""One slot of INFIDA (serve, supergradient, step, projection, rounding) against the same step in dense NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import numpy as np

from benchmarks.dense_numpy import DenseInfida, PaddedInfida
from benchmarks.instances import infida_36
from benchmarks.table import Row
from placid.placement.base import Feedback
from placid.placement.online.infida import AdaptiveInfida, Infida
from placid.problem.arrays import Problem
from placid.problem.serving import serve
from placid.randomness import stream
from placid.workload import Poisson

__all__ = ["run"]

RATE = 3e4


def run(quick: bool) -> Iterator[Row]:
    """Ours and each rival, slot by slot on the same requests; medians."""
    problem, workload = infida_36()
    slots, warm = (4, 2) if quick else (24, 6)
    for rival, name, bar in (
        (DenseInfida, "dense NumPy, matrices [types, nodes x models]", 50.0),
        (PaddedInfida, "careful NumPy, options padded to a rectangle", None),
    ):
        mine, theirs, split = _side_by_side(problem, workload, rival, slots, warm)
        yield Row(
            "one slot of INFIDA, 36 nodes x 20 tasks x 10 models x 3 replicas "
            f"({problem.option_count:,} options)",
            f"{1e3 * mine:.2f} ms",
            f"{1e3 * theirs:.0f} ms: {split}",
            name,
            theirs / mine,
            f"at least {bar:g} x" if bar else "",
            theirs / mine >= bar if bar else None,
        )
    took = _median(_ours(AdaptiveInfida(), problem, workload, slots)[warm:])
    yield Row("the same with infida-adaptive, which fills together", f"{1e3 * took:.2f} ms")


def _side_by_side(
    problem: Problem, workload: Poisson, rival: type[PaddedInfida], slots: int, warm: int
) -> tuple[float, float, str]:
    """Seconds a slot of ours and of the rival, and where the rival spends them."""
    policy = Infida(rate=RATE)
    state = policy.start(problem, stream(0))
    other = rival(problem, RATE, policy.space(problem).allowed)
    y = np.zeros(len(other.size))
    y[other.cell] = state.y
    ours: list[float] = []
    parts: dict[str, list[float]] = {"learn": [], "draw": [], "serve": []}
    for slot in range(slots):
        demand = workload.demand(slot, 0)
        t0 = perf_counter()
        state, placed = policy.place(state, problem, slot, stream(0, slot))
        outcome = serve(problem, placed, demand)
        state = policy.learn(state, problem, Feedback(slot, demand, placed, outcome), stream(0, slot))
        t1 = perf_counter()
        other_placed = other.round(y, np.random.default_rng(slot))
        t2 = perf_counter()
        other.serve(demand, other_placed)
        t3 = perf_counter()
        y = other.step(demand, y)
        t4 = perf_counter()
        ours.append(t1 - t0)
        for name, took in (("draw", t2 - t1), ("serve", t3 - t2), ("learn", t4 - t3)):
            parts[name].append(took)
        # the same fractions, and the same gain for the same placement
        np.testing.assert_allclose(y[other.cell], state.y, atol=1e-8)
        same = np.zeros(len(other.size), bool)
        same[other.cell] = placed
        np.testing.assert_allclose(other.serve(demand, same), outcome.gain, rtol=1e-9)
    theirs = _median([sum(took) for took in zip(*parts.values(), strict=True)][warm:])
    split = ", ".join(f"{name} {1e3 * _median(took[warm:]):.0f}" for name, took in parts.items())
    return _median(ours[warm:]), theirs, split


def _ours(policy: AdaptiveInfida, problem: Problem, workload: Poisson, slots: int) -> list[float]:
    state = policy.start(problem, stream(0))
    took = []
    for slot in range(slots):
        demand = workload.demand(slot, 0)
        t0 = perf_counter()
        state, placed = policy.place(state, problem, slot, stream(0, slot))
        outcome = serve(problem, placed, demand)
        state = policy.learn(state, problem, Feedback(slot, demand, placed, outcome), stream(0, slot))
        took.append(perf_counter() - t0)
    return took


def _median(values: list[float]) -> float:
    return float(np.median(values))
