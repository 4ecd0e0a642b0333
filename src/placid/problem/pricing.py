"""A problem with limits as seen at prices: a plain problem, in which every way costs what it takes of the limits besides.

Policies and solvers that know nothing of limits are given this one. It has the same nodes, items and types, so that their
state goes on from one price to the next; only options, their savings and their order change. For a type whose repository
costs more at these prices than a refusal, the refusal is what options are held against.

**What it bounds.** Let ``f`` be any flows by way within a placement and the hard limits, and ``price >= 0``, 0 for budgets.
What the limits have left over is not negative, so with ``s_w = worth_w - paid_w`` and ``floor_r = max(0, s_r)``, s_r that of
r's repository,

    sum_w worth_w f_w  <=  sum_m price_m + sum_w s_w f_w  <=  sum_m price_m + sum_r floor_r d_r + gain of the plain problem

for the options have ``s_w - floor_r`` as their saving there, and repository and refusal at most 0. So any bound on the gain
of the plain problem, at any prices, bounds the worth within the limits (`Priced.worth_bound`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from placid.problem.arrays import Chains, Problem
from placid.problem.limits import Limits

__all__ = ["Priced", "priced"]


@dataclass(frozen=True)
class Priced:
    """A problem at prices.

    Attributes:
        problem: the plain one.
        option: int64; which option of the problem with limits each of its options is.
        prices: float64 [M].
        floor: float64 [R]; what a request is worth that no option answers.
    """

    problem: Problem
    option: np.ndarray
    prices: np.ndarray
    floor: np.ndarray

    def worth_bound(self, demand: np.ndarray, bound: Callable[[Problem], float]) -> float:
        """No placement is worth more in a slot with `demand` ([R]), if the prices of budgets are 0.

        Args:
            bound: an upper bound on the gain of the plain problem with this demand.
        """
        return float(self.prices.sum() + self.floor @ demand + bound(self.problem))


def priced(problem: Problem, prices: np.ndarray) -> Priced:
    """`problem` at `prices` (float64 [M], >= 0, per slot's worth of each limit). O(K log K)."""
    limits = problem.limits
    if limits is None:
        raise ValueError("the problem has no limits, so there is nothing to price")
    count = problem.option_count
    paid = limits.paid(prices)
    repository = limits.worth[count:]
    floor = np.maximum(repository - paid[count:], 0.0)
    saving = problem.option_saving - paid[:count] + (repository - floor)[problem.option_type]
    kept = np.flatnonzero(saving > 0)
    kept = kept[np.lexsort((kept, -saving[kept], problem.option_type[kept]))]
    saving, kind = saving[kept], problem.option_type[kept]
    ptr = np.concatenate(([0], np.cumsum(np.bincount(kind, minlength=problem.type_count)))).astype(np.int64)
    reached = problem.repository_node >= 0
    plain = replace(
        problem,
        option_ptr=ptr,
        option_item=problem.option_item[kept] if problem.chains is None else problem.option_item,
        option_saving=saving,
        option_vector=problem.option_vector[kept],
        option_type=kind,
        serving_order=np.argsort(-saving, kind="stable").astype(np.int32),
        repository_cost=np.where(reached, _refusal(limits) - floor, np.inf),
        chains=None if problem.chains is None else _chosen(problem.chains, kept),
        limits=None,
    )
    return Priced(plain, kept, prices, floor)


def _refusal(limits: Limits) -> np.ndarray:
    return np.where(np.isfinite(limits.refusal_cost), limits.refusal_cost, 0.0)


def _chosen(chains: Chains, options: np.ndarray) -> Chains:
    """The needs of `options`, in their order."""
    counts = np.diff(chains.ptr)[options]
    ptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    place = np.arange(ptr[-1]) - np.repeat(ptr[:-1] - chains.ptr[options], counts)
    return Chains(ptr, chains.item[place], chains.load[place], chains.answered[place])
