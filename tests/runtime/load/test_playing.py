"""The load: open loop, every request accounted for, latencies as they were."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic

import numpy as np
import polars as pl
import pytest

from placid.errors import InputError
from placid.runtime.load.play import Answered, lateness_s, play
from placid.runtime.load.records import Records, summary, write_rows
from placid.runtime.load.schedule import Schedule, schedule_of
from placid.runtime.protocol.messages import ProtocolError
from placid.workload import Poisson, RequestTypes

TYPES = RequestTypes.grid(["a", "b"], ["t"])


def evenly(count: int, over_s: float) -> Schedule:
    n = np.arange(count)
    return Schedule(n * over_s / count, n % 2, n * 0, n % 7)


def test_a_schedule_has_the_workloads_counts_and_is_the_same_again() -> None:
    workload = Poisson(TYPES, rate_per_s=50.0, slot_s=2.0)
    found = schedule_of(workload, range(3, 6), 0.5, 1, pictures=10)
    for slot in range(3, 6):
        mine = found.slot == slot
        np.testing.assert_array_equal(np.bincount(found.type[mine], minlength=2), workload.demand(slot, 1))
        assert (found.time_s[mine] >= 0.5 * (slot - 3)).all()
        assert (found.time_s[mine] <= 0.5 * (slot - 2)).all()
    assert set(found.picture) == set(range(10))
    again = schedule_of(workload, range(3, 6), 0.5, 1, pictures=10)
    np.testing.assert_array_equal(found.time_s, again.time_s)
    np.testing.assert_array_equal(found.picture, again.picture)


def test_answers_that_stall_do_not_thin_the_traffic() -> None:
    """All wait for a stall of 0.3 s; a closed loop would have sent one request by then, this has sent all."""
    out = 0
    most = 0

    async def ask(kind: int, picture: int) -> Answered:
        nonlocal out, most
        out += 1
        most = max(most, out)
        await gate.wait()
        out -= 1
        return Answered(1, "x")

    async def main() -> Records:
        nonlocal gate
        gate = asyncio.Event()
        asyncio.get_running_loop().call_later(0.3, gate.set)
        return await play(evenly(100, 0.2), ask)

    gate: asyncio.Event
    records = asyncio.run(main())
    assert most == 100
    assert (records.status == 200).all()
    # the first waited longest: its latency counts from when it was due
    latency = records.done_s - records.schedule.time_s
    assert latency[0] > latency[-1] + 0.1
    assert latency[0] == pytest.approx(0.3, abs=0.1)
    assert np.median(lateness_s(records)) < 0.05


def test_what_is_refused_or_not_sent_is_written_down() -> None:
    async def ask(kind: int, picture: int) -> Answered:
        await asyncio.sleep(0.2)
        if kind:
            raise ProtocolError("too many", status=429)
        return Answered(picture, "n", "v", 0, 0.9, 0.01)

    told: list[int] = []
    records = asyncio.run(
        play(evenly(30, 0.01), ask, most_in_flight=10, tell=lambda done, of: told.append(done))
    )
    assert np.bincount(records.status).nonzero()[0].tolist() == [0, 200, 429]
    assert (records.status == 0).sum() == 20
    assert max(told) == 30
    frame = records.to_frame(["a", "b"], ["t", "t"], labels=np.array([0, 1, 2, 3, 4, 5, 0]))
    assert frame.filter(pl.col("status") == 429)["reason"].unique().to_list() == ["too many"]
    assert frame.filter(pl.col("status") == 0)["reason"].unique().to_list() == ["not sent: too many were out"]
    assert frame.filter(pl.col("status") != 200)["right"].is_null().all()
    found = summary(frame, {"n": "edge"})
    assert (found["requests"], found["answered"], found["refused"]) == (30, 5, {"0": 20, "429": 5})
    assert found["tiers"] == {"edge": 1.0}
    # pictures 0, 2, 4, 6, 1: all but number 6 are labelled with themselves
    assert found["accuracy"]["share"] == 0.8
    assert found["accuracy"]["low"] < 0.8 < found["accuracy"]["high"]
    assert found["latency_s"]["p50"] == pytest.approx(0.2, abs=0.1)


@pytest.mark.parametrize("clients", [None, 7])
def test_cancelled_it_hands_over_what_it_has(clients: int | None) -> None:
    out = 0

    async def ask(kind: int, picture: int) -> Answered:
        nonlocal out
        out += 1
        try:
            await asyncio.sleep(0 if picture == 0 else 100)
        finally:
            out -= 1
        return Answered(0)

    async def main() -> Records:
        task = asyncio.create_task(play(evenly(7, 0.01), ask, clients=clients))
        await asyncio.sleep(0.1)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as cancelled:
            assert out == 0, "requests are still out"
            return cancelled.records  # type: ignore[attr-defined,no-any-return]
        raise AssertionError("it was cancelled")

    records = asyncio.run(main())
    assert records.done == 1
    assert (records.status == -1).sum() == 6
    found = summary(records.to_frame(["a", "b"], ["t", "t"]))
    assert (found["requests"], found["unfinished"]) == (1, 6)


def test_rows_are_written_whole(tmp_path: Path) -> None:
    frame = Records(evenly(3, 1.0)).to_frame(["a", "b"], ["t", "t"])
    write_rows(frame, tmp_path / "deep" / "rows.parquet")
    assert pl.read_parquet(tmp_path / "deep" / "rows.parquet").equals(frame)
    assert [f.name for f in (tmp_path / "deep").iterdir()] == ["rows.parquet"]


@pytest.mark.parametrize("clients", [None, 2])
def test_an_error_that_is_no_refusal_ends_the_play_and_keeps_what_there_is(clients: int | None) -> None:
    async def ask(kind: int, picture: int) -> Answered:
        if picture == 3:
            raise ValueError("a bug")
        return Answered(0)

    begun = monotonic()
    with pytest.raises(ValueError, match="a bug") as caught:
        asyncio.run(play(evenly(700, 70.0), ask, clients=clients))
    assert monotonic() - begun < 10, "it went on"
    records = caught.value.records  # type: ignore[attr-defined]
    assert (records.status[:3] == 200).all()
    assert records.status[3] == -1


def test_a_closed_loop_is_held_back_by_slow_answers() -> None:
    """30 requests in 0.03 s, 2 clients, 0.02 s each: the last is answered after 0.3 s, though none took so long."""
    out = most = 0

    async def ask(kind: int, picture: int) -> Answered:
        nonlocal out, most
        out += 1
        most = max(most, out)
        await asyncio.sleep(0.02)
        out -= 1
        return Answered(1, "x")

    told: list[int] = []
    records = asyncio.run(
        play(evenly(30, 0.03), ask, clients=2, most_in_flight=1, tell=lambda done, of: told.append(done))
    )
    assert (most, told) == (2, list(range(1, 31)))
    assert (records.status == 200).all()
    assert records.sent_s[-1] > 14 * 0.02
    found = summary(records.to_frame(["a", "b"], ["t", "t"]))
    assert found["sent_late_s"]["max"] > 0.2
    assert 0.015 < found["latency_since_sent_s"]["p50"] < 0.1
    # from when they were due they waited for a client too
    assert found["latency_s"]["p50"] > 3 * found["latency_since_sent_s"]["p50"]


def test_a_closed_loop_sends_nothing_before_it_is_due() -> None:
    async def ask(kind: int, picture: int) -> Answered:
        return Answered(1)

    late = lateness_s(asyncio.run(play(evenly(10, 0.2), ask, clients=3)))
    assert len(late) == 10
    assert late.min() > -0.002


def test_requests_are_sent_when_they_are_due() -> None:
    async def ask(kind: int, picture: int) -> Answered:
        await asyncio.sleep(0.05)
        return Answered(1)

    late = lateness_s(asyncio.run(play(evenly(200, 0.5), ask)))
    assert np.median(late) < 2e-3
    assert late.min() > -2e-3


def test_at_least_one_request_may_be_out() -> None:
    async def ask(kind: int, picture: int) -> Answered:
        return Answered(1)

    with pytest.raises(InputError, match="1 at least, got 0 and None"):
        asyncio.run(play(evenly(3, 0.01), ask, most_in_flight=0))
    with pytest.raises(InputError, match="1 at least"):
        asyncio.run(play(evenly(3, 0.01), ask, clients=0))
