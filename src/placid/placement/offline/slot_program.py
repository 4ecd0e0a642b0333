"""Who serves what within limits, as well as can be: a linear program for one slot and one placement."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from placid.errors import SolverError
from placid.placement.offline.program import Program
from placid.problem.arrays import Problem

__all__ = ["BestServing", "best_serving"]


@dataclass(frozen=True)
class BestServing:
    """The optimum of a slot.

    Attributes:
        worth: cost of refusing everything minus cost, the most that any routing within items and hard limits reaches.
        flow: float64 [K + R]; requests by way, options before repositories.
        prices: float64 [M]; of each hard limit for the slot, 0 for budgets: a dual solution.
    """

    worth: float
    flow: np.ndarray
    prices: np.ndarray


def best_serving(problem: Problem, placed: np.ndarray, demand: np.ndarray) -> BestServing:
    """The best routing of `demand` (requests by type, [R]) with `placed` (bool [N]) in place, by HiGHS.

    What `placid.problem.within.serve_within` is measured against; it takes some hundred times as long. Budgets are not
    looked at: they hold in the long run.

    Raises:
        SolverError: HiGHS fails.
    """
    limits = problem.limits
    if limits is None:
        raise ValueError("the problem has no limits: placid.problem.serving serves it")
    demand = np.asarray(demand, np.float64)
    program = Program.of(problem, demand)
    flow, prices = np.zeros(len(limits.worth)), np.zeros(len(limits))
    if not len(program.most):
        return BestServing(0.0, flow, prices)
    solver = program.load({"solver": "simplex"})
    fixed = placed[program.items].astype(np.float64)
    count = len(program.items)
    if count:
        solver.changeColsBounds(count, np.arange(count, dtype=np.int32), fixed, fixed)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise SolverError(
            f"HiGHS ended with '{solver.modelStatusToString(solver.getModelStatus())}' on the slot"
        )
    found = solver.getSolution()
    by_column = np.clip(np.array(found.col_value)[count:], 0.0, 1.0) * program.most
    way = np.concatenate((program.options, problem.option_count + program.asked))
    flow[way] = by_column
    prices[program.bound] = np.maximum(np.array(found.row_dual)[program.first_limit :], 0.0) * program.unit
    return BestServing(float(solver.getInfo().objective_function_value) * program.unit, flow, prices)
