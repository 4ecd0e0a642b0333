"""Which requests are sent when: those of a workload, at moments of their slots, each with a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placid.errors import InputError
from placid.randomness import stream
from placid.workload.arrivals import workload_arrivals
from placid.workload.base import Workload

__all__ = ["Schedule", "schedule_of"]


@dataclass(frozen=True)
class Schedule:
    """n requests in the order in which they are sent.

    Attributes:
        time_s: float64 [n], from the start.
        type: int64 [n], among the request types.
        slot: int64 [n].
        picture: int64 [n].
    """

    time_s: np.ndarray
    type: np.ndarray
    slot: np.ndarray
    picture: np.ndarray

    def __len__(self) -> int:
        return len(self.time_s)


def schedule_of(
    workload: Workload, slots: range, slot_s: float, seed: int, *, pictures: int, share: float = 1.0
) -> Schedule:
    """The requests of `slots`, the first of which begins at 0.

    Args:
        slot_s: of real time.
        pictures: how many there are to draw from.
        share: of the requests that are sent, each by chance; the others are left out.

    Raises:
        InputError: the workload reacts to placements, or a number is out of range.
    """
    if not 0 < share <= 1:
        raise InputError(f"a share lies above 0 and up to 1, got {share}")
    if pictures < 1:
        raise InputError("there is no picture to send")
    arrivals = workload_arrivals(workload, slots, slot_s, seed)
    slot = np.minimum((arrivals.time_s / slot_s).astype(np.int64), len(slots) - 1) + slots.start
    picture = stream(seed, "load", "pictures", slots.start).integers(0, pictures, len(arrivals))
    kept = np.ones(len(arrivals), bool)
    if share < 1:
        kept = stream(seed, "load", "share", slots.start).random(len(arrivals)) < share
    return Schedule(arrivals.time_s[kept], arrivals.type[kept], slot[kept], picture[kept])
