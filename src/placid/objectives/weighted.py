"""The objective: what a second, a unit of error, a joule and a byte-hop are worth against each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placid.errors import InputError

__all__ = ["Weighted"]


@dataclass(frozen=True)
class Weighted:
    """A weighted sum of the cost vector; the unit is the second, so `latency` is usually 1.

    INFIDA's trade-off parameter alpha is `error`: how many seconds of latency one would give for an error of 1 less.

    Attributes:
        latency: per second.
        error: seconds per unit of error (1 - quality).
        energy: seconds per joule.
        traffic: seconds per byte-hop.

    Raises:
        InputError: a weight is negative or not finite, or all are 0.
    """

    latency: float = 1.0
    error: float = 0.0
    energy: float = 0.0
    traffic: float = 0.0

    def __post_init__(self) -> None:
        weights = self.weights
        if not np.isfinite(weights).all() or (weights < 0).any():
            raise InputError(f"weights must be finite and not negative, got {self}")
        if not weights.any():
            raise InputError(
                "at least one weight must be above 0, or every placement is as good as any other"
            )

    @property
    def weights(self) -> np.ndarray:
        """float64 [4], in the order of `placid.problem.arrays.COMPONENTS`."""
        return np.array([self.latency, self.error, self.energy, self.traffic])
