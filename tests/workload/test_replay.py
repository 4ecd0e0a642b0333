from __future__ import annotations

import numpy as np
import pytest

from placid.errors import InputError
from placid.workload import Replay, RequestTypes

GRID = RequestTypes.grid(["a", "b"], ["x"])
RECORD = np.array([[1, 2], [3, 4], [0, 5]])


def test_plays_what_was_recorded() -> None:
    replay = Replay(GRID, RECORD)
    assert replay.slots == 3
    assert [replay.demand(slot, seed=slot).tolist() for slot in range(3)] == RECORD.tolist()
    assert replay.expected(0) is None


def test_keeps_a_copy_that_nobody_can_change() -> None:
    mine = RECORD.copy()
    replay = Replay(GRID, mine)
    mine[:] = 9
    assert replay.demand(0, 0).tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        replay.recorded[0, 0] = 1


def test_repeats_only_if_told_to() -> None:
    assert Replay(GRID, RECORD, repeat=True).demand(7, 0).tolist() == [3, 4]
    for slot in (3, -1):
        with pytest.raises(InputError, match=rf"has 3 slots \(0 to 2\), slot {slot} is asked for"):
            Replay(GRID, RECORD).demand(slot, 0)


def test_tells_the_future_only_if_told_to() -> None:
    told = Replay(GRID, RECORD, known_ahead=True).expected(1)
    assert told is not None
    assert told.tolist() == [3.0, 4.0]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ([[1, 2, 3]], r"expected an array of shape \[slots, 2\] with at least one slot, got \(1, 3\)"),
        ([1, 2], r"got \(2,\)"),
        (np.zeros((0, 2)), r"got \(0, 2\)"),
        ([[1, -2]], "slot 0, ingress 'b', task 'x': expected a whole number of requests, at least 0, got -2"),
        ([[1, 1], [0.5, 1]], "slot 1, ingress 'a', task 'x': .* got 0.5"),
        ([[1, np.nan]], "slot 0, ingress 'b', task 'x': .* got nan"),
        ([["1", "2"]], "expected whole numbers, got an array of"),
    ],
)
def test_wrong_records_are_told(record: object, message: str) -> None:
    with pytest.raises(InputError, match=f"workload 'replay', field 'recorded': .*{message}"):
        Replay(GRID, record)  # type: ignore[arg-type]
