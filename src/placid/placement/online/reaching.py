"""What each node sees of the requests: how many of each type reach it, given who answered below."""

from __future__ import annotations

import numpy as np
from numba import njit

from placid.placement.base import Feedback
from placid.problem.arrays import Problem
from placid.problem.serving import serve

__all__ = ["asked_of_items", "reaching_options"]


def asked_of_items(problem: Problem, feedback: Feedback) -> np.ndarray:
    """float64 [N]: how many requests would ask each item of the nodes they reach, cheapest first up to capacity."""
    counters = _reach(problem, feedback, fill=True)
    return np.bincount(problem.option_item, weights=counters, minlength=problem.item_count)


def reaching_options(problem: Problem, feedback: Feedback) -> np.ndarray:
    """float64 [K]: how many requests of an option's type reached its node in the slot."""
    return _reach(problem, feedback, fill=False)


def _reach(problem: Problem, feedback: Feedback, fill: bool) -> np.ndarray:
    """A request reaches a node if no node below it on the path answered it: what the node itself saw."""
    counters = np.zeros(problem.option_count)
    flow = serve(problem, feedback.placed, feedback.demand, flows=True).flow
    _count(
        problem.option_ptr,
        problem.option_item,
        problem.item_node,
        problem.item_capacity,
        problem.next_hop,
        problem.type_ingress,
        feedback.demand.astype(np.float64),
        flow,
        fill,
        counters,
    )
    return counters


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _count(
    option_ptr: np.ndarray,
    option_item: np.ndarray,
    item_node: np.ndarray,
    item_capacity: np.ndarray,
    next_hop: np.ndarray,
    type_ingress: np.ndarray,
    demand: np.ndarray,
    flow: np.ndarray,
    fill: bool,
    counters: np.ndarray,
) -> None:
    reaching = np.zeros(len(next_hop))
    for r in range(len(option_ptr) - 1):
        if demand[r] <= 0 or option_ptr[r] == option_ptr[r + 1]:
            continue
        v = type_ingress[r]
        while v >= 0:
            reaching[v] = 0.0
            v = next_hop[v]
        for o in range(option_ptr[r], option_ptr[r + 1]):
            reaching[item_node[option_item[o]]] += flow[o]
        left = demand[r]
        v = type_ingress[r]
        while v >= 0:
            answered = reaching[v]
            reaching[v] = left
            left -= answered
            v = next_hop[v]
        for o in range(option_ptr[r], option_ptr[r + 1]):
            e = option_item[o]
            if fill:
                counters[o] = min(reaching[item_node[e]], item_capacity[e])
                reaching[item_node[e]] -= counters[o]
            else:
                counters[o] = reaching[item_node[e]]
