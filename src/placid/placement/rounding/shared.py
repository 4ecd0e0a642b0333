"""Rounding of columns by shared numbers: every tree of columns has one, and what a node cannot hold is repaired.

A plan's last part and all that is dedicated to it, a *tree*, are drawn by one uniform number U: the root is wanted if ``U <
z_root``, a part below it if its parent is wanted and its own number is less than ``m_n / m_parent``, m_n the least fraction
over column n and those above it. So a chain is wanted with exactly its least fraction, whatever memory says.

Given that a tree is wanted, ``tau = U / z_root`` is uniform in [0, 1): it is the tree's place in the queue. Tree by tree in
this order, parts are placed from the last one on, each if it fits and its parent was placed; parts that are left without
what they wait for, a tail without any head, are taken off again. An item that two trees hold takes memory once.

**What is proven** (`least_ratio`), with no assumption on who shares what. For options of up to k parts:

1. *Wanted alone* a draw earns at least c_k of the concave gain: c_0 = 1, c_j = 1 - exp(-c_{j-1}), so 0.632, 0.469, 0.374.
   With shares ``sigma_c <= sigma_n`` of a column's and its parent's capacity, and X_n whether n is wanted, let ``R_n = X_n
   sigma_n (1 - prod over children (1 - R_c / sigma_n))``, sigma_n X_n at a leaf of rank <= k. By ``1 - prod(1 - a) <=
   min(1, sum a)`` R_n is at most what n passes on. Children are wanted independently once their parent is, so with ``rho_n
   = E[R_n | X_n = 1]``, ``rho_n = sigma_n (1 - prod(1 - m_c rho_c / (m_n sigma_n)))``; by induction, from ``m_c rho_c >=
   c_{j-1} V_c`` follows ``m_n rho_n >= m_n sigma_n (1 - exp(-c_{j-1} sum V_c / (m_n sigma_n))) >= c_j V_n``. The same step
   over the roots, which are independent, is the last.
2. *Repair keeps kappa of that.* R is the chance that some chain is left when every column is thinned to its share. Of the
   best one left, n, look at its tree alone, tau included. Other trees make it less likely both that n is the best and that
   n is kept, and so at each of n's nodes: by Harris' inequality, given its own tree, ``P(best and kept) >= P(best)
   P(kept)``, and P(kept) is at least the product over its nodes. At node v of budget b it is kept for sure if the trees
   wanted before it take at most b - D of memory there, D the bytes of its own whole tree at v. Each of them takes at most
   D' <= a and is there before it with probability tau z_root: so this is a sum of independent numbers, over a at most 1
   each, of mean mu = tau times the fractional bytes of the others over a. Such a sum is below Poisson's variable N of this
   mean in the convex order, so with h = (b - D) / a, ``P(sum > h) <= p = min over t < h of E (N - t)+ / (h - t)``; p = 0 if
   all others fit besides D. ``kappa = least over the options of the integral over tau in [0, 1] of the product over its
   nodes of (1 - p)``. Repair goes by what was placed, not by what was wanted, and takes off what is of no use: it keeps at
   least as much.

So a draw earns at least c_k kappa of the concave gain. For plans over two nodes, kappa is 0.71 if trees take at most 1/20
of a node, 0.87 at 1/100; it goes to 1 as they get smaller. With parts as large as their node it is 0, and it has to be: one
part as large as its node queues with many small ones that together fill it. There `placid.placement.rounding.top_down` is
at home.

Differs from a scheme with a random order of its own: the number that decides whether a tree is wanted also gives its place,
so a fraction that moves a little changes little, and no other number need be kept.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numba import njit
from scipy.special import gammainc

from placid.placement.columns import Columns
from placid.placement.rounding.chains import ChainRounding

__all__ = ["SharedDraws", "coverage", "overflow"]

#: points of the integral over the place in the queue; the lower sum is taken, so the ratio stays proven
_POINTS = 200
#: trees at a node that are looked at one by one
_CURVES = 40


class SharedDraws(ChainRounding):
    """One number a tree of columns, what does not fit is left out; arguments as in `ChainRounding`.

    When to use it: nodes that hold many parts each. O(columns), and sorting the trees that are wanted, a draw.
    """

    name: ClassVar[str] = "shared"

    def __init__(self, columns: Columns, hops: np.ndarray) -> None:
        super().__init__(columns, hops)
        self.order = np.lexsort((columns.depth, self.tree))
        roots = np.flatnonzero(columns.depth == 0)
        self.tree_ptr = np.searchsorted(self.tree[self.order], np.append(roots, len(columns))).astype(
            np.int64
        )
        self.begins = np.zeros(len(columns), np.bool_)
        self.begins[columns.leaf] = True

    @property
    def groups(self) -> np.ndarray:
        """int64 [2]: columns have numbers of their own and one more that nothing reads."""
        return np.array([0, len(self.columns)], np.int64)

    def _placements(
        self, z: np.ndarray, budget_bytes: np.ndarray, item: np.ndarray, group: np.ndarray
    ) -> np.ndarray:
        columns = self.columns
        placed = np.zeros((len(item), len(z)), np.bool_)
        _draw(
            self.order,
            self.tree_ptr,
            columns.lifted.item_node,
            columns.lifted.item_size_bytes,
            columns.item,
            int(columns.item.max(initial=-1)) + 1,
            columns.parent,
            self.begins,
            columns.least(z),
            item,
            budget_bytes.astype(np.int64),
            placed,
        )
        return placed

    def least_ratio(self, z: np.ndarray, budget_bytes: np.ndarray, share: np.ndarray | None = None) -> float:
        columns, lifted = self.columns, self.columns.lifted
        m = columns.least(z)
        used = m[columns.leaf] > 0.0
        if not used.any():
            return 1.0
        parts = 1 + int(columns.depth[columns.leaf[used]].max())
        nodes = lifted.node_count
        there = np.flatnonzero(m > 0.0)
        # bytes of each tree at each node: of its items, and as wanted
        pair, of = np.unique(self.tree[there] * nodes + lifted.item_node[there], return_inverse=True)
        item = np.unique(np.stack((of, columns.item[there])), axis=1, return_index=True)[1]
        size = lifted.item_size_bytes[there]
        whole = np.bincount(of[item], size[item], len(pair))
        wanted = np.bincount(of, size * m[there], len(pair))
        kept = np.ones((len(pair), _POINTS))
        place = (np.arange(_POINTS) + 1.0) / _POINTS
        for v in np.unique(pair % nodes):
            mine = np.flatnonzero(pair % nodes == v)
            kept[mine] = 1.0 - _left_out(whole[mine], wanted[mine], float(budget_bytes[v]), place)
        with np.errstate(divide="ignore"):
            log = np.log(kept)
        # every node of an option once
        needs = lifted.needs
        option = np.repeat(np.arange(lifted.option_count), np.diff(needs.ptr))
        mine = used[option]
        at = np.searchsorted(pair, self.tree[needs.item[mine]] * nodes + lifted.item_node[needs.item[mine]])
        met = np.unique(np.stack((option[mine], at)), axis=1)
        total = np.zeros((lifted.option_count, _POINTS))
        np.add.at(total, met[0], log[met[1]])
        return coverage(parts) * float(np.exp(total[used]).mean(axis=1).min())


def coverage(parts: int) -> float:
    """c_k for options of k parts: what drawing by chance keeps, with memory for all."""
    c = 1.0
    for _ in range(parts):
        c = 1.0 - np.exp(-c)
    return float(c)


def overflow(mean: np.ndarray, room: float) -> np.ndarray:
    """At most how often a sum of independent numbers in [0, 1] exceeds `room`, for each `mean` of it (float64 [M]).

    ``min over some whole t < room of E (N - t)+ / (room - t)``, N Poisson of this mean; 1 if room is not positive.
    """
    if room <= 0.0:
        return np.where(mean > 0.0, 1.0, float(room < 0.0))
    last = int(np.ceil(room)) - 1
    t = np.unique(
        np.concatenate((np.linspace(0, last, 64).astype(int), np.arange(max(0, last - 48), last + 1)))
    )
    t = t[:, None].astype(np.float64)
    # E (N - t)+ = mean P(N >= t) - t P(N >= t + 1)
    excess = mean * np.where(t > 0, gammainc(np.maximum(t, 1.0), mean), 1.0) - t * gammainc(t + 1.0, mean)
    return np.asarray(np.minimum((np.maximum(excess, 0.0) / (room - t)).min(axis=0), 1.0))


def _left_out(whole: np.ndarray, wanted: np.ndarray, budget: float, place: np.ndarray) -> np.ndarray:
    """p of point 2 for every tree at a node and every place in the queue, float64 [trees, places].

    p rises with a tree's own bytes and with those of the others: where trees are many, sizes are rounded up.
    """
    total, asked = whole.sum(), wanted.sum()
    if total <= budget:
        return np.where(whole > budget, 1.0, 0.0)[:, None] + np.zeros(len(place))
    largest = np.sort(whole)[::-1]
    rest, many = asked - wanted, len(whole) > _CURVES
    if many:
        levels = np.quantile(whole, np.linspace(0.0, 1.0, _CURVES), method="higher")
        whole = levels[np.searchsorted(levels, whole)]
        rest = np.full(len(whole), asked)
    p = np.ones((len(whole), len(place)))
    known: dict[tuple[float, float], np.ndarray] = {}
    for i in np.flatnonzero(whole <= budget):
        key = (float(whole[i]), float(rest[i]))
        if key not in known:
            # the largest of the other trees
            unit = largest[1] if whole[i] == largest[0] and not many else largest[0]
            known[key] = overflow(place * max(rest[i], 0.0) / unit, (budget - whole[i]) / unit)
        p[i] = known[key]
    return p


@njit(cache=True)
def _draw(order, tree_ptr, node, size_bytes, item, items, parent, begins, m, u, budget, placed):  # type: ignore[no-untyped-def]
    trees = len(tree_ptr) - 1
    queue = np.empty(trees, np.int64)
    place = np.empty(trees)
    holders = np.zeros(items, np.int64)  # columns that hold an item
    children = np.zeros(len(m), np.int64)
    for b in range(len(u)):
        room = budget.copy()
        wanted = 0
        for k in range(trees):
            root = order[tree_ptr[k]]
            if u[b, root] < m[root]:
                queue[wanted] = k
                place[wanted] = u[b, root] / m[root]
                wanted += 1
        # stable: trees that tie go by number, on every machine alike
        for i in np.argsort(place[:wanted], kind="mergesort"):
            first, last = tree_ptr[queue[i]], tree_ptr[queue[i] + 1]
            for j in range(first, last):
                n = order[j]
                above = parent[n]
                if above >= 0 and (not placed[b, above] or u[b, n] * m[above] >= m[n]):
                    continue
                v, e = node[n], item[n]
                if holders[e] == 0:
                    if size_bytes[n] > room[v]:
                        continue
                    room[v] -= size_bytes[n]
                holders[e] += 1
                placed[b, n] = True
                if above >= 0:
                    children[above] += 1
            for j in range(last - 1, first - 1, -1):
                n = order[j]
                if placed[b, n] and not begins[n] and children[n] == 0:
                    placed[b, n] = False
                    if parent[n] >= 0:
                        children[parent[n]] -= 1
                    holders[item[n]] -= 1
                    if holders[item[n]] == 0:
                        room[node[n]] += size_bytes[n]
        for n in range(len(m)):
            children[n] = 0
        holders[:] = 0
