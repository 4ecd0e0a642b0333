"""A recorded demand matrix, played again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from placid.errors import InputError
from placid.workload.base import Workload
from placid.workload.requests import RequestTypes
from placid.workload.settings import check_requests, field_of

__all__ = ["Replay"]


@dataclass(frozen=True, eq=False)
class Replay(Workload):
    """Plays recorded demand: what an adversary made of one policy, or anything that is at hand as an array.

    Attributes:
        requests: the R request types.
        recorded: whole numbers [T, R]; requests by slot and type. Kept as a read-only int64 copy.
        repeat: after the last slot start again with the first; otherwise a later slot is an error.
        known_ahead: let `expected` tell the recorded demand. A policy that reads forecasts then sees the
            future exactly, which is a yardstick, not a forecast; so it is off unless asked for.

    Raises:
        InputError: the shape does not fit the request types, or a count is negative or not whole.
    """

    name: ClassVar[str] = "replay"

    requests: RequestTypes
    recorded: np.ndarray = field(repr=False)
    repeat: bool = False
    known_ahead: bool = False

    def __post_init__(self) -> None:
        check_requests(self.name, self.requests)
        where = field_of(self.name, "recorded")
        given = np.asarray(self.recorded)
        if given.ndim != 2 or given.shape[1] != len(self.requests) or len(given) == 0:
            raise InputError(
                f"expected an array of shape [slots, {len(self.requests)}] with at least one slot, "
                f"got {given.shape}",
                where=where,
            )
        if given.dtype.kind not in "iuf":
            raise InputError(f"expected whole numbers, got an array of {given.dtype}", where=where)
        bad = np.argwhere(~((given >= 0) & (given < 2**62) & (given == np.floor(given))))
        if len(bad):
            slot, r = (int(v) for v in bad[0])
            raise InputError(
                f"slot {slot}, ingress '{self.requests.ingress[r]}', task '{self.requests.task[r]}': "
                f"expected a whole number of requests, at least 0, got {given[slot, r]}",
                where=where,
            )
        kept = given.astype(np.int64)
        kept.flags.writeable = False
        object.__setattr__(self, "recorded", kept)

    @property
    def slots(self) -> int:
        """How many slots were recorded."""
        return len(self.recorded)

    def demand(self, slot: int, seed: int, held: np.ndarray | None = None) -> np.ndarray:
        """The recorded requests of `slot`, int64 [R]; `seed` changes nothing."""
        return np.array(self.recorded[recorded_slot(self.name, slot, self.slots, self.repeat)])

    def expected(self, slot: int) -> np.ndarray | None:
        """The recorded requests if they are `known_ahead`, float64 [R]; else None."""
        return self.demand(slot, 0).astype(np.float64) if self.known_ahead else None


def recorded_slot(workload: str, slot: int, slots: int, repeat: bool) -> int:
    """The recorded slot to play in `slot`.

    Raises:
        InputError: `slot` lies behind the end and the recording does not repeat.
    """
    if repeat:
        return slot % slots
    if not 0 <= slot < slots:
        raise InputError(
            f"has {slots} slots (0 to {slots - 1}), slot {slot} is asked for: "
            "shorten the horizon or let it repeat ('repeat: true')",
            where=f"workload '{workload}'",
        )
    return slot
