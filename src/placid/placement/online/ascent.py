"""Ascent on the concave gain: what INFIDA and its relatives share.

Every slot a fractional placement y moves along a supergradient and back into the polytope of the budgets; every so
often a placement is drawn from it. Subclasses say how y moves; the drawing, the refreshes and the messages are here.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.placement.base import Feedback, Policy, State
from placid.placement.online.memo import once_a_problem
from placid.placement.online.messages import count_messages
from placid.placement.online.space import Space, sum_by_node
from placid.placement.online.steps import StepMemory, book
from placid.placement.projections.base import Projection
from placid.placement.repack import Repacker
from placid.placement.rounding import ROUNDINGS, Coupled, DepRound
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
        gradient: float64 [N]; the last supergradient seen.
        placed: bool [N]; the placement in force.
        rounding: the running state of the rounding.
        steps: what the learning rates remember, node by node.
        budget_bytes: int64 [V]; the budgets that y was projected for.
        learned: slots learned from since the start.
        next_refresh, interval: when the placement is drawn again, and how many slots after that.
        steady: false once budgets changed under way; the regret bound then speaks of nothing.
        believed: float64 [R]; the demand of late, a discounted mean; what is left of memory is filled for it.
    """

    y: np.ndarray
    gradient: np.ndarray
    placed: np.ndarray
    rounding: Any
    steps: StepMemory
    budget_bytes: np.ndarray
    learned: int = 0
    next_refresh: int = 0
    interval: float = 1.0
    steady: bool = True
    drawn_share: float = 1 - 1 / math.e
    believed: np.ndarray


@dataclass(frozen=True)
class Ascent(Policy):
    """Settings that every ascent has.

    **What is guaranteed.** The fractions earn at least what the best fixed fractions would, less `regret_bound`: always,
    for the requests that came (`placid.placement.online.steps`). A placement drawn from them in every slot then earns, in
    expectation and with every type kept to its own part of shared capacity, at least (1 - 1/e) of the fractions' gain if
    the drawing keeps marginals and never favours two items together, which `reserve` has it do. Budgets are hard here,
    to the byte; what that costs is in `placid.placement.rounding.dependent`. With `refresh` above 1 a placement is used
    for slots that its fractions did not see: the bound then still speaks of the fractions, no longer of what is placed.

    Attributes:
        rounding: a name from `placid.placement.rounding.ROUNDINGS`.
        refresh: slots between two drawings of the placement, at the start.
        stretch: after every drawing the interval is multiplied by this, up to `refresh_max`; 1 keeps it fixed.
        refresh_max: the longest interval.
        fill: use memory that the rounding leaves over, the largest fractions first. It only adds models.
        coordinate: fill, the far nodes first, by what a model adds to what the other nodes of the paths hold, for the
            demand of late, rather than by fractions. Copies drawn at several nodes get in each other's way; this makes
            up for much of it, and as it only adds models, what is guaranteed of the drawing stays true. Costs one more
            message up and down per type at a drawing, and about O(K).
        reserve: keep the memory of one model free at every node while choosing fractions, so that drawing keeps
            their marginals exactly and the (1 - 1/e) factor is proven; without, the drawing may lose up to half of
            what the node left undecided is worth (measured: a few per cent), but plans with all of the memory.
    """

    rounding: str = "dependent"
    refresh: int = 1
    stretch: float = 1.0
    refresh_max: int = 1000
    fill: bool = False
    coordinate: bool = False
    reserve: bool = False

    #: the geometry: what "nearest" means, and how a step is taken
    geometry: ClassVar[Projection]

    def __post_init__(self) -> None:
        if self.rounding not in ROUNDINGS:
            raise UnknownNameError("rounding", self.rounding, ROUNDINGS)
        if self.reserve and self.rounding not in (DepRound.name, Coupled.name):
            raise InputError(
                f"reserve needs a rounding that can keep marginals ('{DepRound.name}' or '{Coupled.name}'), "
                f"got '{self.rounding}'"
            )
        if self.refresh < 1 or self.refresh_max < self.refresh:
            raise InputError(f"needs 1 <= refresh <= refresh_max, got {self.refresh} and {self.refresh_max}")
        if not self.stretch >= 1:
            raise InputError(f"stretch must be at least 1, got {self.stretch}")

    @property
    def drawing(self) -> Rounding:
        """The rounding, with its settings."""
        if self.reserve:
            return DepRound(mode="reserve") if self.rounding == DepRound.name else Coupled(mode="reserve")
        return ROUNDINGS[self.rounding]()

    @abstractmethod
    def _rates(self, memory: StepMemory, diameter: np.ndarray, curvature: np.ndarray) -> np.ndarray:
        """The learning rate of every node for this step, float64 [V]; infinity where none was needed yet."""

    @abstractmethod
    def _diameter(self, space: Space, y: np.ndarray) -> np.ndarray:
        """The most that the divergence of any z from `y` can be, float64 [V]; 0 at nodes that hold everything."""

    @abstractmethod
    def _curvature(self, space: Space, y: np.ndarray, g: np.ndarray) -> np.ndarray:
        """About what a step along `g` from `y` can cost, over the rate: float64 [V]."""

    def _mixed(self, space: Space, y: np.ndarray, learned: int) -> tuple[np.ndarray, np.ndarray]:
        """y with something mixed in, and how much the divergence from any z may rise by that, float64 [V]."""
        return y, np.zeros(len(space.budget))

    def _step(
        self, state: AscentState, problem: Problem, g: np.ndarray, forecast: np.ndarray | None
    ) -> AscentState:
        """The state after moving along the supergradient `g`; see `Feedback` for `forecast`."""
        space = self.space(problem)
        diameter = self._diameter(space, state.y)
        rate = self._rates(state.steps, diameter, self._curvature(space, state.y, g))
        y = self._ascend(space, state.y, g, rate)
        distance = sum_by_node(space.node_ptr, self.geometry.divergence(y, state.y, space.size))
        cost = np.maximum(0.0, sum_by_node(space.node_ptr, g * (y - state.y)) - distance / rate)
        y, risen = self._mixed(space, y, state.learned)
        return replace(state, y=y, steps=book(state.steps, rate, diameter, cost, risen))

    def _ascend(self, space: Space, y: np.ndarray, g: np.ndarray, rate: np.ndarray) -> np.ndarray:
        """A projected step along `g` from `y`, every node at its own rate; those without a rate yet stay."""
        direction = np.repeat(np.where(np.isfinite(rate), rate, 0.0), np.diff(space.node_ptr)) * g
        return self.geometry.ascend(
            y, direction, 1.0, space.size, space.node_ptr, space.budget, space.allowed
        )

    def space(self, problem: Problem) -> Space:
        """Where the fractions move; what the rounding must keep in reserve is taken off the budgets."""
        return _space(problem, self.drawing)

    def start(self, problem: Problem, rng: np.random.Generator) -> AscentState:
        return self._started(problem, rng)

    def _started(
        self, problem: Problem, rng: np.random.Generator, nodes: np.ndarray | None = None
    ) -> AscentState:
        """The state before the first slot; `nodes` as in `Rounding.round`."""
        return AscentState(
            y=self.space(problem).uniform(),
            gradient=np.zeros(problem.item_count),
            placed=np.zeros(problem.item_count, bool),
            rounding=self.drawing.start(problem.node_ptr, problem.item_size_bytes, rng, nodes),
            steps=StepMemory.start(problem.node_count),
            budget_bytes=problem.budget_bytes,
            interval=float(self.refresh),
            believed=np.zeros(problem.type_count),
        )

    def place(
        self,
        state: AscentState,
        problem: Problem,
        slot: int,
        rng: np.random.Generator,
        nodes: np.ndarray | None = None,
    ) -> tuple[AscentState, np.ndarray]:
        """See `Policy.place`; `nodes` as in `Rounding.round`."""
        changed = self._changed(state, problem)
        if changed.any():
            state = self._fit(state, problem, changed)
        if slot >= state.next_refresh:
            running, placed = self._draw(state, problem, rng, nodes)
            messages, message_bytes = self._told(state, problem, placed)
            state = replace(
                state,
                rounding=running,
                placed=placed,
                messages=state.messages + messages,
                message_bytes=state.message_bytes + message_bytes,
                next_refresh=slot + int(state.interval),
                interval=min(state.interval * self.stretch, float(self.refresh_max)),
            )
        elif changed.any():
            # between two refreshes only the nodes that changed draw again
            running, placed = self._draw(state, problem, rng, nodes)
            parts = [
                self.drawing.split(running if changed[v] else state.rounding, problem.node_ptr, v)
                for v in range(problem.node_count)
            ]
            state = replace(
                state,
                rounding=self.drawing.merge(parts, problem.node_ptr),
                placed=np.where(changed[problem.item_node], placed, state.placed),
            )
        return state, state.placed

    def _draw(
        self, state: AscentState, problem: Problem, rng: np.random.Generator, nodes: np.ndarray | None
    ) -> tuple[Any, np.ndarray]:
        """The state of the rounding and a placement drawn from the fractions."""
        running, placed = self.drawing.round(
            state.rounding,
            problem.node_ptr,
            problem.item_size_bytes,
            problem.budget_bytes,
            state.y,
            rng,
            nodes,
        )
        if self.coordinate and state.learned:
            return running, Repacker(problem, state.believed, _LOYALTY).fill(
                placed, state.placed, problem.far_first
            )
        if self.fill:
            placed = fill(
                problem.node_ptr,
                problem.item_size_bytes,
                problem.budget_bytes,
                placed,
                state.y,
                in_place=state.placed,
                stickiness=1.0,
            )
        return running, placed

    def _believed(self, state: AscentState, demand: np.ndarray) -> np.ndarray:
        return _MEMORY * state.believed + (1.0 - _MEMORY) * demand if self.coordinate else state.believed

    def _told(self, state: AscentState, problem: Problem, placed: np.ndarray) -> tuple[int, int]:
        """Messages of filling together, and their bytes: what is held travels down the paths, what was added up."""
        if not (self.coordinate and state.learned):
            return 0, 0
        share = potential_share(problem, state.believed)
        return count_messages(problem, state.believed, share, placed.astype(np.float64))

    def learn(
        self, state: AscentState, problem: Problem, feedback: Feedback, rng: np.random.Generator
    ) -> AscentState:
        share = potential_share(problem, feedback.demand)
        _, g = supergradient(problem, feedback.demand, share, state.y)
        messages, message_bytes = count_messages(problem, feedback.demand, share, state.y)
        return replace(
            self._learned(state, problem, g, feedback.forecast),
            messages=state.messages + messages,
            message_bytes=state.message_bytes + message_bytes,
            believed=self._believed(state, feedback.demand),
        )

    def _learned(
        self, state: AscentState, problem: Problem, g: np.ndarray, forecast: np.ndarray | None = None
    ) -> AscentState:
        """The state after a step along `g`, and what may be said of the regret by now."""
        moved = self._step(state, problem, g, forecast)
        return replace(
            moved,
            gradient=g,
            learned=state.learned + 1,
            regret_bound=moved.steps.bound if state.steady else float("nan"),
        )

    def _changed(self, state: AscentState, problem: Problem) -> np.ndarray:
        """bool [V]: nodes whose fractions are not for this problem: budgets changed, or (routes) what is of use."""
        return state.budget_bytes != problem.budget_bytes

    def _fit(self, state: AscentState, problem: Problem, changed: np.ndarray) -> AscentState:
        """The state carried over to new budgets or routes at the nodes that `changed` (bool [V])."""
        return replace(
            state,
            y=self._refitted(state, problem, changed, state.y),
            placed=trim_to_budgets(problem, state.placed, state.y),
            budget_bytes=problem.budget_bytes,
            steady=False,
        )

    def _refitted(
        self, state: AscentState, problem: Problem, changed: np.ndarray, y: np.ndarray
    ) -> np.ndarray:
        """`y` where nodes changed: those that grew start afresh, the others project what they had, and a little of all."""
        space = self.space(problem)
        grown = (problem.budget_bytes > state.budget_bytes)[problem.item_node]
        fresh = space.uniform()
        wanted = np.where(grown, fresh, np.maximum(y, _LITTLE * fresh))
        fitted = self.geometry.project(wanted, space.size, space.node_ptr, space.budget, space.allowed)
        return np.where(changed[problem.item_node], fitted, y)


#: what is kept of the believed demand from slot to slot
_MEMORY = 0.8
#: a model in place counts so much more than another when memory is filled
_LOYALTY = 0.3
#: the part of the uniform placement that an item gets at least when it becomes of use under way
_LITTLE = 1e-3


@once_a_problem
def _space(problem: Problem, drawing: Rounding) -> Space:
    usable = drawing.usable_budget(problem.node_ptr, problem.item_size_bytes, problem.budget_bytes)
    return Space.of(problem, usable.astype(np.float64))
