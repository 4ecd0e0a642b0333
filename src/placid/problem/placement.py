"""A placement is a bool array over the items of a problem; here is what can be asked of one."""

from __future__ import annotations

import numpy as np

from placid.errors import InfeasiblePlacementError
from placid.problem.arrays import Problem

__all__ = ["bytes_loaded", "bytes_used", "check_feasible", "empty_placement", "trim_to_budgets"]


def empty_placement(problem: Problem) -> np.ndarray:
    """The placement in which only the repositories serve: bool [N], all false."""
    return np.zeros(problem.item_count, bool)


def bytes_used(problem: Problem, placed: np.ndarray) -> np.ndarray:
    """Memory that `placed` (bool [N]) takes at each node, int64 [V]."""
    chosen = np.flatnonzero(placed)
    used = np.zeros(problem.node_count, np.int64)
    np.add.at(used, problem.item_node[chosen], problem.item_size_bytes[chosen])
    return used


def bytes_loaded(problem: Problem, before: np.ndarray, after: np.ndarray) -> int:
    """Bytes of the items that are in `after` and were not in `before`."""
    return int(problem.item_size_bytes[after & ~before].sum())


def check_feasible(problem: Problem, placed: np.ndarray, who: str = "the placement") -> None:
    """Nothing, if every node's memory holds what `placed` puts there, to the byte.

    Raises:
        InfeasiblePlacementError: names the node and by how many bytes it is exceeded.
    """
    if placed.shape != (problem.item_count,) or placed.dtype != np.bool_:
        raise InfeasiblePlacementError(
            f"{who} must be a bool array of shape ({problem.item_count},), got {placed.dtype} {placed.shape}"
        )
    over = bytes_used(problem, placed) - problem.budget_bytes
    worst = int(np.argmax(over)) if len(over) else 0
    if len(over) and over[worst] > 0:
        raise InfeasiblePlacementError(
            f"{who} exceeds the memory of node '{problem.node_names[worst]}' "
            f"({int(problem.budget_bytes[worst])} bytes) by {int(over[worst])} bytes"
        )


def trim_to_budgets(problem: Problem, placed: np.ndarray, score: np.ndarray) -> np.ndarray:
    """`placed` less the items of lowest `score` per byte, node by node, until every budget holds; a new array.

    For policies that decide rarely: a node may shrink or fail between their decisions.
    """
    kept = placed & (problem.budget_bytes[problem.item_node] > 0)
    over = bytes_used(problem, kept) - problem.budget_bytes
    for v in np.flatnonzero(over > 0):
        mine = problem.node_ptr[v] + np.flatnonzero(kept[problem.node_ptr[v] : problem.node_ptr[v + 1]])
        excess = int(over[v])
        for item in mine[np.argsort(score[mine] / problem.item_size_bytes[mine], kind="stable")]:
            if excess <= 0:
                break
            kept[item] = False
            excess -= int(problem.item_size_bytes[item])
    return kept
