"""What could have been: the best static placement of a run, an upper bound on it, and prices for every slot's ceiling.

A run with changes in mid-run is bounded stretch by stretch: within a stretch the problem is one, its best static gain is
at most (slots) x (LP at the mean demand), because the gain of a fixed placement is concave in the demand; a placement that
is static over the whole run is static in every stretch, so the sum bounds it.

With limits on links and processors what is concave in the demand is the worth, the cost of refusing everything minus the
cost; the gain is counted from what the repositories alone are worth, slot by slot.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from placid.placement.offline.base import Solution, Solver
from placid.placement.offline.ceiling import slot_ceiling
from placid.placement.offline.lp import LinearProgram, Prices
from placid.problem.arrays import Problem
from placid.problem.pricing import priced
from placid.problem.within import reference_worth

__all__ = ["Hindsight", "look_back"]


@dataclass(frozen=True)
class Hindsight:
    """What is known once the requests are.

    Attributes:
        bound: upper bound on the total gain of any static placement.
        solutions: solver name -> its solution for the mean demand, gains per slot.
        lp_status, lp_time_s: how the LP ended, and what it took.
        ceiling: float64 [T]; upper bound on the gain of any placement in each slot, even one made for that slot alone.
    """

    bound: float
    lp_status: str
    lp_time_s: float
    solutions: dict[str, Solution]
    ceiling: np.ndarray

    def as_arrays(self) -> dict[str, Any]:
        """Everything, as arrays by name, for an ``.npz`` file."""
        arrays: dict[str, Any] = {
            "ceiling": self.ceiling,
            "lp/bound": np.array(self.bound),
            "lp/status": np.array(self.lp_status),
            "lp/time_s": np.array(self.lp_time_s),
        }
        for name, solution in self.solutions.items():
            arrays[f"placed/{name}"] = solution.placed
            arrays[f"status/{name}"] = np.array(solution.status.value)
            arrays[f"time_s/{name}"] = np.array(solution.time_s)
            arrays[f"bound/{name}"] = np.array(solution.bound)
        return arrays


def look_back(
    timeline: Sequence[tuple[int, Problem]],
    demand: np.ndarray,
    solvers: Sequence[Solver],
    windows: int,
    lp_time_limit_s: float,
) -> Hindsight:
    """Solve for the requests `demand` ([T, R]) after the fact.

    Args:
        solvers: each gives one static placement to play.
        windows: the ceiling's prices are renewed this often over the run; more is tighter and slower.
    """
    slots = len(demand)
    firsts = [first for first, _ in timeline]

    def problem(slot: int) -> Problem:
        return timeline[bisect_right(firsts, slot) - 1][1]

    lp = LinearProgram(time_limit_s=lp_time_limit_s)
    bound, time_s, statuses = 0.0, 0.0, set()
    stretches: list[tuple[int, int, Solution, Prices]] = []
    for first, last in pairwise([*firsts, slots]):
        solution, prices = lp.solve_priced(problem(first), demand[first:last].mean(axis=0))
        bound += (last - first) * solution.bound + _beyond(problem(first), demand[first:last])
        time_s += solution.time_s
        statuses.add(solution.status.value)
        stretches.append((first, last, solution, prices))
    top = np.empty(slots)
    for first, last, _, whole in stretches:
        parts = min(max(1, round(windows * (last - first) / slots)), last - first)
        cuts = np.linspace(first, last, parts + 1).astype(int)
        for a, b in pairwise(cuts):
            prices = whole if parts == 1 else lp.solve_priced(problem(int(a)), demand[a:b].mean(axis=0))[1]
            at = slot_ceiling(problem(int(a)), prices)
            for slot in range(a, b):
                top[slot] = at(demand[slot])
    # what bounds any placement in every slot bounds a static one too; after shifts this can be the lower of the two
    bound = min(bound, float(top.sum()))
    # a static placement is chosen for the network as it is most of the time
    longest = max(stretches, key=lambda s: s[1] - s[0])
    mean = demand.mean(axis=0)
    solutions = {
        solver.name: solver.solve(_seen_by(solver, problem(longest[0]), longest[3]), mean)
        for solver in solvers
    }
    return Hindsight(bound, "+".join(sorted(statuses)), time_s, solutions, top)


def _beyond(problem: Problem, demand: np.ndarray) -> float:
    """What the gain of slots of `demand` ([T, R]) is counted from, against T times that of their mean; 0 without limits."""
    if problem.limits is None:
        return 0.0
    mean = reference_worth(problem, demand.mean(axis=0))
    return sum(mean - reference_worth(problem, d) for d in demand)


def _seen_by(solver: Solver, problem: Problem, prices: Prices) -> Problem:
    """`problem`, at `prices` of its limits if it has some and `solver` knows nothing of limits."""
    if problem.limits is None or solver.limits:
        return problem
    return priced(problem, problem.limits.unpriced if prices.limits is None else prices.limits).problem
