"""What a run carries from slot to slot where links and processors have limits: prices, and those that the policy was told.

A policy sees the problem at prices (`placid.problem.pricing`), where nothing is limited. They move a little in every slot;
the policy is told anew once one has moved by more than a twentieth of the largest, so that what it works out once a problem
is worked out seldom.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from placid.problem.arrays import Problem
from placid.problem.limits import Limits
from placid.problem.pricing import Priced, priced

__all__ = ["PriceView"]

_MOVED = 0.05


@dataclass(frozen=True)
class PriceView:
    """Prices after a slot. Empty while the problem has no limits.

    Attributes:
        now: float64 [M]; with which requests are served.
        told: float64 [M]; at which the policy sees the problem.
        seen: that problem, worked out; None until somebody asks.
    """

    now: np.ndarray = field(default_factory=lambda: np.zeros(0))
    told: np.ndarray = field(default_factory=lambda: np.zeros(0))
    seen: tuple[Problem, Priced] | None = None

    def at(self, problem: Problem, before: Limits | None) -> PriceView:
        """These prices for `problem`, whose limits may be others than those of the slot before: links are cut and restored.

        What is limited in both keeps its price; what is new begins at 0.
        """
        limits = problem.limits
        if limits is None:
            return self if not len(self.now) else PriceView()
        view = self
        if before is not limits or len(self.now) != len(limits):
            view = replace(
                self, now=_moved(self.now, before, limits), told=_moved(self.told, before, limits), seen=None
            )
        if view.seen is None or view.seen[0] is not problem or view.stale:
            told = view.now if view.stale else view.told
            view = replace(view, told=told, seen=(problem, priced(problem, told)))
        return view

    @property
    def stale(self) -> bool:
        """Whether a price has moved so far that the policy has to be told."""
        return bool(np.abs(self.now - self.told).max(initial=0.0) > _MOVED * self.now.max(initial=0.0))

    def problem(self, problem: Problem) -> Problem:
        """What the policy sees of `problem`, which `at` was asked about."""
        return problem if problem.limits is None or self.seen is None else self.seen[1].problem


def _moved(prices: np.ndarray, before: Limits | None, now: Limits) -> np.ndarray:
    found = np.zeros(len(now))
    if before is None or len(prices) != len(before):
        return found
    known = {name: m for m, name in enumerate(before.names)}
    for m, name in enumerate(now.names):
        if name in known:
            found[m] = prices[known[name]]
    return found
