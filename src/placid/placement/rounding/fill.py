"""Fills the room a rounding left: adds items while they fit, best score first. Never removes one."""

from __future__ import annotations

import numpy as np
from numba import njit

from placid.errors import InputError

__all__ = ["fill"]


@njit(cache=True)
def _fill(node_ptr, size_bytes, budget_bytes, score, placed):  # type: ignore[no-untyped-def]
    """Adds to `placed`, in place, by falling `score`; items of score <= 0 stay out."""
    for v in range(len(node_ptr) - 1):
        first, last = node_ptr[v], node_ptr[v + 1]
        room = budget_bytes[v]
        candidates = 0
        for i in range(first, last):
            if placed[i]:
                room -= size_bytes[i]
        for i in range(first, last):
            if not placed[i] and score[i] > 0.0 and size_bytes[i] <= room:
                candidates += 1
        if candidates == 0:
            continue
        item = np.empty(candidates, np.int64)
        negative = np.empty(candidates)
        k = 0
        for i in range(first, last):
            if not placed[i] and score[i] > 0.0 and size_bytes[i] <= room:
                item[k] = i
                negative[k] = -score[i]
                k += 1
        # mergesort is stable: equal scores go by index, on every machine alike
        for k in np.argsort(negative, kind="mergesort"):
            if size_bytes[item[k]] <= room:
                placed[item[k]] = True
                room -= size_bytes[item[k]]


def fill(
    node_ptr: np.ndarray,
    size_bytes: np.ndarray,
    budget_bytes: np.ndarray,
    placed: np.ndarray,
    score: np.ndarray,
    *,
    in_place: np.ndarray | None = None,
    stickiness: float = 0.0,
) -> np.ndarray:
    """`placed` and as many more items as fit, node by node, best score first; a new bool [N] array.

    Monotone gains can only rise, so what a rounding promises about its gain stays true. (Swapping items would
    void it: this only adds.)

    Args:
        node_ptr, size_bytes, budget_bytes: as in `Rounding.round`.
        placed: bool [N], within every budget.
        score: float64 [N]; what an item is worth, per byte if sizes differ. Items of score <= 0 are not added.
        in_place: bool [N]; items on the nodes now, which need no loading.
        stickiness: scores of items in place count ``1 + stickiness`` times; infinity adds them before all
            others of positive score.

    Raises:
        InputError: `score` has NaN, or `stickiness` is negative.

    Example:
        >>> import numpy as np
        >>> ptr, size, budget = np.array([0, 3]), np.array([4, 3, 3]), np.array([7])
        >>> fill(ptr, size, budget, np.array([True, False, False]), np.array([0.0, 1.0, 2.0])).tolist()
        [True, False, True]
    """
    if not stickiness >= 0.0:
        raise InputError(f"stickiness must be >= 0, got {stickiness}")
    if np.isnan(score).any():
        raise InputError("scores must be numbers, got NaN")
    filled = placed.copy()
    if in_place is not None and stickiness > 0.0:
        mine = in_place & ~placed & (score > 0.0)
        if np.isinf(stickiness):
            _fill(node_ptr, size_bytes, budget_bytes, np.where(mine, score, 0.0), filled)
        else:
            score = np.where(mine, (1.0 + stickiness) * score, score)
    _fill(node_ptr, size_bytes, budget_bytes, score, filled)
    return filled
