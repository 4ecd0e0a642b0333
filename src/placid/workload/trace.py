"""A trace: who asked for what in which slot, as compact arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from placid.errors import InputError
from placid.workload.base import Workload
from placid.workload.replay import recorded_slot
from placid.workload.requests import RequestTypes
from placid.workload.settings import check_requests, field_of

__all__ = ["Trace"]


@dataclass(frozen=True, eq=False)
class Trace(Workload):
    """Plays a trace. Sparse (CSR by slot): 12 bytes per slot and type that was asked for, so months fit in
    memory.

    Make one from a file with `read_trace` or `from_azure_functions`, or from events with `Trace.from_events`.

    Attributes:
        requests: the R request types.
        slot_ptr: int64 [T + 1]; slot t has the entries ``slot_ptr[t]:slot_ptr[t + 1]``.
        entry_type: int32; the request type of an entry; a type occurs at most once in a slot.
        entry_count: int64; how often it was asked for, at least 1.
        repeat: after the last slot start again with the first; otherwise a later slot is an error.
        known_ahead: let `expected` tell the trace itself. A policy that reads forecasts then sees the future
            exactly, which is a yardstick, not a forecast; so it is off unless asked for.

    Raises:
        InputError: the arrays do not fit each other or the request types.
    """

    name: ClassVar[str] = "trace"

    requests: RequestTypes
    slot_ptr: np.ndarray = field(repr=False)
    entry_type: np.ndarray = field(repr=False)
    entry_count: np.ndarray = field(repr=False)
    repeat: bool = False
    known_ahead: bool = False

    def __post_init__(self) -> None:
        check_requests(self.name, self.requests)
        ptr, types, counts = (np.asarray(a) for a in (self.slot_ptr, self.entry_type, self.entry_count))
        if any(a.ndim != 1 or (a.size and a.dtype.kind not in "iu") for a in (ptr, types, counts)):
            raise InputError(
                "slot_ptr, entry_type and entry_count must be flat integer arrays", where="workload 'trace'"
            )
        if len(ptr) < 2:
            raise InputError("a trace needs at least one slot", where=field_of(self.name, "slot_ptr"))
        if ptr[0] != 0 or ptr[-1] != len(types) or len(types) != len(counts) or (np.diff(ptr) < 0).any():
            raise InputError(
                f"must rise from 0 to the number of entries ({len(types)} types, {len(counts)} counts)",
                where=field_of(self.name, "slot_ptr"),
            )
        if len(types) and not 0 <= int(types.min()) <= int(types.max()) < len(self.requests):
            raise InputError(
                f"must lie in 0 to {len(self.requests) - 1}", where=field_of(self.name, "entry_type")
            )
        key = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr)) * len(self.requests) + types
        if len(np.unique(key)) < len(key):
            raise InputError("a type occurs twice in a slot", where=field_of(self.name, "entry_type"))
        if len(counts) and counts.min() < 0:
            raise InputError("a count is negative", where=field_of(self.name, "entry_count"))
        for attribute, array, dtype in (
            ("slot_ptr", ptr, np.int64),
            ("entry_type", types, np.int32),
            ("entry_count", counts, np.int64),
        ):
            kept = array.astype(dtype)
            kept.flags.writeable = False
            object.__setattr__(self, attribute, kept)

    @classmethod
    def from_events(
        cls,
        requests: RequestTypes,
        slot: np.ndarray,
        request_type: np.ndarray,
        count: np.ndarray,
        *,
        slots: int | None = None,
        repeat: bool = False,
        known_ahead: bool = False,
    ) -> Trace:
        """A trace from events in any order; events of one type in one slot add up. O(n log n).

        Args:
            slot, request_type, count: whole numbers [n], at least 0.
            slots: length of the trace; None: up to the last event, whatever its count.
        """
        slot = np.asarray(slot, np.int64)
        length = slots if slots is not None else int(slot.max(initial=-1)) + 1
        key = slot * len(requests) + np.asarray(request_type, np.int64)
        order = np.argsort(key, kind="stable")
        key, count = key[order], np.asarray(count, np.int64)[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        total = np.add.reduceat(count, first) if len(first) else np.zeros(0, np.int64)
        first, total = first[total > 0], total[total > 0]
        in_slot, of_type = np.divmod(key[first], len(requests))
        ptr = np.concatenate([[0], np.cumsum(np.bincount(in_slot, minlength=length))])
        return cls(requests, ptr, of_type, total, repeat, known_ahead)

    @property
    def slots(self) -> int:
        """T, how many slots the trace has."""
        return len(self.slot_ptr) - 1

    def demand(self, slot: int, seed: int, held: np.ndarray | None = None) -> np.ndarray:
        """The requests of `slot`, int64 [R]; `seed` changes nothing.

        Raises:
            InputError: `slot` lies behind the end of a trace that does not repeat.
        """
        slot = recorded_slot(self.name, slot, self.slots, self.repeat)
        part = slice(int(self.slot_ptr[slot]), int(self.slot_ptr[slot + 1]))
        demand = np.zeros(len(self.requests), np.int64)
        demand[self.entry_type[part]] = self.entry_count[part]
        return demand

    def expected(self, slot: int) -> np.ndarray | None:
        """The requests of `slot` if they are `known_ahead`, float64 [R]; else None."""
        return self.demand(slot, 0).astype(np.float64) if self.known_ahead else None
