"""Repacking: keep what is there, and let node after node pack again for the requests as they have been of late."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from placid.errors import InputError
from placid.placement.base import Feedback, Policy, State
from placid.placement.repack import Repacker
from placid.problem.arrays import Problem
from placid.problem.placement import empty_placement, trim_to_budgets

__all__ = ["Repacking"]


@dataclass(frozen=True, kw_only=True)
class RepackingState(State):
    """The believed demand [R] (discounted sum and its weight), the placement in force [N], the budgets it fits [V]."""

    requests: np.ndarray
    weight: float = 0.0
    placed: np.ndarray
    budget_bytes: np.ndarray


@dataclass(frozen=True)
class Repacking(Policy):
    """Every `refresh` slots each node, the far ones first, packs again by what a model adds to what the others hold.

    The strongest choice where requests change slowly: it sees how copies at several nodes complement each other,
    starts from what is in place, and moves only for a gain. Deterministic, so an adversary can break it: no guarantee.
    Cost: O(K x models per node) at a refresh, O(R) otherwise.

    Attributes:
        memory: what is kept of the counts from slot to slot; 0.8 remembers about 5 slots.
        refresh: slots between two sweeps.
        loyalty: a model in place counts ``1 + loyalty`` times against others; more moves less.
    """

    name: ClassVar[str] = "repacking"
    memory: float = 0.8
    refresh: int = 1
    loyalty: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.memory <= 1:
            raise InputError(f"memory must lie in [0, 1], got {self.memory}")
        if self.refresh < 1:
            raise InputError(f"refresh must be at least 1 slot, got {self.refresh}")
        if not self.loyalty >= 0:
            raise InputError(f"loyalty must not be negative, got {self.loyalty}")

    def start(self, problem: Problem, rng: np.random.Generator) -> RepackingState:
        return RepackingState(
            requests=np.zeros(problem.type_count),
            placed=empty_placement(problem),
            budget_bytes=problem.budget_bytes,
        )

    def place(
        self, state: RepackingState, problem: Problem, slot: int, rng: np.random.Generator
    ) -> tuple[RepackingState, np.ndarray]:
        changed = not np.array_equal(state.budget_bytes, problem.budget_bytes)
        placed = state.placed
        if changed:
            placed = trim_to_budgets(problem, placed, np.ones(problem.item_count))
        if state.weight > 0 and (changed or slot % self.refresh == 0):
            believed = state.requests / state.weight
            placed, _ = Repacker(problem, believed, self.loyalty).sweep(placed, problem.far_first)
        return replace(state, placed=placed, budget_bytes=problem.budget_bytes), placed

    def learn(
        self, state: RepackingState, problem: Problem, feedback: Feedback, rng: np.random.Generator
    ) -> RepackingState:
        return replace(
            state,
            requests=self.memory * state.requests + feedback.demand,
            weight=self.memory * state.weight + 1.0,
        )
