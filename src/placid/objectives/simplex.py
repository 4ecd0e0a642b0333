"""Preferences spread evenly: shares that add up to 1."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np

from placid.errors import InputError

__all__ = ["grid_of", "simplex_grid"]


def simplex_grid(axes: int, steps: int) -> np.ndarray:
    """float64 [C(steps + axes - 1, axes - 1), axes]: all shares that are multiples of ``1 / steps`` and add up to 1.

    The corners come in it, each axis alone.

    Example:
        >>> simplex_grid(2, 2).tolist()
        [[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]]

    Reference: I. Das, J. E. Dennis: Normal-boundary intersection, SIAM J. Optim. 1998.
    """
    if axes < 1 or steps < 1:
        raise InputError(f"a grid of shares needs at least one axis and one step, got {axes} and {steps}")
    if axes == 1:
        return np.ones((1, 1))
    bars = np.array(list(combinations(range(steps + axes - 1), axes - 1)), np.int64)
    edge = np.full((len(bars), 1), -1)
    return np.diff(np.hstack((edge, bars, edge + steps + axes))) / steps - 1 / steps


def grid_of(axes: int, points: int) -> np.ndarray:
    """The finest `simplex_grid` of at most `points` shares; at least the corners and the middle of every edge."""
    steps = 2
    while axes > 1 and comb(steps + axes, axes - 1) <= points:
        steps += 1
    return simplex_grid(axes, steps)
