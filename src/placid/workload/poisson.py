"""Poisson requests with a Zipf popularity that does not change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from placid.workload.popularity import ZipfProcess

__all__ = ["Poisson"]


@dataclass(frozen=True)
class Poisson(ZipfProcess):
    """Poisson counts, Zipf popularity over tasks, the same in every slot. The plain case to start from.

    In a slot, a type whose task has rank k at its ingress i has a Poisson count with mean
    ``rate_per_s * slot_s * weights[i] * k ** -exponent / sum_j j ** -exponent``. Settings: see `ZipfProcess`.

    Example:
        >>> from placid.workload import Poisson, RequestTypes
        >>> types = RequestTypes.grid(["a", "b"], ["cat", "dog"])
        >>> load = Poisson(types, rate_per_s=10.0, exponent=1.0, slot_s=60.0)
        >>> [round(float(v)) for v in load.expected(0)]
        [200, 100, 200, 100]
    """

    name: ClassVar[str] = "poisson"

    def expected(self, slot: int) -> np.ndarray:
        """Expected demand, float64 [R], read-only; the same in every slot."""
        return self._expected

    @cached_property
    def _expected(self) -> np.ndarray:
        mean = self._expected_after(0)
        mean.flags.writeable = False
        return mean
