"""The conformance check of policies: what every policy must do, ours and yours.

    from placid.testing import check_policy
    check_policy(MyPolicy())

raises AssertionError with the reason at the first thing that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
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


def check_policy(
    policy: Policy | Callable[[Problem], Policy],
    *,
    instances: int = 5,
    slots: int = 12,
    seed: int = 0,
    plans: int = 0,
) -> None:
    """Play `policy` on random small networks whose nodes fail, shrink and come back, and check that it

    - is a frozen dataclass with a name, and its state is made of arrays, numbers, bools and strings;
    - is feasible to the byte in every slot, whatever happens to the budgets;
    - draws the same placements again under the same seed;
    - goes on from a restored state to the very same placements;
    - never changes what it is given (problem, state, feedback);
    - counts its messages upwards, and reports a regret bound that is a number from 0 up or NaN.

    Args:
        policy: or what makes one for a given problem.
        plans: split models per task, laid over several nodes; for policies that place them.

    Raises:
        AssertionError: says what is wrong.
    """
    for i in range(instances):
        rng = np.random.default_rng([seed, i])
        problem = _read_only(random_problem(rng, plans=plans) if plans else random_problem(rng))
        player = policy if isinstance(policy, Policy) else policy(problem)
        _check_frozen(player)
        _check_play(player, _episode(player, problem, rng, slots, seed + i))


def _check_frozen(policy: Policy) -> None:
    who = type(policy).__name__
    assert is_dataclass(policy), f"{who} must be a dataclass"
    assert getattr(type(policy), "name", ""), f"{who} has no name"
    for f in fields(policy)[:1]:
        try:
            setattr(policy, f.name, getattr(policy, f.name))
        except FrozenInstanceError:
            pass
        else:
            raise AssertionError(f"{who} must be frozen: its state travels, its settings stay")


def _check_play(policy: Policy, episode: Episode) -> None:
    name = policy.name
    once: list[SlotRecord] = []
    states: list[tuple[Progress, dict[str, np.ndarray]]] = []
    for record, progress in play(episode):
        assert isinstance(progress.state, State), (
            f"{name}: its state must derive from placid.placement.base.State"
        )
        once.append(record)
        states.append((progress, _copies(progress.state)))
        assert record.messages >= 0, f"{name}: its count of messages fell in slot {record.slot}"
        assert record.message_bytes >= 0, f"{name}: its count of message bytes fell in slot {record.slot}"
        assert not record.regret_bound < 0, f"{name}: a regret bound below 0 in slot {record.slot}"
    for progress, before in states:
        after = _copies(progress.state)
        changed = [key for key in before if not _equal(before[key], after[key])]
        assert not changed, (
            f"{name}: changed the state it was given after slot {progress.slot - 1}: {changed}"
        )
    _check_same(name, "under the same seed", once, [record for record, _ in play(episode)])
    middle = states[len(once) // 2 - 1][0]
    fresh = begin(episode).state
    revived = Progress(middle.slot, restore(fresh, _copies(middle.state)), middle.placed.copy())
    rest = [record for record, _ in play(episode, revived)]
    _check_same(name, "after a restart", once[middle.slot :], rest)


def _episode(policy: Policy, problem: Problem, rng: np.random.Generator, slots: int, seed: int) -> Episode:
    """Random requests; from a third of the run on a node is down, from two thirds on it is back and all shrank."""
    down = problem.budget_bytes.copy()
    down[rng.integers(problem.node_count)] = 0
    timeline = (
        (0, problem),
        (slots // 3, _read_only(replace(problem, budget_bytes=down))),
        (2 * slots // 3, _read_only(replace(problem, budget_bytes=problem.budget_bytes * 2 // 3))),
    )
    names = tuple(problem.node_names[v] for v in problem.type_ingress)
    tasks = tuple(problem.task_names[t] for t in problem.type_task)
    demand = np.array([random_demand(rng, problem) for _ in range(slots)])
    demand.flags.writeable = False
    return Episode(timeline, Replay(RequestTypes(names, tasks), demand), policy, seed, slots)


def _read_only(problem: Problem) -> Problem:
    for f in fields(problem):
        value = getattr(problem, f.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return problem


def _copies(state: State) -> dict[str, np.ndarray]:
    return {key: value.copy() for key, value in flatten(state).items()}


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _check_same(name: str, when: str, one: list[SlotRecord], other: list[SlotRecord]) -> None:
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a.loaded, b.loaded), f"{name}: other placements {when}, slot {a.slot}"
        assert np.array_equal(a.evicted, b.evicted), f"{name}: other placements {when}, slot {a.slot}"
        assert a.outcome.gain == b.outcome.gain, f"{name}: another gain {when}, slot {a.slot}"
