"""Greedy: its ratios against brute force, its laziness against a plain greedy, and its speed."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest

from placid.errors import InputError
from placid.placement.offline import Greedy, Status
from placid.placement.offline.greedy import _run, complete
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, relaxed_gain
from placid.problem.serving import serve
from placid.testing.brute import brute_force
from placid.testing.instances import random_demand, random_problem


def plainly(problem: Problem, demand: np.ndarray, by_density: bool) -> np.ndarray:
    """Greedy that computes every gain of every item anew in every round."""
    share = potential_share(problem, demand)
    placed = np.zeros(problem.item_count, bool)
    room = problem.budget_bytes.copy()

    def gain(x: np.ndarray) -> float:
        return relaxed_gain(problem, demand, share, x.astype(float))

    while True:
        best, best_key = -1, 1e-9
        for e in range(problem.item_count):
            if placed[e] or problem.item_size_bytes[e] > room[problem.item_node[e]]:
                continue
            more = placed.copy()
            more[e] = True
            key = gain(more) - gain(placed)
            if by_density:
                key /= float(problem.item_size_bytes[e])
            if key > best_key * (1 + 1e-9):
                best, best_key = e, key
        if best < 0:
            return placed
        placed[best] = True
        room[problem.item_node[best]] -= problem.item_size_bytes[best]


@pytest.mark.parametrize("by_density", [True, False])
def test_lazy_is_as_good_as_plain(by_density: bool) -> None:
    alike = 0
    for seed in range(60):
        rng = np.random.default_rng([seed, 1])
        problem = random_problem(rng)
        if problem.item_size_bytes.max() > 1000:
            continue  # the plain greedy's threshold is for small sizes
        demand = random_demand(rng, problem)
        share = potential_share(problem, demand)
        nothing = np.zeros(problem.item_count, bool)
        lazy = _run(problem, demand.astype(float), share, nothing, by_density)
        plain = plainly(problem, demand, by_density)
        value = relaxed_gain(problem, demand, share, lazy.astype(float))
        expected = relaxed_gain(problem, demand, share, plain.astype(float))
        # ties may be broken otherwise, in any other case the two agree
        if np.array_equal(lazy, plain):
            alike += 1
            assert value == pytest.approx(expected)
    assert alike >= 30


def test_ratios_of_the_theorem() -> None:
    ratios = []
    for seed in range(250):
        rng = np.random.default_rng([seed, 2])
        problem = random_problem(rng)
        demand = random_demand(rng, problem)
        best = brute_force(problem, demand)
        if best.partitioned <= 0:
            continue
        solution = Greedy().solve(problem, demand)
        useful = problem.placeable & (np.bincount(problem.option_item, minlength=problem.item_count) > 0)
        part = problem.item_size / np.maximum(problem.budget_bytes, 1)[problem.item_node]
        beta = part[useful].max()
        proven = max(1 / 5, (1 - beta) / (2 - beta))
        if len(np.unique(problem.item_node[useful])) == 1:
            proven = max(proven, (1 - 1 / np.e) / 2)
        assert solution.partitioned >= proven * best.partitioned - 1e-9
        assert solution.value <= best.served + 1e-9
        assert solution.bound >= max(best.served, best.partitioned) - 1e-9
        ratios.append(solution.value / best.served)
    assert len(ratios) > 200
    assert np.mean(ratios) > 0.98


def test_big_items_do_not_fool_it() -> None:
    """Density alone takes the crumb and has no room for the loaf; the guarantee needs the second greedy."""
    found = 0
    for seed in range(300):
        rng = np.random.default_rng([seed, 3])
        problem = random_problem(rng, nodes=2, tasks=1, models=4)
        demand = random_demand(rng, problem).astype(float)
        share = potential_share(problem, demand)
        nothing = np.zeros(problem.item_count, bool)
        by_density, by_gain = (
            relaxed_gain(problem, demand, share, _run(problem, demand, share, nothing, k).astype(float))
            for k in (True, False)
        )
        found += by_gain > by_density * 1.05
        assert Greedy().solve(problem, demand).partitioned >= max(by_density, by_gain) - 1e-9
    assert found >= 3


def test_completing_only_adds_and_leaves_nothing_useful_out() -> None:
    grown = 0
    for seed in range(100):
        rng = np.random.default_rng([seed, 4])
        problem = random_problem(rng)
        demand = random_demand(rng, problem).astype(float)
        start = Greedy(bound_steps=0).solve(problem, demand).placed & (rng.random(problem.item_count) < 0.5)
        full = complete(problem, demand, start)
        assert (full | ~start).all()
        room = problem.budget_bytes - np.bincount(
            problem.item_node, weights=problem.item_size_bytes * full, minlength=problem.node_count
        )
        gain = serve(problem, full, demand).gain
        grown += gain > serve(problem, start, demand).gain + 1e-9
        left = serve(problem, full, demand).repository_load > 1e-9
        for o in range(problem.option_count):
            e = problem.option_item[o]
            if not full[e] and problem.item_size_bytes[e] <= room[problem.item_node[e]]:
                assert not left[problem.option_type[o]]
    assert grown > 30


def test_no_demand_is_worth_nothing() -> None:
    problem = random_problem(np.random.default_rng(5))
    solution = Greedy().solve(problem, np.zeros(problem.type_count))
    assert (solution.value, solution.bound, solution.gap) == (0.0, 0.0, 0.0)
    assert solution.status is Status.OPTIMAL
    assert not solution.placed.any()


def test_wrong_demand_is_refused() -> None:
    problem = random_problem(np.random.default_rng(5))
    with pytest.raises(InputError, match="one number for each"):
        Greedy().solve(problem, np.zeros(problem.type_count + 1))
    with pytest.raises(InputError, match="not negative"):
        Greedy().solve(problem, np.full(problem.type_count, -1.0))


def test_large_instances_take_little_time() -> None:
    rng = np.random.default_rng(6)
    problem = random_problem(rng, nodes=30, tasks=20, models=20)
    demand = random_demand(rng, problem)
    Greedy().solve(problem, demand)
    assert problem.option_count > 10_000
    started = perf_counter()
    solution = Greedy().solve(problem, demand)
    assert perf_counter() - started < 3.0
    assert solution.gap < 0.2
