"""Every offline solver passes the conformance check; the check catches solvers that are wrong."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

import placid.placement.offline as room
from placid.placement.offline import SOLVERS, Averaged, Greedy, LinearProgram, Milp, Solution, Solver, Status
from placid.problem.arrays import Problem
from placid.testing import check_solver


@pytest.mark.parametrize("name", SOLVERS)
def test_conforms(name: str) -> None:
    assert SOLVERS[name].name == name
    check_solver(SOLVERS[name]())


@pytest.mark.parametrize(
    "solver",
    [
        Greedy(bound_steps=0),
        LinearProgram(time_limit_s=1e-9),
        Milp(cut_rounds=0),
        Milp(relative_gap=0.2),
        Averaged(steps=1, draws=1),
    ],
    ids=repr,
)
def test_conforms_at_odd_settings(solver: Solver) -> None:
    check_solver(solver)


def test_every_solver_is_in_the_table() -> None:
    for module in pkgutil.iter_modules(room.__path__):
        importlib.import_module(f"{room.__name__}.{module.name}")
    found = {c for c in Solver.__subclasses__() if c.__module__.startswith(room.__name__)}
    assert found == set(SOLVERS.values())


@dataclass(frozen=True)
class _Wrong(Solver):
    """Greedy's answer, spoilt."""

    name: ClassVar[str] = "wrong"
    how: str = "bound"

    def solve(self, problem: Problem, demand: np.ndarray) -> Solution:
        good = Greedy().solve(problem, demand)
        match self.how:
            case "bound":
                return replace(good, bound=good.value)
            case "value":
                return replace(good, value=good.value * 0.9)
            case "optimal":
                nothing = np.zeros(problem.item_count, bool)
                return replace(
                    good, placed=nothing, value=0.0, partitioned=0.0, status=Status.OPTIMAL, bound=good.bound
                )
            case _:
                return replace(good, placed=np.ones(problem.item_count, bool))


@pytest.mark.parametrize("how", ["bound", "value", "optimal", "budget"])
def test_wrong_solvers_are_caught(how: str) -> None:
    # an infeasible placement has an error of its own, which says by how many bytes
    with pytest.raises(Exception, match=r"bound|earns|optim|exceeds the memory"):
        check_solver(_Wrong(how=how))
