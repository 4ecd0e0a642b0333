"""What a projection is: the nearest fractional placement that every node's memory holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from placid.errors import InputError

__all__ = ["Projection", "check_arrays"]


class Projection(ABC):
    """Projects onto, per node, ``{0 <= y <= 1, sum(size * y) <= budget, y = 0 where not placeable}``."""

    #: the name in scenarios and tables
    name: ClassVar[str]

    @abstractmethod
    def project(
        self,
        point: np.ndarray,
        size: np.ndarray,
        node_ptr: np.ndarray,
        budget: np.ndarray,
        placeable: np.ndarray,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """The point of the set nearest to `point`, written to `out` (which may be `point`) and returned.

        Args:
            point: float64 [N].
            size: float64 [N], > 0; any unit, the same as `budget`.
            node_ptr: int64 [V + 1]; items of node v are ``node_ptr[v]:node_ptr[v + 1]``.
            budget: float64 [V], >= 0.
            placeable: bool [N]; false for items that must stay at 0.

        Raises:
            InputError: an array has the wrong length or dtype, or `point` is NaN or outside the
                projection's domain.
        """

    @abstractmethod
    def divergence(self, y: np.ndarray, point: np.ndarray, size: np.ndarray) -> np.ndarray:
        """What `project` minimises over the set, item by item: float64 [N], >= 0, whose sum is the distance.

        It is the Bregman divergence of a separable convex function: 0 only where ``y == point``; infinite
        where y cannot be reached from the point.
        """

    @abstractmethod
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
        """One projected step of mirror ascent from `y`; a new array.

        It is the z of the set that maximises ``step * gradient @ (z - y) - divergence(z, y).sum()``.
        """


def check_arrays(
    point: np.ndarray,
    size: np.ndarray,
    node_ptr: np.ndarray,
    budget: np.ndarray,
    placeable: np.ndarray,
    out: np.ndarray | None,
    *,
    least: float,
) -> np.ndarray:
    """`out`, or a new array for the answer, after checking the others against the contract of
    `Projection.project`.
    """
    items = int(node_ptr[-1])
    for label, array, length, dtype in (
        ("point", point, items, np.float64),
        ("size", size, items, np.float64),
        ("budget", budget, len(node_ptr) - 1, np.float64),
        ("placeable", placeable, items, np.bool_),
    ):
        if array.shape != (length,) or array.dtype != dtype:
            raise InputError(
                f"{label} must be {np.dtype(dtype)} of shape ({length},), got {array.dtype} {array.shape}"
            )
    if items and not np.min(point) >= least:  # also catches NaN
        raise InputError(f"point must hold numbers >= {least:g}, got {np.min(point)} as the least")
    return np.empty(items) if out is None else out
