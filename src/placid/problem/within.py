"""The serving rule within limits: which way answers which request, where links and processors can be full.

What is best for all is a linear program (`placid.placement.offline.slot_program`). This is the quick way, by prices: a
request of way w pays ``paid_w = sum_m share_wm price_m``, and is worth ``s_w = worth_w - paid_w`` to everybody. Ways go in
falling order of what they save at these prices against the repository, or against a refusal where the repository is worth
less than nothing; the repository comes after what saves, then what is dearer than it. Each takes as many of its type's
requests as its items *and its limits* have room for, so no limit is ever exceeded. At prices 0 and with limits that do not
bind this is `placid.problem.serving`, to the last digit.

The prices are learned. Filling the same order as if no limit were there gives the load that the prices call for; what a
limit is asked beyond 1 is a subgradient of

    D(price) = sum_m price_m + the worth, less what is paid, of that filling,

which by weak duality is no less than the worth within the limits, as far as the filling is the best for its prices (exactly,
where items do not bind). A step takes Polyak's length, from D to the best filling within the limits so far. Prices start
where the slot before ended, so a few rounds do, and none is needed where nothing binds.

Budgets that hold in the long run have prices too, but fixed in the slot: a way that is worth less than it pays for them is
not used. Between slots such a price moves by (load - 1) of its scale over its patience, and stays at 0 or above: that is the
virtual queue Q of drift plus penalty, in money, Q / V (Neely, Stochastic Network Optimization, 2010, chapter 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from placid.problem.arrays import Problem
from placid.problem.limits import Limits
from placid.problem.serving import Outcome

__all__ = ["Within", "reference_worth", "serve_within"]

#: prices are not improved further once the worth is this near to D, relatively
_NEAR = 1e-6


@dataclass(frozen=True)
class Within:
    """What one slot of serving within limits came to.

    Attributes:
        outcome: as without limits; its gain is what the slot costs less than if only repositories answered, within the same
            hard limits and without budgets (`reference_worth`), with what refusals cost counted on both sides.
        refused: float64 [R]; requests of each type that nobody answered though a repository is reached.
        load: float64 [M]; what was taken, in parts of each limit; at most 1 where the limit is hard.
        prices: float64 [M]; with which the next slot begins.
        worth: cost of refusing everything minus cost now.
        flow: float64 [K + R]; requests by way.
    """

    outcome: Outcome
    refused: np.ndarray
    load: np.ndarray
    prices: np.ndarray
    worth: float
    flow: np.ndarray


def serve_within(
    problem: Problem, placed: np.ndarray, demand: np.ndarray, prices: np.ndarray | None = None
) -> Within:
    """One slot: `demand` (requests by type, [R]) against `placed` (bool [N]) within the limits of `problem`.

    O(K) to find what is in place, then O(n log n) a round for the n ways that are.

    Args:
        prices: float64 [M], as left by the slot before; none for 0.
    """
    limits = _limits(problem)
    before = limits.unpriced if prices is None else prices
    demand = demand.astype(np.float64)
    slot = _Filling.of(problem, placed, demand, before)
    flow, load, learned = slot.learn(before)
    return _outcome(problem, demand, flow, load, _after(limits, before, learned, load))


def reference_worth(problem: Problem, demand: np.ndarray) -> float:
    """What the slot is worth if only repositories answer, within the hard limits, without budgets. O(R log R) a round.

    A function of the requests alone, so that gains of all policies and ceilings are counted from the same point. It is what
    prices that start at 0 come to, which can be a little less than the best.
    """
    limits = _limits(problem)
    filling = _Filling.of(problem, None, demand.astype(np.float64), limits.unpriced)
    return float(limits.worth @ filling.learn(limits.unpriced)[0])


def _limits(problem: Problem) -> Limits:
    if problem.limits is None:
        raise ValueError("the problem has no limits: placid.problem.serving serves it")
    return problem.limits


def _after(limits: Limits, before: np.ndarray, learned: np.ndarray, load: np.ndarray) -> np.ndarray:
    """The prices of hard limits as learned, those of budgets moved by what was used."""
    queued = np.maximum(0.0, before + (load - 1.0) * limits.scale / limits.patience_slots)
    return np.where(limits.hard, learned, queued)


@dataclass(frozen=True)
class _Filling:
    """The n ways that are open in a slot, those of the types that are asked for.

    Attributes:
        way, type: int64 [n], options before repositories.
        worth: float64 [n], above 0: less what is paid for budgets.
        saving: float64 [n]; of options, against the repository, less what both pay for budgets; 0 of repositories.
        repository: float64 [R]; the worth of each type's repository likewise, 0 or less where it is not open.
    """

    problem: Problem
    demand: np.ndarray
    way: np.ndarray
    type: np.ndarray
    worth: np.ndarray
    saving: np.ndarray
    repository: np.ndarray

    @classmethod
    def of(
        cls, problem: Problem, placed: np.ndarray | None, demand: np.ndarray, prices: np.ndarray
    ) -> _Filling:
        """Args: placed: None for nothing, which is quicker."""
        limits, count = _limits(problem), problem.option_count
        open_: np.ndarray = np.zeros(0, np.int64)
        if placed is not None and count:
            needs = problem.needs
            whole = np.logical_and.reduceat(placed[needs.item], needs.ptr[:-1])
            open_ = np.flatnonzero(whole & (demand[problem.option_type] > 0))
        asked = np.flatnonzero((demand > 0) & (problem.repository_node >= 0))
        way = np.concatenate((open_, count + asked))
        kind = np.concatenate((problem.option_type[open_].astype(np.int64), asked))
        budgets = limits.paid(np.where(limits.hard, 0.0, prices))
        worth = limits.worth - budgets
        saving = np.zeros(len(way))
        saving[: len(open_)] = (
            problem.option_saving[open_] - budgets[open_] + budgets[count + kind[: len(open_)]]
        )
        kept = worth[way] > 0
        return cls(problem, demand, way[kept], kind[kept], worth[way[kept]], saving[kept], worth[count:])

    def learn(self, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The best filling met, by way [K + R] and by limit [M], and the prices of hard limits at which D was least."""
        limits = _limits(self.problem)
        price = np.where(limits.hard, prices, 0.0)
        best, flow, load = -1.0, np.zeros(len(limits.worth)), np.zeros(len(limits))
        least, found, length, since = np.inf, price, 1.0, 0
        for _ in range(limits.rounds):
            order, net = self._order(price)
            worthwhile = order[net[order] > 0]
            called, called_load = self._fill(worthwhile, within=False)
            now, now_load = self._fill(order, within=True)
            value = float(self.worth @ now[self.way])
            if value > best:
                best, flow, load = value, now, now_load
            bound = float(price.sum() + net @ called[self.way])
            if bound < least:
                least, found, since = bound, price, 0
            else:
                since += 1
                if since >= 3:
                    length, since = length / 2, 0
            slope = np.where(limits.hard, called_load - 1.0, 0.0)
            slope[(price <= 0) & (slope < 0)] = 0.0
            norm = float(slope @ slope)
            # where items bind the filling is not the best for its prices, and D can come out too low
            away = max(bound - best, 0.0)
            if norm <= 0 or away <= _NEAR * max(bound, 0.0):
                break
            price = np.maximum(0.0, price + length * away / norm * slope)
        return flow, load, found

    def _order(self, price: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The open ways in the order in which they are filled, and what each is worth less what it pays [n]."""
        limits, count = _limits(self.problem), self.problem.option_count
        paid = limits.paid(price)
        net = self.worth - paid[self.way]
        there = self.repository - paid[count:]
        # what a type loses by the price of its repository, which it need not pay if a refusal is better
        lost = self.repository - np.maximum(there, 0.0)
        option = self.way < count
        saving = np.where(option, self.saving - paid[self.way] + lost[self.type], np.minimum(net, 0.0))
        if not option.all():
            # of repositories those first whose requests have least else to turn to, for what they take
            other = np.zeros(len(there))
            np.maximum.at(other, self.type[option], net[option])
            mine = ~option
            takes = np.maximum(limits.paid(np.where(limits.hard, 1.0, 0.0))[self.way[mine]], 1e-300)
            regret = np.zeros(len(net))
            regret[mine] = (net[mine] - other[self.type[mine]]) / takes
            return np.lexsort((self.way, -regret, -saving)), net
        return np.lexsort((self.way, -saving)), net

    def _fill(self, order: np.ndarray, *, within: bool) -> tuple[np.ndarray, np.ndarray]:
        problem, limits = self.problem, _limits(self.problem)
        flow, load = np.zeros(len(limits.worth)), np.zeros(len(limits))
        needs = problem.needs
        _fill(
            self.way[order],
            self.type[order],
            problem.option_count,
            needs.ptr,
            needs.item,
            needs.load,
            limits.ptr,
            limits.limit,
            limits.share,
            limits.hard & within,
            problem.item_capacity,
            self.demand.copy(),
            np.zeros(problem.item_count),
            load,
            flow,
        )
        return flow, load


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _fill(
    way: np.ndarray,
    kind: np.ndarray,
    options: int,
    need_ptr: np.ndarray,
    need_item: np.ndarray,
    need_load: np.ndarray,
    limit_ptr: np.ndarray,
    limit: np.ndarray,
    share: np.ndarray,
    hard: np.ndarray,
    item_capacity: np.ndarray,
    left: np.ndarray,
    item_load: np.ndarray,
    load: np.ndarray,
    flow: np.ndarray,
) -> None:
    """Fill the ways in the order given; `left`, `item_load`, `load` and `flow` are written in place."""
    for i in range(len(way)):
        w, r = way[i], kind[i]
        take = left[r]
        if take <= 0.0:
            continue
        if w < options:
            for z in range(need_ptr[w], need_ptr[w + 1]):
                e = need_item[z]
                take = min(take, (item_capacity[e] - item_load[e]) / need_load[z])
        for z in range(limit_ptr[w], limit_ptr[w + 1]):
            if hard[limit[z]]:
                take = min(take, (1.0 - load[limit[z]]) / share[z])
        if take <= 0.0:
            continue
        left[r] -= take
        flow[w] = take
        if w < options:
            for z in range(need_ptr[w], need_ptr[w + 1]):
                e = need_item[z]
                # what fills an item or a limit fills it exactly, whatever the division left
                item_load[e] = min(item_load[e] + take * need_load[z], item_capacity[e])
        for z in range(limit_ptr[w], limit_ptr[w + 1]):
            m = limit[z]
            load[m] += take * share[z]
            if hard[m]:
                load[m] = min(load[m], 1.0)


def _outcome(
    problem: Problem, demand: np.ndarray, flow: np.ndarray, load: np.ndarray, prices: np.ndarray
) -> Within:
    limits, needs, count = _limits(problem), problem.needs, problem.option_count
    by_option, by_repository = flow[:count], flow[count:]
    reached = problem.repository_node >= 0
    each = np.repeat(by_option, np.diff(needs.ptr))
    answered = np.zeros(problem.item_count)
    answered += np.bincount(needs.item, weights=each * needs.answered, minlength=problem.item_count)
    item_load = np.zeros(problem.item_count)
    item_load += np.bincount(needs.item, weights=each * needs.load, minlength=problem.item_count)
    # of plans, what no part of the option answers is answered by the repository
    finished = by_repository.copy()
    if problem.chains is not None and count:
        rest = np.maximum(0.0, 1.0 - np.add.reduceat(needs.answered, needs.ptr[:-1])) * by_option
        finished += np.bincount(problem.option_type, weights=rest, minlength=problem.type_count)
    served_by_node = np.zeros(problem.node_count)
    served_by_node += np.bincount(problem.item_node, weights=answered, minlength=problem.node_count)
    served_by_node += np.bincount(
        problem.repository_node[reached], weights=finished[reached], minlength=problem.node_count
    )
    vector = by_option @ problem.option_vector.astype(np.float64)
    vector = vector + by_repository @ np.where(reached[:, None], problem.repository_vector, 0.0)
    taken = by_repository + np.bincount(problem.option_type, weights=by_option, minlength=problem.type_count)
    left = np.maximum(demand - taken, 0.0)
    worth = float(limits.worth @ flow)
    gain = worth - reference_worth(problem, demand)
    outcome = Outcome(
        gain, vector, served_by_node, item_load, by_repository, float(left[~reached].sum()), by_option
    )
    return Within(outcome, np.where(reached, left, 0.0), load, prices, worth, flow)
