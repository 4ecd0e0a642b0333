"""Column ascent: INFIDA for models that are split over several nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.placement.base import Feedback, Policy, State
from placid.placement.columns import Columns
from placid.placement.offline.bundles import fill_with_bundles
from placid.placement.online.infida import entropic_curvature, entropic_diameter
from placid.placement.online.memo import once_a_problem
from placid.placement.online.space import Space, sum_by_node
from placid.placement.online.steps import StepMemory, book, self_tuned_rate
from placid.placement.projections import Entropy
from placid.placement.rounding import CHAIN_ROUNDINGS, ChainRounding
from placid.placement.rounding.draws import Draws
from placid.problem.arrays import Problem
from placid.problem.gain import partitioned_gain, potential_share
from placid.problem.placement import trim_to_budgets

__all__ = ["ColumnAscent", "columns_of"]

_GEOMETRY = Entropy()
#: what is kept of the believed demand from slot to slot
_MEMORY = 0.8


@dataclass(frozen=True, kw_only=True)
class ColumnState(State):
    """The fractions of columns and all that goes with them.

    Attributes:
        z: float64 [C]; `key` says which columns these are, int64 [C, k].
        placed: bool [N]; the items in force.
        draws: the random numbers of the rounding.
        steps: what the learning rates remember.
        budget_bytes: int64 [V]; that z was projected for.
        learned: slots learned from.
        next_refresh: when the placement is drawn again.
        steady: false once budgets or routes changed under way; the regret bound then speaks of nothing.
        believed: float64 [R]; the demand of late.
    """

    z: np.ndarray
    key: np.ndarray
    placed: np.ndarray
    draws: Draws
    steps: StepMemory
    budget_bytes: np.ndarray
    learned: int = 0
    next_refresh: int = 0
    steady: bool = True
    believed: np.ndarray


@dataclass(frozen=True)
class ColumnAscent(Policy):
    """Mirror ascent on the concave gain over columns (`placid.placement.columns`); parts of a plan are drawn together.

    The one-part case is INFIDA: with models that answer alone, columns are items and the gain is INFIDA's.

    **What is guaranteed.** The fractions earn at least what the best fixed fractions would, less `regret_bound`: always, for
    the requests that came (the account of `placid.placement.online.steps`, which asks for concavity alone). What a draw
    keeps of that at the least, in expectation, is `least_ratio` of the rounding at these fractions and budgets
    (`placid.placement.rounding`): with arbitrary sharing of parts no constant is possible, and the number may be 0. What
    it keeps in fact is measured, slot by slot. Memory that is left is used by greedy bundles for the demand of late.

    Cost: O(options x parts) a slot, and a greedy filling at every refresh.

    Attributes:
        rounding: how a placement is drawn from the fractions: `top-down`, which uses memory fully whatever the sizes, or
            `shared`, for nodes that hold dozens of parts.
        refresh: slots between two drawings of the placement.
        renewal: part of the rounding's random numbers that is replaced at each; the less, the less moves.
        stay: what is drawn replaces what is in place if it is worth so much more, as a share, for the demand of late.
        fill: use memory that the rounding leaves over.
        loyalty: when memory is filled, what is in place counts as so much smaller: ``1 / (1 + loyalty)`` of its bytes.
        share: part of the uniform fractions mixed in after every step, as in `AdaptiveInfida`.
    """

    name: ClassVar[str] = "column-ascent"
    chains: ClassVar[bool] = True
    rounding: Literal["top-down", "shared"] = "top-down"
    refresh: int = 1
    renewal: float = 0.02
    stay: float = 0.005
    fill: bool = True
    loyalty: float = 0.5
    share: float = 1e-3

    def __post_init__(self) -> None:
        if self.rounding not in CHAIN_ROUNDINGS:
            raise UnknownNameError("rounding of plans", self.rounding, CHAIN_ROUNDINGS)
        if self.refresh < 1:
            raise InputError(f"refresh must be at least 1 slot, got {self.refresh}")
        if not 0 <= self.renewal <= 1:
            raise InputError(f"renewal is a probability, in [0, 1]; got {self.renewal}")
        if not self.stay >= 0:
            raise InputError(f"stay must not be negative, got {self.stay}")
        if not self.loyalty >= 0:
            raise InputError(f"loyalty must not be negative, got {self.loyalty}")
        if not 0 < self.share < 1:
            raise InputError(f"share must lie between 0 and 1, got {self.share}")

    def start(self, problem: Problem, rng: np.random.Generator) -> ColumnState:
        lifted = _lifted(problem)
        return ColumnState(
            z=lifted.space.uniform(),
            key=lifted.columns.key,
            placed=np.zeros(problem.item_count, bool),
            draws=lifted.roundings[self.rounding].start(rng),
            steps=StepMemory.start(problem.node_count),
            budget_bytes=problem.budget_bytes,
            believed=np.zeros(problem.type_count),
        )

    def place(
        self, state: ColumnState, problem: Problem, slot: int, rng: np.random.Generator
    ) -> tuple[ColumnState, np.ndarray]:
        lifted = _lifted(problem)
        same = np.array_equal(state.key, lifted.columns.key)
        if not same or not np.array_equal(state.budget_bytes, problem.budget_bytes):
            state = _fitted(state, problem, lifted.roundings[self.rounding], rng)
        elif slot < state.next_refresh:
            return state, state.placed
        draws, placed = self._drawn(state, problem, rng)
        return replace(state, draws=draws, placed=placed, next_refresh=slot + self.refresh), placed

    def _drawn(
        self, state: ColumnState, problem: Problem, rng: np.random.Generator
    ) -> tuple[Draws, np.ndarray]:
        """The random numbers after, and the placement drawn, or the one in force if that is worth as much."""
        lifted = _lifted(problem)
        drawing = lifted.roundings[self.rounding]
        draws, columns = drawing.round(state.draws, state.z, problem.budget_bytes, rng, self.renewal)
        drawn = lifted.columns.items(columns, problem.item_count)
        if not state.learned:
            return draws, drawn
        share = potential_share(problem, state.believed)
        if self.fill:
            drawn = fill_with_bundles(
                problem, state.believed, share, drawn, before=state.placed, loyalty=self.loyalty
            )
        kept = trim_to_budgets(problem, state.placed, np.ones(problem.item_count))
        new, old = (partitioned_gain(problem, state.believed, share, x) for x in (drawn, kept))
        return draws, drawn if new > (1.0 + self.stay) * old else kept

    def learn(
        self, state: ColumnState, problem: Problem, feedback: Feedback, rng: np.random.Generator
    ) -> ColumnState:
        lifted = _lifted(problem)
        space, columns = lifted.space, lifted.columns
        demand = feedback.demand.astype(np.float64)
        _, g = columns.supergradient(demand, columns.share(problem, demand), state.z)
        diameter = entropic_diameter(space, state.z)
        rate = self_tuned_rate(state.steps, diameter, entropic_curvature(space, state.z, g))
        direction = np.repeat(np.where(np.isfinite(rate), rate, 0.0), np.diff(space.node_ptr)) * g
        z = _GEOMETRY.ascend(state.z, direction, 1.0, space.size, space.node_ptr, space.budget, space.allowed)
        distance = sum_by_node(space.node_ptr, _GEOMETRY.divergence(z, state.z, space.size))
        cost = np.maximum(0.0, sum_by_node(space.node_ptr, g * (z - state.z)) - distance / rate)
        part, centre = min(self.share, 1.0 / (state.learned + 1)), space.uniform()
        z = np.minimum(1.0, (1.0 - part) * z + part * centre)
        steps = book(state.steps, rate, diameter, cost, part * entropic_diameter(space, centre))
        return replace(
            state,
            z=z,
            steps=steps,
            learned=state.learned + 1,
            regret_bound=steps.bound if state.steady else float("nan"),
            believed=_MEMORY * state.believed + (1.0 - _MEMORY) * demand,
        )

    def relaxed_gain(
        self, state: ColumnState, problem: Problem, demand: np.ndarray, share: np.ndarray
    ) -> float:
        columns = _lifted(problem).columns
        demand = demand.astype(np.float64)
        return columns.gain(demand, columns.share(problem, demand), state.z)


@dataclass(frozen=True)
class _Lifted:
    """What follows from a problem: its columns, where their fractions move, and how they are drawn."""

    columns: Columns
    space: Space
    roundings: Mapping[str, ChainRounding]


@once_a_problem
def columns_of(problem: Problem) -> Columns:
    """The columns of `problem`, worked out once."""
    return Columns.of(problem)


@once_a_problem
def _lifted(problem: Problem) -> _Lifted:
    columns = columns_of(problem)
    space = Space.of(columns.lifted, problem.budget_bytes.astype(np.float64))
    roundings = {name: make(columns, problem.node_hops) for name, make in CHAIN_ROUNDINGS.items()}
    return _Lifted(columns, space, roundings)


def _fitted(
    state: ColumnState, problem: Problem, drawing: ChainRounding, rng: np.random.Generator
) -> ColumnState:
    """The state carried over to other budgets or routes: columns that are still there keep their fractions."""
    lifted = _lifted(problem)
    space, fresh = lifted.space, lifted.space.uniform()
    key = lifted.columns.key
    z, draws = fresh, state.draws
    if np.array_equal(key, state.key):
        wanted = state.z
    else:
        known = {tuple(row): i for i, row in enumerate(state.key.tolist())}
        width = state.key.shape[1] - key.shape[1]
        rows = np.pad(key, ((0, 0), (0, max(width, 0))), constant_values=-1).tolist()
        old = np.array([known.get(tuple(row[: state.key.shape[1]]), -1) for row in rows], np.int64)
        wanted = np.where(old >= 0, state.z[old] if len(state.z) else 0.0, fresh)
        draws = drawing.start(rng)
    grown = (problem.budget_bytes > state.budget_bytes)[lifted.columns.lifted.item_node]
    wanted = np.where(grown, fresh, np.maximum(wanted, 1e-3 * fresh))
    z = _GEOMETRY.project(wanted, space.size, space.node_ptr, space.budget, space.allowed)
    return replace(state, z=z, key=key, draws=draws, budget_bytes=problem.budget_bytes, steady=False)
