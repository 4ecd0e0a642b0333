"""Fill every node with its items of highest score, as many as fit."""

from __future__ import annotations

import numpy as np
from numba import njit

from placid.problem.arrays import Problem

__all__ = ["pack_by_score"]


def pack_by_score(problem: Problem, score: np.ndarray) -> np.ndarray:
    """bool [N]: at each node the items of positive `score` (float64 [N]), best first, as many as fit."""
    order = np.lexsort((-score, problem.item_node))
    return _pack(order, problem.item_node, problem.item_size_bytes, problem.budget_bytes, score)


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _pack(
    order: np.ndarray,
    item_node: np.ndarray,
    size_bytes: np.ndarray,
    budget_bytes: np.ndarray,
    score: np.ndarray,
) -> np.ndarray:
    placed = np.zeros(len(order), np.bool_)
    room = budget_bytes.copy()
    for e in order:
        if score[e] > 0 and size_bytes[e] <= room[item_node[e]]:
            placed[e] = True
            room[item_node[e]] -= size_bytes[e]
    return placed
