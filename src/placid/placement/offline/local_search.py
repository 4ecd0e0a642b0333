"""Local search: let node after node pack again until none finds anything better."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import ClassVar

import numpy as np

from placid.errors import InputError
from placid.placement.offline.base import Solution, Solver, Status, check_demand, solution_of
from placid.placement.offline.ceiling import tighten
from placid.placement.offline.greedy import Greedy, complete, served_prices
from placid.placement.offline.ruin import recreated
from placid.placement.repack import Repacker
from placid.problem.arrays import Problem
from placid.problem.placement import empty_placement
from placid.problem.serving import serve

__all__ = ["LocalSearch"]


@dataclass(frozen=True)
class LocalSearch(Solver):
    """Sweeps of repacking (`placid.placement.repack`) from the greedy placement and from none; the better one.

    When to use it: where the MILP takes too long; greedy never undoes what it placed, this does. Cost: a few sweeps, each
    about as much as greedy. Guarantee: at least what greedy earns, so greedy's ratios.

    Where options need several items it ruins and recreates (`placid.placement.offline.ruin`), node by node and task by task;
    a sweep then costs about as much as greedy for each node and task.

    Attributes:
        sweeps: over all nodes, at most.
        bound_steps: as in `Greedy`.
    """

    name: ClassVar[str] = "local-search"
    sweeps: int = 20
    bound_steps: int = 30

    def __post_init__(self) -> None:
        if self.sweeps < 1:
            raise InputError(f"sweeps must be at least 1, got {self.sweeps}")

    def solve(self, problem: Problem, demand: np.ndarray) -> Solution:
        started_s = perf_counter()
        demand = check_demand(problem, demand)
        greedy = Greedy(self.bound_steps).solve(problem, demand)
        if problem.chains is None:
            best = self._repacked(problem, demand, greedy)
        else:
            best = recreated(problem, demand, greedy.placed, self.sweeps)
        best = complete(problem, demand, best)
        value = serve(problem, best, demand).gain
        bound, _ = tighten(problem, demand, served_prices(problem, demand, best), self.bound_steps, value)
        return solution_of(
            self.name, Status.HEURISTIC, problem, demand, best, min(bound, greedy.bound), started_s
        )

    def _repacked(self, problem: Problem, demand: np.ndarray, greedy: Solution) -> np.ndarray:
        """The best placement of all sweeps."""
        repacker = Repacker(problem, demand)
        best, value = greedy.placed, greedy.value
        for start in (greedy.placed, empty_placement(problem)):
            placed = start
            for _ in range(self.sweeps):
                placed, changed = repacker.sweep(placed, problem.far_first)
                # sweeps climb the partitioned gain; what counts is what is earned
                earned = serve(problem, placed, demand).gain
                if earned > value:
                    best, value = placed, earned
                if not changed:
                    break
        return best
