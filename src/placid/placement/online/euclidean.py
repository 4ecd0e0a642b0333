"""Gradient ascent in the Euclidean geometry: the plain rival of the entropy (Zinkevich 2003; Paschos et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from placid.placement.online.ascent import Ascent
from placid.placement.online.space import Space, least_by_node, sum_by_node
from placid.placement.online.steps import StepMemory, self_tuned_rate
from placid.placement.projections import Euclidean
from placid.placement.projections.base import Projection

__all__ = ["GradientAscent"]


@dataclass(frozen=True)
class GradientAscent(Ascent):
    """y <- Euclidean projection of y + rate * g, every node with a self-tuned rate.

    When to use it: where few items matter and what is asked for shifts fast; it moves more bytes than the entropy.
    Guarantee: as `AdaptiveInfida`, with the squared diameter of the polytope in place of the entropy's (after Streeter
    and McMahan 2010). Cost: O(K + N) a slot.
    """

    name: ClassVar[str] = "gradient-ascent"
    geometry: ClassVar[Projection] = Euclidean()
    rounding: str = "coupled"
    fill: bool = True
    coordinate: bool = True

    def _diameter(self, space: Space, y: np.ndarray) -> np.ndarray:
        # |z - y|^2 / 2: every coordinate differs by at most 1, and |z - y|^2 <= sum of (z + y), which the budget over
        # the smallest item bounds twice
        count = sum_by_node(space.node_ptr, space.allowed.astype(np.float64))
        smallest = least_by_node(space.node_ptr, space.size, space.allowed)
        return np.where(space.tight, 0.5 * np.minimum(count, 2 * space.budget / smallest), 0.0)

    def _curvature(self, space: Space, y: np.ndarray, g: np.ndarray) -> np.ndarray:
        return 0.5 * sum_by_node(space.node_ptr, np.where(space.allowed, g * g, 0.0))

    def _rates(self, memory: StepMemory, diameter: np.ndarray, curvature: np.ndarray) -> np.ndarray:
        return self_tuned_rate(memory, diameter, curvature)
