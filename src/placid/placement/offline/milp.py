"""The mixed-integer linear program: the best static placement, proven so, where time allows."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import ClassVar

import highspy
import numpy as np

from placid.errors import InputError, SolverError
from placid.placement.offline.base import (
    TOLERANCE,
    Solution,
    Solver,
    Status,
    check_demand,
    gain_of,
    solution_of,
)
from placid.placement.offline.greedy import Greedy
from placid.placement.offline.lp import LinearProgram
from placid.placement.offline.program import Program
from placid.placement.offline.slot_program import best_serving
from placid.problem.arrays import Problem
from placid.problem.placement import empty_placement, trim_to_budgets
from placid.problem.serving import serve
from placid.problem.within import reference_worth

__all__ = ["Milp"]


@dataclass(frozen=True)
class Milp(Solver):
    """Branch and bound by HiGHS on the program of `placid.placement.offline.program` with whole y, from greedy's answer.

    When to use it: for the static optimum, up to about 1e4 options in seconds; beyond, for a better placement and a
    bound in the time given. Everything it returns is valid when the limit strikes.

    The program routes requests as is best for all; the serving rule lets them take what is best for each. Where items
    are contended the program can therefore promise more than its placement earns. Then the gap is closed by cuts, round
    by round, on the gain t under the serving rule, written g(.): for any set S of items and any other set X,

        g(X) <= g(S) + sum of g({e}) over the e in X that are not in S.

    For what the items of X outside S take is at most g({e}) each, and what the others serve is what the rule gives them
    for the demand that is left; more demand and more items never lower the gain of a stable assignment. At X = S the cut
    is tight, so no placement comes twice and the rounds end at the optimum; `cut_rounds` and the time limit end them
    earlier, with status FEASIBLE or LIMIT and a gap. Where options need several items that inequality does not hold, as
    two items can earn more together than each alone; there is one round, and what is left is a gap. So it is
    where links and processors have limits: then the rows of the limits are in the program, and requests of what it places
    are served by prices (`placid.problem.within`), from those of the linear program on.

    Attributes:
        time_limit_s: for everything. HiGHS looks at the clock between steps, so large programs run over by up to half.
        relative_gap: HiGHS stops when its own gap is below this.
        cut_rounds: how many times cuts are added at most.
    """

    name: ClassVar[str] = "milp"
    limits: ClassVar[bool] = True
    time_limit_s: float = 60.0
    relative_gap: float = 1e-6
    cut_rounds: int = 30

    def __post_init__(self) -> None:
        if not self.time_limit_s > 0:
            raise InputError(f"time limit must be above 0 s, got {self.time_limit_s}")
        if not 0 <= self.relative_gap < 1:
            raise InputError(f"relative gap must lie in [0, 1), got {self.relative_gap}")
        if self.cut_rounds < 0:
            raise InputError(f"cut rounds must not be negative, got {self.cut_rounds}")

    def solve(self, problem: Problem, demand: np.ndarray) -> Solution:
        started_s = perf_counter()
        demand = check_demand(problem, demand)
        if problem.limits is not None:
            return self._within(problem, demand, started_s)
        program = Program.of(problem, demand)
        first = Greedy().solve(problem, demand)
        best, value, bound = first.placed, first.value, first.bound
        if not len(program.options):
            return solution_of(
                self.name, Status.OPTIMAL, problem, demand, empty_placement(problem), 0.0, started_s
            )
        relaxed = LinearProgram(time_limit_s=self.time_limit_s).solve(problem, demand)
        bound = min(bound, relaxed.bound)
        if relaxed.value > value:
            best, value = relaxed.placed, relaxed.value
        solver = program.load({"mip_rel_gap": self.relative_gap, "mip_abs_gap": 0.0}, whole=True)
        status = Status.FEASIBLE
        rounds = 0 if problem.chains is not None else self.cut_rounds
        for done in range(rounds + 1):
            left_s = self.time_limit_s - (perf_counter() - started_s)
            if bound - value <= TOLERANCE * bound:
                break
            if left_s <= 0:
                status = Status.LIMIT
                break
            solver.setOptionValue("time_limit", left_s)
            _warm_start(solver, program, problem, best, demand, cut=done > 0)
            solver.run()
            ended = solver.getModelStatus()
            if ended not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit):
                raise SolverError(f"HiGHS ended with '{solver.modelStatusToString(ended)}' on the program")
            bound = min(bound, float(solver.getInfo().mip_dual_bound) * program.unit)
            columns = np.array(solver.getSolution().col_value)
            if len(columns):
                whole = program.fractions(problem, columns) > 0.5
                placed = trim_to_budgets(problem, whole, np.ones(problem.item_count))
                earned = serve(problem, placed, demand).gain
                if earned > value:
                    best, value = placed, earned
            if ended == highspy.HighsModelStatus.kTimeLimit:
                status = Status.LIMIT
                break
            if done == rounds:
                break
            if done == 0:
                _count_served_gain(solver, program)
            _cut(solver, program, problem, placed, demand)
        # the program's bound carries the tolerances of HiGHS
        return solution_of(self.name, status, problem, demand, best, max(bound, value), started_s)

    def _within(self, problem: Problem, demand: np.ndarray, started_s: float) -> Solution:
        """One round, from the linear program's placement, where links and processors have limits."""
        relaxed, prices = LinearProgram(time_limit_s=self.time_limit_s).solve_priced(problem, demand)
        best, value, bound = relaxed.placed, relaxed.value, relaxed.bound
        program = Program.of(problem, demand)
        status = Status.FEASIBLE
        left_s = self.time_limit_s - (perf_counter() - started_s)
        if left_s <= 0:
            status = Status.LIMIT
        elif len(program.options) and bound - value > TOLERANCE * bound:
            solver = program.load({"mip_rel_gap": self.relative_gap, "mip_abs_gap": 0.0}, whole=True)
            solver.setOptionValue("time_limit", left_s)
            flow = best_serving(problem, best, demand).flow
            way = np.concatenate((program.options, problem.option_count + program.asked))
            start = highspy.HighsSolution()
            start.col_value = np.concatenate((best[program.items], flow[way] / program.most)).tolist()
            solver.setSolution(start)
            solver.run()
            ended = solver.getModelStatus()
            if ended not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit):
                raise SolverError(f"HiGHS ended with '{solver.modelStatusToString(ended)}' on the program")
            if ended == highspy.HighsModelStatus.kTimeLimit:
                status = Status.LIMIT
            most = float(solver.getInfo().mip_dual_bound) * program.unit
            bound = min(bound, most - reference_worth(problem, demand))
            columns = np.array(solver.getSolution().col_value)
            if len(columns):
                whole = program.fractions(problem, columns) > 0.5
                placed = trim_to_budgets(problem, whole, np.ones(problem.item_count))
                earned = gain_of(problem, placed, demand, prices.limits)
                if earned > value:
                    best, value = placed, earned
        # the program's bound carries the tolerances of HiGHS
        return solution_of(
            self.name, status, problem, demand, best, max(bound, value), started_s, scarce=prices.limits
        )


def _warm_start(
    solver: highspy.Highs,
    program: Program,
    problem: Problem,
    placed: np.ndarray,
    demand: np.ndarray,
    *,
    cut: bool,
) -> None:
    """Give HiGHS `placed` with the flows of the serving rule as its first incumbent."""
    outcome = serve(problem, placed, demand, flows=True)
    values = [placed[program.items].astype(np.float64), outcome.flow[program.options] / program.most]
    if cut:
        values.append(np.array([outcome.gain / program.unit]))
    start = highspy.HighsSolution()
    start.col_value = np.concatenate(values).tolist()
    solver.setSolution(start)


def _count_served_gain(solver: highspy.Highs, program: Program) -> None:
    """Put one more column into the program, t, which is at most the gain of the flows, and maximise it instead."""
    columns = np.arange(len(program.objective), dtype=np.int32)
    flows = columns[len(program.items) :]
    t = len(columns)
    solver.changeColsCost(t, columns, np.zeros(t))
    solver.addCol(1.0, 0.0, highspy.kHighsInf, 0, np.zeros(0, np.int32), np.zeros(0))
    index = np.concatenate((flows, [t])).astype(np.int32)
    value = np.concatenate((-program.objective[flows], [1.0]))
    solver.addRow(-highspy.kHighsInf, 0.0, len(index), index, value)


def _cut(
    solver: highspy.Highs, program: Program, problem: Problem, placed: np.ndarray, demand: np.ndarray
) -> None:
    """Tell the program what `placed` earns under the serving rule, and how much others can earn beyond it."""
    t = len(program.objective)
    others = np.flatnonzero(~placed[program.items])
    alone = _alone(problem, demand)[program.items[others]]
    index = np.concatenate((others, [t])).astype(np.int32)
    value = np.concatenate((-alone / program.unit, [1.0]))
    gain = serve(problem, placed, demand).gain
    solver.addRow(-highspy.kHighsInf, gain / program.unit, len(index), index, value)


def _alone(problem: Problem, demand: np.ndarray) -> np.ndarray:
    """float64 [N]: what each item would earn if it were the only one."""
    ptr, options = problem.options_by_item
    gains = np.zeros(problem.item_count)
    for e in range(problem.item_count):
        mine = options[ptr[e] : ptr[e + 1]]
        mine = mine[np.argsort(-problem.option_saving[mine], kind="stable")]
        asked = np.cumsum(demand[problem.option_type[mine]])
        taken = np.diff(np.minimum(asked, problem.item_capacity[e]), prepend=0.0)
        gains[e] = taken @ problem.option_saving[mine]
    return gains
