"""What an offline solver is, and what it answers: a placement, what it earns, and what no placement can exceed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from time import perf_counter
from typing import ClassVar

import numpy as np

from placid.errors import InputError, SolverError
from placid.problem.arrays import Problem
from placid.problem.gain import partitioned_gain, potential_share
from placid.problem.placement import check_feasible
from placid.problem.serving import serve
from placid.problem.within import serve_within

__all__ = ["TOLERANCE", "Solution", "Solver", "Status", "check_demand", "gain_of", "solution_of"]

#: a placement whose gain comes this near its bound, relatively, is optimal
TOLERANCE = 1e-6


class Status(Enum):
    """How a solver ended; `message` says it in a sentence."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    LIMIT = "limit"
    RELAXED = "relaxed"
    HEURISTIC = "heuristic"

    @property
    def message(self) -> str:
        """For people."""
        return _MESSAGES[self]


_MESSAGES = {
    Status.OPTIMAL: "no placement earns more: the gain reaches the upper bound",
    Status.FEASIBLE: "the search ended, but the gain under the serving rule stays below the upper bound; see the gap",
    Status.LIMIT: "the time limit was reached; placement and upper bound are valid, the gap between them is open",
    Status.RELAXED: "the relaxation is solved to optimality: a tight upper bound, and a placement rounded from it",
    Status.HEURISTIC: "a good placement by a rule that looks for no optimum; its upper bound is computed afterwards",
}


@dataclass(frozen=True)
class Solution:
    """What a solver found for one problem and one demand.

    Attributes:
        solver: its name.
        status: how it ended.
        value: gain per slot of `placed` under the serving rule, `gain_of`.
        bound: no placement earns more than this per slot under the serving rule. Those of `LinearProgram`, `Greedy` and
            `Averaged` hold under every routing that respects capacities, so for partitioned gains too; `Milp` may cut
            deeper.
        placed: bool [N].
        y: float64 [N]; the fractional placement that `placed` was rounded from, None if there is none.
        time_s: wall-clock time the solver took.
        partitioned: concave gain of `placed` (`placid.problem.gain`), every type kept to its part of each capacity; NaN
            where links or processors have limits. Neither of the two gains bounds the other: parts forbid the sharing that
            the serving rule allows, and the serving rule is greedy where parts may happen to be wiser.
    """

    solver: str
    status: Status
    value: float
    bound: float
    placed: np.ndarray
    y: np.ndarray | None
    time_s: float
    partitioned: float

    @property
    def gap(self) -> float:
        """How far the bound is above the gain, relative to the bound; 0 when optimal."""
        if self.bound <= 0:
            return 0.0
        return max(0.0, (self.bound - self.value) / self.bound)


class Solver(ABC):
    """Finds one placement for a known demand. Frozen dataclasses: a solver holds its settings only.

    Deterministic: the same problem, demand and settings give the same placement, as long as no time limit strikes.
    """

    #: the name in scenarios and tables
    name: ClassVar[str]
    #: whether it solves problems with limits on links and processors; others are given the problem at their prices
    limits: ClassVar[bool] = False

    @abstractmethod
    def solve(self, problem: Problem, demand: np.ndarray) -> Solution:
        """A placement for `demand` (requests per slot by type, [R], any non-negative numbers).

        Raises:
            InputError: `demand` has the wrong shape, or a negative or infinite number.
        """


def check_demand(problem: Problem, demand: np.ndarray) -> np.ndarray:
    """`demand` as float64 [R].

    Raises:
        InputError: says what is wrong with it.
    """
    given = np.asarray(demand)
    if given.shape != (problem.type_count,):
        raise InputError(
            f"demand needs one number for each of the {problem.type_count} request types, got {given.shape}"
        )
    demand = given.astype(np.float64)
    if not np.isfinite(demand).all() or (demand < 0).any():
        raise InputError("demand must be finite and not negative")
    return demand


def gain_of(
    problem: Problem, placed: np.ndarray, demand: np.ndarray, scarce: np.ndarray | None = None
) -> float:
    """What `placed` gains in a slot with `demand` under the serving rule, within the limits if there are any.

    Args:
        scarce: float64 [M]; prices of limits to begin with, None for 0.
    """
    if problem.limits is None:
        return serve(problem, placed, demand).gain
    return serve_within(problem, placed, demand, scarce).outcome.gain


def solution_of(
    solver: str,
    status: Status,
    problem: Problem,
    demand: np.ndarray,
    placed: np.ndarray,
    bound: float,
    started_s: float,
    y: np.ndarray | None = None,
    scarce: np.ndarray | None = None,
) -> Solution:
    """A checked `Solution`: feasible, its gains computed here, OPTIMAL if and only if the gain reaches the bound.

    Args:
        started_s: `time.perf_counter()` when the solver began.
        scarce: prices of limits that requests are served with first.

    Raises:
        InfeasiblePlacementError: `placed` exceeds a budget.
        SolverError: `placed` earns more than `bound`.
    """
    check_feasible(problem, placed, f"the placement of solver '{solver}'")
    value = gain_of(problem, placed, demand, scarce)
    partitioned = float("nan")
    if problem.limits is None:
        partitioned = partitioned_gain(problem, demand, potential_share(problem, demand), placed)
    if value > bound * (1 + 1e-7) + 1e-9:
        raise SolverError(f"solver '{solver}' claims the upper bound {bound:.9g} but earns {value:.9g}")
    # round-off must not put a gain above its bound
    bound = max(bound, value)
    if bound - value <= TOLERANCE * bound:
        status = Status.OPTIMAL
    elif status is Status.OPTIMAL:
        status = Status.FEASIBLE
    return Solution(solver, status, value, bound, placed, y, perf_counter() - started_s, partitioned)
