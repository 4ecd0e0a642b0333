"""Sending requests at their times, whatever is still out: a slow answer must not thin the traffic."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np

from placid.runtime.alarm import Alarm
from placid.runtime.load.records import Records
from placid.runtime.load.schedule import Schedule
from placid.runtime.protocol.messages import ProtocolError

__all__ = ["Answered", "Ask", "play"]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a network says of a picture, and who said it.

    Attributes:
        network_s: from when the node where it entered had the request until it had the answer.
    """

    label: int
    node: str = ""
    variant: str = ""
    exit: int = -1
    sureness: float = float("nan")
    network_s: float = float("nan")


#: type and picture of a request, by number, to what is answered; raises ProtocolError if it is refused
Ask = Callable[[int, int], Awaitable[Answered]]


async def play(
    schedule: Schedule,
    ask: Ask,
    *,
    most_in_flight: int = 10_000,
    tell: Callable[[int, int], None] = lambda done, of: None,
    begin_at_s: float | None = None,
) -> Records:
    """Send all of `schedule`, and wait for the last answer.

    Latency counts from when a request was due, not from when it was sent, so that what the sender itself is late by is in
    it (else "coordinated omission" would hide the worst). Cancelled, it raises; what `records` then holds is in the
    exception's ``records``.

    Args:
        most_in_flight: beyond, a request is not sent, and written down as that.
        tell: hears how many of how many have been answered or given up.
        begin_at_s: `time.monotonic` at which the schedule's 0 lies; now if not given.
    """
    alarm = Alarm()
    begun = monotonic() if begin_at_s is None else begin_at_s
    records = Records(schedule, begun)
    out: set[asyncio.Task[None]] = set()

    async def one(i: int, kind: int, picture: int) -> None:
        records.sent_s[i] = monotonic() - begun
        try:
            records.answered(i, await ask(kind, picture), monotonic() - begun)
        except ProtocolError as error:
            records.refused(i, error.status, str(error), monotonic() - begun)

    def over(task: asyncio.Task[None]) -> None:
        out.discard(task)
        if not task.cancelled() and task.exception() is None:
            tell(records.done, len(schedule))

    try:
        for i, (due, kind, picture) in enumerate(
            zip(schedule.time_s.tolist(), schedule.type.tolist(), schedule.picture.tolist(), strict=True)
        ):
            await alarm.until(begun + due)
            if len(out) >= most_in_flight:
                records.refused(i, 0, "not sent: too many were out", monotonic() - begun)
                continue
            task = asyncio.create_task(one(i, kind, picture))
            out.add(task)
            task.add_done_callback(over)
        failed = [
            r
            for r in await asyncio.gather(*out, return_exceptions=True)
            if isinstance(r, Exception) and not isinstance(r, ProtocolError)
        ]
        if failed:
            raise failed[0]
    except asyncio.CancelledError as cancelled:
        for task in out:
            task.cancel()
        await asyncio.gather(*out, return_exceptions=True)
        cancelled.records = records  # type: ignore[attr-defined]
        raise
    finally:
        alarm.close()
    return records


def lateness_s(records: Records) -> np.ndarray:
    """By how much each request was sent later than it was due, float64 [sent]."""
    late = records.sent_s - records.schedule.time_s
    return np.asarray(late[np.isfinite(late)])
