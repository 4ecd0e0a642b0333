"""Greedy for options that need several items: all that an option still needs is placed at once.

A head without its tail earns nothing, so items one by one would never begin. A *bundle* is the set of items of some option;
what it costs is the memory of those that are not there yet, what it earns everything that becomes possible with them.
"""

from __future__ import annotations

import heapq

import numpy as np
from numba import njit

from placid.problem.arrays import Problem
from placid.problem.gain import type_gain

__all__ = ["fill_with_bundles"]


def fill_with_bundles(
    problem: Problem,
    demand: np.ndarray,
    share: np.ndarray,
    placed: np.ndarray,
    *,
    by_density: bool = True,
    before: np.ndarray | None = None,
    loyalty: float = 0.0,
) -> np.ndarray:
    """`placed` (bool [N]) and what greedy adds to it, bundle by bundle, best first; a new array.

    What a bundle adds changes when another that serves the same types is placed; it can rise, as a tail that is there
    makes heads cheaper. So after every step the bundles that serve a type that was touched are looked at again, no others.
    No ratio is claimed: with options of several items none is possible in general.

    Args:
        demand: float64 [R].
        share: as from `placid.problem.gain.potential_share`.
        by_density: rank by what is added per byte; else by what is added.
        before: bool [N]; items that were in place and need no loading: each byte of theirs counts as ``1 / (1 + loyalty)``.
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
        1.0 / (1.0 + loyalty * (before if before is not None else np.zeros(problem.item_count))),
        now,
    )
    return now


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _missing(
    o: int,
    need_ptr: np.ndarray,
    need_item: np.ndarray,
    item_node: np.ndarray,
    size_bytes: np.ndarray,
    weight: np.ndarray,
    room: np.ndarray,
    placed: np.ndarray,
    bytes_at: np.ndarray,
) -> tuple[float, bool]:
    """Weighted bytes of what option o still needs, and whether it fits; `bytes_at` [V] is scratch, 0 before and after."""
    size, fits = 0.0, True
    for z in range(need_ptr[o], need_ptr[o + 1]):
        e = need_item[z]
        if not placed[e]:
            size += weight[e] * size_bytes[e]
            bytes_at[item_node[e]] += size_bytes[e]
            fits = fits and bytes_at[item_node[e]] <= room[item_node[e]]
    for z in range(need_ptr[o], need_ptr[o + 1]):
        bytes_at[item_node[need_item[z]]] = 0
    return size, fits


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _worth(
    o: int,
    option_ptr: np.ndarray,
    option_type: np.ndarray,
    option_saving: np.ndarray,
    need_ptr: np.ndarray,
    need_item: np.ndarray,
    need_load: np.ndarray,
    item_ptr: np.ndarray,
    item_options: np.ndarray,
    demand: np.ndarray,
    share: np.ndarray,
    gain: np.ndarray,
    placed: np.ndarray,
    part: np.ndarray,
    seen: np.ndarray,
    stamp: int,
) -> float:
    """What the bundle of option o adds: put it there, look at every type that it serves, and take it away again."""
    worth = 0.0
    fresh = np.empty(need_ptr[o + 1] - need_ptr[o], np.int64)
    new = 0
    for z in range(need_ptr[o], need_ptr[o + 1]):
        if not placed[need_item[z]]:
            fresh[new] = need_item[z]
            new += 1
            placed[need_item[z]] = True
    for n in range(new):
        for i in range(item_ptr[fresh[n]], item_ptr[fresh[n] + 1]):
            r = option_type[item_options[i]]
            if seen[r] != stamp and demand[r] > 0.0:
                seen[r] = stamp
                after = type_gain(
                    r, option_ptr, option_saving, need_ptr, need_item, need_load, share, placed, part
                )
                worth += demand[r] * (after - gain[r])
    for n in range(new):
        placed[fresh[n]] = False
    return worth


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
    weight: np.ndarray,
    placed: np.ndarray,
) -> None:
    types, count = len(option_ptr) - 1, len(option_type)
    part = np.zeros(len(placed))
    gain = np.zeros(types)
    for r in range(types):
        if demand[r] > 0.0:
            gain[r] = type_gain(
                r, option_ptr, option_saving, need_ptr, need_item, need_load, share, placed, part
            )
    seen, stamp = np.zeros(types, np.int64), 0
    version = np.zeros(count, np.int64)
    touched = np.zeros(count, np.int64)  # the step that last asked for an option to be looked at again
    step = 1
    heap = [(0.0, 0, 0) for _ in range(0)]
    again = list(range(count))
    bytes_at = np.zeros(len(room), np.int64)
    least = 0.0
    while True:
        for o in again:
            version[o] += 1
            if demand[option_type[o]] <= 0.0:
                continue
            size, fits = _missing(
                o, need_ptr, need_item, item_node, size_bytes, weight, room, placed, bytes_at
            )
            if size == 0.0 or not fits:
                continue
            stamp += 1
            worth = _worth(
                o,
                option_ptr,
                option_type,
                option_saving,
                need_ptr,
                need_item,
                need_load,
                item_ptr,
                item_options,
                demand,
                share,
                gain,
                placed,
                part,
                seen,
                stamp,
            )
            value = worth / size if by_density else worth
            if value > least:
                heapq.heappush(heap, (-value, o, version[o]))
        if step == 1 and len(heap):
            least = -1e-12 * heap[0][0]  # below this a gain is round-off of what it is the difference of
        best = -1
        while len(heap):
            _, o, of = heapq.heappop(heap)
            if of != version[o]:
                continue  # looked at again since
            _, fits = _missing(o, need_ptr, need_item, item_node, size_bytes, weight, room, placed, bytes_at)
            if fits:
                best = o
                break
        if best < 0:
            return
        step += 1
        again.clear()
        stamp += 1
        for z in range(need_ptr[best], need_ptr[best + 1]):
            e = need_item[z]
            if placed[e]:
                continue
            placed[e] = True
            room[item_node[e]] -= size_bytes[e]
            for i in range(item_ptr[e], item_ptr[e + 1]):
                r = option_type[item_options[i]]
                if seen[r] == stamp or demand[r] <= 0.0:
                    continue
                seen[r] = stamp
                gain[r] = -1.0  # below, once everything is in place
        for r in range(types):
            if gain[r] >= 0.0:
                continue
            gain[r] = type_gain(
                r, option_ptr, option_saving, need_ptr, need_item, need_load, share, placed, part
            )
            # whatever serves this type is worth something else now
            for z in range(need_ptr[option_ptr[r]], need_ptr[option_ptr[r + 1]]):
                e = need_item[z]
                if placed[e]:
                    continue
                for i in range(item_ptr[e], item_ptr[e + 1]):
                    if touched[item_options[i]] != step:
                        touched[item_options[i]] = step
                        again.append(item_options[i])
