"""Where the fractions of an ascent move: per node, fractions of the items that can be of use, within its budget."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from placid.problem.arrays import Problem

__all__ = ["Space", "least_by_node", "sum_by_node"]


@dataclass(frozen=True)
class Space:
    """``{0 <= y <= 1, sum(size * y) <= budget at every node, y = 0 where not allowed}``.

    Attributes:
        node_ptr: int64 [V + 1].
        size: float64 [N], bytes.
        budget: float64 [V], bytes.
        allowed: bool [N]; items of options that some request type would rather have than its repository, all items of
            which fit their nodes. The others could only waste memory.
        total: float64 [V]; size of all allowed items of a node.
    """

    node_ptr: np.ndarray
    size: np.ndarray
    budget: np.ndarray
    allowed: np.ndarray
    total: np.ndarray

    @classmethod
    def of(cls, problem: Problem, budget: np.ndarray) -> Space:
        """The space of `problem` under `budget` (float64 [V])."""
        needs = problem.needs
        allowed = np.zeros(problem.item_count, bool)
        if problem.option_count:
            fits = np.logical_and.reduceat(problem.placeable[needs.item], needs.ptr[:-1])
            allowed[needs.item[np.repeat(fits, np.diff(needs.ptr))]] = True
        total = _total(problem.node_ptr, problem.item_size, allowed)
        return cls(problem.node_ptr, problem.item_size, budget, allowed, total)

    @property
    def tight(self) -> np.ndarray:
        """bool [V]: nodes that cannot hold all that is allowed there."""
        return (self.budget > 0) & (self.total > self.budget)

    def uniform(self) -> np.ndarray:
        """float64 [N]: at each node every allowed item gets the same fraction, as large as the budget allows."""
        part = np.minimum(
            1.0, np.divide(self.budget, self.total, out=np.zeros_like(self.budget), where=self.total > 0)
        )
        return _spread(self.node_ptr, part, self.allowed)


@njit(cache=True)
def sum_by_node(node_ptr, values):  # type: ignore[no-untyped-def]
    """float64 [V]: `values` (float64 [N]) summed over the items of each node."""
    total = np.zeros(len(node_ptr) - 1)
    for v in range(len(total)):
        for i in range(node_ptr[v], node_ptr[v + 1]):
            total[v] += values[i]
    return total


@njit(cache=True)
def least_by_node(node_ptr, values, allowed):  # type: ignore[no-untyped-def]
    """float64 [V]: the least of `values` over the allowed items of each node, infinity where there are none."""
    least = np.full(len(node_ptr) - 1, np.inf)
    for v in range(len(least)):
        for i in range(node_ptr[v], node_ptr[v + 1]):
            if allowed[i] and values[i] < least[v]:
                least[v] = values[i]
    return least


@njit(cache=True)
def _total(node_ptr, size, allowed):  # type: ignore[no-untyped-def]
    total = np.zeros(len(node_ptr) - 1)
    for v in range(len(total)):
        for i in range(node_ptr[v], node_ptr[v + 1]):
            if allowed[i]:
                total[v] += size[i]
    return total


@njit(cache=True)
def _spread(node_ptr, part, allowed):  # type: ignore[no-untyped-def]
    y = np.zeros(len(allowed))
    for v in range(len(part)):
        for i in range(node_ptr[v], node_ptr[v + 1]):
            if allowed[i]:
                y[i] = part[v]
    return y
