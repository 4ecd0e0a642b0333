from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placid.errors import InputError, UnknownNameError
from placid.workload import Evader, Replay, RequestTypes, RoundRobin, Workload

TASKS = 6
ONE_NODE = RequestTypes.grid(["a"], [f"t{j}" for j in range(TASKS)])


def lru_hits(workload: Workload, room: int, slots: int) -> np.ndarray:
    """Requests per slot that find their task among the `room` tasks asked for most recently."""
    recent: OrderedDict[int, None] = OrderedDict()
    hits = []
    for slot in range(slots):
        demand = workload.demand(slot, 0)
        hits.append(sum(int(demand[r]) for r in np.flatnonzero(demand) if int(r) in recent))
        for r in np.flatnonzero(demand):
            recent[int(r)] = None
            recent.move_to_end(int(r))
            if len(recent) > room:
                recent.popitem(last=False)
    return np.array(hits)


def test_round_robin_defeats_recency() -> None:
    turns = RoundRobin(ONE_NODE, rate_per_s=10.0, slot_s=1.0)
    assert lru_hits(turns, room=TASKS - 1, slots=300).sum() == 0
    # with room for one more it misses only the first round, so the test above is not won by a broken LRU
    assert lru_hits(turns, room=TASKS, slots=300).sum() == 10 * (300 - TASKS)
    # a static choice of as many tasks gets all but its share of the missing one
    kept = sum(int(turns.demand(slot, 0)[: TASKS - 1].sum()) for slot in range(300))
    assert kept == 3000 * (TASKS - 1) / TASKS


def test_round_robin_in_blocks_defeats_a_policy_that_decides_once_a_block() -> None:
    turns = RoundRobin(ONE_NODE, rate_per_s=10.0, slot_s=1.0, block_slots=4)
    asked = [int(turns.demand(slot, 0).argmax()) for slot in range(4 * TASKS * 2)]
    assert asked == [j for _ in range(2) for j in range(TASKS) for _ in range(4)]
    hits = 0
    holds: list[int] = []
    for slot, task in enumerate(asked):
        if slot % 4 == 0:
            holds = list(dict.fromkeys(reversed(asked[:slot])))[: TASKS - 1]
        hits += task in holds
    assert hits == 0


def test_round_robin_by_task_asks_everywhere_and_by_type_at_one_place() -> None:
    requests = RequestTypes(("a", "a", "b", "b", "c"), ("x", "y", "y", "x", "y"))
    by_task = RoundRobin(requests, rate_per_s=10.0, slot_s=1.0)
    assert [by_task.demand(slot, 0).tolist() for slot in range(3)] == [
        [5, 0, 0, 5, 0],
        [0, 4, 3, 0, 3],
        [5, 0, 0, 5, 0],
    ]
    by_type = RoundRobin(requests, rate_per_s=10.0, slot_s=1.0, turn="type")
    np.testing.assert_array_equal(
        [by_type.demand(slot, 0) for slot in range(6)], 10 * np.eye(5, dtype=int)[[0, 1, 2, 3, 4, 0]]
    )
    np.testing.assert_array_equal(by_task.expected(1), by_task.demand(1, 9))


@settings(deadline=None)
@given(
    held=st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=12),
    data=st.data(),
    rate=st.integers(0, 40),
)
def test_evader_asks_for_what_is_held_least(held: list[float], data: st.DataObject, rate: int) -> None:
    requests = RequestTypes.grid(["a"], [f"t{j}" for j in range(len(held))])
    width = data.draw(st.integers(1, len(held)))
    evader = Evader(requests, rate_per_s=rate, width=width, slot_s=1.0)
    demand = evader.demand(3, 7, np.array(held))
    assert demand.sum() == rate
    asked = np.flatnonzero(demand)
    assert len(asked) == min(width, rate)
    assert demand.max(initial=0) - demand[asked].min(initial=demand.max(initial=0)) <= 1
    # as many of the worst as can be: the sorted values agree with those of the lowest
    np.testing.assert_array_equal(np.sort(np.array(held)[asked])[: len(asked)], np.sort(held)[: len(asked)])


def test_evader_breaks_ties_at_random_by_slot_and_seed() -> None:
    evader = Evader(ONE_NODE, 5.0, width=1, slot_s=1.0)
    held = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 1.0])
    picks = np.array(
        [[int(evader.demand(slot, seed, held).argmax()) for slot in range(200)] for seed in (0, 1)]
    )
    assert set(picks.ravel()) == {0, 2, 3}
    counts = np.bincount(picks.ravel())[[0, 2, 3]]
    assert (np.abs(counts - 400 / 3) < 5 * np.sqrt(400 * 2 / 9)).all()
    assert (picks[0] != picks[1]).any()
    np.testing.assert_array_equal(evader.demand(0, 0), evader.demand(0, 0, np.zeros(6)))
    assert evader.expected(0) is None


def test_evader_leaves_a_deterministic_policy_nothing_and_a_static_one_nearly_all() -> None:
    """The ratio of 0 against nearly 1, on one node with room for all tasks but one."""
    evader = Evader(ONE_NODE, 1.0, width=1, slot_s=1.0)
    slots = 240
    counts = np.zeros(TASKS)
    record = np.zeros((slots, TASKS), np.int64)
    gain = 0.0
    for slot in range(slots):
        # follow the leader: hold the tasks that were asked for most
        held = np.ones(TASKS)
        held[np.argsort(counts, kind="stable")[0]] = 0.0
        record[slot] = evader.demand(slot, 0, held)
        gain += float(record[slot] @ held)
        counts += record[slot]
    assert gain == 0
    assert counts.sum() - counts.min() >= slots * (TASKS - 1) / TASKS
    # what it did can be played to others
    again = Replay(ONE_NODE, record)
    np.testing.assert_array_equal(again.demand(17, 123), record[17])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Evader(ONE_NODE, 1.0, width=0),
            "'evader', field 'width': expected a whole number from 1 to 6, got 0",
        ),
        (
            lambda: Evader(ONE_NODE, 1.0, width=7),
            "'evader', field 'width': expected a whole number from 1 to 6, got 7",
        ),
        (lambda: Evader(ONE_NODE, -1.0), "'evader', field 'rate_per_s'"),
        (lambda: RoundRobin(ONE_NODE, 1.0, block_slots=0), "'round-robin', field 'block_slots'"),
        (lambda: RoundRobin(ONE_NODE, 1.0, slot_s=0), "'round-robin', field 'slot_s'"),
        (lambda: Evader(ONE_NODE, 1.0).demand(0, 0, np.zeros(5)), r"'held' must be 6 numbers in \[0, 1\]"),
        (lambda: Evader(ONE_NODE, 1.0).demand(0, 0, np.full(6, np.nan)), "'held' must be 6 numbers"),
    ],
)
def test_wrong_settings_are_told(make: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()  # type: ignore[operator]


def test_an_unknown_turn_is_told() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'task'"):
        RoundRobin(ONE_NODE, 1.0, turn="tasks")
