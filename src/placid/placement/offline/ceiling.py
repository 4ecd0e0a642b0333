"""Ceilings: upper bounds on the gain of every placement, from prices, by weak duality.

Let x be any placement within the budgets and f any flows by option that respect it, the serving rule's among them: with
d_r the demand of type r, L_e the capacity of item e, s_o the saving of option o = (r, e), z_e the size of e and b_v the
budget of its node v,

    sum_{o of r} f_o <= d_r,    sum_{o on e} f_o <= L_e x_e,    f_o <= min(d_r, L_e) x_e,    sum_{e at v} z_e x_e <= b_v.

For any prices u_r, p_e, l_v >= 0 add to the gain what the first, second and fourth leave over, which is >= 0:

    gain = sum s_o f_o  <=  sum u_r d_r + sum l_v b_v + sum_o (s_o - u_r - p_e) f_o + sum_e (L_e p_e - l_v z_e) x_e
                        <=  sum u_r d_r + sum l_v b_v + sum_e x_e q_e
                        <=  sum u_r d_r + sum l_v b_v + sum_e max(0, q_e),
    q_e = sum_{o on e} min(d_r, L_e) max(0, s_o - u_r - p_e) + L_e p_e - l_v z_e,

where items larger than their node are left out, because x_e = 0 for them (`ceiling_at`). It holds whatever the prices:
prices of the mean demand bound every slot's gain, even that of a placement made for the slot alone.

Given u, the best p and l need no search (`ceiling`). By duality of the two fractional knapsacks that are left,

    min over p_e of the first two terms of q_e = a_e(u) = the most that L_e can earn from w_o = max(0, s_o - u_r) on e,
    min over l_v of l_v b_v + sum max(0, a_e - l_v z_e) = the fractional knapsack of node v with values a_e(u),

so that ``D(u) = sum u_r d_r + sum_v knapsack_v(a(u))`` is never above the bound with other p and l. D is convex; its least
value is the linear program's (`placid.placement.offline.lp`), and `tighten` walks towards it.

**Options that need several items** (`placid.problem.arrays.Chains`): with q_oe what a request of option o is of the capacity
of item e, ``m_o = min(d_r, min_e L_e / q_oe)``, and any parts ``t_oe >= 0`` with ``sum_{e of o} t_oe = 1``, f_o is at most
``m_o sum_e t_oe x_e``, since it is at most m_o x_e for each. The same steps as above then give

    gain <= sum u_r d_r + sum_v knapsack_v(a),
    a_e = L_e p_e + sum_{o needs e} t_oe m_o max(0, s_o - u_r - sum_{e' of o} q_oe' p_e'),

for any prices u, p >= 0 and parts t: which items of a chain its worth is booked on. The linear program has all of them.

**Limits** of links and processors (`placid.problem.limits`): at any prices of theirs the problem becomes one without limits,
and a bound on its gain bounds the worth within the limits (`placid.problem.pricing`).

Types without options (those that no repository reaches among them) earn nothing and count nothing, whatever their price.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from placid.problem.arrays import Problem
from placid.problem.pricing import priced
from placid.problem.within import reference_worth

__all__ = ["Prices", "ceiling", "ceiling_at", "slot_ceiling", "tighten"]


@dataclass(frozen=True)
class Prices:
    """What one unit more of each scarce thing would add to the best gain.

    Attributes:
        demand: float64 [R], >= 0; of a request of each type.
        capacity: float64 [N], >= 0; of a request that an item could answer more.
        memory: float64 [V], >= 0; of a byte at each node.
        split: float64 [Z]; where options need several items, the parts in which the worth of an option is booked on them,
            1 in all over an option; None for equal parts.
        limits: float64 [M], >= 0; where the problem has limits, of each of them for a slot, 0 for budgets. The other prices
            are then those of the problem at these (`placid.problem.pricing`). None for 0.
    """

    demand: np.ndarray
    capacity: np.ndarray
    memory: np.ndarray
    split: np.ndarray | None = None
    limits: np.ndarray | None = None


def ceiling(problem: Problem, demand: np.ndarray, prices: Prices) -> float:
    """No placement earns more than this in a slot with `demand` ([R]), however requests are routed.

    Reads the prices of demand only; those of capacity and memory are set anew, as low as they can be. O(K log K) at
    worst, O(K) where few types share an item. Where options need several items, only those of memory are set anew.
    With limits the gain is that of `placid.problem.within`.
    """
    if problem.limits is not None:
        return slot_ceiling(problem, prices)(demand)
    if problem.chains is not None:
        return _chain_ceiling(problem, demand.astype(np.float64), prices)
    return float(_evaluate(problem, demand.astype(np.float64), prices.demand)[0])


def slot_ceiling(problem: Problem, prices: Prices) -> Callable[[np.ndarray], float]:
    """`ceiling` at `prices` as a function of the demand; what follows from the prices alone is worked out once."""
    if problem.limits is None:
        return lambda demand: ceiling(problem, demand, prices)
    scarce = problem.limits.unpriced if prices.limits is None else prices.limits
    seen = priced(problem, scarce)
    inner = replace(prices, limits=None)
    if problem.chains is not None and prices.split is not None:
        ptr = problem.chains.ptr
        counts = np.diff(ptr)[seen.option]
        place = np.arange(int(counts.sum())) + np.repeat(
            ptr[seen.option] - (np.cumsum(counts) - counts), counts
        )
        inner = replace(inner, split=prices.split[place])

    def at(demand: np.ndarray) -> float:
        d = demand.astype(np.float64)
        worth = seen.worth_bound(d, lambda plain: ceiling(plain, d, inner))
        return worth - reference_worth(problem, d)

    return at


def ceiling_at(problem: Problem, demand: np.ndarray, prices: Prices) -> float:
    """The bound at exactly these prices: valid too, never below `ceiling`. O(K)."""
    d = demand.astype(np.float64)
    most = np.minimum(d[problem.option_type], problem.item_capacity[problem.option_item])
    left = problem.option_saving - prices.demand[problem.option_type] - prices.capacity[problem.option_item]
    q = np.bincount(problem.option_item, weights=most * np.maximum(left, 0.0), minlength=problem.item_count)
    q = q + problem.item_capacity * prices.capacity - prices.memory[problem.item_node] * problem.item_size
    total = q[problem.placeable & (q > 0)].sum() + prices.memory @ problem.budget_bytes
    return float(total + _has_options(problem) @ (prices.demand * d))


def tighten(
    problem: Problem, demand: np.ndarray, prices: Prices, steps: int, target: float
) -> tuple[float, Prices]:
    """The least ceiling met in `steps` subgradient steps on the prices of demand, and the prices where it was met.

    A subgradient of D at u is the demand less what the two knapsacks serve; steps are Polyak's with `target`, a gain
    that is known to be reached, and shrink when the ceiling rises. O(K log K) a step. Where options need several items
    or there are limits, nothing is searched: the ceiling at `prices`.
    """
    if problem.chains is not None or problem.limits is not None:
        return ceiling(problem, demand, prices), prices
    d = demand.astype(np.float64)
    u = np.where(_has_options(problem), prices.demand, 0.0)
    best, served, p, memory = _evaluate(problem, d, u)
    found = Prices(u, p, memory)
    value, length, since = best, 1.0, 0
    for _ in range(steps):
        slope = d - served
        slope[(u <= 0) & (slope > 0)] = 0.0
        norm = float(slope @ slope)
        if norm <= 0 or best <= target:
            break
        u = np.maximum(0.0, u - length * (value - target) / norm * slope)
        value, served, p, memory = _evaluate(problem, d, u)
        since += 1
        if value < best:
            best, found, since = value, Prices(u, p, memory), 0
        elif since >= 5:
            u, length, since = found.demand, length / 2, 0
            value, served, p, memory = _evaluate(problem, d, u)
    return float(best), found


def _chain_ceiling(problem: Problem, demand: np.ndarray, prices: Prices) -> float:
    needs, types = problem.needs, problem.option_type
    total = float(_has_options(problem) @ (prices.demand * demand))
    if not problem.option_count:
        return total
    counts = np.diff(needs.ptr)
    kind = np.repeat(types, counts)
    priced = np.add.reduceat(needs.load * prices.capacity[needs.item], needs.ptr[:-1])
    can = np.where(problem.placeable, problem.item_capacity, 0.0)[needs.item] / needs.load
    most = np.minimum(demand[types], np.minimum.reduceat(can, needs.ptr[:-1]))
    worth = most * np.maximum(0.0, problem.option_saving - prices.demand[types] - priced)
    split = 1.0 / np.repeat(counts, counts) if prices.split is None else prices.split
    booked = np.bincount(needs.item, weights=split * np.repeat(worth, counts), minlength=problem.item_count)
    asked = np.bincount(needs.item, weights=demand[kind] > 0, minlength=problem.item_count) > 0
    booked += np.where(asked & problem.placeable, problem.item_capacity * prices.capacity, 0.0)
    return total + float(
        _fractional_knapsacks(problem.node_ptr, problem.item_size_bytes, problem.budget_bytes, booked)
    )


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _fractional_knapsacks(
    node_ptr: np.ndarray, size_bytes: np.ndarray, budget_bytes: np.ndarray, worth: np.ndarray
) -> float:
    total = 0.0
    for v in range(len(budget_bytes)):
        first, last = node_ptr[v], node_ptr[v + 1]
        room = float(budget_bytes[v])
        for i in np.argsort(-worth[first:last] / size_bytes[first:last]):
            e = first + i
            if worth[e] <= 0.0 or room <= 0.0:
                break
            if size_bytes[e] > budget_bytes[v]:
                continue
            part = min(1.0, room / size_bytes[e])
            total += part * worth[e]
            room -= part * size_bytes[e]
    return total


def _evaluate(
    problem: Problem, demand: np.ndarray, u: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """D(u), what the knapsacks serve of each type [R], and the best prices of capacity [N] and memory [V] at u."""
    ptr, options = problem.options_by_item
    served = np.zeros(problem.type_count)
    capacity_price = np.zeros(problem.item_count)
    memory_price = np.zeros(problem.node_count)
    value = float(_has_options(problem) @ (u * demand)) + _knapsacks(
        ptr,
        options,
        problem.option_type,
        problem.option_saving,
        problem.item_capacity,
        problem.item_size_bytes,
        problem.node_ptr,
        problem.budget_bytes,
        demand,
        u,
        served,
        capacity_price,
        memory_price,
    )
    return value, served, capacity_price, memory_price


def _has_options(problem: Problem) -> np.ndarray:
    return np.diff(problem.option_ptr) > 0


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _knapsacks(
    ptr: np.ndarray,
    options: np.ndarray,
    option_type: np.ndarray,
    option_saving: np.ndarray,
    capacity: np.ndarray,
    size_bytes: np.ndarray,
    node_ptr: np.ndarray,
    budget_bytes: np.ndarray,
    demand: np.ndarray,
    u: np.ndarray,
    served: np.ndarray,
    capacity_price: np.ndarray,
    memory_price: np.ndarray,
) -> float:
    """Sum over nodes of the fractional knapsack whose values are the items' fractional knapsacks."""
    total = 0.0
    worth = np.zeros(len(capacity))
    widest = 0
    for e in range(len(capacity)):
        widest = max(widest, ptr[e + 1] - ptr[e])
    wide = 0
    for v in range(len(budget_bytes)):
        wide = max(wide, node_ptr[v + 1] - node_ptr[v])
    kept = np.empty(widest, np.int64)
    left = np.empty(widest)
    kept_items = np.empty(wide, np.int64)
    density = np.empty(wide)
    for v in range(len(budget_bytes)):
        items = 0
        for e in range(node_ptr[v], node_ptr[v + 1]):
            if size_bytes[e] > budget_bytes[v]:
                continue
            worth[e] = _item_worth(
                e, ptr, options, option_type, option_saving, capacity, demand, u, kept, left, capacity_price
            )
            if worth[e] > 0.0:
                kept_items[items] = e
                density[items] = -worth[e] / size_bytes[e]
                items += 1
        room = float(budget_bytes[v])
        for i in np.argsort(density[:items]):
            e = kept_items[i]
            part = min(1.0, room / size_bytes[e])
            total += part * worth[e]
            room -= part * size_bytes[e]
            _add_served(
                e, part, ptr, options, option_type, option_saving, capacity, demand, u, capacity_price, served
            )
            if part < 1.0:
                memory_price[v] = -density[i]
                break
    return total


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _item_worth(
    e: int,
    ptr: np.ndarray,
    options: np.ndarray,
    option_type: np.ndarray,
    option_saving: np.ndarray,
    capacity: np.ndarray,
    demand: np.ndarray,
    u: np.ndarray,
    kept: np.ndarray,
    left: np.ndarray,
    capacity_price: np.ndarray,
) -> float:
    """The most that item e can earn at prices u; sets its price of capacity to the saving at which it is full."""
    count, asked, value = 0, 0.0, 0.0
    for i in range(ptr[e], ptr[e + 1]):
        o = options[i]
        r = option_type[o]
        w = option_saving[o] - u[r]
        if w > 0.0 and demand[r] > 0.0:
            take = min(demand[r], capacity[e])
            kept[count] = o
            left[count] = -w
            count += 1
            asked += take
            value += take * w
    if asked <= capacity[e]:
        return value
    room, value = capacity[e], 0.0
    for i in np.argsort(left[:count]):
        take = min(demand[option_type[kept[i]]], room)
        value -= take * left[i]
        room -= take
        if room <= 0.0:
            capacity_price[e] = -left[i]
            break
    return value


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _add_served(
    e: int,
    part: float,
    ptr: np.ndarray,
    options: np.ndarray,
    option_type: np.ndarray,
    option_saving: np.ndarray,
    capacity: np.ndarray,
    demand: np.ndarray,
    u: np.ndarray,
    capacity_price: np.ndarray,
    served: np.ndarray,
) -> None:
    """Add the flows behind `_item_worth`, times `part`, to `served`: above its price all, at its price what is left."""
    room, price, level = capacity[e], capacity_price[e], 0.0
    for i in range(ptr[e], ptr[e + 1]):
        o = options[i]
        r = option_type[o]
        w = option_saving[o] - u[r]
        if w <= 0.0 or demand[r] <= 0.0:
            continue
        take = min(demand[r], capacity[e])
        if w > price:
            served[r] += part * take
            room -= take
        elif w == price:
            level += take
    if level > 0.0 and room > 0.0:
        # any split among ties is a subgradient; in proportion treats them alike
        scale = min(1.0, room / level)
        for i in range(ptr[e], ptr[e + 1]):
            o = options[i]
            r = option_type[o]
            if option_saving[o] - u[r] == price and demand[r] > 0.0 and price > 0.0:
                served[r] += part * scale * min(demand[r], capacity[e])
