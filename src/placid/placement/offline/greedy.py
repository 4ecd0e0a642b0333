"""Greedy: place the item that adds most per byte, again and again."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from time import perf_counter
from typing import ClassVar

import numpy as np
from numba import njit

from placid.placement.offline.base import Solution, Solver, Status, check_demand, solution_of
from placid.placement.offline.bundles import fill_with_bundles
from placid.placement.offline.ceiling import Prices, tighten
from placid.problem.arrays import Problem
from placid.problem.gain import partitioned_gain, potential_share
from placid.problem.placement import empty_placement
from placid.problem.serving import serve

__all__ = ["Greedy", "complete", "served_prices"]


@dataclass(frozen=True)
class Greedy(Solver):
    """The better of two lazy greedy placements on the concave gain: by gain per byte, and by gain alone.

    When to use it: always, as the first thing to compare with; well under a second where the MILP needs minutes.
    Cost: O(K + N log N) plus the marginal gains looked at again, which are few: the gain is submodular, so a marginal
    gain that was computed earlier is an upper bound now and only the top of the heap is ever looked at.

    Guarantee, on the *partitioned* gain g (monotone, submodular, one knapsack per node), against its optimum O. Let D be
    the greedy by density, P the one by gain, m_v the sum of the marginal gains that D collected at node v.

    - An item of O at v that D skipped, of size at most beta times the budget b_v, did not fit: items of more than
      (1 - beta) b_v bytes lay there already, all of at least its density. So the skipped items of O at v, at most b_v
      bytes, add at most m_v / (1 - beta), and g(O) <= g(D) + sum_v m_v / (1 - beta):
      **g(D) >= (1 - beta) / (2 - beta) g(O)**; 1/2 for small items, 1/3 if none takes more than half its node.
    - Items of O larger than half their node are at most one a node; when P skipped it, P had something there, and the
      first thing it placed there added at least as much. So g(O_large) <= 2 g(P), and with beta = 1/2 above
      g(O_small) <= 3 g(D): **max(g(D), g(P)) >= g(O) / 5**, whatever the sizes.
    - With a single node, max(g(D), g(P)) >= (1 - 1/e)/2 g(O) (Leskovec et al., KDD 2007, theorem 3), because P starts
      with the best single item.

    Where options need several items, what greedy places at once is all that an option still needs
    (`placid.placement.offline.bundles`), and nothing is guaranteed.

    These are worst cases; the solution's gap says how far from the optimum it can be at most here. What is returned is
    the one of larger partitioned gain, then filled up for the demand that the serving rule still sends to the
    repositories; as gains are monotone, filling keeps the ratios.

    Attributes:
        bound_steps: subgradient steps spent on the upper bound; 0 leaves a rough one. Each costs about O(K).
        one_by_one: where options need several items, place single items all the same: a rival that never begins a plan whose
            parts earn nothing alone.
    """

    name: ClassVar[str] = "greedy"
    bound_steps: int = 30
    one_by_one: bool = False

    def solve(self, problem: Problem, demand: np.ndarray) -> Solution:
        started_s = perf_counter()
        demand = check_demand(problem, demand)
        share = potential_share(problem, demand)
        best, best_gain = empty_placement(problem), -1.0
        for by_density in (True, False):
            placed = _run(problem, demand, share, empty_placement(problem), by_density, self.one_by_one)
            gain = partitioned_gain(problem, demand, share, placed)
            if gain > best_gain:
                best, best_gain = placed, gain
        best = complete(problem, demand, best, one_by_one=self.one_by_one)
        value = serve(problem, best, demand).gain
        bound, _ = tighten(problem, demand, served_prices(problem, demand, best), self.bound_steps, value)
        return solution_of(self.name, Status.HEURISTIC, problem, demand, best, bound, started_s)


def complete(
    problem: Problem, demand: np.ndarray, placed: np.ndarray, *, one_by_one: bool = False
) -> np.ndarray:
    """`placed` and what greedy adds to it in the memory that is left, for the demand that it does not serve.

    A new array. Nothing is taken away, so neither gain falls. It ends when nothing more that fits adds anything.
    """
    placed = placed.copy()
    while True:
        left = np.where(problem.repository_node >= 0, serve(problem, placed, demand).repository_load, 0.0)
        added = _run(problem, left, potential_share(problem, left), placed, True, one_by_one)
        if not (added & ~placed).any():
            return placed
        placed = added


def served_prices(problem: Problem, demand: np.ndarray, placed: np.ndarray) -> Prices:
    """Where to look for a bound: a type that still meets the repository costs nothing, others the least they save."""
    outcome = serve(problem, placed, demand, flows=True)
    least = np.full(problem.type_count, np.inf)
    used = outcome.flow > 0
    np.minimum.at(least, problem.option_type[used], problem.option_saving[used])
    u = np.where((outcome.repository_load > 0) | ~np.isfinite(least), 0.0, least)
    return Prices(u, np.zeros(problem.item_count), np.zeros(problem.node_count))


def _run(
    problem: Problem,
    demand: np.ndarray,
    share: np.ndarray,
    placed: np.ndarray,
    by_density: bool,
    one_by_one: bool = False,
) -> np.ndarray:
    """`placed` and what lazy greedy adds; what is placed already takes memory and serves nothing of `demand`."""
    if problem.chains is not None:
        return fill_with_bundles(problem, demand, share, placed, by_density=by_density, one_by_one=one_by_one)
    ptr, options = problem.options_by_item
    placed = placed.copy()
    _lazy_greedy(
        ptr,
        options,
        problem.option_ptr,
        problem.option_type,
        problem.option_item,
        problem.option_saving,
        problem.item_node,
        problem.item_size_bytes,
        problem.budget_bytes.copy(),
        demand,
        share,
        by_density,
        placed,
    )
    return placed


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _lazy_greedy(
    ptr: np.ndarray,
    options: np.ndarray,
    option_ptr: np.ndarray,
    option_type: np.ndarray,
    option_item: np.ndarray,
    option_saving: np.ndarray,
    item_node: np.ndarray,
    size_bytes: np.ndarray,
    room_bytes: np.ndarray,
    demand: np.ndarray,
    share: np.ndarray,
    by_density: bool,
    placed: np.ndarray,
) -> None:
    """Add to `placed` in place; `room_bytes` starts as the budgets and is used up."""
    # the options in use of each type, by rank, from option_ptr[r] on
    chosen = np.empty(len(option_item), np.int32)
    count = np.zeros(len(option_ptr) - 1, np.int64)
    for e in range(len(placed)):
        if placed[e]:
            room_bytes[item_node[e]] -= size_bytes[e]
    heap = [(0.0, 0) for _ in range(0)]
    for e in range(len(placed)):
        if not placed[e] and size_bytes[e] <= room_bytes[item_node[e]]:
            gain = 0.0
            for i in range(ptr[e], ptr[e + 1]):
                gain += demand[option_type[options[i]]] * option_saving[options[i]]
            gain *= share[e]
            if gain > 0.0:
                heap.append((-gain / size_bytes[e] if by_density else -gain, e))
    heapq.heapify(heap)
    # below this a gain is round-off of the sums it is the difference of
    least = -1e-12 * heap[0][0] if len(heap) else 0.0
    while len(heap):
        _, e = heapq.heappop(heap)
        if size_bytes[e] > room_bytes[item_node[e]]:
            continue  # room only shrinks
        gain = _marginal(
            e, ptr, options, option_ptr, option_type, option_item, option_saving, demand, share, chosen, count
        )
        key = gain / size_bytes[e] if by_density else gain
        if key <= least:
            continue
        if len(heap) and (-key, e) > heap[0]:
            heapq.heappush(heap, (-key, e))
            continue
        placed[e] = True
        room_bytes[item_node[e]] -= size_bytes[e]
        for i in range(ptr[e], ptr[e + 1]):
            o = options[i]
            r = option_type[o]
            at = option_ptr[r] + count[r]
            while at > option_ptr[r] and chosen[at - 1] > o:
                chosen[at] = chosen[at - 1]
                at -= 1
            chosen[at] = o
            count[r] += 1


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _marginal(
    e: int,
    ptr: np.ndarray,
    options: np.ndarray,
    option_ptr: np.ndarray,
    option_type: np.ndarray,
    option_item: np.ndarray,
    option_saving: np.ndarray,
    demand: np.ndarray,
    share: np.ndarray,
    chosen: np.ndarray,
    count: np.ndarray,
) -> float:
    """What item e adds to the partitioned gain of the items in use."""
    total = 0.0
    for i in range(ptr[e], ptr[e + 1]):
        o = options[i]
        r = option_type[o]
        if demand[r] <= 0.0:
            continue
        room = 1.0
        at, last = option_ptr[r], option_ptr[r] + count[r]
        while at < last and chosen[at] < o and room > 0.0:
            room -= share[option_item[chosen[at]]]
            at += 1
        if room <= 0.0:
            continue
        take = min(room, share[e])
        value = take * option_saving[o]
        # what comes after it gets less room than before
        before, after = room, room - take
        while at < last and before > 0.0:
            q = chosen[at]
            had, has = min(share[option_item[q]], before), min(share[option_item[q]], after)
            value -= (had - has) * option_saving[q]
            before -= had
            after -= has
            at += 1
        total += demand[r] * value
    return total
