"""A portfolio: several policies learn side by side, and the one that has earned most is followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, make_dataclass, replace
from functools import cache
from typing import Any, ClassVar

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.placement.base import Feedback, Policy, State
from placid.placement.online.column_ascent import ColumnAscent
from placid.placement.online.hedge import Hedge
from placid.placement.online.infida import AdaptiveInfida
from placid.placement.online.perturbed import PerturbedLeader
from placid.placement.online.recency import LeastRecentlyUsed
from placid.placement.online.repacking import Repacking
from placid.problem.arrays import Problem
from placid.problem.placement import bytes_loaded, empty_placement
from placid.problem.serving import serve

__all__ = ["Portfolio"]


@dataclass(frozen=True, kw_only=True)
class PortfolioState(State):
    """What a portfolio knows; the states of its members follow as fields ``member_0``, ``member_1``, …

    Attributes:
        hedge: the weights of the members, and what they were made of.
        weight: float64 [K]; from which `followed` was drawn.
        followed: the member whose placement is in force.
        earned: float64 [K]; by each member since the last refresh, its loading paid.
        placed: bool [K, N]; what each member would have in place.
    """

    hedge: Hedge
    weight: np.ndarray
    followed: int = 0
    earned: np.ndarray
    placed: np.ndarray


@dataclass(frozen=True)
class Portfolio(Policy):
    """Hedging over policies: each plays on, in thought, and every `refresh` slots one is chosen to be followed.

    Gains of all members can be computed, as demand is seen whole. Weights are AdaHedge's (`placid.placement.online.hedge`)
    on what members earned from refresh to refresh, loading paid if it has a price. So for any requests, whatever they are,

        E gain >= gain of the best member - 2 mixability - range of the first round,

    O(sqrt(T x refresh)) as ranges of gains are bounded; until the first refresh the first member is followed, as nothing is
    known of any, and that costs at most what members then differ by. Whatever a member guarantees, the portfolio does, and
    where a heuristic does well, it does nearly as well. Changing the member moves models, which is not in that sum; it is
    done as seldom as the weights allow, and never between refreshes.

    Cost: that of its members together, and one serving for each and slot.

    Attributes:
        members: names of policies, with their usual settings; empty: `repacking`, `infida-adaptive` and `lru`, or, where
            models are split over several nodes, `perturbed-leader` twice (local search every 20 slots, which finds
            more where nothing shifts: noise 0.2, discount 0.95; greedy every 2 slots, which follows shifts: noise 0.2,
            discount 0.8) and `column-ascent`. The first is followed at the beginning.
        refresh: slots between two choices.
        loading_per_gb: what loading a gigabyte costs, in units of the objective; charged to what members earn.
    """

    name: ClassVar[str] = "portfolio"
    chains: ClassVar[bool] = True
    members: tuple[str, ...] = ()
    refresh: int = 5
    loading_per_gb: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(self.members))
        if self.refresh < 1:
            raise InputError(f"refresh must be at least 1 slot, got {self.refresh}")
        if not self.loading_per_gb >= 0:
            raise InputError(f"loading_per_gb must not be negative, got {self.loading_per_gb}")
        if len(set(self.members)) < len(self.members) or len(self.members) == 1:
            raise InputError(f"members are two policies or more, each once; got {', '.join(self.members)}")
        for name in self.members:
            if name == self.name or name not in _table():
                raise UnknownNameError("member of a portfolio", name, [n for n in _table() if n != self.name])

    def start(self, problem: Problem, rng: np.random.Generator) -> PortfolioState:
        policies = self.policies(problem)
        states = [p.start(problem, r) for p, r in zip(policies, _streams(rng, len(policies)), strict=True)]
        hedge = Hedge.start(len(policies))
        made: PortfolioState = _state_class(len(policies))(
            hedge=hedge,
            weight=np.eye(1, len(policies))[0],
            earned=np.zeros(len(policies)),
            placed=np.stack([empty_placement(problem)] * len(policies)),
            **{f"member_{k}": s for k, s in enumerate(states)},
        )
        return made

    def place(
        self, state: PortfolioState, problem: Problem, slot: int, rng: np.random.Generator
    ) -> tuple[PortfolioState, np.ndarray]:
        policies = self.policies(problem)
        if slot and slot % self.refresh == 0:
            hedge = state.hedge.learn(state.earned)
            followed = hedge.follow(state.followed, state.weight, rng)
            state = replace(
                state, hedge=hedge, weight=hedge.weight, followed=followed, earned=np.zeros(len(policies))
            )
        each = [
            policy.place(member, problem, slot, r)
            for policy, member, r in zip(policies, _members(state), _streams(rng, len(policies)), strict=True)
        ]
        placed = np.stack([p for _, p in each])
        price = self.loading_per_gb / 1e9
        loaded = np.array([bytes_loaded(problem, a, b) for a, b in zip(state.placed, placed, strict=True)])
        state = replace(state, placed=placed, earned=state.earned - price * loaded)
        return _with(state, [s for s, _ in each]), placed[state.followed]

    def learn(
        self, state: PortfolioState, problem: Problem, feedback: Feedback, rng: np.random.Generator
    ) -> PortfolioState:
        policies = self.policies(problem)
        learned, gains = [], np.zeros(len(policies))
        for k, (policy, member, r) in enumerate(
            zip(policies, _members(state), _streams(rng, len(policies)), strict=True)
        ):
            outcome = (
                feedback.outcome if k == state.followed else serve(problem, state.placed[k], feedback.demand)
            )
            gains[k] = outcome.gain
            seen = replace(feedback, placed=state.placed[k], outcome=outcome)
            learned.append(policy.learn(member, problem, seen, r))
        return replace(
            _with(state, learned),
            earned=state.earned + gains,
            messages=sum(s.messages for s in learned),
            message_bytes=sum(s.message_bytes for s in learned),
        )

    def policies(self, problem: Problem) -> tuple[Policy, ...]:
        """The members, for this kind of problem.

        Raises:
            InputError: options need several items, and a member that was named cannot place those.
        """
        if not self.members:
            if problem.chains is not None:
                return (
                    PerturbedLeader(oracle="local-search", noise=0.2, discount=0.95, refresh=20),
                    PerturbedLeader(noise=0.2, discount=0.8, refresh=2),
                    ColumnAscent(),
                )
            return Repacking(), AdaptiveInfida(), LeastRecentlyUsed()
        found = tuple(_table()[name]() for name in self.members)
        for policy in found:
            if not policy.chains:
                problem.check_one_item_each(f"policy '{policy.name}', a member of the portfolio,")
        return found


def _table() -> dict[str, type[Policy]]:
    from placid.placement.online import POLICIES  # which lists this policy too

    return POLICIES


@cache
def _state_class(count: int) -> type[PortfolioState]:
    more = [(f"member_{k}", Any, field()) for k in range(count)]
    return make_dataclass("PortfolioState", more, bases=(PortfolioState,), frozen=True, kw_only=True)


def _members(state: PortfolioState) -> Iterator[Any]:
    return (getattr(state, f.name) for f in fields(state) if f.name.startswith("member_"))


def _with(state: PortfolioState, members: Sequence[Any]) -> PortfolioState:
    return replace(state, **{f"member_{k}": s for k, s in enumerate(members)})


def _streams(rng: np.random.Generator, count: int) -> list[np.random.Generator]:
    """A stream for each member, so that what one draws never hangs on what another does."""
    return [np.random.default_rng(seed) for seed in rng.integers(0, 2**63, (count, 2)).tolist()]
