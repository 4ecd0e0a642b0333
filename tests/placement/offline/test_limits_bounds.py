"""The slot's linear program, how near the quick prices come, and ceilings within limits that hold and are tight."""

from __future__ import annotations

import numpy as np
import pytest

from placid.placement.offline.ceiling import slot_ceiling
from placid.placement.offline.program import Program
from placid.placement.offline.slot_program import best_serving
from placid.problem.limits import Terms
from placid.problem.placement import trim_to_budgets
from placid.problem.within import reference_worth, serve_within
from placid.testing.brute import full_placements
from placid.testing.instances import random_demand
from placid.testing.limited import limited_problem


def test_prices_come_within_a_few_percent_of_the_linear_program() -> None:
    gaps, quick, best = [], 0.0, 0.0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        problem = limited_problem(rng, plans=2 * (seed % 2))
        placed = trim_to_budgets(
            problem, rng.random(problem.item_count) < 0.6, rng.random(problem.item_count)
        )
        demand = 3 * random_demand(rng, problem)
        found, exact = serve_within(problem, placed, demand), best_serving(problem, placed, demand)
        assert found.worth <= exact.worth * (1 + 1e-6) + 1e-9
        if exact.worth > 0:
            gaps.append(1 - found.worth / exact.worth)
            quick, best = quick + found.worth, best + exact.worth
    assert len(gaps) > 90
    # measured: 0.4 % in all, 5 % at worst
    assert 1 - quick / best < 0.008
    assert max(gaps) < 0.08
    assert sum(g > 1e-6 for g in gaps) > 5, "the two never differ: limits do not bind"


def test_prices_of_two_rounds_from_nothing_are_far_from_it() -> None:
    """They lose several times as much: prices are worth learning."""
    lost = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        problem = limited_problem(rng, terms=Terms(rounds=2))
        placed = trim_to_budgets(
            problem, rng.random(problem.item_count) < 0.6, rng.random(problem.item_count)
        )
        demand = 3 * random_demand(rng, problem)
        exact = best_serving(problem, placed, demand)
        if exact.worth > 0:
            lost.append(1 - serve_within(problem, placed, demand).worth / exact.worth)
    assert np.mean(lost) > 0.015


@pytest.mark.parametrize("seed", range(24))
def test_no_placement_is_worth_more_than_the_ceiling_and_prices_are_duals(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = limited_problem(rng, nodes=4, tasks=2, models=2, plans=seed % 2)
    demand = 3 * random_demand(rng, problem)
    if not demand.any():
        return
    program = Program.of(problem, demand.astype(float))
    solver = program.load({"solver": "simplex"})
    solver.run()
    optimum = solver.getInfo().objective_function_value * program.unit
    prices = program.prices(problem, np.array(solver.getSolution().row_dual))
    top = slot_ceiling(problem, prices)
    # at the demand of the program the ceiling is its optimum: the prices are a dual solution
    assert top(demand) + reference_worth(problem, demand) == pytest.approx(optimum, rel=1e-6)
    some = [placed for _, placed in zip(range(25), full_placements(problem, 10**9), strict=False)]
    for other in (demand, 3 * random_demand(rng, problem)):
        best = max(best_serving(problem, placed, other).worth for placed in some)
        bound = top(other) + reference_worth(problem, other)
        assert best <= bound * (1 + 1e-7) + 1e-9
        for placed in some[:5]:
            assert serve_within(problem, placed, other).outcome.gain <= top(other) + 1e-7 * abs(bound) + 1e-9


def test_duals_of_a_slot_are_the_prices_of_its_limits() -> None:
    """Prices of the program support its optimum: value = prices + what is left of worth, where items do not bind."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        problem = limited_problem(rng)
        placed = np.zeros(problem.item_count, bool)
        demand = 3 * random_demand(rng, problem)
        exact = best_serving(problem, placed, demand)
        limits = problem.limits
        assert limits is not None
        left = np.maximum(limits.worth - limits.paid(exact.prices), 0.0)[problem.option_count :]
        assert exact.prices.sum() + left @ demand == pytest.approx(exact.worth, rel=1e-6, abs=1e-9)
