"""The conformance check of offline solvers: what every solver must do, ours and yours.

    from placid.testing import check_solver
    check_solver(MySolver())

raises AssertionError with the reason at the first thing that is wrong.
"""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass, replace

import numpy as np

from placid.placement.offline.base import TOLERANCE, Solution, Solver, Status
from placid.problem.arrays import Problem
from placid.problem.gain import partitioned_gain, potential_share
from placid.problem.placement import check_feasible
from placid.problem.serving import serve
from placid.testing.brute import brute_force
from placid.testing.instances import random_demand, random_problem

__all__ = ["check_solution", "check_solver"]


def check_solver(solver: Solver, *, instances: int = 40, seed: int = 0, plans: int = 0) -> None:
    """Solve random small instances, some with a node down or without demand, and check that `solver`

    - is a frozen dataclass with a name;
    - is feasible to the byte, and its gains are those of its placement;
    - earns at most the optimum found by brute force, and its bound is at least that optimum;
    - says OPTIMAL only where the optimum is reached;
    - answers the same when asked again, and never changes what it is given.

    Args:
        plans: split models per task, laid over several nodes; for solvers that place them.

    Raises:
        AssertionError: says what is wrong.
    """
    assert is_dataclass(solver), f"{solver!r} must be a dataclass"
    assert getattr(type(solver), "name", ""), f"{type(solver).__name__} has no name"
    for f in fields(solver)[:1]:
        try:
            setattr(solver, f.name, getattr(solver, f.name))
        except FrozenInstanceError:
            pass
        else:
            raise AssertionError(f"{type(solver).__name__} must be frozen: it holds settings only")
    for i in range(instances):
        rng = np.random.default_rng([seed, i])
        problem = random_problem(rng) if not plans else random_problem(rng, tasks=1, models=2, plans=plans)
        demand = random_demand(rng, problem) / rng.choice([1, 3])
        if i % 5 == 3:
            down = problem.budget_bytes.copy()
            down[rng.integers(problem.node_count)] = 0
            problem = replace(problem, budget_bytes=down)
        if i % 10 == 7:
            demand[:] = 0
        for array in (demand, problem.option_saving, problem.needs.item, problem.budget_bytes):
            array.flags.writeable = False
        solution = solver.solve(problem, demand)
        check_solution(problem, demand, solution)
        again = solver.solve(problem, demand)
        assert np.array_equal(solution.placed, again.placed), (
            f"{solver.name}: another placement the second time"
        )


def check_solution(problem: Problem, demand: np.ndarray, solution: Solution) -> None:
    """Hold one solution of a tiny instance against brute force; see `check_solver`.

    Raises:
        AssertionError: says what is wrong.
    """
    who = solution.solver
    check_feasible(problem, solution.placed, who)
    earned = serve(problem, solution.placed, demand).gain
    assert abs(solution.value - earned) <= 1e-9 * (1 + earned), (
        f"{who}: says {solution.value}, earns {earned}"
    )
    share = potential_share(problem, demand)
    partitioned = partitioned_gain(problem, demand, share, solution.placed)
    assert abs(solution.partitioned - partitioned) <= 1e-9 * (1 + partitioned), (
        f"{who}: says {solution.partitioned} for the partitioned gain, which is {partitioned}"
    )
    best = brute_force(problem, demand)
    slack = 2 * TOLERANCE * (1 + best.served)
    assert solution.value <= best.served + slack, (
        f"{who}: earns {solution.value}, the optimum is {best.served}"
    )
    assert solution.bound >= best.served - slack, (
        f"{who}: bound {solution.bound} is below what a placement earns, {best.served}"
    )
    assert solution.value <= solution.bound, (
        f"{who}: earns {solution.value}, above its bound {solution.bound}"
    )
    assert 0 <= solution.gap <= 1, f"{who}: gap {solution.gap}"
    if solution.status is Status.OPTIMAL:
        assert solution.value >= best.served - slack, (
            f"{who}: says optimal at {solution.value}, the optimum is {best.served}"
        )
        assert solution.gap <= 2 * TOLERANCE, f"{who}: says optimal with a gap of {solution.gap}"
    if solution.y is not None:
        y = solution.y
        assert y.shape == (problem.item_count,), f"{who}: fractions of shape {y.shape}"
        assert (y >= 0).all(), f"{who}: negative fractions"
        assert (y <= 1).all(), f"{who}: fractions above 1"
        used = np.bincount(problem.item_node, weights=problem.item_size * y, minlength=problem.node_count)
        assert (used <= problem.budget_bytes * (1 + 1e-6)).all(), f"{who}: fractions exceed a budget"
