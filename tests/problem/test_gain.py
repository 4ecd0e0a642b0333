"""The concave gain: concave, with a true supergradient, and honest about what the items promise."""

from __future__ import annotations

import numpy as np
import pytest

from placid.problem.gain import potential_share, relaxed_gain, supergradient
from placid.testing.instances import random_demand, random_problem


def test_supergradient_inequality() -> None:
    rng = np.random.default_rng(1)
    checked = 0
    for _ in range(300):
        problem = random_problem(rng)
        demand = random_demand(rng, problem)
        share = potential_share(problem, demand)
        for _ in range(10):
            y = rng.random(problem.item_count) * rng.random()
            z = np.where(
                rng.random(problem.item_count) < 0.5, rng.random(problem.item_count), rng.integers(0, 2)
            )
            value, g = supergradient(problem, demand, share, y)
            assert value == pytest.approx(relaxed_gain(problem, demand, share, y), rel=1e-9, abs=1e-9)
            assert relaxed_gain(problem, demand, share, z) <= value + g @ (z - y) + 1e-7
            checked += 1
    assert checked == 3000


def test_items_never_promise_more_than_their_capacity() -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        problem = random_problem(rng)
        demand = random_demand(rng, problem)
        share = potential_share(problem, demand)
        promised = np.bincount(
            problem.option_item,
            weights=share[problem.option_item] * demand[problem.option_type],
            minlength=problem.item_count,
        )
        assert (promised <= problem.item_capacity * (1 + 1e-12)).all()
        assert (share > 0).all()
        assert (share <= 1).all()


def test_rounding_independently_keeps_the_factor() -> None:
    """E gain(x) >= (1 - 1/e) gain(y) for independent x with E x = y; exact expectation over all placements."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        problem = random_problem(rng, nodes=3, tasks=1, models=2)
        if problem.item_count > 10:
            continue
        demand = random_demand(rng, problem)
        share = potential_share(problem, demand)
        y = rng.random(problem.item_count)
        expected = 0.0
        for bits in range(2**problem.item_count):
            x = np.array([bits >> i & 1 for i in range(problem.item_count)], float)
            expected += float(np.prod(np.where(x > 0, y, 1 - y))) * relaxed_gain(problem, demand, share, x)
        assert expected >= (1 - 1 / np.e) * relaxed_gain(problem, demand, share, y) - 1e-9
