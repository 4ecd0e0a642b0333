"""The conformance check of policies: what every policy must do, ours and yours.

    from placid.testing import check_policy
    check_policy(MyPolicy())

raises AssertionError with the reason at the first thing that is wrong.
"""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass, replace

import numpy as np

from placid.placement.base import Policy, State
from placid.placement.checkpoint import flatten, restore
from placid.problem.arrays import Problem
from placid.simulation.slots import Episode, Progress, SlotRecord, begin, play
from placid.testing.instances import random_demand, random_problem
from placid.workload.replay import Replay
from placid.workload.requests import RequestTypes

__all__ = ["check_policy"]


def check_policy(policy: Policy, *, instances: int = 5, slots: int = 12, seed: int = 0) -> None:
    """Play `policy` on random small networks whose nodes fail, shrink and come back, and check that it

    - is a frozen dataclass with a name, and its state is made of arrays, numbers, bools and strings;
    - is feasible to the byte in every slot, whatever happens to the budgets;
    - draws the same placements again under the same seed;
    - goes on from a restored state to the very same placements;
    - never changes what it is given (problem, state, feedback).

    Raises:
        AssertionError: says what is wrong.
    """
    assert is_dataclass(policy), f"{policy!r} must be a dataclass"
    assert getattr(type(policy), "name", ""), f"{type(policy).__name__} has no name"
    for f in fields(policy)[:1]:
        try:
            setattr(policy, f.name, getattr(policy, f.name))
        except FrozenInstanceError:
            pass
        else:
            raise AssertionError(f"{type(policy).__name__} must be frozen: its state travels, its settings stay")
    for i in range(instances):
        rng = np.random.default_rng([seed, i])
        problem = random_problem(rng)
        episode = _episode(policy, problem, rng, slots, seed + i)
        once = list(play(episode))
        again = list(play(episode))
        for (a, _), (b, _) in zip(once, again, strict=True):
            assert np.array_equal(a.loaded, b.loaded), (
                f"{policy.name}: other placements under the same seed, slot {a.slot}"
            )
        _check_state(policy, once[-1][1])
        middle = once[slots // 2 - 1][1]
        revived = Progress(
            middle.slot, restore(begin(episode).state, flatten(middle.state)), middle.placed.copy()
        )
        rest = [record for record, _ in play(episode, revived)]
        _check_same(policy, [record for record, _ in once[slots // 2 :]], rest)


def _episode(policy: Policy, problem: Problem, rng: np.random.Generator, slots: int, seed: int) -> Episode:
    """Random requests; from a third of the run on one node is down, from two thirds on it is back and all have shrunk."""
    for array in (problem.option_saving, problem.option_item, problem.budget_bytes, problem.item_size_bytes):
        array.flags.writeable = False
    down = problem.budget_bytes.copy()
    down[rng.integers(problem.node_count)] = 0
    timeline = (
        (0, problem),
        (slots // 3, replace(problem, budget_bytes=down)),
        (2 * slots // 3, replace(problem, budget_bytes=problem.budget_bytes * 2 // 3)),
    )
    names = tuple(problem.node_names[v] for v in problem.type_ingress)
    tasks = tuple(problem.task_names[t] for t in problem.type_task)
    demand = np.array([random_demand(rng, problem) for _ in range(slots)])
    demand.flags.writeable = False
    return Episode(timeline, Replay(RequestTypes(names, tasks), demand), policy, seed, slots)


def _check_state(policy: Policy, progress: Progress) -> None:
    assert isinstance(progress.state, State), f"{policy.name}: its state must derive from placid.placement.base.State"
    flatten(progress.state)


def _check_same(policy: Policy, one: list[SlotRecord], other: list[SlotRecord]) -> None:
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a.loaded, b.loaded), f"{policy.name}: other placements after a restart, slot {a.slot}"
        assert np.array_equal(a.evicted, b.evicted), f"{policy.name}: other placements after a restart, slot {a.slot}"
        assert a.outcome.gain == b.outcome.gain, f"{policy.name}: another gain after a restart, slot {a.slot}"
