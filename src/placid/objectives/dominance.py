"""Which points no other beats on all axes at once."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["nondominated"]


def nondominated(points: np.ndarray) -> np.ndarray:
    """bool [P]: whether no other point is at most as large on every axis of `points` ([P, axes]) and smaller on one.

    Equal points are all kept. Sorted by their sum, a point can only be beaten by one before it: O(P F axes) with F the
    points that are kept.

    Example:
        >>> nondominated(np.array([[1.0, 3.0], [2.0, 2.0], [2.0, 3.0], [3.0, 1.0]])).tolist()
        [True, True, False, True]
    """
    points = np.ascontiguousarray(points, np.float64)
    # sums that round-off makes equal leave the order open: what was kept too early is beaten by one that is kept
    order = np.lexsort((*points.T[::-1], points.sum(axis=1)))
    return _kept(points, order)


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _kept(points: np.ndarray, order: np.ndarray) -> np.ndarray:
    kept = np.zeros(len(points), np.bool_)
    front = np.empty(len(points), np.int64)
    size = 0
    for i in order:
        beaten = False
        for j in range(size):
            if _beats(points[front[j]], points[i]):
                beaten = True
                # one that beats many is asked first
                front[j], front[j // 2] = front[j // 2], front[j]
                break
        if not beaten:
            kept[i] = True
            front[size] = i
            size += 1
    for a in range(size):
        for b in range(size):
            if _beats(points[front[a]], points[front[b]]):
                kept[front[b]] = False
    return kept


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _beats(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether `one` is nowhere larger and somewhere smaller."""
    smaller = False
    for k in range(len(one)):
        if one[k] > other[k]:
            return False
        smaller |= one[k] < other[k]
    return smaller
