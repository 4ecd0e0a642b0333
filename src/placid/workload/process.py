"""Workloads whose counts are independent Poisson draws around a mean that the process knows."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from placid.errors import InputError
from placid.randomness import stream
from placid.workload.base import Workload
from placid.workload.settings import field_of

__all__ = ["PoissonProcess", "check_base", "mean_of"]


class PoissonProcess(Workload):
    """Requests that come independently of each other: in every slot each type's count is Poisson with its
    mean.

    Subclasses say the mean; O(R) a slot.
    """

    @abstractmethod
    def expected(self, slot: int) -> np.ndarray:
        """Expected demand of `slot` over all seeds, float64 [R], read-only where it is kept."""

    def mean(self, slot: int, seed: int) -> np.ndarray:
        """The Poisson means of `slot`, [R]; a subclass may let `seed` settle some of it (flash crowds)."""
        return self.expected(slot)

    def demand(self, slot: int, seed: int, held: np.ndarray | None = None) -> np.ndarray:
        """Requests of each type in `slot`, int64 [R]."""
        drawn = stream(seed, "demand", slot).poisson(self.mean(slot, seed))
        return drawn.astype(np.int64, copy=False)


def check_base(workload: str, base: Workload) -> None:
    """Nothing, if `base` can be modulated: its mean must be known.

    Raises:
        InputError: `base` is no workload, or an adversary or a recording, which have no mean to modulate.
    """
    where = field_of(workload, "base")
    if not isinstance(base, Workload):
        raise InputError(f"expected a workload to modulate, got {base!r}", where=where)
    if base.adaptive or base.expected(0) is None:
        raise InputError(
            f"the workload '{base.name}' does not tell its mean, so it cannot be modulated; "
            "use one that does, such as 'poisson'",
            where=where,
        )


def mean_of(base: Workload, slot: int, seed: int) -> np.ndarray:
    """The mean of `base` in `slot`, as settled by `seed` where the process draws its mean, float64 [R]."""
    if isinstance(base, PoissonProcess):
        return base.mean(slot, seed)
    mean = base.expected(slot)
    assert mean is not None, "check_base has seen to it"
    return mean
