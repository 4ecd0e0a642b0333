"""Greedy for options that need several items: all that an option still needs is placed at once.

A head without its tail earns nothing, so items one by one would never begin. A *bundle* is the set of items of some option;
what it costs is the memory of those that are not there yet, what it earns everything that becomes possible with them.
"""

from __future__ import annotations

import heapq

import numpy as np
from numba import njit

from placid.problem.arrays import Problem

__all__ = ["fill_with_bundles"]


def fill_with_bundles(
    problem: Problem,
    demand: np.ndarray,
    share: np.ndarray,
    placed: np.ndarray,
    *,
    by_density: bool = True,
    one_by_one: bool = False,
    before: np.ndarray | None = None,
    loyalty: float = 0.0,
    without: np.ndarray | None = None,
) -> np.ndarray:
    """`placed` (bool [N]) and what greedy adds to it, bundle by bundle, best first; a new array.

    What a bundle adds falls as others are placed, unless one of them is needed beside it: a tail that is there makes heads
    cheaper, and heads of other devices worth a tail of their own. So after every step the bundles around the items that came
    are looked at again; of the others only those that come to the top of the heap are, as in lazy greedy.
    No ratio is claimed: with options of several items none is possible in general.

    Args:
        demand: float64 [R].
        share: as from `placid.problem.gain.potential_share`.
        by_density: rank by what is added per byte; else by what is added.
        one_by_one: add single items instead, for comparison: a part that earns nothing without another never comes first.
        before: bool [N]; items that were in place and need no loading: each byte of theirs counts as ``1 / (1 + loyalty)``.
        without: bool [N]; items that are not added.
    """
    needs = problem.needs
    now = placed.copy()
    room = problem.budget_bytes.astype(np.int64).copy()
    np.subtract.at(room, problem.item_node[now], problem.item_size_bytes[now])
    ptr, options = problem.options_by_item
    bundle_ptr, bundle_item = problem.bundles
    if one_by_one:
        bundle_item = np.arange(problem.item_count, dtype=np.int32)
        bundle_ptr = np.arange(problem.item_count + 1, dtype=np.int64)
    size_bytes = problem.item_size_bytes
    if without is not None:
        size_bytes = np.where(without, np.iinfo(np.int64).max // 4, size_bytes)  # fits nowhere
    order = np.argsort(bundle_item, kind="stable")
    of_item = np.concatenate(([0], np.cumsum(np.bincount(bundle_item, minlength=problem.item_count))))
    _fill(
        problem.option_ptr,
        problem.option_type,
        problem.option_saving,
        needs.ptr,
        needs.item,
        needs.load,
        ptr,
        options,
        bundle_ptr,
        bundle_item,
        of_item.astype(np.int64),
        np.repeat(np.arange(len(bundle_ptr) - 1, dtype=np.int32), np.diff(bundle_ptr))[order],
        problem.item_node,
        size_bytes,
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
    b: int,
    bundle_ptr: np.ndarray,
    bundle_item: np.ndarray,
    item_node: np.ndarray,
    size_bytes: np.ndarray,
    weight: np.ndarray,
    room: np.ndarray,
    placed: np.ndarray,
    bytes_at: np.ndarray,
) -> tuple[float, bool]:
    """Weighted bytes of what bundle b still needs, and whether it fits; `bytes_at` [V] is scratch, 0 before and after."""
    size, fits = 0.0, True
    for z in range(bundle_ptr[b], bundle_ptr[b + 1]):
        e = bundle_item[z]
        if not placed[e]:
            size += weight[e] * size_bytes[e]
            bytes_at[item_node[e]] += size_bytes[e]
            fits = fits and bytes_at[item_node[e]] <= room[item_node[e]]
    for z in range(bundle_ptr[b], bundle_ptr[b + 1]):
        bytes_at[item_node[bundle_item[z]]] = 0
    return size, fits


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _parts(
    option_ptr: np.ndarray,
    need_ptr: np.ndarray,
    need_item: np.ndarray,
    need_load: np.ndarray,
    share: np.ndarray,
) -> np.ndarray:
    """Of every need its type's part of the item, in requests that get there, as a share of the type's demand."""
    parts, most = np.empty(len(need_item)), np.zeros(len(share))
    for r in range(len(option_ptr) - 1):
        first, last = need_ptr[option_ptr[r]], need_ptr[option_ptr[r + 1]]
        for z in range(first, last):
            most[need_item[z]] = max(most[need_item[z]], share[need_item[z]] * need_load[z])
        for z in range(first, last):
            parts[z] = most[need_item[z]]
        for z in range(first, last):
            most[need_item[z]] = 0.0
    return parts


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _open_gain(
    r: int,
    option_ptr: np.ndarray,
    option_saving: np.ndarray,
    need_ptr: np.ndarray,
    need_item: np.ndarray,
    need_load: np.ndarray,
    parts: np.ndarray,
    lacks: np.ndarray,
    left: np.ndarray,
) -> float:
    """`placid.problem.gain.type_gain` of what is placed, from the options that lack nothing; `left` [N] is scratch."""
    first, last = option_ptr[r], option_ptr[r + 1]
    for o in range(first, last):
        if lacks[o] == 0:
            for z in range(need_ptr[o], need_ptr[o + 1]):
                left[need_item[z]] = parts[z]
    room, value = 1.0, 0.0
    for o in range(first, last):
        if lacks[o] != 0:
            continue
        take = room
        for z in range(need_ptr[o], need_ptr[o + 1]):
            take = min(take, left[need_item[z]] / need_load[z])
        if take <= 0.0:
            continue
        for z in range(need_ptr[o], need_ptr[o + 1]):
            left[need_item[z]] -= take * need_load[z]
        room -= take
        value += take * option_saving[o]
        if room <= 0.0:
            break
    return value


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _opened(
    b: int,
    bundle_ptr: np.ndarray,
    bundle_item: np.ndarray,
    item_ptr: np.ndarray,
    item_options: np.ndarray,
    option_type: np.ndarray,
    demand: np.ndarray,
    placed: np.ndarray,
    lacks: np.ndarray,
    seen: np.ndarray,
    stamp: int,
    types: np.ndarray,
) -> int:
    """Count what bundle b brings as there in `lacks`; how many types it opens an option for, which are in `types` then."""
    found = 0
    for z in range(bundle_ptr[b], bundle_ptr[b + 1]):
        e = bundle_item[z]
        if placed[e]:
            continue
        for i in range(item_ptr[e], item_ptr[e + 1]):
            o = item_options[i]
            lacks[o] -= 1
            r = option_type[o]
            if lacks[o] == 0 and seen[r] != stamp and demand[r] > 0.0:
                seen[r] = stamp
                types[found] = r
                found += 1
    return found


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
    bundle_ptr: np.ndarray,
    bundle_item: np.ndarray,
    of_item: np.ndarray,
    item_bundles: np.ndarray,
    item_node: np.ndarray,
    size_bytes: np.ndarray,
    room: np.ndarray,
    demand: np.ndarray,
    share: np.ndarray,
    by_density: bool,
    weight: np.ndarray,
    placed: np.ndarray,
) -> None:
    parts = _parts(option_ptr, need_ptr, need_item, need_load, share)
    left = np.zeros(len(placed))
    lacks = np.zeros(len(option_type), np.int32)  # items that an option still needs
    for o in range(len(option_type)):
        for z in range(need_ptr[o], need_ptr[o + 1]):
            lacks[o] += not placed[need_item[z]]
    gain = np.zeros(len(option_ptr) - 1)
    for r in range(len(gain)):
        if demand[r] > 0.0:
            gain[r] = _open_gain(
                r, option_ptr, option_saving, need_ptr, need_item, need_load, parts, lacks, left
            )
    bundles = len(bundle_ptr) - 1
    seen, stamp, types = np.zeros(len(gain), np.int64), 0, np.zeros(len(gain), np.int64)
    version = np.zeros(bundles, np.int64)
    looked = np.zeros(bundles, np.int64)  # the step in which a bundle was looked at last
    marked = np.zeros(len(placed), np.int64)  # likewise for items around those that came
    bytes_at = np.zeros(len(room), np.int64)
    heap = [(0.0, 0, 0) for _ in range(0)]
    again = list(range(bundles))
    step, least = 0, 0.0
    while True:
        step += 1
        best = -1
        while best < 0:
            for b in again:
                looked[b] = step
                version[b] += 1
                size, fits = _missing(
                    b, bundle_ptr, bundle_item, item_node, size_bytes, weight, room, placed, bytes_at
                )
                if size == 0.0 or not fits:
                    continue
                stamp += 1
                found = _opened(
                    *(b, bundle_ptr, bundle_item, item_ptr, item_options, option_type, demand),
                    *(placed, lacks, seen, stamp, types),
                )
                worth = 0.0
                for n in range(found):
                    r = types[n]
                    worth += demand[r] * (
                        _open_gain(
                            r, option_ptr, option_saving, need_ptr, need_item, need_load, parts, lacks, left
                        )
                        - gain[r]
                    )
                for z in range(bundle_ptr[b], bundle_ptr[b + 1]):
                    e = bundle_item[z]
                    if not placed[e]:
                        for i in range(item_ptr[e], item_ptr[e + 1]):
                            lacks[item_options[i]] += 1
                value = worth / size if by_density else worth
                if value > least:
                    heapq.heappush(heap, (-value, b, version[b]))
            again.clear()
            if step == 1 and least == 0.0 and len(heap):
                least = -1e-12 * heap[0][0]  # below this a gain is round-off of what it is the difference of
            if not len(heap):
                return
            _, b, of = heapq.heappop(heap)
            if of != version[b]:
                continue  # looked at again since
            if looked[b] != step:
                again.append(b)  # what it adds may have fallen since
            else:
                best = b
        stamp += 1
        found = _opened(
            *(best, bundle_ptr, bundle_item, item_ptr, item_options, option_type, demand),
            *(placed, lacks, seen, stamp, types),
        )
        for n in range(found):
            r = types[n]
            gain[r] = _open_gain(
                r, option_ptr, option_saving, need_ptr, need_item, need_load, parts, lacks, left
            )
        for z in range(bundle_ptr[best], bundle_ptr[best + 1]):
            e = bundle_item[z]
            if placed[e]:
                continue
            placed[e] = True
            room[item_node[e]] -= size_bytes[e]
            # bundles of what some option needs beside e
            for i in range(item_ptr[e], item_ptr[e + 1]):
                for y in range(need_ptr[item_options[i]], need_ptr[item_options[i] + 1]):
                    other = need_item[y]
                    if marked[other] == step or (placed[other] and other != e):
                        continue
                    marked[other] = step
                    for j in range(of_item[other], of_item[other + 1]):
                        if looked[item_bundles[j]] != -step:
                            looked[item_bundles[j]] = -step
                            again.append(item_bundles[j])
