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
    bundles per byte, or by bundles alone if that earns more. Then it ruins every node together with all below it, and fills
    them while one task stays away from the node above: what a node and those below it hold can only change places all at
    once. It ends with a sweep that finds nothing, or after `sweeps`.
    """
    share = potential_share(problem, demand)
    value = serve(problem, placed, demand).gain
    for _ in range(sweeps):
        found = False
        for region, top in _regions(problem):
            if not (placed & region).any():
                continue
            kept = without_orphans(problem, placed & ~region)
            tries: list[tuple[bool, np.ndarray | None]] = [(True, None), (False, None)]
            if top is not None:
                there = np.unique(problem.item_task[placed & top])
                tries = [(True, top & (problem.item_task == task)) for task in there]
            for by_density, without in tries:
                tried = fill_with_bundles(
                    problem, demand, share, kept, by_density=by_density, without=without
                )
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


def _regions(problem: Problem) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """What is ruined, bool [N], and of where one task stays away then; None if none does."""
    for node in problem.far_first:
        yield problem.item_node == node, None
    for task in np.unique(problem.item_task):
        yield problem.item_task == task, None
    for node, below in _subtrees(problem):
        yield below[problem.item_node], problem.item_node == node


def _subtrees(problem: Problem) -> Iterator[tuple[int, np.ndarray]]:
    """Nodes with memory that others with memory forward to, and, bool [V], all that do, the node itself too."""
    below = np.eye(problem.node_count, dtype=bool)
    for v in np.argsort(-problem.node_hops, kind="stable"):
        if problem.next_hop[v] >= 0:
            below[problem.next_hop[v]] |= below[v]
    holds = problem.budget_bytes > 0
    for v in problem.far_first:
        if (below[v] & holds).sum() > 1:
            yield int(v), below[v]
