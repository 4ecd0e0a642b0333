"""Quantiles of latency over the requests that a placement serves."""

from __future__ import annotations

import numpy as np

from placid.errors import InputError
from placid.problem.arrays import Problem
from placid.problem.serving import serve

__all__ = ["latency_quantile", "weighted_quantile"]


def latency_quantile(problem: Problem, placed: np.ndarray, demand: np.ndarray, share: float = 0.95) -> float:
    """The latency that `share` of the requests stay within, under the serving rule, seconds; NaN if none is served.

    Every request counts with the latency of its option, which is a mean: over the exits of an option that has some, and
    without queues. O(K log K).
    """
    outcome = serve(problem, placed, demand, flows=True)
    taken = np.flatnonzero(outcome.flow > 0)
    left = np.flatnonzero(outcome.repository_load > 0)
    return weighted_quantile(
        np.concatenate((problem.option_vector[taken, 0], problem.repository_vector[left, 0])),
        np.concatenate((outcome.flow[taken], outcome.repository_load[left])),
        share,
    )


def weighted_quantile(values: np.ndarray, amounts: np.ndarray, share: float) -> float:
    """The least of `values` that at least `share` of all `amounts` do not exceed; NaN if there is nothing.

    Example:
        >>> weighted_quantile(np.array([3.0, 1.0]), np.array([5.0, 95.0]), 0.95)
        1.0
    """
    if not 0 < share <= 1:
        raise InputError(f"a share must be above 0 and at most 1, got {share}")
    if not len(values) or amounts.sum() <= 0:
        return float("nan")
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(amounts[order])
    # what round-off lacks is not lacking
    at = int(np.searchsorted(reached, share * reached[-1] * (1 - 1e-12)))
    return float(values[order[min(at, len(order) - 1)]])
