"""The linear program: the tightest bound that is always within reach, its prices, and a placement rounded from it."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import ClassVar

import highspy
import numpy as np

from placid.errors import InputError, SolverError
from placid.placement.offline.base import Solution, Solver, Status, check_demand, solution_of
from placid.placement.offline.bundles import fill_with_bundles
from placid.placement.offline.ceiling import Prices, ceiling, tighten
from placid.placement.offline.greedy import complete, served_prices
from placid.placement.offline.program import Program
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share
from placid.problem.limits import Limits
from placid.problem.placement import empty_placement, trim_to_budgets
from placid.problem.pricing import priced
from placid.problem.serving import serve

__all__ = ["LinearProgram", "Prices"]

_ENDED_WELL = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit)


@dataclass(frozen=True)
class LinearProgram(Solver):
    """Solves the relaxation (`placid.placement.offline.program`) by HiGHS' dual simplex.

    When to use it: for the bound. ``solution.bound`` is what no static placement exceeds at this demand, and, times the
    number of slots, what none exceeds in total over slots of this mean demand. Simplex beats the interior point method
    and the first-order method of HiGHS at every size tried: 0.2 s for 4e4 options, 3 s for 4e5 (2 cores of a server).

    The bound is not HiGHS' objective but the `ceiling` at its row duals: equal when solved to optimality, valid whatever
    the solver's tolerances, and valid as well when it stops at the time limit with any duals, or none.

    ``solution.y`` is the fractional optimum (None if the limit struck). ``solution.placed`` keeps what is whole in it and
    lets greedy use the memory that is left; no ratio is claimed for it. Where links and processors have limits, greedy does
    so at their prices in the program.

    Attributes:
        time_limit_s: HiGHS stops after this.
    """

    name: ClassVar[str] = "lp"
    limits: ClassVar[bool] = True
    time_limit_s: float = 60.0

    def __post_init__(self) -> None:
        if not self.time_limit_s > 0:
            raise InputError(f"time limit must be above 0 s, got {self.time_limit_s}")

    def solve(self, problem: Problem, demand: np.ndarray) -> Solution:
        return self.solve_priced(problem, demand)[0]

    def solve_priced(self, problem: Problem, demand: np.ndarray) -> tuple[Solution, Prices]:
        """The solution, and prices at which the `ceiling` for `demand` is its bound.

        Raises:
            InputError: `demand` is no demand for this problem.
            SolverError: HiGHS fails other than by its time limit.
        """
        started_s = perf_counter()
        demand = check_demand(problem, demand)
        program = Program.of(problem, demand)
        prices = Prices(
            np.zeros(problem.type_count), np.zeros(problem.item_count), np.zeros(problem.node_count)
        )
        if not len(program.most):
            nothing = empty_placement(problem)
            y = nothing.astype(np.float64)
            return solution_of(self.name, Status.RELAXED, problem, demand, nothing, 0.0, started_s, y), prices
        solver = program.load({"time_limit": self.time_limit_s, "solver": "simplex"})
        solver.run()
        ended = solver.getModelStatus()
        if ended not in _ENDED_WELL:
            raise SolverError(f"HiGHS ended with '{solver.modelStatusToString(ended)}' on the linear program")
        found = solver.getSolution()
        solved = ended == highspy.HighsModelStatus.kOptimal
        duals = np.array(found.row_dual)
        if len(duals) == len(program.upper):
            prices = program.prices(problem, duals)
        # what rounds knows no limits, so it sees the problem at their prices
        plain = (
            problem if problem.limits is None else priced(problem, _scarce(problem.limits, prices)).problem
        )
        y = program.fractions(problem, np.array(found.col_value))
        placed = trim_to_budgets(problem, y > 1 - 1e-6, np.ones(problem.item_count))
        if problem.chains is not None:
            # little of it is whole: a part without the others is worth nothing, so the rest is greedy's
            placed = fill_with_bundles(plain, demand, potential_share(plain, demand), placed)
        placed = complete(plain, demand, placed)
        bound = ceiling(problem, demand, prices)
        if not solved and problem.limits is None:
            value = serve(problem, placed, demand).gain
            starts = (prices, served_prices(problem, demand, placed))
            bound, prices = min(
                (tighten(problem, demand, start, 200, value) for start in starts), key=lambda t: t[0]
            )
        status = Status.RELAXED if solved else Status.LIMIT
        solution = solution_of(
            self.name, status, problem, demand, placed, bound, started_s, y if solved else None, prices.limits
        )
        return solution, prices


def _scarce(limits: Limits, prices: Prices) -> np.ndarray:
    return limits.unpriced if prices.limits is None else prices.limits
