from __future__ import annotations

import numpy as np
import pytest

from placid.errors import InputError
from placid.placement.offline import Greedy, LocalSearch
from placid.testing.instances import random_demand, random_problem
from placid.testing.solvers import check_solver


def test_conforms() -> None:
    check_solver(LocalSearch(), instances=20)


def test_earns_at_least_what_greedy_earns_and_often_more() -> None:
    better = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        problem = random_problem(rng, nodes=7, tasks=4, models=4)
        demand = random_demand(rng, problem)
        greedy, local = Greedy().solve(problem, demand), LocalSearch().solve(problem, demand)
        assert local.value >= greedy.value - 1e-9
        assert local.value <= greedy.bound + 1e-9
        better += local.value > greedy.value * (1 + 1e-6)
    assert better >= 3


def test_settings_are_checked() -> None:
    with pytest.raises(InputError, match="sweeps must be at least 1"):
        LocalSearch(sweeps=0)
