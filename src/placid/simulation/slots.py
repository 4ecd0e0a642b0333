"""Plays a workload against a policy, slot by slot: place, serve, learn, write a row.

The loop is the whole simulator. Who serves what is `placid.problem.serving`; what changes in mid-run is a list of
(slot, problem) made before the run. The state after any slot is all that is needed to go on from there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from placid.placement.base import Feedback, Policy
from placid.problem.arrays import Problem
from placid.problem.gain import partitioned_gain, potential_share
from placid.problem.placement import bytes_loaded, bytes_used, check_feasible, empty_placement
from placid.problem.serving import Outcome, serve
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
    """Where a run stands: the next slot, the policy's state, and the placement in force."""

    slot: int
    state: Any
    placed: np.ndarray


@dataclass(frozen=True)
class SlotRecord:
    """What one slot came to; `fields` of it become a row.

    Attributes:
        gain_partitioned: the gain with every type kept to its own part of each item, which the theorem speaks of.
        relaxed_gain: the concave gain at the policy's fractional placement; NaN if it has none.
        loaded, evicted: items that came and went before the slot.
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
    state = episode.policy.start(problem, stream(episode.seed, "policy", "start"))
    return Progress(0, state, empty_placement(problem))


def play(episode: Episode, progress: Progress | None = None) -> Iterator[tuple[SlotRecord, Progress]]:
    """Every slot from `progress` (default: the start) to the end, with the progress after it.

    Raises:
        InfeasiblePlacementError: the policy put more on a node than its memory holds.
    """
    now = progress or begin(episode)
    policy, seed = episode.policy, episode.seed
    for slot in range(now.slot, episode.slots):
        problem = episode.problem(slot)
        state, placed = policy.place(now.state, problem, slot, stream(seed, "policy", "place", slot))
        check_feasible(problem, placed, f"policy '{policy.name}' in slot {slot}")
        workload = episode.workload
        demand = workload.demand(slot, seed, held_share(problem, placed) if workload.adaptive else None)
        outcome = serve(problem, placed, demand)
        share = potential_share(problem, demand)
        feedback = Feedback(slot, demand, placed, outcome, workload.expected(slot + 1))
        learned = policy.learn(state, problem, feedback, stream(seed, "policy", "learn", slot))
        record = SlotRecord(
            slot=slot,
            demand=demand,
            outcome=outcome,
            gain_partitioned=partitioned_gain(problem, demand, share, placed),
            relaxed_gain=policy.relaxed_gain(state, problem, demand, share),
            loaded=np.flatnonzero(placed & ~now.placed),
            evicted=np.flatnonzero(now.placed & ~placed),
            bytes_loaded=bytes_loaded(problem, now.placed, placed),
            bytes_placed=int(bytes_used(problem, placed).sum()),
            messages=learned.messages - now.state.messages,
            message_bytes=learned.message_bytes - now.state.message_bytes,
            regret_bound=learned.regret_bound,
            drawn_share=learned.drawn_share,
        )
        now = Progress(slot + 1, learned, placed)
        yield record, now
