"""Ascent on the concave gain: what INFIDA and its relatives share.

Every slot a fractional placement y moves along a supergradient and back into the polytope of the budgets; every so often
a placement is drawn from it. Subclasses say how y moves; the drawing, the refreshes and the messages are here.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.placement.base import Feedback, Policy, State
from placid.placement.online.messages import count_messages
from placid.placement.online.steps import StepMemory
from placid.placement.projections.base import Projection
from placid.placement.rounding import ROUNDINGS
from placid.placement.rounding.base import Rounding
from placid.placement.rounding.fill import fill
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, supergradient
from placid.problem.placement import trim_to_budgets

__all__ = ["Ascent", "AscentState"]


@dataclass(frozen=True, kw_only=True)
class AscentState(State):
    """The fractional placement and all that goes with it.

    Attributes:
        y: float64 [N], in the polytope of the budgets it was projected for.
        centre: float64 [N]; the secondary iterate of optimistic steps, equal to y in the others.
        gradient: float64 [N]; the last supergradient seen.
        placed: bool [N]; the placement in force.
        rounding: the running state of the rounding.
        memory: what the learning rate remembers.
        bound: the theorem's bound on the fractional regret, but for the first term.
        budget_bytes: int64 [V]; the budgets that y was projected for.
        learned: slots learned from since the start or the last change of budgets.
        next_refresh, interval: when the placement is drawn again, and how many slots after that.
        steady: false once budgets changed under way; the bound then speaks of nothing.
    """

    y: np.ndarray
    centre: np.ndarray
    gradient: np.ndarray
    placed: np.ndarray
    rounding: Any
    memory: StepMemory
    bound: float = 0.0
    budget_bytes: np.ndarray
    learned: int = 0
    next_refresh: int = 0
    interval: float = 1.0
    steady: bool = True


@dataclass(frozen=True)
class Ascent(Policy):
    """Settings that every ascent has.

    Attributes:
        rounding: a name from `placid.placement.rounding.ROUNDINGS`.
        refresh: slots between two drawings of the placement, at the start.
        stretch: after every drawing the interval is multiplied by this, up to `refresh_max`; 1 keeps it fixed.
        refresh_max: the longest interval.
        fill: use memory that the rounding leaves over, best expected saving per byte first. It only adds models.
    """

    rounding: str = "dependent"
    refresh: int = 1
    stretch: float = 1.0
    refresh_max: int = 1000
    fill: bool = False

    def __post_init__(self) -> None:
        if self.rounding not in ROUNDINGS:
            raise UnknownNameError("rounding", self.rounding, ROUNDINGS)
        if self.refresh < 1 or self.refresh_max < self.refresh:
            raise InputError(f"needs 1 <= refresh <= refresh_max, got {self.refresh} and {self.refresh_max}")
        if self.stretch < 1:
            raise InputError(f"stretch must be at least 1, got {self.stretch}")

    @property
    def _rounding(self) -> Rounding:
        return ROUNDINGS[self.rounding]()

    #: the geometry: what "nearest" means, and how a step is taken
    geometry: ClassVar[Projection]

    @abstractmethod
    def _step(self, state: AscentState, problem: Problem, g: np.ndarray, feedback: Feedback) -> AscentState:
        """The state after moving along the supergradient `g`; sets y, centre, memory and bound."""

    def _budget(self, problem: Problem) -> np.ndarray:
        """float64 [V]: the budgets of the polytope; what the rounding must keep in reserve is taken off."""
        usable = self._rounding.usable_budget(problem.node_ptr, problem.item_size_bytes, problem.budget_bytes)
        return usable.astype(np.float64)

    def _ascend(self, problem: Problem, y: np.ndarray, g: np.ndarray, rate: float) -> np.ndarray:
        """One projected step of `rate` along `g` from `y`."""
        budget = self._budget(problem)
        return self.geometry.ascend(y, g, rate, problem.item_size, problem.node_ptr, budget, problem.placeable)

    def start(self, problem: Problem, rng: np.random.Generator) -> AscentState:
        y = uniform(problem, self._budget(problem))
        return AscentState(
            y=y,
            centre=y,
            gradient=np.zeros(problem.item_count),
            placed=np.zeros(problem.item_count, bool),
            rounding=self._rounding.start(
                problem.node_ptr, problem.item_size_bytes, problem.budget_bytes, rng
            ),
            memory=StepMemory(),
            budget_bytes=problem.budget_bytes,
            interval=float(self.refresh),
        )

    def place(
        self, state: AscentState, problem: Problem, slot: int, rng: np.random.Generator
    ) -> tuple[AscentState, np.ndarray]:
        changed = not np.array_equal(state.budget_bytes, problem.budget_bytes)
        if changed:
            state = self._fit(state, problem)
        if slot < state.next_refresh and not changed:
            return state, state.placed
        running, placed = self._rounding.round(
            state.rounding, problem.node_ptr, problem.item_size_bytes, problem.budget_bytes, state.y, rng
        )
        if self.fill:
            placed = fill(
                problem.node_ptr,
                problem.item_size_bytes,
                problem.budget_bytes,
                placed,
                np.where(state.gradient > 0, state.y, 0.0),
                in_place=state.placed,
                stickiness=1.0,
            )
        return (
            replace(
                state,
                rounding=running,
                placed=placed,
                next_refresh=slot + int(state.interval),
                interval=min(state.interval * self.stretch, float(self.refresh_max)),
            ),
            placed,
        )

    def learn(self, state: AscentState, problem: Problem, feedback: Feedback, rng: np.random.Generator) -> AscentState:
        share = potential_share(problem, feedback.demand)
        _, g = supergradient(problem, feedback.demand, share, state.y)
        moved = self._step(replace(state, gradient=g), problem, g, feedback)
        messages, message_bytes = count_messages(problem, feedback.demand)
        return replace(
            moved,
            learned=state.learned + 1,
            messages=state.messages + messages,
            message_bytes=state.message_bytes + message_bytes,
            regret_bound=moved.bound if state.steady else float("nan"),
        )

    def _fit(self, state: AscentState, problem: Problem) -> AscentState:
        """The state carried into new budgets: grown nodes start afresh, shrunk ones are projected."""
        budget = self._budget(problem)
        fresh = uniform(problem, budget)
        grown = (problem.budget_bytes > state.budget_bytes)[problem.item_node]
        y = self.geometry.project(
            np.where(grown, fresh, state.y), problem.item_size, problem.node_ptr, budget, problem.placeable
        )
        return replace(
            state,
            y=y,
            centre=y,
            placed=trim_to_budgets(problem, state.placed, state.y),
            budget_bytes=problem.budget_bytes,
            steady=False,
        )


def uniform(problem: Problem, budget: np.ndarray) -> np.ndarray:
    """float64 [N]: at each node every item that fits gets the same fraction, as large as the budget allows."""
    fits = problem.placeable
    total = np.bincount(problem.item_node, weights=problem.item_size * fits, minlength=problem.node_count)
    part = np.minimum(1.0, np.divide(budget, total, out=np.zeros_like(budget), where=total > 0))
    return np.where(fits, part[problem.item_node], 0.0)
