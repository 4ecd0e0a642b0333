"""What is going to happen, soonest first: a binary heap in a flat array. Events of one moment come as they were noted."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["EVENT", "grown", "pop", "push"]

#: an event: when, the how-manieth it is of all events ever noted, and what happens, as the reader of it likes
EVENT = np.dtype([("time_s", np.float64), ("order", np.int64), ("what", np.int64)])


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def grown(heap: np.ndarray) -> np.ndarray:
    """The same events with twice the room."""
    larger = np.empty(2 * len(heap), heap.dtype)
    larger[: len(heap)] = heap
    return larger


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def push(heap: np.ndarray, count: np.ndarray, time_s: float, what: int) -> None:
    """Note that `what` happens at `time_s`; there has to be room.

    Args:
        count: int64 [2]; how many events are in `heap`, how many were ever noted.
    """
    at = count[0]
    order = count[1]
    count[0] += 1
    count[1] += 1
    # what is noted now has the highest number, so only an earlier time lets it pass
    while at > 0:
        above = (at - 1) >> 1
        if heap[above].time_s <= time_s:
            break
        heap[at].time_s = heap[above].time_s
        heap[at].order = heap[above].order
        heap[at].what = heap[above].what
        at = above
    heap[at].time_s = time_s
    heap[at].order = order
    heap[at].what = what


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def pop(heap: np.ndarray, count: np.ndarray) -> int:
    """Take the soonest event out, and say what it is; its time is ``heap[0].time_s`` before."""
    found = heap[0].what
    count[0] -= 1
    size = count[0]
    time_s = heap[size].time_s
    order = heap[size].order
    what = heap[size].what
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        right = below + 1
        if right < size and _before(heap, right, heap[below].time_s, heap[below].order):
            below = right
        if not _before(heap, below, time_s, order):
            break
        heap[at].time_s = heap[below].time_s
        heap[at].order = heap[below].order
        heap[at].what = heap[below].what
        at = below
    heap[at].time_s = time_s
    heap[at].order = order
    heap[at].what = what
    return found


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _before(heap: np.ndarray, at: int, time_s: float, order: int) -> bool:
    return heap[at].time_s < time_s or (heap[at].time_s == time_s and heap[at].order < order)
