"""OLAG, the online load-aware greedy that INFIDA is compared with (our reading of Si Salem et al., ToN 2024, section VI).

Every node counts, for each of its models and each request type, the requests that reached it and that the model could
have answered. It then picks models greedily by (saving against the repository x requests it would absorb) / size, and
after each pick takes the absorbed load off the counters of the node's other models.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numba import njit

from placid.errors import InputError
from placid.placement.base import Feedback, Policy, State
from placid.placement.online.reaching import reaching_options
from placid.problem.arrays import Problem
from placid.problem.placement import trim_to_budgets

__all__ = ["Olag"]


@dataclass(frozen=True, kw_only=True)
class OlagState(State):
    """Which options are counted [K], their counters [K], how many slots these stand for, and the placement in force [N]."""

    option: np.ndarray
    reached: np.ndarray
    weight: float = 0.0
    placed: np.ndarray


@dataclass(frozen=True)
class Olag(Policy):
    """Online load-aware greedy. Cost O(K) a slot, and O(picks x options of the node) at a refresh. No guarantee.

    As described it leaves memory unused: small models have the best saving per byte, absorb the whole load, and nothing
    larger and better is worth anything after them. How much that costs depends on what an error weighs (see
    `papers/si-salem-2021-infida`).

    Differs from the paper: its exact counters are not public; ours forget at rate `memory` so that loads can shift.

    Attributes:
        memory: what is kept of the counters from slot to slot, in [0, 1].
        refresh: slots between two decisions.
    """

    name: ClassVar[str] = "olag"
    memory: float = 0.9
    refresh: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.memory <= 1:
            raise InputError(f"memory must lie between 0 and 1, got {self.memory}")
        if self.refresh < 1:
            raise InputError(f"refresh must be at least 1 slot, got {self.refresh}")

    def start(self, problem: Problem, rng: np.random.Generator) -> OlagState:
        return OlagState(
            option=_names(problem),
            reached=np.zeros(problem.option_count),
            placed=np.zeros(problem.item_count, bool),
        )

    def place(
        self, state: OlagState, problem: Problem, slot: int, rng: np.random.Generator
    ) -> tuple[OlagState, np.ndarray]:
        state = _carried_over(state, problem)
        if slot % self.refresh == 0 and state.weight > 0:
            placed = _greedy(
                problem.options_by_item[0],
                problem.options_by_item[1],
                problem.option_type,
                problem.option_saving,
                problem.node_ptr,
                problem.item_size_bytes,
                problem.item_capacity,
                problem.budget_bytes,
                state.reached / state.weight,
                problem.type_count,
            )
        else:
            placed = trim_to_budgets(problem, state.placed, np.ones(problem.item_count))
        return replace(state, placed=placed), placed

    def learn(
        self, state: OlagState, problem: Problem, feedback: Feedback, rng: np.random.Generator
    ) -> OlagState:
        state = _carried_over(state, problem)
        reached = state.reached * self.memory + reaching_options(problem, feedback)
        return replace(state, reached=reached, weight=state.weight * self.memory + 1.0)


def _names(problem: Problem) -> np.ndarray:
    """int64 [K]: what an option is called whatever its place in the arrays: its type and item."""
    return problem.option_type.astype(np.int64) * problem.item_count + problem.option_item


def _carried_over(state: OlagState, problem: Problem) -> OlagState:
    """`state` for the options of `problem`: they are numbered anew when routes change. New ones start at 0."""
    names = _names(problem)
    if np.array_equal(names, state.option):
        return state
    reached = np.zeros(len(names))
    if len(state.option):
        order = np.argsort(state.option)
        at = order[np.minimum(np.searchsorted(state.option, names, sorter=order), len(order) - 1)]
        reached = np.where(state.option[at] == names, state.reached[at], 0.0)
    return replace(state, option=names, reached=reached)


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _greedy(
    item_ptr: np.ndarray,
    item_options: np.ndarray,
    option_type: np.ndarray,
    option_saving: np.ndarray,
    node_ptr: np.ndarray,
    size_bytes: np.ndarray,
    capacity: np.ndarray,
    budget_bytes: np.ndarray,
    reached: np.ndarray,
    types: int,
) -> np.ndarray:
    """At each node, pick by saved cost per byte, the load that a pick absorbs taken off the others."""
    placed = np.zeros(len(size_bytes), np.bool_)
    left = np.zeros(types)
    for v in range(len(node_ptr) - 1):
        first, last = node_ptr[v], node_ptr[v + 1]
        room = budget_bytes[v]
        for e in range(first, last):
            for i in range(item_ptr[e], item_ptr[e + 1]):
                o = item_options[i]
                left[option_type[o]] = reached[o]
        while True:
            best, best_density = -1, 0.0
            for e in range(first, last):
                if placed[e] or size_bytes[e] > room:
                    continue
                load, worth = 0.0, 0.0
                for i in range(item_ptr[e], item_ptr[e + 1]):
                    o = item_options[i]
                    load += left[option_type[o]]
                    worth += left[option_type[o]] * option_saving[o]
                if load > capacity[e]:
                    worth *= capacity[e] / load
                if worth / size_bytes[e] > best_density:
                    best, best_density = e, worth / size_bytes[e]
            if best < 0:
                break
            placed[best] = True
            room -= size_bytes[best]
            load = 0.0
            for i in range(item_ptr[best], item_ptr[best + 1]):
                load += left[option_type[item_options[i]]]
            stays = max(0.0, 1.0 - capacity[best] / load) if load > 0 else 0.0
            for i in range(item_ptr[best], item_ptr[best + 1]):
                left[option_type[item_options[i]]] *= stays
    return placed
