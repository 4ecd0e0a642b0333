"""INFIDA offline: its average nears the best fraction on the concave gain."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from placid.errors import InputError
from placid.placement.offline import Averaged
from placid.placement.offline.averaged import _average
from placid.problem.gain import potential_share, relaxed_gain
from placid.testing.brute import brute_force
from placid.testing.instances import random_demand, random_problem


def test_the_average_nears_every_other_fraction() -> None:
    """On the partitioned gain: above (nearly) every whole placement, and above random fractions."""
    for seed in range(30):
        rng = np.random.default_rng([seed, 1])
        problem = random_problem(rng)
        demand = random_demand(rng, problem).astype(float)
        share = potential_share(problem, demand)
        value = relaxed_gain(problem, demand, share, _average(problem, demand, 1000))
        assert value >= 0.97 * brute_force(problem, demand).partitioned - 1e-9


def test_more_steps_come_nearer() -> None:
    few, many = 0.0, 0.0
    for seed in range(30):
        rng = np.random.default_rng([seed, 2])
        problem = random_problem(rng)
        demand = random_demand(rng, problem).astype(float)
        share = potential_share(problem, demand)
        few += relaxed_gain(problem, demand, share, _average(problem, demand, 3))
        many += relaxed_gain(problem, demand, share, _average(problem, demand, 600))
    assert many > 1.02 * few


def test_no_generic_solver_finds_a_much_better_fraction() -> None:
    for seed in range(8):
        rng = np.random.default_rng([seed, 3])
        problem = random_problem(rng, nodes=3, tasks=1)
        demand = random_demand(rng, problem).astype(float)
        share = potential_share(problem, demand)
        y = _average(problem, demand, 3000)

        def loss(x: np.ndarray) -> float:
            return -relaxed_gain(problem, demand, share, np.clip(x, 0, 1))  # noqa: B023

        used = [(problem.item_node == v) * problem.item_size for v in range(problem.node_count)]
        limits = [
            {"type": "ineq", "fun": lambda x, a=a, b=b: (b - a @ x) / max(b, 1)}
            for a, b in zip(used, problem.budget_bytes, strict=True)
        ]
        bounds = [(0.0, float(fits)) for fits in problem.placeable]
        found = minimize(loss, y, method="SLSQP", bounds=bounds, constraints=limits)
        worst = max(
            float(a @ found.x - b) / max(float(b), 1) for a, b in zip(used, problem.budget_bytes, strict=True)
        )
        if worst < 1e-6:
            assert -found.fun <= 1.03 * -loss(y) + 1e-9


def test_the_seed_decides() -> None:
    rng = np.random.default_rng(4)
    problem = random_problem(rng, nodes=6, tasks=3, models=5)
    demand = random_demand(rng, problem)
    one, same = (Averaged(steps=20, draws=2, seed=1).solve(problem, demand) for _ in range(2))
    assert np.array_equal(one.placed, same.placed)
    values = {Averaged(steps=20, draws=1, seed=s).solve(problem, demand).value for s in range(8)}
    assert len(values) > 1


def test_settings_are_checked() -> None:
    with pytest.raises(InputError, match="at least 1 step"):
        Averaged(steps=0)
