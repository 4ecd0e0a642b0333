"""Follow the perturbed leader: place what would have been best so far, had luck been a little different.

Kalai & Vempala 2005; for caches Bhattacharjee et al. 2020.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.placement.base import Feedback, Policy, State
from placid.placement.offline.base import Solver
from placid.placement.offline.greedy import Greedy, complete
from placid.placement.offline.lp import LinearProgram
from placid.placement.offline.milp import Milp
from placid.placement.offline.ruin import recreated
from placid.problem.arrays import Problem
from placid.problem.placement import trim_to_budgets
from placid.problem.serving import serve

__all__ = ["PerturbedLeader"]

_ORACLES = ("greedy", "local-search", "lp", "milp")
#: of local search between two decisions, at most: the next begins where this one ended
_SWEEPS = 2


@dataclass(frozen=True, kw_only=True)
class LeaderState(State):
    """Requests so far and the noise drawn at the start, by type [R], the placement in force [N], the largest gap so far."""

    requests: np.ndarray
    perturbation: np.ndarray
    slots: int = 0
    placed: np.ndarray
    worst_gap: float = 0.0


@dataclass(frozen=True)
class PerturbedLeader(Policy):
    """Every `refresh` slots, the best placement found for the requests so far plus noise that was drawn once.

    While no capacity binds the gain of a placement is linear in the requests, so what would have been best is one
    problem at their sum. With an exact oracle, no `discount`, and requests that do not react to what was placed, the regret
    against the best static placement is then O(sqrt(T x refresh)), ratio 1 (Kalai and Vempala 2005, with noise of the size
    that their theorem asks for), also where options need several items. Three things void it: capacities that bind, as
    then gains are not linear; an oracle that stops before the optimum (lazy greedy and the LP always, the MILP at
    `time_limit_s`); a discount below 1, which follows shifts instead. So no bound is reported; how far the oracle was from
    its own upper bound at worst is in the state, `worst_gap`.

    Because the noise stays, few models move. It is central: someone knows all counts and tells every node what to hold;
    those messages are not counted. Cost: one greedy, or one MILP, every `refresh` slots.

    Attributes:
        oracle: "greedy"; "local-search", the better of greedy and of what is in place, ruined and recreated
            (`placid.placement.offline.ruin`), about ten times the time; "lp", what is whole in the linear program's optimum,
            filled up by greedy; "milp" (HiGHS, relative gap 1e-4), which takes seconds to minutes.
        time_limit_s: of LP and MILP; what they have found by then is taken. Where it strikes, runs on other machines differ.
        noise: mean of the exponential noise on every type, in slots of that network's mean demand per type.
        discount: what is kept of the counts from slot to slot; below 1 follows shifts.
        refresh: slots between two decisions.
    """

    name: ClassVar[str] = "perturbed-leader"
    chains: ClassVar[bool] = True
    oracle: Literal["greedy", "local-search", "lp", "milp"] = "greedy"
    time_limit_s: float = 60.0
    noise: float = 1.0
    discount: float = 1.0
    refresh: int = 10

    def __post_init__(self) -> None:
        if self.oracle not in _ORACLES:
            raise UnknownNameError("oracle", self.oracle, _ORACLES)
        if not self.time_limit_s > 0:
            raise InputError(f"time_limit_s must be above 0, got {self.time_limit_s}")
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
        # nothing is known before the first requests; they are reason enough, and from then on every `refresh` slots
        if not state.requests.any() or (slot % self.refresh and state.placed.any()):
            placed = trim_to_budgets(problem, state.placed, np.ones(problem.item_count))
        else:
            weight = (
                state.slots if self.discount == 1 else (1 - self.discount**state.slots) / (1 - self.discount)
            )
            typical = state.requests.mean() / weight
            believed = (state.requests + self.noise * typical * state.perturbation) / weight
            solution = self._solver().solve(problem, believed)
            placed = solution.placed
            state = replace(state, worst_gap=max(state.worst_gap, solution.gap))
            if self.oracle == "local-search":
                there = trim_to_budgets(problem, state.placed, np.ones(problem.item_count))
                begun = there if there.any() else placed
                found = complete(problem, believed, recreated(problem, believed, begun, _SWEEPS))
                if serve(problem, found, believed).gain > solution.value:
                    placed = found
        return replace(state, placed=placed), placed

    def _solver(self) -> Solver:
        if self.oracle in ("greedy", "local-search"):
            return Greedy(bound_steps=0)
        if self.oracle == "lp":
            return LinearProgram(time_limit_s=self.time_limit_s)
        # rounds of cuts are for contended capacities, where the theorem does not hold anyway
        return Milp(time_limit_s=self.time_limit_s, relative_gap=1e-4, cut_rounds=0)

    def learn(
        self, state: LeaderState, problem: Problem, feedback: Feedback, rng: np.random.Generator
    ) -> LeaderState:
        return replace(
            state, requests=self.discount * state.requests + feedback.demand, slots=state.slots + 1
        )
