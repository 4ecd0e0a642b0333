"""Plays a workload against a policy, slot by slot: place, serve, learn, write a row.

The loop is the whole simulator. Who serves what is `placid.problem.serving`; what changes in mid-run is a list of
(slot, problem) made before the run. The state after any slot is all that is needed to go on from there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from placid.placement.base import Feedback, Policy
from placid.placement.prices import PriceView
from placid.problem.arrays import Problem
from placid.problem.gain import partitioned_gain, potential_share
from placid.problem.placement import bytes_loaded, bytes_used, check_feasible, empty_placement
from placid.problem.serving import Outcome, serve
from placid.problem.within import Within, serve_within
from placid.randomness import stream
from placid.workload.base import Workload

__all__ = ["Episode", "Progress", "SlotRecord", "held_share", "play"]


@dataclass(frozen=True)
class Episode:
    """All that is fixed while a policy plays.

    Attributes:
        timeline: (first slot, problem) in rising order, the first at slot 0; a problem holds until the next begins.
        slots: how many slots are played.
    """

    timeline: Sequence[tuple[int, Problem]]
    workload: Workload
    policy: Policy
    seed: int
    slots: int

    def problem(self, slot: int) -> Problem:
        """The problem in force in `slot`."""
        return self.timeline[bisect_right([first for first, _ in self.timeline], slot) - 1][1]


@dataclass(frozen=True)
class Progress:
    """Where a run stands: the next slot, the policy's state, the placement in force, and the prices of limits."""

    slot: int
    state: Any
    placed: np.ndarray
    prices: PriceView = field(default_factory=PriceView)


@dataclass(frozen=True)
class SlotRecord:
    """What one slot came to; `fields` of it become a row.

    Attributes:
        gain_partitioned: the gain with every type kept to its own part of each item, which the theorem speaks of.
        relaxed_gain: the concave gain at the policy's fractional placement; NaN if it has none.
        loaded, evicted: items that came and went before the slot.
        within: how the slot went within the limits of links and processors; None if there are none. The two gains before it
            are then those of the problem at its prices, which is what policies see.
    """

    slot: int
    demand: np.ndarray
    outcome: Outcome
    gain_partitioned: float
    relaxed_gain: float
    loaded: np.ndarray
    evicted: np.ndarray
    bytes_loaded: int
    bytes_placed: int
    messages: int
    message_bytes: int
    regret_bound: float
    drawn_share: float
    within: Within | None = None


def held_share(problem: Problem, placed: np.ndarray) -> np.ndarray:
    """What a request of each type would save now, as a share of what its best option would, float64 [R]; 1 if none could."""
    held = np.zeros(problem.type_count)
    needs = problem.needs
    whole = np.logical_and.reduceat(placed[needs.item], needs.ptr[:-1]) if problem.option_count else False
    saving = np.where(whole, problem.option_saving, 0.0)
    np.maximum.at(held, problem.option_type, saving)
    best = np.zeros(problem.type_count)
    np.maximum.at(best, problem.option_type, problem.option_saving)
    return np.divide(held, best, out=np.ones_like(held), where=best > 0)


def begin(episode: Episode) -> Progress:
    """The start of a run: a fresh state and an empty network.

    Raises:
        InputError: options need several items, and the policy cannot place those.
    """
    problem = episode.problem(0)
    if not episode.policy.chains:
        problem.check_one_item_each(f"policy '{episode.policy.name}'")
    prices = PriceView().at(problem, None)
    state = episode.policy.start(prices.problem(problem), stream(episode.seed, "policy", "start"))
    return Progress(0, state, empty_placement(problem), prices)


def play(episode: Episode, progress: Progress | None = None) -> Iterator[tuple[SlotRecord, Progress]]:
    """Every slot from `progress` (default: the start) to the end, with the progress after it.

    Where links and processors have limits, the policy sees the problem at their prices, and what it gets to see of a slot is
    how that problem would have been served; the row says what was served within the limits.

    Raises:
        InfeasiblePlacementError: the policy put more on a node than its memory holds.
    """
    now = progress or begin(episode)
    policy, seed = episode.policy, episode.seed
    for slot in range(now.slot, episode.slots):
        problem = episode.problem(slot)
        prices = now.prices.at(problem, episode.problem(slot - 1).limits if slot else None)
        seen = prices.problem(problem)
        state, placed = policy.place(now.state, seen, slot, stream(seed, "policy", "place", slot))
        check_feasible(problem, placed, f"policy '{policy.name}' in slot {slot}")
        workload = episode.workload
        demand = workload.demand(slot, seed, held_share(seen, placed) if workload.adaptive else None)
        outcome = serve(seen, placed, demand)
        share = potential_share(seen, demand)
        feedback = Feedback(slot, demand, placed, outcome, workload.expected(slot + 1))
        learned = policy.learn(state, seen, feedback, stream(seed, "policy", "learn", slot))
        within = None if problem.limits is None else serve_within(problem, placed, demand, prices.now)
        record = SlotRecord(
            slot=slot,
            demand=demand,
            outcome=outcome if within is None else within.outcome,
            gain_partitioned=partitioned_gain(seen, demand, share, placed),
            relaxed_gain=policy.relaxed_gain(state, seen, demand, share),
            loaded=np.flatnonzero(placed & ~now.placed),
            evicted=np.flatnonzero(now.placed & ~placed),
            bytes_loaded=bytes_loaded(problem, now.placed, placed),
            bytes_placed=int(bytes_used(problem, placed).sum()),
            messages=learned.messages - now.state.messages,
            message_bytes=learned.message_bytes - now.state.message_bytes,
            regret_bound=learned.regret_bound,
            drawn_share=learned.drawn_share,
            within=within,
        )
        if within is not None:
            prices = replace(prices, now=within.prices)
        now = Progress(slot + 1, learned, placed, prices)
        yield record, now
