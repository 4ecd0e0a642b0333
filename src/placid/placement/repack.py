"""Node by node, take everything off and pack again by what each model adds to what the other nodes hold.

Coordinate ascent on the gain of a believed demand: a node that repacks can only raise it. From a rounded placement a
sweep or two repair what independent draws at different nodes got in each other's way.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from placid.problem.arrays import Problem
from placid.problem.gain import potential_share

__all__ = ["Repacker", "marginal_gain"]


def marginal_gain(problem: Problem, demand: np.ndarray, share: np.ndarray, placed: np.ndarray) -> np.ndarray:
    """What each item would add to the gain of `placed` (every type kept to its part, see `placid.problem.gain`).

    float64 [N]; 0 for items that are placed. O(K + touched options x placed options of their type).
    """
    added = np.zeros(problem.item_count)
    _marginal(
        problem.option_ptr,
        problem.option_item,
        problem.option_saving,
        np.asarray(demand, np.float64),
        share,
        placed,
        0,
        problem.item_count,
        np.arange(problem.type_count),
        added,
    )
    return added


class Repacker:
    """Repacks nodes of one problem for one believed demand.

    Args:
        demand: float64 [R]; requests per slot, as believed.
        loyalty: an item that was in place before counts ``1 + loyalty`` times, so that little moves for little.
    """

    def __init__(self, problem: Problem, demand: np.ndarray, loyalty: float = 0.0) -> None:
        self.problem = problem
        self.demand = np.asarray(demand, np.float64)
        self.share = potential_share(problem, self.demand)
        self.loyalty = loyalty

    def sweep(self, placed: np.ndarray, nodes: np.ndarray) -> tuple[np.ndarray, int]:
        """Empty and repack each of `nodes` in their order; the new placement (bool [N]) and how many nodes changed."""
        return self._pack(placed, placed, nodes, empty=True)

    def fill(self, placed: np.ndarray, before: np.ndarray, nodes: np.ndarray) -> np.ndarray:
        """`placed` and what still fits at `nodes`, best first; nothing is taken off. `before` is what was in place."""
        return self._pack(placed, before, nodes, empty=False)[0]

    def _pack(
        self, placed: np.ndarray, before: np.ndarray, nodes: np.ndarray, empty: bool
    ) -> tuple[np.ndarray, int]:
        problem = self.problem
        now = placed.copy()
        types_ptr, types = problem.types_by_node
        changed = _pack_nodes(
            problem.option_ptr,
            problem.option_item,
            problem.option_saving,
            self.demand,
            self.share,
            problem.node_ptr,
            problem.item_size_bytes,
            problem.budget_bytes,
            problem.item_task,
            problem.type_task,
            types_ptr,
            types,
            np.asarray(nodes, np.int64),
            self.loyalty,
            empty,
            before,
            now,
        )
        return now, changed


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _marginal(
    option_ptr: np.ndarray,
    option_item: np.ndarray,
    option_saving: np.ndarray,
    demand: np.ndarray,
    share: np.ndarray,
    placed: np.ndarray,
    first_item: int,
    last_item: int,
    types: np.ndarray,
    added: np.ndarray,
) -> None:
    """Add to `added` what items first..last would bring each of `types`."""
    rank = np.empty(64, np.int64)
    part = np.empty(64)
    for r in types:
        if demand[r] <= 0.0:
            continue
        first, last = option_ptr[r], option_ptr[r + 1]
        # the placed options in use, best first, and what each takes; the repository has the slack
        used = 0
        slack = 1.0
        for o in range(first, last):
            e = option_item[o]
            if placed[e] and share[e] > 0.0:
                if used == len(rank):
                    rank = np.concatenate((rank, np.empty(used, np.int64)))
                    part = np.concatenate((part, np.empty(used)))
                rank[used] = o
                part[used] = min(share[e], slack)
                slack -= part[used]
                used += 1
                if slack <= 0.0:
                    break
        for o in range(first, last):
            e = option_item[o]
            if used > 0 and slack <= 0.0 and o > rank[used - 1]:
                break
            if e < first_item or e >= last_item or placed[e]:
                continue
            take = share[e]
            gain = min(take, slack) * option_saving[o]
            take -= min(take, slack)
            k = used - 1
            while take > 0.0 and k >= 0 and rank[k] > o:
                gain += min(take, part[k]) * (option_saving[o] - option_saving[rank[k]])
                take -= part[k]
                k -= 1
            added[e] += demand[r] * gain


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _gain_of(
    option_ptr: np.ndarray,
    option_item: np.ndarray,
    option_saving: np.ndarray,
    demand: np.ndarray,
    share: np.ndarray,
    placed: np.ndarray,
    types: np.ndarray,
) -> float:
    total = 0.0
    for r in types:
        room = 1.0
        for o in range(option_ptr[r], option_ptr[r + 1]):
            e = option_item[o]
            if placed[e]:
                take = min(share[e], room)
                total += demand[r] * take * option_saving[o]
                room -= take
                if room <= 0.0:
                    break
    return total


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _pack_nodes(
    option_ptr: np.ndarray,
    option_item: np.ndarray,
    option_saving: np.ndarray,
    demand: np.ndarray,
    share: np.ndarray,
    node_ptr: np.ndarray,
    size_bytes: np.ndarray,
    budget_bytes: np.ndarray,
    item_task: np.ndarray,
    type_task: np.ndarray,
    types_ptr: np.ndarray,
    types_of: np.ndarray,
    nodes: np.ndarray,
    loyalty: float,
    empty: bool,
    before: np.ndarray,
    placed: np.ndarray,
) -> int:
    changed = 0
    added = np.zeros(len(placed))
    for v in nodes:
        first, last = node_ptr[v], node_ptr[v + 1]
        types = types_of[types_ptr[v] : types_ptr[v + 1]]
        kept = placed[first:last].copy()
        old = 0.0
        room = budget_bytes[v]
        if empty:
            old = _gain_of(option_ptr, option_item, option_saving, demand, share, placed, types)
            placed[first:last] = False
        else:
            for e in range(first, last):
                if placed[e]:
                    room -= size_bytes[e]
        added[first:last] = 0.0
        _marginal(option_ptr, option_item, option_saving, demand, share, placed, first, last, types, added)
        while True:
            best, best_worth = -1, 0.0
            for e in range(first, last):
                if placed[e] or size_bytes[e] > room:
                    continue
                worth = added[e] / size_bytes[e]
                if before[e]:
                    worth *= 1.0 + loyalty
                if worth > best_worth:
                    best, best_worth = e, worth
            if best < 0:
                break
            placed[best] = True
            room -= size_bytes[best]
            # only models of the same task are worth something else now
            task = item_task[best]
            for e in range(first, last):
                if item_task[e] == task:
                    added[e] = 0.0
            mine = types[type_task[types] == task]
            _marginal(option_ptr, option_item, option_saving, demand, share, placed, first, last, mine, added)
        if not empty:
            continue
        new = _gain_of(option_ptr, option_item, option_saving, demand, share, placed, types)
        if new <= old * (1.0 + 1e-9):
            placed[first:last] = kept
        else:
            changed += 1
    return changed
