"""The least of one thing within limits, and which limits contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.objectives.limits import stated_limit, stated_value
from placid.objectives.quantiles import quantile_share
from placid.placement.offline.front.flows import LOADING, Flows, NothingFound, Routed
from placid.problem.arrays import COMPONENTS

__all__ = ["Contradiction", "contradiction", "lowest", "one_of"]


class Contradiction(InputError):
    """No placement keeps these limits together, and no fewer of them are contradictory.

    Attributes:
        limits: the smallest set of them; each -> the most that was allowed.
        beside: each -> the least that it comes to with the others of the set kept; infinite if it cannot help.
        alone: each -> the least that it comes to without any limit.
    """

    def __init__(
        self, limits: Mapping[str, float], beside: Mapping[str, float], alone: Mapping[str, float]
    ) -> None:
        stated = [stated_limit(name, most) for name, most in limits.items()]
        if len(limits) == 1:
            ((name, best),) = alone.items()
            super().__init__(f"no placement keeps {stated[0]}: {stated_value(name, best)} at least")
        else:
            can = []
            for name in limits:
                without = f"{stated_value(name, alone[name])} without any limit"
                kept = "the others" if len(limits) > 2 else "the other"
                can.append(
                    f"with {kept} kept {stated_value(name, beside[name])}, {without}"
                    if np.isfinite(beside[name])
                    else without
                )
            super().__init__(
                f"these limits contradict each other: {', '.join(stated[:-1])} and {stated[-1]}. The least that "
                f"can be had: {'; '.join(can)}. Loosen one of them"
            )
        self.limits, self.beside, self.alone = dict(limits), dict(beside), dict(alone)


@dataclass(frozen=True)
class _Asked:
    flows: Flows
    whole: bool
    time_limit_s: float

    def allowed(self, at_most: Mapping[str, float]) -> Routed | None:
        """Anything within the limits; the relaxation is asked first, which is quick to refuse."""
        anything = np.zeros(4)
        found = self.flows.least(anything, at_most, whole=False, time_limit_s=self.time_limit_s)
        if found is None or not self.whole:
            return found
        return self.flows.least(anything, at_most, time_limit_s=self.time_limit_s)


def one_of(name: str) -> np.ndarray:
    """Weights [5] of 1 for `name` and 0 for all else.

    Raises:
        InputError: there is no such objective.
    """
    names = (*COMPONENTS, LOADING)
    if name not in names:
        raise UnknownNameError("objective", name, (*names, "latency_p95_s"))
    return np.array([float(n == name) for n in names])


def lowest(
    flows: Flows,
    name: str,
    at_most: Mapping[str, float],
    *,
    whole: bool = True,
    time_limit_s: float = 60.0,
) -> tuple[float, Routed] | None:
    """The least of a component, of `LOADING` or of a quantile of latency (``latency_p95_s``); None if nothing is allowed.

    A quantile is one of the latencies of the ways: halving finds it, first in the relaxation, in about log2 of their number
    of solves, and one more for the least mean latency at that quantile.

    Raises:
        InputError, SolverError: as `Flows.least`.
    """
    if quantile_share(name) is None:
        found = flows.least(one_of(name), at_most, whole=whole, time_limit_s=time_limit_s)
        return None if found is None else (found.value, found)
    values = np.unique(flows.latency_s[flows.amount > 0])
    values = values[values <= at_most.get(name, np.inf) * (1 + 1e-9)]
    low, high = 0, len(values) - 1
    for exactly in (False, True)[: 1 + whole]:
        asked = _Asked(flows, exactly, time_limit_s)
        if high < 0 or asked.allowed({**at_most, name: values[high]}) is None:
            return None
        low, last = low, high
        first = True
        while low < last:
            # what the relaxation allows is likely allowed at all
            middle, first = (low if exactly and first else (low + last) // 2), False
            if asked.allowed({**at_most, name: values[middle]}) is None:
                low = middle + 1
            else:
                last = middle
    kept = {**at_most, name: values[low]}
    best = flows.least(one_of("latency_s"), kept, whole=whole, time_limit_s=time_limit_s)
    return None if best is None else (float(values[low]), best)


def contradiction(
    flows: Flows, at_most: Mapping[str, float], *, whole: bool = True, time_limit_s: float = 60.0
) -> Contradiction | None:
    """The fewest of the limits `at_most` that no placement keeps together, None if all can be kept.

    Sets of one, then of two, and so on, each a feasibility problem. Sets of which nothing is known when the time limit
    strikes count as allowed.

    Raises:
        InputError, SolverError: as `Flows.least`.
    """
    asked = _Asked(flows, whole, time_limit_s)
    if asked.allowed(at_most) is not None:
        return None
    for size in range(1, len(at_most) + 1):
        for names in combinations(at_most, size):
            some = {name: at_most[name] for name in names}
            if size < len(at_most):
                try:
                    if asked.allowed(some) is not None:
                        continue
                except NothingFound:
                    continue
            beside: dict[str, float] = {}
            alone: dict[str, float] = {}
            for name in names:
                others = {k: v for k, v in some.items() if k != name}
                for told, limits in ((beside, others), (alone, {})):
                    found = lowest(flows, name, limits, whole=whole, time_limit_s=time_limit_s)
                    told[name] = np.inf if found is None else found[0]
            return Contradiction(some, beside, alone)
    raise AssertionError("all limits together are not allowed, so the last set is not")
