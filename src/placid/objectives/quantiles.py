"""Quantiles of latency over the requests that a placement serves."""

from __future__ import annotations

import re

import numpy as np

from placid.errors import InputError
from placid.problem.arrays import Problem
from placid.problem.serving import serve

__all__ = ["latency_quantile", "quantile_share", "weighted_quantile"]

_NAME = re.compile(r"latency_p(\d+(?:\.\d+)?)_s")


def quantile_share(name: str) -> float | None:
    """The share that a quantile of latency is named after, as in ``latency_p95_s``; None if `name` is none.

    Example:
        >>> quantile_share("latency_p95_s"), quantile_share("latency_s")
        (0.95, None)

    Raises:
        InputError: the share is 0 or above 1.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    percent = float(found[1])
    if not 0 < percent <= 100:
        raise InputError(f"'{name}': a quantile lies above p0 and at most at p100, as in latency_p95_s")
    return percent / 100


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
