"""The regret bound that policies report holds for every sequence of requests, against the best fractions in hindsight.

Deterministic: no tolerance but float round-off. The comparator is a linear program over the whole horizon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from comparators import best_fractional

from placid.placement.base import Feedback
from placid.placement.online.ascent import Ascent
from placid.placement.online.euclidean import GradientAscent
from placid.placement.online.infida import AdaptiveInfida, Infida
from placid.placement.online.optimistic import OptimisticInfida
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, relaxed_gain
from placid.problem.placement import empty_placement
from placid.problem.serving import serve
from placid.testing.instances import random_demand, random_problem

ASCENTS: list[Ascent] = [
    Infida(horizon=40),
    Infida(rate=5.0),  # far too long steps: the bound must say so
    AdaptiveInfida(),
    AdaptiveInfida(share=0.1, reserve=True),
    GradientAscent(),
    OptimisticInfida(),
    OptimisticInfida(prediction="workload"),
]
KINDS = ("random", "in turn", "shift", "constant", "bursts", "one then nothing")


def sequence(rng: np.random.Generator, problem: Problem, slots: int, kind: str) -> list[np.ndarray]:
    """Requests slot by slot; some kinds are made to hurt."""
    one, other = random_demand(rng, problem), random_demand(rng, problem)
    demands = []
    for t in range(slots):
        match kind:
            case "random":
                demand = random_demand(rng, problem)
            case "in turn":
                demand = np.zeros(problem.type_count, np.int64)
                demand[t % problem.type_count] = 10
            case "shift":
                demand = one if t < slots // 2 else other
            case "constant":
                demand = one
            case "bursts":
                demand = one * (1000 if t % 7 == 0 else 1)
            case _:
                demand = one if t == 0 else np.zeros(problem.type_count, np.int64)
        demands.append(demand)
    return demands


def play(policy: Ascent, problem: Problem, demands: Sequence[np.ndarray]) -> tuple[float, list[float]]:
    """The gain of the fractions in all, and the bound after every slot."""
    rng = np.random.default_rng(0)
    state = policy.start(problem, rng)
    gained, bounds = 0.0, []
    placed = empty_placement(problem)
    for t, demand in enumerate(demands):
        gained += relaxed_gain(problem, demand, potential_share(problem, demand), state.y)
        # a forecast that is right half of the time
        forecast = demands[min(t + 1 + t % 2, len(demands) - 1)].astype(np.float64)
        outcome = serve(problem, placed, demand)
        state = policy.learn(state, problem, Feedback(t, demand, placed, outcome, forecast), rng)
        bounds.append(state.regret_bound)
    return gained, bounds


@pytest.mark.parametrize("block", range(6))
def test_the_bound_holds_for_every_sequence(block: int) -> None:
    slots = 40
    for seed in range(block * 18, block * 18 + 18):
        rng = np.random.default_rng(seed)
        problem = random_problem(rng, nodes=int(rng.integers(2, 6)))
        demands = sequence(rng, problem, slots, KINDS[seed % len(KINDS)])
        best: dict[bool, float] = {}
        for policy in ASCENTS:
            usable = policy.drawing.usable_budget(
                problem.node_ptr, problem.item_size_bytes, problem.budget_bytes
            )
            if policy.reserve not in best:
                best[policy.reserve] = best_fractional(problem, demands, usable)
            gained, bounds = play(policy, problem, demands)
            regret = best[policy.reserve] - gained
            assert regret <= bounds[-1] + 1e-6 * (1 + best[policy.reserve]), (policy, seed)
            assert (np.diff(bounds) >= -1e-9 * (1 + bounds[-1])).all() or isinstance(policy, OptimisticInfida)


@pytest.mark.parametrize("policy", [AdaptiveInfida(), GradientAscent()], ids=lambda p: p.name)
@pytest.mark.parametrize("kind", ["in turn", "random"])
def test_the_bound_grows_like_the_root_of_the_horizon(policy: Ascent, kind: str) -> None:
    slots = np.array([50, 200, 800, 3200])
    slopes = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        problem = random_problem(rng, nodes=5, tasks=3)
        demands = sequence(rng, problem, int(slots[-1]), kind)
        _, bounds = play(policy, problem, demands)
        bound = np.array(bounds)[slots - 1]
        slopes.append(np.polyfit(np.log(slots), np.log(bound), 1)[0])
    # a half, and the logarithm that the uniform share costs
    assert np.mean(slopes) <= 0.6, slopes


def test_the_bound_says_something_soon() -> None:
    """Constants count: after 200 slots the bound is a small part of what can be gained at all."""
    parts = []
    for seed in range(6):
        rng = np.random.default_rng(100 + seed)
        problem = random_problem(rng, nodes=6, tasks=3)
        demands = sequence(rng, problem, 200, "random")
        best = best_fractional(problem, demands[::10], problem.budget_bytes) * 10
        _, bounds = play(AdaptiveInfida(), problem, demands)
        parts.append(bounds[-1] / best)
    assert np.mean(parts) < 0.12


def test_no_bound_is_claimed_once_budgets_changed() -> None:
    rng = np.random.default_rng(0)
    problem = random_problem(rng)
    policy = AdaptiveInfida()
    state, placed = policy.place(policy.start(problem, rng), problem, 0, rng)
    shrunk = replace(problem, budget_bytes=problem.budget_bytes // 2)
    state, placed = policy.place(state, shrunk, 1, rng)
    demand = random_demand(rng, problem)
    feedback = Feedback(1, demand, placed, serve(shrunk, placed, demand))
    assert np.isnan(policy.learn(state, shrunk, feedback, rng).regret_bound)
