"""The serving rule: which copy answers which request. It stands here and nowhere else.

Requests take the cheapest option that has capacity left; where types contend for one item, the type that saves most by
it goes first (ties: the lower type index). Both sides rank a pair by the same number, its saving, so the outcome is the
one stable assignment: no request and no item would both rather have each other. Filling the pairs in falling order of
saving computes it in one pass. What finds no room goes to the repository, which never refuses.
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
        item_load: float64 [N]; requests answered by each item.
        repository_load: float64 [R]; requests of each type that went to the repository.
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

    Example: see `tests/problem/test_serving.py`, which holds this against a slow, plain version.
    """
    left = demand.astype(np.float64)
    item_load = np.zeros(problem.item_count)
    flow = np.zeros(problem.option_count if flows else 0)
    vector = np.zeros(4)
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
    reached = problem.repository_node >= 0
    unserved = float(left[~reached].sum())
    left[~reached] = 0.0
    vector += left @ np.where(reached[:, None], problem.repository_vector, 0.0)
    # numpy counts nothing at all, as in a problem without items, in integers
    served_by_node = np.zeros(problem.node_count)
    served_by_node += np.bincount(problem.item_node, weights=item_load, minlength=problem.node_count)
    served_by_node += np.bincount(
        problem.repository_node[reached], weights=left[reached], minlength=problem.node_count
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
