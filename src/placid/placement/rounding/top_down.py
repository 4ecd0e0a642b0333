"""Rounding of columns from the top of the network down, node by node; for nodes that hold few parts.

The last part of a plan is drawn first, with its own fraction; what comes before it is drawn only if what it is dedicated to
is there, with probability ``m_n / m_parent``, m_n the least fraction over column n and those above it.

Nodes are taken in order of their distance to the repository. What is wanted at one, ``q_n = m_n`` or ``m_n / m_parent`` if
the parent was drawn, can take more than its memory: then all are scaled down alike, and drawn by pivotal dependent rounding
(`placid.placement.rounding.pivotal`), within the budget to the byte. Parts of a plan on one node are drawn one after the
other; what will be wanted below the first of them there is part of its size in its draw, so that room is left on average.

**What is proven** (`least_ratio`). Let w be a node, b its budget, kappa_w = 1/2 for the item that dependent rounding leaves
over (1 if all columns there have one size that divides b), and n a column at w with parent p at another node.

1. *Columns of different trees are never favoured together*: ``E x_a x_b <= m_a m_b``. At one node dependent rounding sees
   to it; for nodes one after the other x_b has, given what is there, expectation at most ``(m_b / m_pb) x_pb``, so the
   claim for a and b follows from that for a and the parent of b. In one tree, with d the lowest column above both, likewise
   ``E x_a x_b <= m_a m_b / m_d``.
2. *A column is there often enough*: ``P(n) >= beta_n m_n``. Of what else is wanted at w, Q as a part of b, and as n's own
   part is at most 1, all are scaled by at least 1 / (1 + Q). By Jensen, ``E x_p / (1 + Q) >= P(p)^2 / (P(p) + E Q x_p)``,
   and by 1. ``E Q x_p <= omega_n m_p`` with omega_n the fractional bytes at w of other trees' columns, plus 1 / m_p times
   those of n's own tree, over b. Hence ``beta_n = kappa_w beta_p^2 / (beta_p + omega_n)``, where beta_p = m_p = 1 above a
   root; ``beta_n = beta_p`` at a node that has room for all, ``beta_n = kappa_w`` for roots at a node where all else hangs
   from roots there. For a parent at w itself, if w has not room for all, beta_n = 0: room is kept for n on average only, and
   what is left may be less than n takes.
3. *One of several is there often enough.* Let a type's flow S over the options of rank <= k be f_o on option o. Thin every
   chain to f_o, independently; let N count what is left. ``E N >= beta S`` and, by 1., ``E N (N - 1) <= h S``, h the parts
   of an option: f_o times at most 1 for every column above and 1 for the other trees. Cauchy and Schwarz: ``P(N >= 1) >= (E
   N)^2 / E N^2 >= S beta^2 / (beta + h)``. Shares of capacity thin likewise.

So a draw earns at least beta^2 / (beta + h) of the concave gain, with the least beta of the options. That is a worst case
and far below what is measured. Nothing is promised of two parts of a plan on one node that has not room for all.

4. *In tiers* more is known, and the larger of the two counts: if options have one or two parts and no capacity binds; nodes
   with tails hold no heads, and columns of one size each that divides the budget; and a type meets heads at one node at
   most, of one tail not more than one head. A draw then earns at least ``(1 - 1/e)^2 / 2``, half of it where sizes at the
   heads' nodes differ. What of the wanted at w serves the type, R of it, is scaled to at least min(1, R) / (1 + Q), Q the
   rest, so one of it is there with probability ``(1 - exp(-min(1, R))) / (1 + Q)`` at the least. R rises with the tails of
   use to the type, Q with the others, and tails are negatively associated (dependent rounding in a line; Dubhashi, Jonasson
   and Ranjan 2007); so ``E f(R) / (1 + Q) >= E f(R) / (1 + E Q)``; ``E Q <= 1``, and ``E min(1, R) >= (1 - 1/e) min(1,
   S)``.

Differs from INFIDA's rounding, which draws every node alone: with parts dedicated to others, what a node is asked for
depends on what was drawn above it.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numba import njit

from placid.placement.columns import Columns
from placid.placement.rounding.chains import ChainRounding
from placid.placement.rounding.pivotal import pivot_line, settle

__all__ = ["TopDown"]

#: what independent draws keep of the least of their sum and 1
_COVERED = 1.0 - np.exp(-1.0)


class TopDown(ChainRounding):
    """Dependent rounding within the budgets, node after node from the top down; arguments as in `ChainRounding`.

    When to use it: nodes that hold a few parts each. It uses memory fully, whatever the sizes. O(columns) a draw.
    """

    name: ClassVar[str] = "top-down"

    def __init__(self, columns: Columns, hops: np.ndarray) -> None:
        super().__init__(columns, hops)
        node = columns.lifted.item_node.astype(np.int64)
        # how many of the columns above are on the same node: all of one level are drawn at once
        level = np.zeros(len(columns), np.int64)
        for d in range(1, int(columns.depth.max(initial=0)) + 1):
            mine = np.flatnonzero(columns.depth == d)
            above = columns.parent[mine]
            level[mine] = np.where(node[above] == node[mine], level[above] + 1, 0)
        self.level = level
        self.order = np.lexsort((level, node, hops[node]))
        ends = (np.diff(node[self.order]) != 0) | (np.diff(level[self.order]) != 0)
        inner = np.flatnonzero(ends) + 1
        self.ptr = np.concatenate(([0], inner, [len(columns)] if len(columns) else [])).astype(np.int64)

    @property
    def groups(self) -> np.ndarray:
        """int64 [G + 1]: one group a node and level, in the order in which they are drawn."""
        return self.ptr

    def _placements(
        self, z: np.ndarray, budget_bytes: np.ndarray, item: np.ndarray, group: np.ndarray
    ) -> np.ndarray:
        placed = np.zeros((len(item), len(z)), np.bool_)
        m, size = self.columns.least(z), self.columns.lifted.item_size_bytes
        by_depth = np.argsort(self.columns.depth, kind="stable")
        _draw(
            self.order,
            self.ptr,
            self.columns.lifted.item_node,
            size,
            _weights(by_depth, self.columns.parent, self.level, size, m),
            self.columns.parent,
            m,
            item,
            group,
            budget_bytes.astype(np.int64),
            placed,
        )
        return placed

    def least_ratio(self, z: np.ndarray, budget_bytes: np.ndarray, share: np.ndarray | None = None) -> float:
        m = self.columns.least(z)
        used = m[self.columns.leaf] > 0.0
        if not used.any():
            return 1.0
        lifted = self.columns.lifted
        there = m > 0.0
        node, size = lifted.item_node[there], lifted.item_size_bytes[there]
        total = np.bincount(node, size, lifted.node_count)
        largest, smallest = np.zeros(lifted.node_count, np.int64), np.full(lifted.node_count, 2**62)
        np.maximum.at(largest, node, size)
        np.minimum.at(smallest, node, size)
        ample = total <= budget_bytes
        exact = ample | ((largest == smallest) & (budget_bytes % np.maximum(largest, 1) == 0))
        first = self.level == 0
        below = np.bincount(node, (first & (self.columns.depth > 0))[there], lifted.node_count) > 0
        by_depth = np.argsort(self.columns.depth, kind="stable")
        weight = _weights(by_depth, self.columns.parent, self.level, lifted.item_size_bytes, m)
        exact &= ample | (np.bincount(node, ~first[there], lifted.node_count) == 0)
        beta = np.where(m > 0.0, 1.0, 0.0)
        pair = self.tree * lifted.node_count + lifted.item_node
        _, of = np.unique(pair, return_inverse=True)
        taken = lifted.item_size_bytes * m
        _least_shares(
            by_depth,
            lifted.item_node,
            self.columns.parent,
            self.level,
            m,
            weight,
            np.bincount(lifted.item_node, taken, lifted.node_count),
            np.bincount(of, taken)[of],
            budget_bytes.astype(np.int64),
            ample,
            exact,
            below,
            beta,
        )
        least = float(beta[self.columns.leaf[used]].min())
        parts = 1 + int(self.columns.depth[self.columns.leaf[used]].max())
        ratio = least**2 / (least + parts)
        if self.columns.depth[there].max() == 0:
            ratio = max(ratio, _COVERED * (1.0 if exact[node].all() else 0.5))
        elif share is None or (share[there] >= 1.0).all():
            ratio = max(ratio, self._in_tiers(there, exact & (largest == smallest), exact))
        return ratio

    def _in_tiers(self, there: np.ndarray, even: np.ndarray, exact: np.ndarray) -> float:
        """What point 4 promises, or 0; bool [V] say which nodes hold one size, and where no item is left over."""
        columns, lifted = self.columns, self.columns.lifted
        child = np.flatnonzero(there & (columns.parent >= 0))
        above = columns.parent[child]
        heads, tails = (np.unique(lifted.item_node[n]) for n in (child, above))
        if columns.depth[there].max() > 1 or np.isin(heads, tails).any() or not even[tails].all():
            return 0.0
        pair = above * lifted.node_count + lifted.item_node[child]
        if len(np.unique(pair)) < len(pair):
            return 0.0
        needs = lifted.needs
        with_heads = np.zeros(lifted.node_count, bool)
        with_heads[heads] = True
        used = np.repeat(there[columns.leaf], np.diff(needs.ptr))
        kind = np.repeat(lifted.option_type, np.diff(needs.ptr)).astype(np.int64)
        at = lifted.item_node[needs.item]
        met = np.unique((kind * lifted.node_count + at)[used & with_heads[at]]) // lifted.node_count
        if len(np.unique(met)) < len(met):
            return 0.0
        return float(_COVERED**2 / 2 * (1.0 if exact[lifted.item_node[there]].all() else 0.5))


@njit(cache=True)
def _weights(by_depth, parent, level, size_bytes, m):  # type: ignore[no-untyped-def]
    """float64 [C]; bytes of each column and of what is wanted below it on its node once it is there."""
    weight = size_bytes.astype(np.float64)
    for n in by_depth[::-1]:
        if level[n] > 0 and m[n] > 0.0:
            weight[parent[n]] += weight[n] * m[n] / m[parent[n]]
    return weight


@njit(cache=True)
def _draw(order, ptr, node, size_bytes, weight, parent, m, u, coin, budget, placed):  # type: ignore[no-untyped-def]
    q = np.empty(len(m))
    size = size_bytes[order]
    heavy = weight[order]
    drawn = np.zeros(len(m), np.bool_)
    for b in range(len(u)):
        room = budget.copy()
        for group in range(len(ptr) - 1):
            first, last = ptr[group], ptr[group + 1]
            if first == last:
                continue
            v = node[order[first]]
            wanted, alone = 0.0, True
            for i in range(first, last):
                n = order[i]
                above = parent[n]
                q[i] = 0.0
                drawn[i] = False
                if size[i] <= room[v] and m[n] > 0.0:
                    if above < 0:
                        q[i] = m[n]
                    elif placed[b, above]:
                        q[i] = m[n] / m[above]
                if q[i] > 0.0:
                    heavy[i] = min(weight[n], np.float64(room[v]))
                    wanted += heavy[i] * q[i]
                    alone = alone and weight[n] == size[i]
            if wanted <= 0.0:
                continue
            if wanted > room[v]:
                for i in range(first, last):
                    q[i] *= room[v] / wanted
            if alone:
                left = pivot_line(q, size, first, last, u[b])
                settle(q, size, first, last, room[v], left, coin[b, group], False, drawn)
            else:
                # sums of sizes that are no whole numbers are off by round-off; the count in whole bytes is below
                left = pivot_line(q, heavy, first, last, u[b])
                settle(q, heavy, first, last, room[v] * (1.0 + 1e-9), left, coin[b, group], False, drawn)
            for i in range(first, last):
                if drawn[i] and size[i] <= room[v]:
                    placed[b, order[i]] = True
                    room[v] -= size[i]


@njit(cache=True)
def _least_shares(by_depth, node, parent, level, m, weight, at_node, own, budget, ample, exact, below, beta):  # type: ignore[no-untyped-def]
    """Writes beta of point 2, float64 [C]; `at_node` [V] and `own` [C]: bytes at a node of all, of a column's tree."""
    for n in by_depth:
        if m[n] <= 0.0:
            continue
        p, w = parent[n], node[n]
        over, above = (1.0, 1.0) if p < 0 else (beta[p], m[p])
        kept = 1.0 if exact[w] else 0.5
        if ample[w]:
            beta[n] = over
        elif level[n] > 0:
            beta[n] = 0.0
        elif not below[w]:
            beta[n] = kept
        elif over > 0.0:
            mine, rest = own[n] - weight[n] * m[n], at_node[w] - own[n]
            omega = (max(rest, 0.0) + max(mine, 0.0) / above) / budget[w]
            beta[n] = kept * over * over / (over + omega)
        else:
            beta[n] = 0.0
