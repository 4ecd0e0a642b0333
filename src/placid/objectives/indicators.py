"""How good a set of points is, in one number: the hypervolume, and how far it lags behind another set.

Both are for objectives of which less is better. They are no judges of single points: a set that is better on every axis
everywhere has the larger hypervolume and a negative indicator, but not the other way round. Scale the axes first.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from placid.errors import InputError
from placid.objectives.dominance import nondominated

__all__ = ["epsilon_indicator", "hypervolume"]


def hypervolume(points: np.ndarray, reference: np.ndarray) -> float:
    """The volume that `points` ([P, axes]) dominate below `reference` ([axes]), exactly.

    By slices along the last axis, each the hypervolume of those before it, with one fewer axis: O(P^(axes - 1)); compiled
    for three axes. Points that are not below the reference on every axis count nothing.

    Example:
        >>> hypervolume(np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([3.0, 3.0]))
        3.0

    Reference: L. While, P. Hingston, L. Barone, S. Huband: A faster algorithm for calculating hypervolume, IEEE TEC 2006.
    """
    points, reference = _checked(points, reference)
    return _volume(points[(points < reference).all(axis=1)], reference)


def epsilon_indicator(points: np.ndarray, others: np.ndarray) -> float:
    """The least e such that every one of `others` ([Q, axes]) is matched or beaten by one of `points` ([P, axes]) less e.

    0 or less: `points` leave nothing to wish for that `others` have. O(P Q axes).

    Example:
        >>> epsilon_indicator(np.array([[1.0, 3.0]]), np.array([[1.0, 2.0], [0.5, 4.0]]))
        1.0

    Reference: E. Zitzler et al.: Performance assessment of multiobjective optimizers, IEEE TEC 2003 (additive version).
    """
    points, others = np.atleast_2d(points), np.atleast_2d(others)
    if not len(points) or not len(others):
        raise InputError("an indicator compares two sets of at least one point each")
    lag = (points[:, None] - others[None]).max(axis=2)  # [P, Q]
    return float(lag.min(axis=0).max())


def _checked(points: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    points, reference = np.asarray(points, np.float64), np.asarray(reference, np.float64)
    if points.ndim != 2 or reference.shape != points.shape[1:]:
        raise InputError(
            f"points of shape [P, axes] and a reference of shape [axes] are needed, got {points.shape} "
            f"and {reference.shape}"
        )
    if not np.isfinite(points).all():
        raise InputError("points must be finite")
    return points, reference


def _volume(points: np.ndarray, reference: np.ndarray) -> float:
    if not len(points):
        return 0.0
    if points.shape[1] == 1:
        return float(reference[0] - points.min())
    points = points[nondominated(points)]
    points = points[np.argsort(points[:, -1], kind="stable")]
    if points.shape[1] == 2:
        # a staircase: each point adds what lies between its first coordinate and the least one so far
        before = np.minimum.accumulate(np.concatenate(([reference[0]], points[:-1, 0])))
        return float(np.maximum(before - points[:, 0], 0.0) @ (reference[1] - points[:, 1]))
    if points.shape[1] == 3:
        return float(_volume_of_three(np.ascontiguousarray(points), reference))
    depth = np.diff(np.append(points[:, -1], reference[-1]))
    return float(sum(d * _volume(points[: k + 1, :-1], reference[:-1]) for k, d in enumerate(depth) if d > 0))


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _volume_of_three(points: np.ndarray, reference: np.ndarray) -> float:
    """`_volume` of points [P, 3] by rising last axis: a staircase over the first two that grows from slice to slice."""
    x, y = np.empty(len(points) + 1), np.empty(len(points) + 1)  # the stairs, x rising, y falling
    size, area, total = 0, 0.0, 0.0
    for p in range(len(points)):
        a, b = points[p, 0], points[p, 1]
        at = 0
        while at < size and x[at] < a:
            at += 1
        covered = (at > 0 and y[at - 1] <= b) or (at < size and x[at] == a and y[at] <= b)
        if not covered:
            end, before, high = at, a, y[at - 1] if at > 0 else reference[1]
            while end < size and y[end] >= b:  # stairs that the new one hides
                area += (x[end] - before) * (high - b)
                before, high = x[end], y[end]
                end += 1
            area += ((x[end] if end < size else reference[0]) - before) * (high - b)
            hidden = end - at
            if hidden == 0:
                for i in range(size, at, -1):
                    x[i], y[i] = x[i - 1], y[i - 1]
            else:
                for i in range(end, size):
                    x[i - hidden + 1], y[i - hidden + 1] = x[i], y[i]
            x[at], y[at] = a, b
            size += 1 - hidden
        below = points[p + 1, 2] if p + 1 < len(points) else reference[2]
        total += area * (below - points[p, 2])
    return total
