"""What rounding keeps of the gain: exact expectations over every outcome of the draw.

The law of the draw is enumerated by an independent, plain version; that the compiled rounding has that law is tested too.
"""

from __future__ import annotations

import numpy as np
import pytest
from comparators import expected_gain, pivotal_law, placement_law, rounded_law

from placid.placement.projections import Entropy
from placid.placement.rounding import Coupled, DepRound
from placid.placement.rounding.base import Rounding
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, relaxed_gain
from placid.randomness import stream
from placid.testing.instances import random_demand, random_problem

FACTOR = 1 - 1 / np.e


def some(rng: np.random.Generator, rounding: Rounding) -> tuple[Problem, np.ndarray, np.ndarray]:
    """A small problem, demand, and fractions that the rounding accepts."""
    while True:
        problem = random_problem(rng, nodes=int(rng.integers(2, 4)), tasks=1, models=3)
        demand = random_demand(rng, problem)
        if problem.item_count <= 9 and demand.any():
            break
    usable = rounding.usable_budget(problem.node_ptr, problem.item_size_bytes, problem.budget_bytes)
    y = Entropy().project(
        np.exp(rng.normal(size=problem.item_count)),
        problem.item_size,
        problem.node_ptr,
        usable.astype(np.float64),
        problem.placeable,
    )
    return problem, demand, y


def test_the_draw_keeps_marginals_and_never_favours_items_together() -> None:
    """E x = y, and E prod over S of (1 - x) <= prod over S of (1 - y), for every set S of items: exactly."""
    rng = np.random.default_rng(0)
    for _ in range(60):
        n = int(rng.integers(2, 7))
        size = np.where(rng.random(n) < 0.5, 1.0, np.exp(rng.normal(size=n)))
        y = rng.random(n)
        law = list(pivotal_law(y, size))
        np.testing.assert_allclose(sum(p for p, _ in law), 1.0, rtol=1e-12)
        np.testing.assert_allclose(sum(p * x for p, x in law), y, atol=1e-10)
        for bits in range(1, 2**n):
            mine = np.array([bits >> i & 1 for i in range(n)], bool)
            together = sum(p * np.prod(1 - x[mine]) for p, x in law)
            assert together <= np.prod(1 - y[mine]) + 1e-12


@pytest.mark.parametrize("mode", ["reserve", "coin"])
def test_the_compiled_draw_has_this_law(mode: str) -> None:
    rng = np.random.default_rng(1)
    rounding = DepRound(mode=mode)  # type: ignore[arg-type]
    draws = 20_000
    for _ in range(3):
        problem, _, y = some(rng, rounding)
        law: dict[bytes, float] = {}
        for p, x in placement_law(problem, y, reserve=mode == "reserve"):
            key = (x > 0.5).tobytes()
            law[key] = law.get(key, 0.0) + p
        seen: dict[bytes, int] = {}
        state = rounding.start(problem.node_ptr, problem.item_size_bytes, stream(1, "start"))
        for k in range(draws):
            _, placed = rounding.round(
                state, problem.node_ptr, problem.item_size_bytes, problem.budget_bytes, y, stream(1, k)
            )
            seen[placed.tobytes()] = seen.get(placed.tobytes(), 0) + 1
        assert set(seen) <= {key for key, p in law.items() if p > 1e-12}
        for key, p in law.items():
            error = 5 * np.sqrt(p * (1 - p) / draws) + 1e-9
            assert abs(seen.get(key, 0) / draws - p) <= error


def test_with_a_reserve_the_factor_is_kept() -> None:
    rng = np.random.default_rng(2)
    least = np.inf
    for _ in range(150):
        problem, demand, y = some(rng, DepRound(mode="reserve"))
        relaxed = relaxed_gain(problem, demand, potential_share(problem, demand), y)
        if relaxed > 0:
            ratio = expected_gain(problem, demand, y, reserve=True) / relaxed
            assert ratio >= FACTOR - 1e-9
            least = min(least, ratio)
    assert least < 1  # the draw does lose something: the test is not empty


def test_without_a_reserve_half_the_factor_is_kept_and_nearly_all_in_practice() -> None:
    rng = np.random.default_rng(3)
    ratios = []
    for _ in range(300):
        problem, demand, y = some(rng, DepRound())
        relaxed = relaxed_gain(problem, demand, potential_share(problem, demand), y)
        if relaxed > 0:
            ratios.append(expected_gain(problem, demand, y, reserve=False) / relaxed)
    assert min(ratios) >= FACTOR / 2 - 1e-9  # proven, see DepRound
    assert (
        np.mean(ratios) >= FACTOR
    )  # measured: nodes here hold one to four models, the worst case for the coin


def test_the_coin_can_cost_nearly_half_at_a_node_that_holds_one_model() -> None:
    """Two models of just over half the node, each at fraction one half and a bit: only one of them ever fits."""
    size, budget = np.array([51.0, 51.0]), 100.0
    y = np.array([budget / 102, budget / 102])
    kept = sum(p * x.sum() for p, x in rounded_law(y, size, budget, reserve=False)) / y.sum()
    assert 0.5 <= kept < 0.52


@pytest.mark.parametrize("order", ["line", "tree"])
def test_coupled_draws_keep_the_factor_too(order: str) -> None:
    rng = np.random.default_rng(4)
    rounding = Coupled(mode="reserve", order=order)  # type: ignore[arg-type]
    draws = 3000
    for _ in range(6):
        problem, demand, y = some(rng, rounding)
        share = potential_share(problem, demand)
        relaxed = relaxed_gain(problem, demand, share, y)
        gains = np.empty(draws)
        for k in range(draws):
            state = rounding.start(problem.node_ptr, problem.item_size_bytes, stream(2, "start", k))
            _, placed = rounding.round(
                state, problem.node_ptr, problem.item_size_bytes, problem.budget_bytes, y, stream(2, k)
            )
            gains[k] = relaxed_gain(problem, demand, share, placed.astype(np.float64))
        assert gains.mean() + 5 * gains.std() / np.sqrt(draws) >= FACTOR * relaxed
