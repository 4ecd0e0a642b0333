"""Which requests are sent when: those of a workload, at moments of their slots, each with a picture."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite

import numpy as np

from placid.errors import InputError
from placid.randomness import stream
from placid.workload.arrivals import Arrivals, workload_arrivals
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

    Every draw is addressed by its slot: a slot has the same requests, moments and pictures in whatever range it is played.

    Args:
        slot_s: of real time.
        pictures: how many there are to draw from.
        share: of the requests that are sent. Below 1 each is kept by chance, which thins every count binomially and leaves
            those that are kept where they were. Above 1, say 2.3, each is sent twice and by chance a third time, copies at
            moments and with pictures of their own: so loads grow as they are, bursts with them, and a Poisson workload
            varies more than a Poisson workload of that rate would. What a smaller share sends is among what a larger does.

    Raises:
        InputError: the workload reacts to placements, or a number is out of range.
    """
    if not (isfinite(share) and share > 0):
        raise InputError(f"a share lies above 0, got {share}")
    if pictures < 1:
        raise InputError("there is no picture to send")
    if not slots:
        raise InputError("there is no slot to play")
    parts = [
        _slot(
            workload_arrivals(workload, range(slot, slot + 1), slot_s, seed),
            slot,
            slot_s,
            seed,
            pictures,
            share,
        )
        for slot in slots
    ]
    return Schedule(
        np.concatenate([i * slot_s + part.time_s for i, part in enumerate(parts)]),
        np.concatenate([part.type for part in parts]),
        np.concatenate([part.slot for part in parts]),
        np.concatenate([part.picture for part in parts]),
    )


def _slot(arrivals: Arrivals, slot: int, slot_s: float, seed: int, pictures: int, share: float) -> Schedule:
    """One slot's; its times count from its beginning."""
    count = len(arrivals)
    times, kinds, shown = [], [], []
    for copy in range(ceil(share)):
        at = (slot, copy) if copy else (slot,)
        kept = stream(seed, "load", "share", *at).random(count) < share - copy
        moments = arrivals.time_s if not copy else slot_s * stream(seed, "load", "moments", *at).random(count)
        times.append(moments[kept])
        kinds.append(arrivals.type[kept])
        shown.append(stream(seed, "load", "pictures", *at).integers(0, pictures, count)[kept])
    time_s = np.concatenate(times)
    order = np.argsort(time_s, kind="stable")
    return Schedule(
        time_s[order],
        np.concatenate(kinds)[order],
        np.full(len(order), slot, np.int64),
        np.concatenate(shown)[order],
    )
