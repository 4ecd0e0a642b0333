"""The serving rule: which copy answers which request. It stands here and nowhere else.

Requests take the cheapest option that has capacity left; where types contend for one item, the type that saves most by
it goes first (ties: the lower type index). Both sides rank a pair by the same number, its saving, so the outcome is the
one stable assignment: no request and no item would both rather have each other. Filling the pairs in falling order of
saving computes it in one pass. What finds no room goes to the repository, which never refuses.

An option that needs several items is open while all of them are placed and have room; a request that takes it loads each
by the share of requests that get as far (`Chains.load`). Where links and processors have hard limits, the rule goes on in
`placid.problem.within`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from placid.problem.arrays import Problem

__all__ = ["Outcome", "serve"]


@dataclass(frozen=True)
class Outcome:
    """What one slot of serving came to.

    Attributes:
        gain: cost when only repositories serve, minus cost now (objective units, summed over requests).
        vector: float64 [4]; latency, error, energy and traffic (`COMPONENTS`) summed over the served requests.
        served_by_node: float64 [V]; requests answered at each node.
        item_load: float64 [N]; requests that reach each item, which answers them or passes them on.
        repository_load: float64 [R]; requests of each type that the repository served alone.
        unserved: requests of types that no repository can reach.
        flow: float64 [K], requests by option; empty unless asked for.
    """

    gain: float
    vector: np.ndarray
    served_by_node: np.ndarray
    item_load: np.ndarray
    repository_load: np.ndarray
    unserved: float
    flow: np.ndarray

    @property
    def served(self) -> float:
        """Requests answered in the slot, by whomever."""
        return float(self.served_by_node.sum())


def serve(problem: Problem, placed: np.ndarray, demand: np.ndarray, *, flows: bool = False) -> Outcome:
    """One slot: `demand` (requests by type, [R]) against the placement `placed` (bool [N]). O(K).

    Args:
        flows: also return how many requests each option took, [K].

    Raises:
        InputError: the problem has limits.

    Example: see `tests/problem/test_serving.py`, which holds this against a slow, plain version.
    """
    problem.check_unlimited("the serving rule without limits")
    left = demand.astype(np.float64)
    item_load = np.zeros(problem.item_count)
    flow = np.zeros(problem.option_count if flows else 0)
    vector = np.zeros(4)
    answered, finished = item_load, np.zeros(0 if problem.chains is None else problem.type_count)
    if problem.chains is None:
        gain = _fill(
            problem.serving_order,
            problem.option_type,
            problem.option_item,
            problem.option_saving,
            problem.option_vector,
            problem.item_capacity,
            placed,
            left,
            item_load,
            vector,
            flow,
        )
    else:
        chains = problem.chains
        answered = np.zeros(problem.item_count)
        gain = _fill_chains(
            problem.serving_order,
            problem.option_type,
            chains.ptr,
            chains.item,
            chains.load,
            chains.answered,
            problem.option_saving,
            problem.option_vector,
            problem.item_capacity,
            placed,
            left,
            item_load,
            answered,
            finished,
            vector,
            flow,
        )
    reached = problem.repository_node >= 0
    unserved = float(left[~reached].sum())
    left[~reached] = 0.0
    vector += left @ np.where(reached[:, None], problem.repository_vector, 0.0)
    # numpy counts nothing at all, as in a problem without items, in integers
    served_by_node = np.zeros(problem.node_count)
    served_by_node += np.bincount(problem.item_node, weights=answered, minlength=problem.node_count)
    by_repository = left if problem.chains is None else left + finished
    served_by_node += np.bincount(
        problem.repository_node[reached], weights=by_repository[reached], minlength=problem.node_count
    )
    return Outcome(gain, vector, served_by_node, item_load, left, unserved, flow)


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _fill(
    serving_order: np.ndarray,
    option_type: np.ndarray,
    option_item: np.ndarray,
    option_saving: np.ndarray,
    option_vector: np.ndarray,
    item_capacity: np.ndarray,
    placed: np.ndarray,
    left: np.ndarray,
    item_load: np.ndarray,
    vector: np.ndarray,
    flow: np.ndarray,
) -> float:
    """Fill the pairs in falling order of saving; `left`, `item_load`, `vector`, `flow` are written in place."""
    gain = 0.0
    for o in serving_order:
        e = option_item[o]
        if not placed[e]:
            continue
        r = option_type[o]
        take = min(left[r], item_capacity[e] - item_load[e])
        if take <= 0.0:
            continue
        left[r] -= take
        item_load[e] += take
        gain += take * option_saving[o]
        for c in range(4):
            vector[c] += take * option_vector[o, c]
        if flow.size:
            flow[o] = take
    return gain


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _fill_chains(
    serving_order: np.ndarray,
    option_type: np.ndarray,
    need_ptr: np.ndarray,
    need_item: np.ndarray,
    need_load: np.ndarray,
    need_answered: np.ndarray,
    option_saving: np.ndarray,
    option_vector: np.ndarray,
    item_capacity: np.ndarray,
    placed: np.ndarray,
    left: np.ndarray,
    item_load: np.ndarray,
    answered: np.ndarray,
    finished: np.ndarray,
    vector: np.ndarray,
    flow: np.ndarray,
) -> float:
    """As `_fill`, every option with all the items that it needs.

    Also written: `answered` [N], requests that each item answers, and `finished` [R], those that the repository does.
    """
    gain = 0.0
    for o in serving_order:
        r = option_type[o]
        take = left[r]
        for z in range(need_ptr[o], need_ptr[o + 1]):
            e = need_item[z]
            room = (item_capacity[e] - item_load[e]) / need_load[z] if placed[e] else 0.0
            take = min(take, room)
        if take <= 0.0:
            continue
        left[r] -= take
        rest = take
        for z in range(need_ptr[o], need_ptr[o + 1]):
            e = need_item[z]
            # what fills an item fills it exactly, whatever the division left
            item_load[e] = min(item_load[e] + take * need_load[z], item_capacity[e])
            answered[e] += take * need_answered[z]
            rest -= take * need_answered[z]
        finished[r] += max(rest, 0.0)
        gain += take * option_saving[o]
        for c in range(4):
            vector[c] += take * option_vector[o, c]
        if flow.size:
            flow[o] = take
    return gain
