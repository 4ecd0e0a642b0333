"""The linear program: above every placement, at every time limit, and over every run."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from placid.errors import InputError
from placid.placement.offline import LinearProgram, Status, ceiling
from placid.placement.offline.ceiling import ceiling_at
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, relaxed_gain
from placid.problem.serving import serve
from placid.testing.brute import brute_force, full_placements
from placid.testing.instances import random_demand, random_problem


def plainly(problem: Problem, demand: np.ndarray) -> float:
    """The same program written down naively, unscaled and whole, and given to scipy."""
    n, k = problem.item_count, problem.option_count
    rows, upper = [], []

    def row(limit: float) -> np.ndarray:
        rows.append(np.zeros(n + k))
        upper.append(limit)
        return rows[-1]

    for r in range(problem.type_count):
        row(demand[r])[n + np.flatnonzero(problem.option_type == r)] = 1
    for e in range(n):
        one = row(0.0)
        one[n + np.flatnonzero(problem.option_item == e)] = 1
        one[e] = -problem.item_capacity[e]
    for o in range(k):
        one = row(0.0)
        e = problem.option_item[o]
        one[n + o], one[e] = 1, -min(demand[problem.option_type[o]], problem.item_capacity[e])
    for v in range(problem.node_count):
        row(problem.budget_bytes[v])[:n] = problem.item_size * (problem.item_node == v)
    bounds = [(0, float(fits)) for fits in problem.placeable] + [(0, None)] * k
    cost = np.concatenate((np.zeros(n), -problem.option_saving))
    return -float(linprog(cost, A_ub=np.array(rows), b_ub=np.array(upper), bounds=bounds).fun)


def test_agrees_with_the_program_written_down_plainly() -> None:
    positive = 0
    for seed in range(80):
        rng = np.random.default_rng([seed, 1])
        problem = random_problem(rng)
        demand = random_demand(rng, problem)
        solution, prices = LinearProgram().solve_priced(problem, demand)
        expected = plainly(problem, demand)
        assert solution.bound == pytest.approx(expected, rel=1e-6, abs=1e-6)
        assert ceiling(problem, demand, prices) == pytest.approx(expected, rel=1e-6, abs=1e-6)
        # strong duality: all three prices are HiGHS' own, in the right units
        assert ceiling_at(problem, demand, prices) == pytest.approx(expected, rel=1e-6, abs=1e-6)
        positive += expected > 0
    assert positive > 60


def test_bounds_every_placement_under_both_gains() -> None:
    tight = []
    for seed in range(200):
        rng = np.random.default_rng([seed, 2])
        problem = random_problem(rng)
        demand = random_demand(rng, problem)
        best = brute_force(problem, demand)
        solution = LinearProgram().solve(problem, demand)
        assert max(best.served, best.partitioned) <= solution.bound + 1e-7
        if best.served > 0:
            tight.append(solution.bound / best.served)
    assert np.mean(tight) < 1.1


def test_prices_bound_every_other_slot() -> None:
    for seed in range(60):
        rng = np.random.default_rng([seed, 3])
        problem = random_problem(rng)
        _, prices = LinearProgram().solve_priced(problem, random_demand(rng, problem))
        for _ in range(5):
            demand = random_demand(rng, problem)
            assert brute_force(problem, demand).served <= ceiling(problem, demand, prices) + 1e-7


def test_the_mean_demand_bounds_every_static_placement_over_a_run() -> None:
    checked = 0
    for seed in range(40):
        rng = np.random.default_rng([seed, 4])
        problem = random_problem(rng)
        demand = np.array([random_demand(rng, problem) for _ in range(6)])
        bound = len(demand) * LinearProgram().solve(problem, demand.mean(axis=0)).bound
        for placed in full_placements(problem):
            total = sum(serve(problem, placed, d).gain for d in demand)
            parts = sum(
                relaxed_gain(problem, d, potential_share(problem, d), placed.astype(float)) for d in demand
            )
            assert max(total, parts) <= bound + 1e-7
            checked += 1
    assert checked > 200


def test_neither_gain_bounds_the_other() -> None:
    """Parts forbid sharing that the serving rule allows; serving is greedy where parts may be wiser."""
    served_more = parts_more = 0
    for seed in range(300):
        rng = np.random.default_rng([seed, 5])
        problem = random_problem(rng, nodes=6, tasks=1)
        demand = 4 * random_demand(rng, problem)
        placed = rng.random(problem.item_count) < 0.7
        gain = serve(problem, placed, demand).gain
        parts = relaxed_gain(problem, demand, potential_share(problem, demand), placed.astype(float))
        served_more += gain > parts * 1.01
        parts_more += parts > gain * 1.001
        # a stable assignment earns at least half of any other
        assert gain >= parts / 2 - 1e-9
    assert served_more > 10
    assert parts_more > 0


def test_at_the_time_limit_the_bound_still_holds() -> None:
    rng = np.random.default_rng(6)
    problem = random_problem(rng, nodes=20, tasks=10, models=15)
    demand = random_demand(rng, problem)
    solved = LinearProgram().solve(problem, demand)
    stopped, prices = LinearProgram(time_limit_s=1e-9).solve_priced(problem, demand)
    assert solved.status is Status.RELAXED
    assert stopped.status is Status.LIMIT
    assert stopped.y is None
    assert solved.y is not None
    assert solved.bound <= stopped.bound <= 1.2 * solved.bound
    assert ceiling(problem, demand, prices) == pytest.approx(stopped.bound)


def test_no_demand() -> None:
    problem = random_problem(np.random.default_rng(7))
    solution, prices = LinearProgram().solve_priced(problem, np.zeros(problem.type_count))
    assert solution.bound == 0
    demand = random_demand(np.random.default_rng(8), problem)
    assert ceiling(problem, demand, prices) >= brute_force(problem, demand).served - 1e-9


def test_settings_are_checked() -> None:
    with pytest.raises(InputError, match="time limit"):
        LinearProgram(time_limit_s=0)
