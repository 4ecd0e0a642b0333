"""Which points no other beats on all axes at once."""

from __future__ import annotations

import numpy as np

__all__ = ["nondominated"]


def nondominated(points: np.ndarray) -> np.ndarray:
    """bool [P]: whether no other point is at most as large on every axis of `points` ([P, axes]) and smaller on one.

    Equal points are all kept. Sorted by their sum, a point can only be beaten by one before it: O(P F axes) with F the
    points that are kept.

    Example:
        >>> nondominated(np.array([[1.0, 3.0], [2.0, 2.0], [2.0, 3.0], [3.0, 1.0]])).tolist()
        [True, True, False, True]
    """
    points = np.asarray(points, np.float64)
    kept = np.zeros(len(points), bool)
    order = np.lexsort((*points.T[::-1], points.sum(axis=1)))
    front = np.empty_like(points)
    size = 0
    for i in order:
        point = points[i]
        no_worse = (front[:size] <= point).all(axis=1)
        if (no_worse & (front[:size] < point).any(axis=1)).any():
            continue
        kept[i] = True
        front[size] = point
        size += 1
    if len(points):
        # sums that round-off makes equal leave the order open: look at the kept ones once more, each against each
        keep = np.flatnonzero(kept)
        no_worse = (points[keep][:, None] <= points[keep][None]).all(axis=2)
        better = (points[keep][:, None] < points[keep][None]).any(axis=2)
        kept[keep[(no_worse & better).any(axis=0)]] = False
    return kept
