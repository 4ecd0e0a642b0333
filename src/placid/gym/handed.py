"""The policy that an agent acts through: it places what it is handed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from placid.placement.base import Feedback, Policy, State
from placid.problem.arrays import Problem
from placid.problem.placement import empty_placement

__all__ = ["Handed", "HandedState"]


@dataclass(frozen=True, kw_only=True)
class HandedState(State):
    """The placement (bool [N]) for the next slot."""

    placed: np.ndarray


@dataclass(frozen=True)
class Handed(Policy):
    """Places what its state holds. Who plays it puts the next placement there between two slots."""

    name: ClassVar[str] = "handed"
    #: whoever hands placements over sees to what belongs together
    chains: ClassVar[bool] = True

    def start(self, problem: Problem, rng: np.random.Generator) -> HandedState:
        return HandedState(placed=empty_placement(problem))

    def place(
        self, state: HandedState, problem: Problem, slot: int, rng: np.random.Generator
    ) -> tuple[HandedState, np.ndarray]:
        return state, state.placed

    def learn(
        self, state: HandedState, problem: Problem, feedback: Feedback, rng: np.random.Generator
    ) -> HandedState:
        return state
