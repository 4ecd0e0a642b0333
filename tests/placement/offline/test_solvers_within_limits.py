"""The linear program and the MILP where links and processors have limits, against every placement there is."""

from __future__ import annotations

import numpy as np
import pytest

from placid.errors import InputError
from placid.placement.offline import Greedy, LinearProgram, Milp
from placid.placement.offline.slot_program import best_serving
from placid.problem.placement import bytes_used
from placid.problem.within import reference_worth
from placid.testing.brute import full_placements
from placid.testing.instances import random_demand
from placid.testing.limited import limited_problem


@pytest.mark.parametrize("seed", range(16))
def test_bounds_hold_and_the_milp_finds_the_best_there_is(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = limited_problem(rng, nodes=4, tasks=2, models=2, plans=seed % 2)
    demand = 3 * random_demand(rng, problem)
    try:
        every = list(full_placements(problem, 3000))
    except ValueError:
        return  # too many to look at
    best = max(best_serving(problem, placed, demand).worth for placed in every)
    best -= reference_worth(problem, demand)
    relaxed, milp = LinearProgram().solve(problem, demand), Milp(time_limit_s=20).solve(problem, demand)
    for solution in (relaxed, milp):
        assert (bytes_used(problem, solution.placed) <= problem.budget_bytes).all()
        assert best <= solution.bound * (1 + 1e-7) + 1e-7
        assert solution.value <= solution.bound
        assert np.isnan(solution.partitioned)
    assert milp.bound <= relaxed.bound + 1e-9
    # the MILP's bound is the best routing of the best placement
    assert milp.bound == pytest.approx(best, rel=1e-4, abs=1e-6)
    # prices lose a little of it
    assert milp.value >= 0.9 * best - 1e-6


def test_a_program_without_items_places_nothing_and_bounds_it() -> None:
    problem = limited_problem(np.random.default_rng(1))
    nothing = LinearProgram().solve(problem, np.zeros(problem.type_count))
    assert not nothing.placed.any()
    assert nothing.value == 0


def test_what_knows_no_limits_refuses_them() -> None:
    problem = limited_problem(np.random.default_rng(1))
    with pytest.raises(InputError, match="hard limits"):
        Greedy().solve(problem, np.ones(problem.type_count))
