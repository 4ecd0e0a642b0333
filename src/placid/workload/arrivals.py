"""When requests come, and of which type."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placid.errors import InputError
from placid.randomness import stream
from placid.workload.base import Workload

__all__ = ["Arrivals", "poisson_arrivals", "workload_arrivals"]


@dataclass(frozen=True)
class Arrivals:
    """n requests in the order in which they come.

    Attributes:
        time_s: float64 [n], never falling.
        type: int64 [n].

    Raises:
        InputError: the arrays differ in length, or a time is not finite or earlier than the one before.
    """

    time_s: np.ndarray
    type: np.ndarray

    def __post_init__(self) -> None:
        time_s, kind = np.asarray(self.time_s, np.float64), np.asarray(self.type, np.int64)
        if time_s.ndim != 1 or time_s.shape != kind.shape:
            raise InputError(f"each request needs a time and a type, got {time_s.shape} and {kind.shape}")
        if not np.isfinite(time_s).all() or (np.diff(time_s) < 0).any() or (kind < 0).any():
            raise InputError("times of arrival are finite and never fall, types are at least 0")
        object.__setattr__(self, "time_s", time_s)
        object.__setattr__(self, "type", kind)

    def __len__(self) -> int:
        return len(self.time_s)

    @classmethod
    def in_any_order(cls, time_s: np.ndarray, kind: np.ndarray) -> Arrivals:
        """The same requests, sorted; those of one moment stay in the order given."""
        order = np.argsort(time_s, kind="stable")
        return cls(np.asarray(time_s)[order], np.asarray(kind)[order])


def poisson_arrivals(rate_per_s: np.ndarray, duration_s: float, seed: int) -> Arrivals:
    """Requests that come independently of each other during `duration_s`.

    Args:
        rate_per_s: float64 [R]; of each type.

    Example:
        >>> len(poisson_arrivals(np.array([2.0, 3.0]), 1000.0, seed=0))
        4904
    """
    rate_per_s = np.asarray(rate_per_s, np.float64)
    if not (np.isfinite(rate_per_s).all() and (rate_per_s >= 0).all() and 0 <= duration_s < np.inf):
        raise InputError("rates and duration are finite and at least 0")
    rng = stream(seed, "arrivals")
    return _scattered(rng.poisson(rate_per_s * duration_s), 0.0, duration_s, rng)


def workload_arrivals(workload: Workload, slots: range, slot_s: float, seed: int) -> Arrivals:
    """The requests of some slots, each at a moment of its slot drawn evenly; time 0 is where the first slot begins.

    Of a Poisson workload that makes Poisson arrivals; of any other, the same counts as the slots have.

    Raises:
        InputError: the workload is an adversary, whose requests depend on what is placed.
    """
    if workload.adaptive:
        raise InputError(f"the workload '{workload.name}' reacts to placements: give arrivals yourself")
    parts = [
        _scattered(workload.demand(slot, seed), i * slot_s, slot_s, stream(seed, "moments", slot))
        for i, slot in enumerate(slots)
    ]
    return Arrivals(np.concatenate([p.time_s for p in parts]), np.concatenate([p.type for p in parts]))


def _scattered(count: np.ndarray, start_s: float, length_s: float, rng: np.random.Generator) -> Arrivals:
    kind = np.repeat(np.arange(len(count)), count)
    return Arrivals.in_any_order(start_s + length_s * rng.random(len(kind)), kind)
