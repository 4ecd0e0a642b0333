"""Waiting until a point in time, to a tenth of a millisecond.

An event loop's own timers have the grain of its poll, a millisecond; a link of two milliseconds would be a quarter off. One
``timerfd`` of the kernel for all that wait wakes the loop when the earliest is due. Waking up takes a while too, more on a
busy machine: the alarm rings earlier by what it was late on average of late, so that on average it is not.
"""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import os
import sys
from itertools import count
from time import monotonic

__all__ = ["Alarm"]

_MONOTONIC, _ABSOLUTE = 1, 1
#: by which it rings early at most, and how much of the last lateness counts for the next
_MOST_EARLY_S, _LEARNS = 1e-3, 0.05
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC


class _Time(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class _Setting(ctypes.Structure):
    _fields_ = [("interval", _Time), ("value", _Time)]


class Alarm:
    """Wakes coroutines of the running loop at times of `time.monotonic`. Close it when done.

    Where there is no timerfd (not on Linux), the loop's own timers serve.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = count()
        self._fd = -1
        self._early_s = 0.0
        if sys.platform == "linux":
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._fd = self._libc.timerfd_create(_MONOTONIC, _FLAGS)
        if self._fd >= 0:
            self._loop.add_reader(self._fd, self._ring)

    async def until(self, at_s: float) -> None:
        """Return at `at_s` of `time.monotonic`, a millisecond early at most; at once if that is over."""
        if at_s - self._early_s <= monotonic():
            return
        if self._fd < 0:
            await asyncio.sleep(at_s - monotonic())
            return
        future = self._loop.create_future()
        entry = (at_s, next(self._number), future)
        heapq.heappush(self._due, entry)
        if self._due[0] is entry:
            self._set(at_s - self._early_s)
        await future
        late_s = monotonic() - at_s
        self._early_s = min(_MOST_EARLY_S, max(0.0, self._early_s + _LEARNS * late_s))

    def close(self) -> None:
        """Wake all that wait, and be done."""
        for _, _, future in self._due:
            if not future.done():
                future.set_result(None)
        self._due.clear()
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _ring(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return
        now = monotonic() + self._early_s
        while self._due and self._due[0][0] <= now:
            _, _, future = heapq.heappop(self._due)
            if not future.done():
                future.set_result(None)
        if self._due:
            self._set(self._due[0][0] - self._early_s)

    def _set(self, at_s: float) -> None:
        seconds = int(at_s)
        value = _Time(seconds, max(1, int((at_s - seconds) * 1e9)))
        setting = _Setting(_Time(0, 0), value)
        if self._libc.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(setting), None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")
