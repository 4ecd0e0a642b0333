"""The serving rule against a slow, plain version of it that shares no code with it."""

from __future__ import annotations

import numpy as np
import pytest

from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, relaxed_gain
from placid.problem.serving import serve
from placid.testing.instances import random_demand, random_problem


def slowly(
    problem: Problem, placed: np.ndarray, demand: np.ndarray
) -> tuple[float, np.ndarray, dict[int, float]]:
    """Look for the best pair that is still possible, again and again, request by request where numbers are whole."""
    left = {r: float(demand[r]) for r in range(problem.type_count)}
    room = {e: float(problem.item_capacity[e]) for e in range(problem.item_count) if placed[e]}
    gain, vector = 0.0, np.zeros(4)
    while True:
        best: tuple[float, int, int] | None = None
        for r in left:
            if left[r] <= 0:
                continue
            for o in range(int(problem.option_ptr[r]), int(problem.option_ptr[r + 1])):
                if room.get(int(problem.option_item[o]), 0.0) <= 0:
                    continue
                key = (-float(problem.option_saving[o]), r, o)
                if best is None or key < best:
                    best = key
        if best is None:
            break
        _, r, o = best
        take = min(left[r], room[int(problem.option_item[o])])
        left[r] -= take
        room[int(problem.option_item[o])] -= take
        gain += take * float(problem.option_saving[o])
        vector += take * problem.option_vector[o].astype(float)
    for r, rest in left.items():
        vector += rest * problem.repository_vector[r]
    return gain, vector, left


@pytest.mark.parametrize("block", range(10))
def test_serving_agrees_with_the_plain_rule(block: int) -> None:
    for seed in range(block * 200, block * 200 + 200):
        rng = np.random.default_rng(seed)
        problem = random_problem(rng)
        placed = rng.random(problem.item_count) < rng.random()
        demand = random_demand(rng, problem)
        gain, vector, left = slowly(problem, placed, demand)
        outcome = serve(problem, placed, demand, flows=True)
        assert outcome.gain == pytest.approx(gain, rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(outcome.vector, vector, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(outcome.repository_load, list(left.values()), atol=1e-9)
        assert outcome.served == pytest.approx(demand.sum())
        assert (outcome.item_load <= problem.item_capacity + 1e-9).all()
        assert (outcome.item_load[~placed] == 0).all()
        assert outcome.flow.sum() == pytest.approx(outcome.item_load.sum())


def test_gain_is_the_cost_saved() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        problem = random_problem(rng)
        placed = rng.random(problem.item_count) < 0.5
        demand = random_demand(rng, problem)
        outcome = serve(problem, placed, demand, flows=True)
        cost = problem.repository_cost[problem.option_type] - problem.option_saving
        now = float(outcome.flow @ cost + outcome.repository_load @ problem.repository_cost)
        assert outcome.gain == pytest.approx(
            float(demand @ problem.repository_cost) - now, rel=1e-9, abs=1e-9
        )


def test_more_models_never_hurt() -> None:
    rng = np.random.default_rng(6)
    for _ in range(500):
        problem = random_problem(rng)
        placed = rng.random(problem.item_count) < 0.4
        more = placed | (rng.random(problem.item_count) < 0.3)
        demand = random_demand(rng, problem)
        assert serve(problem, more, demand).gain >= serve(problem, placed, demand).gain - 1e-9


def test_without_contention_the_partitioned_gain_is_the_gain_served() -> None:
    rng = np.random.default_rng(7)
    for _ in range(200):
        problem = random_problem(rng, tight=False)
        demand = np.minimum(random_demand(rng, problem), 1)
        share = potential_share(problem, demand)
        if (share < 1).any():
            continue
        placed = rng.random(problem.item_count) < 0.5
        partitioned = relaxed_gain(problem, demand, share, placed.astype(float))
        assert serve(problem, placed, demand).gain == pytest.approx(partitioned, rel=1e-9, abs=1e-9)
