"""Follow the perturbed leader: place what would have been best so far, had luck been a little different.

Kalai & Vempala 2005; for caches Bhattacharjee et al. 2020.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from placid.errors import InputError
from placid.placement.base import Feedback, Policy, State
from placid.placement.offline.greedy import Greedy
from placid.problem.arrays import Problem
from placid.problem.placement import trim_to_budgets

__all__ = ["PerturbedLeader"]


@dataclass(frozen=True, kw_only=True)
class LeaderState(State):
    """Requests so far by type [R], the noise drawn at the start [R], and the placement in force [N]."""

    requests: np.ndarray
    perturbation: np.ndarray
    slots: int = 0
    placed: np.ndarray


@dataclass(frozen=True)
class PerturbedLeader(Policy):
    """Every `refresh` slots, the greedy placement for the requests so far plus noise that was drawn once.

    With an exact solver and no binding capacities its regret is O(sqrt T) with ratio 1. Ours solves by lazy
    greedy, a heuristic that is near the optimum in practice, so the theorem does not speak of it: no bound is
    reported. Because the noise stays, few models move. Cost: one greedy every `refresh` slots. It is central:
    someone knows all counts and tells every node what to hold; those messages are not counted.

    Attributes:
        noise: mean of the exponential noise on every type, in slots of that network's mean demand per type.
        discount: what is kept of the counts from slot to slot; below 1 follows shifts.
        refresh: slots between two decisions.
    """

    name: ClassVar[str] = "perturbed-leader"
    chains: ClassVar[bool] = True
    noise: float = 1.0
    discount: float = 1.0
    refresh: int = 10

    def __post_init__(self) -> None:
        if self.noise < 0:
            raise InputError(f"noise must not be negative, got {self.noise}")
        if not 0 < self.discount <= 1:
            raise InputError(f"discount must lie in (0, 1], got {self.discount}")
        if self.refresh < 1:
            raise InputError(f"refresh must be at least 1 slot, got {self.refresh}")

    def start(self, problem: Problem, rng: np.random.Generator) -> LeaderState:
        return LeaderState(
            requests=np.zeros(problem.type_count),
            perturbation=rng.exponential(1.0, problem.type_count),
            placed=np.zeros(problem.item_count, bool),
        )

    def place(
        self, state: LeaderState, problem: Problem, slot: int, rng: np.random.Generator
    ) -> tuple[LeaderState, np.ndarray]:
        # nothing is known before the first slot; from then on, every `refresh` slots
        if not state.slots or (slot % self.refresh and state.slots > 1):
            placed = trim_to_budgets(problem, state.placed, np.ones(problem.item_count))
        else:
            weight = (
                state.slots if self.discount == 1 else (1 - self.discount**state.slots) / (1 - self.discount)
            )
            typical = state.requests.mean() / weight
            believed = (state.requests + self.noise * typical * state.perturbation) / weight
            solution = Greedy().solve(problem, believed)
            assert solution.placed is not None
            placed = solution.placed
        return replace(state, placed=placed), placed

    def learn(
        self, state: LeaderState, problem: Problem, feedback: Feedback, rng: np.random.Generator
    ) -> LeaderState:
        return replace(
            state, requests=self.discount * state.requests + feedback.demand, slots=state.slots + 1
        )
