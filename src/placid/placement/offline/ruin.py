"""Ruin and recreate: take away what lies at a node or serves a task, fill the room with bundles, keep what earns more.

For options that need several items, where moves of single items find nothing: a head is worth nothing until its tail has
moved too. Schrimpf et al. (J. Comput. Phys. 2000) named the principle.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from placid.placement.offline.bundles import fill_with_bundles
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share
from placid.problem.serving import serve

__all__ = ["recreated", "without_orphans"]


def recreated(problem: Problem, demand: np.ndarray, placed: np.ndarray, sweeps: int) -> np.ndarray:
    """`placed` (bool [N]), better: a new array. It earns at least as much under the serving rule, and fits as `placed` does.

    A sweep ruins every node, those furthest from their repository first, then every task; what is ruined is filled again by
    bundles per byte, or by bundles alone if that earns more. It ends with a sweep that finds nothing, or after `sweeps`.
    """
    share = potential_share(problem, demand)
    value = serve(problem, placed, demand).gain
    for _ in range(sweeps):
        found = False
        for region in _regions(problem):
            if not (placed & region).any():
                continue
            kept = without_orphans(problem, placed & ~region)
            for by_density in (True, False):
                tried = fill_with_bundles(problem, demand, share, kept, by_density=by_density)
                earned = serve(problem, tried, demand).gain
                if earned > value * (1 + 1e-9):
                    placed, value, found = tried, earned, True
        if not found:
            break
    return placed.copy()


def without_orphans(problem: Problem, placed: np.ndarray) -> np.ndarray:
    """`placed` but for items that no option can use, since another that it needs is not there; a new array."""
    needs = problem.needs
    there = (
        np.logical_and.reduceat(placed[needs.item], needs.ptr[:-1]) if problem.option_count else placed[:0]
    )
    used = np.zeros(problem.item_count, bool)
    used[needs.item[np.repeat(there, np.diff(needs.ptr))]] = True
    return placed & used


def _regions(problem: Problem) -> Iterator[np.ndarray]:
    """bool [N] each: the items of a node, then those of a task."""
    for node in problem.far_first:
        yield problem.item_node == node
    for task in np.unique(problem.item_task):
        yield problem.item_task == task
