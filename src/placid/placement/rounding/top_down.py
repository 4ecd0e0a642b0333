"""Rounding of columns from the top of the network down, so that what belongs together is drawn together.

Drawn alone, two halves with fraction 1/2 each would be there together a quarter of the time. Here the last part of a plan is
drawn first, with its own fraction; what comes before it is drawn only if what it is dedicated to is there, with
probability ``z_n / z_parent``: so a chain of columns is whole with the least fraction on its way.

Nodes are taken in order of their distance to the repository, each with its roots first and then depth by depth. What is
wanted there, ``q_n = z_n`` or ``min(1, z_n / z_parent)`` if the parent was drawn, can take more than the memory that is
left: then all are scaled down alike, and drawn by pivotal dependent rounding (`placid.placement.rounding.pivotal`), within
the budget to the byte.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from placid.placement.columns import Columns
from placid.placement.rounding.draws import Draws, draw_key, expand, renew
from placid.placement.rounding.pivotal import pivot_line, settle

__all__ = ["TopDown"]


class TopDown:
    """Draws columns of one problem, again and again.

    Args:
        columns: of it.
        hops: int64 [V]; of every node to its repository.
    """

    def __init__(self, columns: Columns, hops: np.ndarray) -> None:
        self.columns = columns
        node = columns.lifted.item_node.astype(np.int64)
        # groups: the columns of one node and depth, which lie side by side
        new = np.ones(len(columns), bool)
        new[1:] = (np.diff(node) != 0) | (np.diff(columns.depth) != 0)
        first = np.flatnonzero(new)
        self.ptr = np.append(first, len(columns)).astype(np.int64)
        self.node = node[first]
        self.order = np.lexsort((columns.depth[first], self.node, hops[self.node]))

    def start(self, rng: np.random.Generator) -> Draws:
        """The first random numbers: one a column, one a group."""
        return expand(draw_key(rng), self.ptr, np.arange(len(self.node)))

    def round(
        self,
        draws: Draws,
        z: np.ndarray,
        budget_bytes: np.ndarray,
        rng: np.random.Generator,
        renewal: float = 1.0,
    ) -> tuple[Draws, np.ndarray]:
        """The numbers after, and which columns are drawn (bool [C]), within `budget_bytes` (int64 [V]) to the byte.

        Args:
            z: float64 [C], fractions.
            renewal: probability that a random number is replaced; the smaller, the less moves from draw to draw.
        """
        draws = renew(draws, renewal, draw_key(rng), self.ptr, np.arange(len(self.node)))
        placed = np.zeros(len(z), np.bool_)
        _draw(
            self.order,
            self.ptr,
            self.node,
            self.columns.lifted.item_size_bytes,
            self.columns.parent,
            z,
            draws.item,
            draws.node,
            budget_bytes.astype(np.int64).copy(),
            placed,
        )
        return draws, placed


@njit(cache=True)
def _draw(order, ptr, node, size_bytes, parent, z, u, coin, room, placed):  # type: ignore[no-untyped-def]
    q = np.empty(len(z))
    for group in order:
        first, last = ptr[group], ptr[group + 1]
        v = node[group]
        wanted = 0.0
        for n in range(first, last):
            above = parent[n]
            if size_bytes[n] > room[v]:
                q[n] = 0.0
            elif above < 0:
                q[n] = z[n]
            elif placed[above] and z[n] > 0.0:
                q[n] = min(1.0, z[n] / z[above])
            else:
                q[n] = 0.0
            wanted += size_bytes[n] * q[n]
        if wanted <= 0.0:
            continue
        if wanted > room[v]:
            for n in range(first, last):
                q[n] *= room[v] / wanted
        left = pivot_line(q, size_bytes, first, last, u)
        settle(q, size_bytes, first, last, room[v], left, coin[group], False, placed)
        for n in range(first, last):
            if placed[n]:
                room[v] -= size_bytes[n]
