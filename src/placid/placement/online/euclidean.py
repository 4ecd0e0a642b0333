"""Gradient ascent in the Euclidean geometry: the plain rival of the entropy (Zinkevich 2003; Paschos et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from placid.placement.base import Feedback
from placid.placement.online.ascent import Ascent, AscentState
from placid.placement.projections import Euclidean
from placid.placement.projections.base import Projection
from placid.problem.arrays import Problem

__all__ = ["GradientAscent"]


@dataclass(frozen=True)
class GradientAscent(Ascent):
    """y <- Euclidean projection of y + rate * g, with the horizon-free rate D / sqrt(2 sum of |g|^2).

    Guarantee: fractional regret at most ``sqrt(2) D sqrt(sum |g|^2)``, D the diameter of the polytope (Streeter & McMahan
    2010), then (1 - 1/e) by rounding. It adapts faster than the entropy when few items matter, and moves more bytes.
    """

    name: ClassVar[str] = "gradient-ascent"
    geometry: ClassVar[Projection] = Euclidean()
    rounding: str = "coupled"
    fill: bool = True

    def _step(self, state: AscentState, problem: Problem, g: np.ndarray, feedback: Feedback) -> AscentState:
        norms = state.memory.norms + float(g @ g)
        if norms <= 0:
            return state
        diameter = _diameter(problem)
        rate = diameter / np.sqrt(2 * norms)
        y = self._ascend(problem, state.y, g, rate)
        memory = replace(state.memory, norms=norms, rate=rate)
        return replace(state, y=y, centre=y, memory=memory, bound=float(np.sqrt(2) * diameter * np.sqrt(norms)))


def _diameter(problem: Problem) -> float:
    """An upper bound on the Euclidean distance of two points of the polytope.

    Each coordinate differs by at most 1, and |y - z|^2 <= sum of (y + z), which a node's budget over its smallest item
    bounds.
    """
    fits = problem.placeable
    count = np.bincount(problem.item_node, weights=fits, minlength=problem.node_count)
    smallest = np.full(problem.node_count, np.inf)
    np.minimum.at(smallest, problem.item_node[fits], problem.item_size[fits])
    return float(np.sqrt(np.minimum(count, 2 * problem.budget_bytes / smallest).sum()))
