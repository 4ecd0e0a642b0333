"""The concave gain that INFIDA climbs, and its supergradient.

For a fractional placement y in [0, 1]^N and one slot's demand d, item e offers each type r the *potential capacity*
``l_re = d_r * share_e``, where ``share_e = min(1, L_e / sum of the demand of all types that have e as an option)``. The
types' parts of an item add up to at most its capacity L_e, so what they promise together can be kept, and l_re <= d_r, so
the rounding keeps its factor (Si Salem et al., ToN 2024, eqs. of section III: potential available capacity, gain).

With savings ``s_1 >= s_2 >= ... >= s_K > s_{K+1} = 0`` (the repository) and ``Z_k = min(1, sum_{j<=k} share_j y_j)``:

    gain_r(y) = d_r * sum_k (s_k - s_{k+1}) Z_k.

It is concave in y, and at a 0/1 placement it is the gain of serving with every type kept to its own part
(`partitioned_gain`).

Where options need several items (`placid.problem.arrays.Chains`) the parts are the same, counted in requests that reach the
item; a type fills its options cheapest first, each as far as the parts of all its items go. The concave gain is then
another one, over columns: `placid.placement.columns`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from placid.problem.arrays import Problem

__all__ = ["partitioned_gain", "potential_share", "relaxed_gain", "supergradient", "type_gain"]


def potential_share(problem: Problem, demand: np.ndarray) -> np.ndarray:
    """share_e in (0, 1] for every item, float64 [N]: the part of each type's demand that the item could take. O(K)."""
    if problem.chains is None:
        asked = _asked(problem.option_ptr, problem.option_item, demand, problem.item_count)
    else:
        asked = _asked_chains(
            problem.option_ptr,
            problem.chains.ptr,
            problem.chains.item,
            problem.chains.load,
            demand,
            problem.item_count,
        )
    return np.minimum(1.0, problem.item_capacity / np.maximum(asked, 1e-300))


def relaxed_gain(problem: Problem, demand: np.ndarray, share: np.ndarray, y: np.ndarray) -> float:
    """The concave gain at `y` (float64 [N] in [0, 1]) for `demand` ([R]). O(K)."""
    return float(_gain(problem.option_ptr, problem.option_item, problem.option_saving, demand, share, y))


def partitioned_gain(problem: Problem, demand: np.ndarray, share: np.ndarray, placed: np.ndarray) -> float:
    """The gain of serving with `placed` (bool [N]) when every type is kept to its part of each item. O(K)."""
    if problem.chains is None:
        return relaxed_gain(problem, demand, share, placed.astype(np.float64))
    return float(
        _gain_chains(
            problem.option_ptr,
            problem.chains.ptr,
            problem.chains.item,
            problem.chains.load,
            problem.option_saving,
            demand,
            share,
            placed,
        )
    )


def supergradient(
    problem: Problem, demand: np.ndarray, share: np.ndarray, y: np.ndarray, out: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """The gain at `y` and a supergradient g there: ``gain(z) <= gain(y) + g @ (z - y)`` for every z. O(K).

    ``g_e = sum_r d_r share_e (s_e - s_K*)+``, where K* is the first rank at which the capacity met reaches the demand
    (the repository, saving 0, if none does).
    """
    g = np.zeros(problem.item_count) if out is None else out
    value = _supergradient(
        problem.option_ptr, problem.option_item, problem.option_saving, demand, share, y, g
    )
    return float(value), g


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _asked(option_ptr: np.ndarray, option_item: np.ndarray, demand: np.ndarray, items: int) -> np.ndarray:
    asked = np.zeros(items)
    for r in range(len(option_ptr) - 1):
        if demand[r] > 0:
            for o in range(option_ptr[r], option_ptr[r + 1]):
                asked[option_item[o]] += demand[r]
    return asked


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _gain(
    option_ptr: np.ndarray,
    option_item: np.ndarray,
    option_saving: np.ndarray,
    demand: np.ndarray,
    share: np.ndarray,
    y: np.ndarray,
) -> float:
    total = 0.0
    for r in range(len(option_ptr) - 1):
        if demand[r] <= 0:
            continue
        room = 1.0
        value = 0.0
        for o in range(option_ptr[r], option_ptr[r + 1]):
            e = option_item[o]
            take = share[e] * y[e]
            if take >= room:
                value += room * option_saving[o]
                break
            value += take * option_saving[o]
            room -= take
        total += demand[r] * value
    return total


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _supergradient(
    option_ptr: np.ndarray,
    option_item: np.ndarray,
    option_saving: np.ndarray,
    demand: np.ndarray,
    share: np.ndarray,
    y: np.ndarray,
    g: np.ndarray,
) -> float:
    total = 0.0
    for r in range(len(option_ptr) - 1):
        if demand[r] <= 0:
            continue
        first, last = option_ptr[r], option_ptr[r + 1]
        room = 1.0
        value = 0.0
        stop = last
        met = 0.0
        for o in range(first, last):
            e = option_item[o]
            take = share[e] * y[e]
            if take >= room:
                value += room * option_saving[o]
                stop = o
                met = option_saving[o]
                break
            value += take * option_saving[o]
            room -= take
        total += demand[r] * value
        for o in range(first, stop):
            e = option_item[o]
            g[e] += demand[r] * share[e] * (option_saving[o] - met)
    return total


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _asked_chains(
    option_ptr: np.ndarray,
    need_ptr: np.ndarray,
    need_item: np.ndarray,
    need_load: np.ndarray,
    demand: np.ndarray,
    items: int,
) -> np.ndarray:
    """What all types together could ask of each item: of each type the most that one of its options would."""
    asked = np.zeros(items)
    most = np.zeros(items)
    for r in range(len(option_ptr) - 1):
        if demand[r] <= 0:
            continue
        first, last = need_ptr[option_ptr[r]], need_ptr[option_ptr[r + 1]]
        for z in range(first, last):
            most[need_item[z]] = max(most[need_item[z]], need_load[z])
        for z in range(first, last):
            e = need_item[z]
            asked[e] += demand[r] * most[e]
            most[e] = 0.0
    return asked


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def type_gain(
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
    """Of a request of type r, kept to its part of each item; `part` (float64 [N]) is scratch. For compiled code."""
    first, last = need_ptr[option_ptr[r]], need_ptr[option_ptr[r + 1]]
    for z in range(first, last):
        part[need_item[z]] = 0.0
    for z in range(first, last):
        # the type's part of the item, in requests that get there, as a share of its demand
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
def _gain_chains(
    option_ptr: np.ndarray,
    need_ptr: np.ndarray,
    need_item: np.ndarray,
    need_load: np.ndarray,
    option_saving: np.ndarray,
    demand: np.ndarray,
    share: np.ndarray,
    placed: np.ndarray,
) -> float:
    total = 0.0
    part = np.zeros(len(placed))
    for r in range(len(option_ptr) - 1):
        if demand[r] > 0:
            total += demand[r] * type_gain(
                r, option_ptr, option_saving, need_ptr, need_item, need_load, share, placed, part
            )
    return total
