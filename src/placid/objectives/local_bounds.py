"""Where a front may still be: the corners of what known points do not dominate, or of what lies below known floors."""

from __future__ import annotations

import numpy as np

__all__ = ["corners_above", "corners_below"]


def corners_above(corners: np.ndarray, point: np.ndarray) -> np.ndarray:
    """`corners` (float64 [C, k]) after `point` ([k]) became known: all that it does not dominate lies below one of them.

    They begin as one corner, the worst of everything. A point below a corner replaces it by k others, each with one
    coordinate of the point; those that lie below another are left out. With k = 3 there are at most 2 P + 1 after P points.

    Example:
        >>> corners_above(np.array([[1.0, 1.0]]), np.array([0.25, 0.5])).tolist()
        [[0.25, 1.0], [1.0, 0.5]]

    Reference: K. Klamroth, R. Lacour, D. Vanderpooten: On the representation of the search region in multi-objective
    optimization, EJOR 2015, algorithm 1.
    """
    hit = (point < corners).all(axis=1)
    if not hit.any():
        return corners
    rest = corners[~hit]
    axes = np.arange(corners.shape[1])
    new = np.unique(np.concatenate([np.where(axes == k, point, corners[hit]) for k in axes]), axis=0)
    every = np.concatenate((rest, new))
    below = np.all(new[:, None] <= every[None], axis=2) & np.any(new[:, None] < every[None], axis=2)
    return np.concatenate((rest, new[~below.any(axis=1)]))


def corners_below(corners: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """The same from below: all that does not lie strictly below a known `floor` ([k]) lies above one of the corners."""
    return -corners_above(-corners, -floor)
