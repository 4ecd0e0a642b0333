"""What a policy is: settings, and three verbs over a state that is passed in and handed back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from placid.problem.arrays import Problem
from placid.problem.gain import relaxed_gain
from placid.problem.serving import Outcome

__all__ = ["Feedback", "Policy", "State"]


@dataclass(frozen=True, kw_only=True)
class State:
    """A policy's running state. Subclasses add fields; every field is an array, a number, a bool or a string.

    Attributes:
        messages: control messages exchanged so far, all nodes together.
        message_bytes: their size so far, at 8 bytes a number.
        regret_bound: what the policy's theorem allows its regret (fractional) to be by now; NaN if it has none.
        drawn_share: what is promised of the fractions' gain, in expectation, for a placement drawn from them; NaN if
            nothing.
    """

    messages: int = 0
    message_bytes: int = 0
    regret_bound: float = float("nan")
    drawn_share: float = float("nan")


@dataclass(frozen=True)
class Feedback:
    """What a policy may see of the slot that just ended.

    Attributes:
        slot: its index.
        demand: int64 [R]; requests of each type that came.
        placed: bool [N]; the placement that was in force.
        outcome: who answered what.
        forecast: float64 [R]; the expected demand of the next slot where the workload can tell, else None. Only
            policies that say so read it.
    """

    slot: int
    demand: np.ndarray
    placed: np.ndarray
    outcome: Outcome
    forecast: np.ndarray | None = None


class Policy(ABC):
    """Places models slot by slot. Frozen dataclasses: a policy holds settings only, its state travels.

    The problem is an argument of every verb because it changes when nodes fail, join or shrink; its items and request
    types keep their indices. `rng` is a fresh stream for this policy, verb and slot.
    """

    #: the name in scenarios and tables
    name: ClassVar[str]
    #: false if it decides once and for all; tables and plots then show it as a static choice
    learns: ClassVar[bool] = True
    #: whether it can place options that need several items (plans over several nodes)
    chains: ClassVar[bool] = False

    @abstractmethod
    def start(self, problem: Problem, rng: np.random.Generator) -> Any:
        """The state before the first slot."""

    @abstractmethod
    def place(
        self, state: Any, problem: Problem, slot: int, rng: np.random.Generator
    ) -> tuple[Any, np.ndarray]:
        """The placement for `slot` (bool [N], within every budget of `problem`) and the state after deciding it."""

    def relaxed_gain(self, state: Any, problem: Problem, demand: np.ndarray, share: np.ndarray) -> float:
        """The concave gain at the fractions that `state` holds, for `demand` ([R]); NaN if it holds none.

        Args:
            share: as from `placid.problem.gain.potential_share`, for this demand.
        """
        y = getattr(state, "y", None)
        return float("nan") if y is None else relaxed_gain(problem, demand, share, y)

    @abstractmethod
    def learn(self, state: Any, problem: Problem, feedback: Feedback, rng: np.random.Generator) -> Any:
        """The state after seeing how the slot went."""
