"""Euclidean projection: subtract one multiple of the sizes from all items of a node, clip to [0, 1]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numba import njit

from placid.placement.projections.base import Projection, check_arrays

__all__ = ["Euclidean", "project_euclidean"]

#: sweeps in all: Newton where it stays in the bracket, halving where it does not
_SWEEPS = 200


@njit(cache=True)
def project_euclidean(point, size, node_ptr, budget, placeable, out):  # type: ignore[no-untyped-def]
    """Per node the nearest y with 0 <= y <= 1 and sum(size * y) <= budget; see `Projection.project`.

    The answer is ``clip(point - price * size, 0, 1)`` with price 0 if that fits, else the price that meets
    the budget: the root of a falling piecewise linear function, found by Newton steps inside a bracket
    (Cominetti, Mascarenhas and Silva 2014, a Newton method for the continuous quadratic knapsack problem).
    A few sweeps, each O(n).
    """
    for v in range(len(node_ptr) - 1):
        first, last = node_ptr[v], node_ptr[v + 1]
        filled = 0.0
        too_dear = 0.0
        for i in range(first, last):
            if not placeable[i] or budget[v] <= 0.0:
                out[i] = 0.0
                continue
            out[i] = point[i]
            filled += size[i] * min(1.0, max(0.0, out[i]))
            too_dear = max(too_dear, out[i] / size[i])
        price = 0.0
        if filled > budget[v]:
            # filled(cheap) > budget >= filled(dear), always: the answer cannot be infeasible by more than
            # round-off
            cheap, dear = 0.0, too_dear
            width = dear
            halve = False
            for _ in range(_SWEEPS):
                filled = 0.0
                slope = 0.0
                for i in range(first, last):
                    if placeable[i]:
                        y = out[i] - price * size[i]
                        if y >= 1.0:
                            filled += size[i]
                        elif y > 0.0:
                            filled += size[i] * y
                            slope += size[i] * size[i]
                if filled > budget[v]:
                    cheap = price
                else:
                    dear = price
                if abs(filled - budget[v]) <= 4e-16 * budget[v]:
                    break
                better = price + (filled - budget[v]) / slope if slope > 0.0 else -1.0
                # a bracket that Newton does not halve in two steps is halved by force
                if halve or not (cheap < better < dear):
                    better = 0.5 * (cheap + dear)
                halve = dear - cheap > 0.5 * width
                width = dear - cheap
                if better in (cheap, dear):
                    price = dear
                    break
                price = better
        left = budget[v]
        slope = 0.0
        for i in range(first, last):
            if placeable[i]:
                out[i] = min(1.0, max(0.0, out[i] - price * size[i]))
                left -= size[i] * out[i]
                if 0.0 < out[i] < 1.0:
                    slope += size[i] * size[i]
        # far points leave a price too coarse to fill the node to the last digit: those between 0 and 1 even it out
        if price > 0.0 and slope > 0.0:
            for i in range(first, last):
                if placeable[i] and 0.0 < out[i] < 1.0:
                    out[i] = min(1.0, max(0.0, out[i] + left / slope * size[i]))


@dataclass(frozen=True)
class Euclidean(Projection):
    """Projection in the plain Euclidean distance: additive updates, fast shifts, more items move than with
    `Entropy`.
    """

    name: ClassVar[str] = "euclidean"

    def project(
        self,
        point: np.ndarray,
        size: np.ndarray,
        node_ptr: np.ndarray,
        budget: np.ndarray,
        placeable: np.ndarray,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """See `Projection.project`; `point` may be any finite numbers."""
        out = check_arrays(point, size, node_ptr, budget, placeable, out, least=-np.inf)
        project_euclidean(point, size, node_ptr, budget, placeable, out)
        return out

    def divergence(self, y: np.ndarray, point: np.ndarray, size: np.ndarray) -> np.ndarray:
        """``(y - point)^2 / 2``; sizes do not matter."""
        return 0.5 * np.square(y - point)

    def ascend(
        self,
        y: np.ndarray,
        gradient: np.ndarray,
        step: float,
        size: np.ndarray,
        node_ptr: np.ndarray,
        budget: np.ndarray,
        placeable: np.ndarray,
    ) -> np.ndarray:
        """The projection of ``y + step * gradient``."""
        return self.project(y + step * gradient, size, node_ptr, budget, placeable)
