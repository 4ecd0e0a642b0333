"""Greedy for options that need several items: all that an option still needs is placed at once.

A head without its tail earns nothing, so items one by one would never begin. A *bundle* is the set of items of some option;
what it costs is the memory of those that are not there yet, what it earns everything that becomes possible with them.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from placid.problem.arrays import Problem

__all__ = ["fill_with_bundles"]

#: bundles that differ by no more, relatively, are alike: the first is taken, whatever the round-off
_TIE = 1e-9


def fill_with_bundles(
    problem: Problem, demand: np.ndarray, share: np.ndarray, placed: np.ndarray, *, by_density: bool = True
) -> np.ndarray:
    """`placed` (bool [N]) and what greedy adds to it, bundle by bundle, best first; a new array.

    What a bundle adds changes when another that serves the same types is placed; it can rise, as a tail that is there
    makes heads cheaper. So after every step the bundles of all types that were touched are looked at again, no others.
    No ratio is claimed: with options of several items none is possible in general.

    Args:
        demand: float64 [R].
        share: as from `placid.problem.gain.potential_share`.
        by_density: rank by what is added per byte; else by what is added.
    """
    needs = problem.needs
    now = placed.copy()
    room = problem.budget_bytes.astype(np.int64).copy()
    np.subtract.at(room, problem.item_node[now], problem.item_size_bytes[now])
    ptr, options = problem.options_by_item
    _fill(
        problem.option_ptr,
        problem.option_type,
        problem.option_saving,
        needs.ptr,
        needs.item,
        needs.load,
        ptr,
        options,
        problem.item_node,
        problem.item_size_bytes,
        room,
        np.asarray(demand, np.float64),
        share,
        by_density,
        now,
    )
    return now


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _type_gain(
    r: int,
    option_ptr: np.ndarray,
    option_saving: np.ndarray,
    need_ptr: np.ndarray,
    need_item: np.ndarray,
    need_load: np.ndarray,
    share: np.ndarray,
    placed: np.ndarray,
    part: np.ndarray,
) -> float:
    """Of a request of type r, as in `placid.problem.gain`; `part` is scratch."""
    first, last = need_ptr[option_ptr[r]], need_ptr[option_ptr[r + 1]]
    for z in range(first, last):
        part[need_item[z]] = 0.0
    for z in range(first, last):
        e = need_item[z]
        part[e] = max(part[e], share[e] * need_load[z])
    room, value = 1.0, 0.0
    for o in range(option_ptr[r], option_ptr[r + 1]):
        take = room
        for z in range(need_ptr[o], need_ptr[o + 1]):
            e = need_item[z]
            take = min(take, part[e] / need_load[z] if placed[e] else 0.0)
            if take <= 0.0:
                break
        if take <= 0.0:
            continue
        for z in range(need_ptr[o], need_ptr[o + 1]):
            part[need_item[z]] -= take * need_load[z]
        room -= take
        value += take * option_saving[o]
        if room <= 0.0:
            break
    return value


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _fill(
    option_ptr: np.ndarray,
    option_type: np.ndarray,
    option_saving: np.ndarray,
    need_ptr: np.ndarray,
    need_item: np.ndarray,
    need_load: np.ndarray,
    item_ptr: np.ndarray,
    item_options: np.ndarray,
    item_node: np.ndarray,
    size_bytes: np.ndarray,
    room: np.ndarray,
    demand: np.ndarray,
    share: np.ndarray,
    by_density: bool,
    placed: np.ndarray,
) -> None:
    types, count = len(option_ptr) - 1, len(option_type)
    part = np.zeros(len(placed))
    gain = np.zeros(types)
    for r in range(types):
        if demand[r] > 0.0:
            gain[r] = _type_gain(
                r, option_ptr, option_saving, need_ptr, need_item, need_load, share, placed, part
            )
    worth = np.full(count, -1.0)  # of the bundle of each option; below 0 where it has to be computed
    seen, stamp = np.zeros(types, np.int64), 0
    stale = np.ones(types, np.bool_)
    bytes_at = np.zeros(len(room), np.int64)
    while True:
        best, best_worth = -1, 0.0
        for o in range(count):
            if demand[option_type[o]] <= 0.0:
                continue
            # what it still needs has to fit, node by node
            size, fits = 0, True
            for z in range(need_ptr[o], need_ptr[o + 1]):
                e = need_item[z]
                if not placed[e]:
                    size += size_bytes[e]
                    bytes_at[item_node[e]] += size_bytes[e]
                    fits = fits and bytes_at[item_node[e]] <= room[item_node[e]]
            for z in range(need_ptr[o], need_ptr[o + 1]):
                bytes_at[item_node[need_item[z]]] = 0
            if size == 0 or not fits:
                continue
            again = worth[o] < 0.0
            if not again:
                for z in range(need_ptr[o], need_ptr[o + 1]):
                    e = need_item[z]
                    if placed[e]:
                        continue
                    for i in range(item_ptr[e], item_ptr[e + 1]):
                        if stale[option_type[item_options[i]]]:
                            again = True
                            break
                    if again:
                        break
            if again:
                worth[o] = 0.0
                stamp += 1
                # put them there, look at every type that any of them serves, and take them away again
                first, last = need_ptr[o], need_ptr[o + 1]
                fresh = np.empty(last - first, np.int64)
                new = 0
                for z in range(first, last):
                    if not placed[need_item[z]]:
                        fresh[new] = need_item[z]
                        new += 1
                        placed[need_item[z]] = True
                for n in range(new):
                    for i in range(item_ptr[fresh[n]], item_ptr[fresh[n] + 1]):
                        r = option_type[item_options[i]]
                        if seen[r] != stamp and demand[r] > 0.0:
                            seen[r] = stamp
                            after = _type_gain(
                                r,
                                option_ptr,
                                option_saving,
                                need_ptr,
                                need_item,
                                need_load,
                                share,
                                placed,
                                part,
                            )
                            worth[o] += demand[r] * (after - gain[r])
                for n in range(new):
                    placed[fresh[n]] = False
                worth[o] = max(worth[o], 0.0)
            value = worth[o] / size if by_density else worth[o]
            if value > best_worth * (1.0 + _TIE):
                best, best_worth = o, value
        if best < 0:
            return
        stale[:] = False
        for z in range(need_ptr[best], need_ptr[best + 1]):
            e = need_item[z]
            if not placed[e]:
                placed[e] = True
                room[item_node[e]] -= size_bytes[e]
                for i in range(item_ptr[e], item_ptr[e + 1]):
                    stale[option_type[item_options[i]]] = True
        for r in range(types):
            if stale[r] and demand[r] > 0.0:
                gain[r] = _type_gain(
                    r, option_ptr, option_saving, need_ptr, need_item, need_load, share, placed, part
                )
