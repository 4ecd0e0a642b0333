"""Ceilings: above every placement's gain at any prices, tight at good ones."""

from __future__ import annotations

import numpy as np
import pytest

from placid.placement.offline.ceiling import Prices, _evaluate, ceiling, ceiling_at, tighten
from placid.problem.arrays import Problem
from placid.testing.brute import brute_force
from placid.testing.instances import random_demand, random_problem


def any_prices(rng: np.random.Generator, problem: Problem) -> Prices:
    scale = rng.choice([0.0, 0.3, 3.0], 3)
    typical = problem.item_size.mean()
    return Prices(
        scale[0] * rng.random(problem.type_count),
        scale[1] * rng.random(problem.item_count),
        scale[2] * rng.random(problem.node_count) * 10 / typical,
    )


def test_no_placement_earns_more_whatever_the_prices() -> None:
    for seed in range(250):
        rng = np.random.default_rng([seed, 1])
        problem = random_problem(rng)
        demand = random_demand(rng, problem)
        best = brute_force(problem, demand)
        for _ in range(4):
            prices = any_prices(rng, problem)
            top, plain = ceiling(problem, demand, prices), ceiling_at(problem, demand, prices)
            assert max(best.served, best.partitioned) <= top + 1e-9
            assert top <= plain * (1 + 1e-9) + 1e-9


def test_capacity_and_memory_prices_are_the_best_for_the_demand_prices() -> None:
    for seed in range(150):
        rng = np.random.default_rng([seed, 2])
        problem = random_problem(rng)
        demand = random_demand(rng, problem).astype(float)
        prices = any_prices(rng, problem)
        value, _, p, memory = _evaluate(problem, demand, prices.demand)
        assert ceiling_at(problem, demand, Prices(prices.demand, p, memory)) == pytest.approx(value, abs=1e-9)


def test_what_the_knapsacks_serve_is_a_subgradient() -> None:
    for seed in range(150):
        rng = np.random.default_rng([seed, 3])
        problem = random_problem(rng)
        demand = random_demand(rng, problem).astype(float)
        u = any_prices(rng, problem).demand
        has = np.diff(problem.option_ptr) > 0
        value, served, _, _ = _evaluate(problem, demand, u)
        for _ in range(5):
            other = any_prices(rng, problem).demand
            at_other = _evaluate(problem, demand, other)[0]
            assert at_other >= value + ((demand - served) * has) @ (other - u) - 1e-9


def test_tightening_comes_near_the_optimum() -> None:
    ratios = []
    for seed in range(150):
        rng = np.random.default_rng([seed, 4])
        problem = random_problem(rng)
        demand = random_demand(rng, problem)
        best = max(brute_force(problem, demand).served, 1e-9)
        zero = Prices(*(np.zeros(n) for n in (problem.type_count, problem.item_count, problem.node_count)))
        loose = ceiling(problem, demand, zero)
        tight, prices = tighten(problem, demand, zero, 200, best)
        assert best - 1e-9 <= tight <= loose + 1e-9
        assert ceiling(problem, demand, prices) == pytest.approx(tight)
        if best > 1e-9:
            ratios.append(tight / best)
    assert np.mean(ratios) < 1.15
