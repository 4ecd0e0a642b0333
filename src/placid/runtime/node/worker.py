"""The thread that computes, beside the event loop that talks: what waits for it and is alike is run together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from time import perf_counter, time_ns
from typing import Generic, TypeVar

__all__ = ["Ran", "Worker"]

_K = TypeVar("_K")
_G = TypeVar("_G")
_R = TypeVar("_R")


@dataclass(slots=True)
class Ran:
    """When a job was asked for, when the call that did it began and ended, and how many jobs were in it."""

    asked_ns: int
    begun_ns: int = 0
    ended_ns: int = 0
    together: int = 0


@dataclass(slots=True)
class _Job(Generic[_K, _G, _R]):
    key: _K
    given: _G
    answer: asyncio.Future[_R] = field(repr=False)
    ran: Ran | None = None


class Worker(Generic[_K, _G, _R]):
    """Computes in a thread of its own, first come first served; jobs of one key that wait are done in one call.

    Nothing waits for a batch to fill up: only what has to wait anyway is put together.

    Args:
        compute: called in the thread with a key and what was given with it, once for each job; as many results come back.
        batch: most jobs in one call.
        at_once_s: while nothing else waits, `alone` says so too, and calls of this key have taken less than that, a job is
            computed where it is asked for: changing threads takes longer than the zoo's smallest network.
    """

    def __init__(
        self,
        compute: Callable[[_K, Sequence[_G]], Sequence[_R]],
        batch: int = 8,
        *,
        at_once_s: float = 0.0,
        alone: Callable[[], bool] = lambda: True,
    ) -> None:
        self._compute = compute
        self._batch = batch
        self._at_once_s = at_once_s
        self._alone = alone
        self._took_s: dict[_K, float] = {}
        self._queue: SimpleQueue[_Job[_K, _G, _R] | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._work, name="worker", daemon=True)
        self.waiting = 0
        self._thread.start()

    async def do(self, key: _K, given: _G, ran: Ran | None = None) -> _R:
        """What `compute` makes of `given`; its errors are raised here.

        Args:
            ran: is told when and with how many others, if anybody wants to know.
        """
        if not self.waiting and self._alone() and self._took_s.get(key, 1e9) < self._at_once_s:
            return self._timed(key, [given], (ran,))[0]
        future: asyncio.Future[_R] = self._loop.create_future()
        self.waiting += 1
        try:
            self._queue.put(_Job(key, given, future, ran))
            return await future
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Finish what has been given, and end."""
        self._queue.put(None)
        self._thread.join(timeout=5)

    def _work(self) -> None:
        pending: deque[_Job[_K, _G, _R]] = deque()
        closing = False
        while pending or not closing:
            if not pending:
                job = self._queue.get()
                if job is None:
                    return
                pending.append(job)
            while True:
                try:
                    job = self._queue.get_nowait()
                except Empty:
                    break
                if job is None:
                    closing = True
                else:
                    pending.append(job)
            self._do(_alike(pending, self._batch))

    def _timed(self, key: _K, given: Sequence[_G], told: Sequence[Ran | None]) -> Sequence[_R]:
        """`compute`, with what it took for one kept in mind."""
        begun = perf_counter()
        results = self._compute(key, given)
        took_s = (perf_counter() - begun) / len(given)
        for ran in told:
            if ran is not None:
                ran.ended_ns, ran.together = time_ns(), len(given)
                ran.begun_ns = max(ran.asked_ns, ran.ended_ns - int(1e9 * took_s * len(given)))
        self._took_s[key] = took_s if key not in self._took_s else 0.8 * self._took_s[key] + 0.2 * took_s
        return results

    def _do(self, jobs: list[_Job[_K, _G, _R]]) -> None:
        jobs = [j for j in jobs if not j.answer.cancelled()]
        if not jobs:
            return
        results: Sequence[_R] = ()
        failed: Exception | None = None
        try:
            results = self._timed(jobs[0].key, [j.given for j in jobs], [j.ran for j in jobs])
        except Exception as error:
            failed = error
        if failed is not None and len(jobs) > 1:
            # one that is malformed must not spoil the others' answers
            for job in jobs:
                self._do([job])
            return
        self._loop.call_soon_threadsafe(_tell, jobs, results, failed)


def _alike(pending: deque[_Job[_K, _G, _R]], most: int) -> list[_Job[_K, _G, _R]]:
    """The first of `pending` and those after it of its key, at most `most`; they are taken out."""
    first = pending.popleft()
    found: list[_Job[_K, _G, _R]] = [first]
    rest: list[_Job[_K, _G, _R]] = []
    while pending and len(found) < most:
        job = pending.popleft()
        (found if job.key == first.key else rest).append(job)
    pending.extendleft(reversed(rest))
    return found


def _tell(jobs: list[_Job[_K, _G, _R]], results: Sequence[_R], failed: Exception | None) -> None:
    for i, job in enumerate(jobs):
        if job.answer.done():
            continue
        if failed is not None:
            job.answer.set_exception(failed)
        else:
            job.answer.set_result(results[i])
