"""INFIDA offline: mirror ascent on the concave gain of one known demand, averaged, then rounded (Si Salem et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import ClassVar

import numpy as np

from placid.errors import InputError
from placid.placement.offline.base import Solution, Solver, Status, check_demand, solution_of
from placid.placement.offline.ceiling import tighten
from placid.placement.offline.greedy import complete, served_prices
from placid.placement.projections import Entropy
from placid.placement.rounding import DepRound
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, supergradient
from placid.problem.placement import empty_placement
from placid.problem.serving import serve

__all__ = ["Averaged"]


@dataclass(frozen=True)
class Averaged(Solver):
    """Runs INFIDA against itself on a constant demand, averages the fractions, rounds, and keeps the best placement.

    When to use it: to compare with the paper's offline method; greedy is faster, `LinearProgram` has the fractions that
    this one approaches. Cost: O(K + N) a step.

    Guarantee: the gain is concave, so at the average of n steps it is at least the average of the gains met, and by the
    regret bound of mirror ascent it falls short of the best fraction by O(1/sqrt n) on the partitioned gain. Dependent
    rounding in mode "coin" keeps, in expectation, half of 1 - 1/e of that; the best of several draws, filled up by
    greedy, is kept.

    Differs from the paper: budgets are hard (see `placid.placement.rounding.dependent`); the rate tunes itself; the
    placement is the best of `draws`, filled up.

    Attributes:
        steps: of mirror ascent.
        draws: placements drawn.
        seed: of the draws.
        bound_steps: subgradient steps spent on the upper bound.
    """

    name: ClassVar[str] = "averaged"
    steps: int = 300
    draws: int = 10
    seed: int = 0
    bound_steps: int = 30

    def __post_init__(self) -> None:
        if self.steps < 1 or self.draws < 1:
            raise InputError(
                f"needs at least 1 step and 1 draw, got {self.steps} steps and {self.draws} draws"
            )

    def solve(self, problem: Problem, demand: np.ndarray) -> Solution:
        started_s = perf_counter()
        demand = check_demand(problem, demand)
        problem.check_one_item_each(f"solver '{self.name}'")
        y = _average(problem, demand, self.steps)
        rng = np.random.default_rng(self.seed)
        rounding = DepRound(mode="coin")
        state = rounding.start(problem.node_ptr, problem.item_size_bytes, rng)
        best, value = empty_placement(problem), -1.0
        for _ in range(self.draws):
            state, drawn = rounding.round(
                state, problem.node_ptr, problem.item_size_bytes, problem.budget_bytes, y, rng
            )
            placed = complete(problem, demand, drawn)
            gain = serve(problem, placed, demand).gain
            if gain > value:
                best, value = placed, gain
        bound, _ = tighten(problem, demand, served_prices(problem, demand, best), self.bound_steps, value)
        return solution_of(self.name, Status.HEURISTIC, problem, demand, best, bound, started_s, y)


def _average(problem: Problem, demand: np.ndarray, steps: int) -> np.ndarray:
    """float64 [N]: the mean of the fractions that `steps` steps of entropic mirror ascent go through, best effort first.

    The rate is sqrt(diameter / sum of local norms so far), never more than 1 / (largest gain per byte).
    """
    geometry, size, ptr = Entropy(), problem.item_size, problem.node_ptr
    budget, fits = problem.budget_bytes.astype(np.float64), problem.placeable
    share = potential_share(problem, demand)
    whole = np.bincount(problem.item_node, weights=size * fits, minlength=problem.node_count)
    part = np.minimum(1.0, np.divide(budget, whole, out=np.zeros_like(budget), where=whole > 0))
    y = np.where(fits, part[problem.item_node], 0.0)
    tight = (budget > 0) & (whole > budget)
    diameter = float((budget[tight] * np.log(whole[tight] / budget[tight])).sum())
    total, norms = np.zeros(problem.item_count), 0.0
    for _ in range(steps):
        total += y
        _, g = supergradient(problem, demand, share, y)
        norms += float((y * g * g / size).sum())
        steepest = float((g / size).max(initial=0.0))
        if norms <= 0 or steepest <= 0:
            continue
        rate = min(np.sqrt(diameter / norms), 1.0 / steepest)
        y = geometry.ascend(y, g, rate, size, ptr, budget, fits)
    average: np.ndarray = total / steps
    return np.clip(average, 0.0, 1.0)
