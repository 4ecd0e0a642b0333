"""The lifted problem of plans over several nodes: columns, the concave gain over their fractions, and its supergradient.

**Columns.** A *column* is an item together with what follows it: the last item of an option is a root column, shared by all
that comes below; the item before it is a column of its own for each item that it may be followed by, dedicated to that
parent; and so on. Of a head on a device whose tail may sit on two nodes there are two columns of the same item. Options
are then paths from a column up to a root: a forest.

**The gain.** Let z in [0, 1]^C be fractions of columns, m_n the least of z over n and the columns above it, share_n the part
of a type's requests that column n could take (below), and s_1 >= s_2 >= … the savings of a type's options. A column passes
on at most what it has and what its children bring it,

    V_n = min(share_n m_n, sum of V over its children)        (a leaf that begins an option of rank <= k brings share_n m_n),
    gain_r(z) = d_r sum_k (s_k - s_{k+1}) min(1, sum of V over the roots, options of rank <= k),

concave and piecewise linear in z. It is the most that flows along the forest can save, and filling the options cheapest
first, each as far as the columns on its way have room, reaches it. At whole z with ample capacity it is the gain that is
earned: the serving rule fills in the same order. Where no capacity binds z may be written for m; where one does, no rounding
could earn more than a small part of what z would promise (a head of fraction 1 and half a share under a tail of fraction 1/2
is of use half of the time).

**Supergradient.** Every column, and the type's demand, fills up at some option or never; let t_n be the saving of the option
at which column n does. What a bit more of m_n brings is the saving there, less that of what has to make room further up:

    g_n = d_r share_n (t_n - max of t over the columns above n and of the demand)+,    0 if n never fills up,

and goes to the column whose fraction m_n is. For options of one item it is INFIDA's formula. O(options x length) a slot.

**Capacity.** An item's capacity is shared among the types, and among its columns, in proportion to what they could ask:
``share = min(1, L_e / sum over its columns and types of d_r q)``, q the share of requests that reach the item. So all that
is promised together can be kept. Where capacities bind and an item has many columns that is cautious: a column gets its
part although others may not use theirs. A column's share is not more than that of the column it is dedicated to, which
changes nothing at whole z.

**What is lost by lifting.** A head's memory counts for every parent that it is dedicated to. Where a path has one best tail
host for all requests through a node (costs that add up along the path, capacities that do not bind), the best placement
uses each head with one parent, and nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from placid.problem.arrays import Chains, Problem

__all__ = ["Columns"]


@dataclass(frozen=True)
class Columns:
    """C columns of a problem, node by node, roots first within a node.

    Attributes:
        lifted: the problem with columns for items: `item_node`, `item_size_bytes`, `node_ptr` and `needs` are of columns.
        item: int64 [C]; the item that a column is of.
        parent: int64 [C]; -1 for roots.
        depth: int64 [C]; 0 for roots.
        leaf: int64 [K]; the column that an option begins with.
        key: int64 [C, k]; the items from a column up to its root, -1 beyond: what a column is, whatever its number.
    """

    lifted: Problem
    item: np.ndarray
    parent: np.ndarray
    depth: np.ndarray
    leaf: np.ndarray
    key: np.ndarray

    @classmethod
    def of(cls, problem: Problem) -> Columns:
        """The columns of all options of `problem`. O(Z log Z)."""
        needs = problem.needs
        counts = np.diff(needs.ptr)
        longest = int(counts.max(initial=0))
        column = np.full(len(needs.item), -1, np.int64)  # of every need
        item, parent, depth = (np.zeros(0, np.int64) for _ in range(3))
        for d in range(longest):  # the needs that are the d-th from the end of their option
            option = np.flatnonzero(counts > d)
            place = needs.ptr[option + 1] - 1 - d
            above = np.full(len(place), -1, np.int64) if d == 0 else column[place + 1]
            pair = np.stack((above, needs.item[place].astype(np.int64)))
            new, number = np.unique(pair, axis=1, return_inverse=True)
            column[place] = len(item) + number.ravel()
            item, parent = np.append(item, new[1]), np.append(parent, new[0])
            depth = np.append(depth, np.full(new.shape[1], d))
        order = np.lexsort((item, depth, problem.item_node[item]))
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        item, depth = item[order], depth[order]
        parent = np.where(parent[order] >= 0, rank[parent[order]], -1)
        column = rank[column]
        node = problem.item_node[item]
        lifted = replace(
            problem,
            item_node=node,
            item_model=problem.item_model[item],
            item_size_bytes=problem.item_size_bytes[item],
            item_capacity=problem.item_capacity[item],
            node_ptr=np.searchsorted(node, np.arange(problem.node_count + 1)).astype(np.int64),
            option_item=np.zeros(0, np.int32),
            chains=Chains(needs.ptr, column.astype(np.int32), needs.load, needs.answered),
        )
        key = np.full((len(item), max(longest, 1)), -1, np.int64)
        at = np.arange(len(item))
        for d in range(longest):
            there = at >= 0
            key[there, d] = item[at[there]]
            at = np.where(there, parent[at], -1)
        return cls(lifted, item, parent, depth, column[needs.ptr[:-1]], key)

    def __len__(self) -> int:
        return len(self.item)

    def items(self, placed: np.ndarray, count: int) -> np.ndarray:
        """bool [N]: the items of the columns `placed` (bool [C])."""
        held = np.zeros(count, bool)
        held[self.item[placed]] = True
        return held

    def whole(self, placed: np.ndarray) -> np.ndarray:
        """bool [C]: columns of which all items up to the root are in `placed` (bool [N])."""
        mine = self.key >= 0
        return np.asarray((placed[np.where(mine, self.key, 0)] | ~mine).all(axis=1))

    def share(self, problem: Problem, demand: np.ndarray) -> np.ndarray:
        """float64 [C]; the part of each type's demand that a column could take, never more than its parent could. O(Z)."""
        needs = self.lifted.needs
        asked = _asked(
            problem.option_ptr, needs.ptr, needs.item, needs.load, self.item, demand, problem.item_count
        )
        share = np.minimum(1.0, problem.item_capacity / np.maximum(asked, 1e-300))[self.item]
        return np.asarray(share[_least(self.parent, share)])

    def least(self, z: np.ndarray) -> np.ndarray:
        """float64 [C]; the least of `z` (float64 [C]) over each column and those above it: as often a chain can be whole."""
        return np.asarray(z[_least(self.parent, z)])

    def gain(self, demand: np.ndarray, share: np.ndarray, z: np.ndarray) -> float:
        """The concave gain at `z` (float64 [C]) for `demand` ([R])."""
        return self.supergradient(demand, share, z)[0]

    def gains(self, demand: np.ndarray, share: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """float64 [B]: the gain of every one of many draws (bool [B, C]). O(B x options x length)."""
        value = np.empty(len(drawn))
        lifted = self.lifted
        _gains(lifted.option_ptr, lifted.option_saving, self.leaf, self.parent, demand, share, drawn, value)
        return value

    def supergradient(self, demand: np.ndarray, share: np.ndarray, z: np.ndarray) -> tuple[float, np.ndarray]:
        """The gain at `z`, and g with ``gain(y) <= gain(z) + g @ (y - z)`` for every y in [0, 1]^C."""
        g = np.zeros(len(self))
        of = _least(self.parent, z)
        value = _supergradient(
            self.lifted.option_ptr, self.lifted.option_saving, self.leaf, self.parent, demand, share, z[of], g
        )
        # m_n <= z_of(n) everywhere with equality here, and the gain rises with m
        return float(value), np.bincount(of, g, len(self))


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _least(parent: np.ndarray, z: np.ndarray) -> np.ndarray:
    """int64 [C]: which of a column and those above it has the least z; the column itself if several have."""
    of = np.empty(len(z), np.int64)
    for n in range(len(z)):
        of[n] = n
        a = parent[n]
        while a >= 0:
            if z[a] < z[of[n]]:
                of[n] = a
            a = parent[a]
    return of


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _asked(
    option_ptr: np.ndarray,
    need_ptr: np.ndarray,
    need_column: np.ndarray,
    need_load: np.ndarray,
    item: np.ndarray,
    demand: np.ndarray,
    items: int,
) -> np.ndarray:
    asked = np.zeros(items)
    most = np.zeros(len(item))
    for r in range(len(option_ptr) - 1):
        if demand[r] <= 0:
            continue
        first, last = need_ptr[option_ptr[r]], need_ptr[option_ptr[r + 1]]
        for z in range(first, last):
            most[need_column[z]] = max(most[need_column[z]], need_load[z])
        for z in range(first, last):
            n = need_column[z]
            asked[item[n]] += demand[r] * most[n]
            most[n] = 0.0
    return asked


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _supergradient(
    option_ptr: np.ndarray,
    option_saving: np.ndarray,
    leaf: np.ndarray,
    parent: np.ndarray,
    demand: np.ndarray,
    share: np.ndarray,
    z: np.ndarray,
    g: np.ndarray,
) -> float:
    columns = len(parent)
    room = np.empty(columns)  # what a column can still pass on, as a share of the type's demand
    full = np.empty(columns)  # the saving at which it filled up, -1 while it has not
    met = np.full(columns, -1)  # the last type that came by
    mine = np.empty(columns, np.int64)
    total = 0.0
    for r in range(len(option_ptr) - 1):
        if demand[r] <= 0.0:
            continue
        left, value, end = 1.0, 0.0, 0.0
        count = 0
        for o in range(option_ptr[r], option_ptr[r + 1]):
            take = left
            n = leaf[o]
            while n >= 0:
                if met[n] != r:
                    met[n] = r
                    room[n] = share[n] * z[n]
                    full[n] = -1.0
                    mine[count] = n
                    count += 1
                take = min(take, room[n])
                n = parent[n]
            value += take * option_saving[o]
            n = leaf[o]
            while n >= 0:
                room[n] -= take
                if room[n] <= 0.0 and full[n] < 0.0:
                    full[n] = option_saving[o]
                n = parent[n]
            left -= take
            if left <= 0.0:
                end = option_saving[o]
                break
        total += demand[r] * value
        for i in range(count):
            n = mine[i]
            if full[n] < 0.0:
                continue
            beyond = end
            a = parent[n]
            while a >= 0:
                beyond = max(beyond, full[a])
                a = parent[a]
            if full[n] > beyond:
                g[n] += demand[r] * share[n] * (full[n] - beyond)
    return total


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _gains(
    option_ptr: np.ndarray,
    option_saving: np.ndarray,
    leaf: np.ndarray,
    parent: np.ndarray,
    demand: np.ndarray,
    share: np.ndarray,
    drawn: np.ndarray,
    value: np.ndarray,
) -> None:
    g = np.empty(len(parent))  # not wanted
    for b in range(len(drawn)):
        whole = drawn[b].astype(np.float64)
        for n in range(len(parent)):
            a = parent[n]
            while a >= 0:
                if not drawn[b, a]:
                    whole[n] = 0.0
                a = parent[a]
        value[b] = _supergradient(option_ptr, option_saving, leaf, parent, demand, share, whole, g)
