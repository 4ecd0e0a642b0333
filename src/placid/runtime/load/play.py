"""Sending requests at their times, whatever is still out: a slow answer must not thin the traffic."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from time import monotonic

import numpy as np

from placid.errors import InputError
from placid.runtime.alarm import Alarm
from placid.runtime.load.outstanding import Outstanding
from placid.runtime.load.records import Records
from placid.runtime.load.schedule import Schedule
from placid.runtime.protocol.messages import ProtocolError

__all__ = ["Answered", "Ask", "lateness_s", "play"]


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
    clients: int | None = None,
    tell: Callable[[int, int], None] = lambda done, of: None,
    begin_at_s: float | None = None,
) -> Records:
    """Send all of `schedule`, and wait for the last answer.

    Latency counts from when a request was due, not from when it was sent, so that what the sender itself is late by is in
    it (else "coordinated omission" would hide the worst). Cancelled, it raises, and so it does at once where `ask` raises
    anything but ProtocolError; what was recorded until then is in the exception's ``records``.

    Args:
        most_in_flight: beyond, a request is not sent, and written down as that.
        clients: closed loop with so many: each sends the next request that is due once its last is answered, so slow answers
            do thin the traffic; all are sent. None: open loop.
        tell: hears how many of how many have been answered or given up.
        begin_at_s: `time.monotonic` at which the schedule's 0 lies; now if not given.

    Raises:
        InputError: `most_in_flight` or `clients` is below 1.
    """
    if most_in_flight < 1 or (clients is not None and clients < 1):
        raise InputError(f"requests in flight and clients are 1 at least, got {most_in_flight} and {clients}")
    playing = _Playing(schedule, ask, tell, monotonic() if begin_at_s is None else begin_at_s)
    try:
        if clients is None:
            await playing.open_loop(most_in_flight)
        else:
            await playing.closed_loop(clients)
    except (asyncio.CancelledError, Exception) as stopped:
        stopped.records = playing.records  # type: ignore[union-attr]
        raise
    finally:
        await playing.end()
    return playing.records


def lateness_s(records: Records) -> np.ndarray:
    """By how much each request was sent later than it was due, float64 [sent]."""
    late = records.sent_s - records.schedule.time_s
    return np.asarray(late[np.isfinite(late)])


class _Playing:
    """One play: what is out, and what is known of the rest."""

    def __init__(
        self, schedule: Schedule, ask: Ask, tell: Callable[[int, int], None], begun_s: float
    ) -> None:
        self.records = Records(schedule, begun_s)
        self._ask, self._tell, self._begun_s = ask, tell, begun_s
        self._alarm = Alarm()
        self._out = Outstanding()

    async def open_loop(self, most_in_flight: int) -> None:
        """A task for every request."""
        for i, due_s, kind, picture in self._requests():
            await self._alarm.until(self._begun_s + due_s)
            if self._out.failed:
                break
            if len(self._out) >= most_in_flight:
                self.records.refused(i, 0, "not sent: too many were out", self._now_s)
                self._tell(self.records.done, len(self.records.schedule))
            else:
                self._out.start(self._one(i, kind, picture))
        await self._out.all_done()

    async def closed_loop(self, clients: int) -> None:
        """A task for every client; all take their requests from one row."""
        requests = self._requests()

        async def client() -> None:
            for i, due_s, kind, picture in requests:
                await self._alarm.until(self._begun_s + due_s)
                await self._one(i, kind, picture)

        for _ in range(clients):
            self._out.start(client())
        await self._out.all_done()

    async def end(self) -> None:
        """Nothing is out any more."""
        await self._out.end()
        self._alarm.close()

    @property
    def _now_s(self) -> float:
        return monotonic() - self._begun_s

    def _requests(self) -> Iterator[tuple[int, float, int, int]]:
        told = self.records.schedule
        return zip(
            range(len(told)), told.time_s.tolist(), told.type.tolist(), told.picture.tolist(), strict=True
        )

    async def _one(self, i: int, kind: int, picture: int) -> None:
        self.records.sent_s[i] = self._now_s
        try:
            self.records.answered(i, await self._ask(kind, picture), self._now_s)
        except ProtocolError as error:
            self.records.refused(i, error.status, str(error), self._now_s)
        self._tell(self.records.done, len(self.records.schedule))
