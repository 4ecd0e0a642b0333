"""Plays requests through a system, one by one, to the end of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np

from placid.errors import InputError
from placid.simulation.events.draws import key_of
from placid.simulation.events.loop import QUEUE, REFUSED, REQUEST, TOO_LATE, run
from placid.simulation.events.system import System
from placid.workload.arrivals import Arrivals

__all__ = ["Fate", "Played", "play"]


class Fate(IntEnum):
    """What became of a request."""

    ANSWERED = 0
    #: its deadline had passed when a server turned to it
    TOO_LATE = TOO_LATE
    #: no option was open when it came
    REFUSED = REFUSED


@dataclass(frozen=True)
class Played:
    """What became of n requests, and what S stations and Q steps saw of them.

    Attributes:
        due_s: float64 [n]; when the deadline of each was.
        departure_s: float64 [n]; when the answer was back, or when the request was dropped.
        fate: int8 [n], of `Fate`.
        option: int64 [n]; the option taken, -1 if none was open.
        place: int64 [n]; the last place that worked on it, -1 if none did.
        dropped_at: int64 [n]; the station at which it was too late, else -1.
        visits: int64 [Q]; how many requests began each step.
        arrived, services, dropped: int64 [S]; requests that came, services (fewer, with batches), requests too late.
        waited_s: float64 [S]; time that requests stood in the queue, summed over all of them.
        waiting_area_s: float64 [S]; integral over the window of how many stood there.
        held_area_s: float64 [S]; integral over the window of how many servers were held.
        window_s: from when to when that was.
    """

    system: System
    arrivals: Arrivals
    due_s: np.ndarray
    departure_s: np.ndarray
    fate: np.ndarray
    option: np.ndarray
    place: np.ndarray
    dropped_at: np.ndarray
    visits: np.ndarray
    arrived: np.ndarray
    services: np.ndarray
    dropped: np.ndarray
    waited_s: np.ndarray
    waiting_area_s: np.ndarray
    held_area_s: np.ndarray
    window_s: tuple[float, float]

    @cached_property
    def latency_s(self) -> np.ndarray:
        """float64 [n]; from arrival to answer, NaN where there is no answer."""
        return np.where(self.fate == Fate.ANSWERED, self.departure_s - self.arrivals.time_s, np.nan)


def play(
    system: System,
    arrivals: Arrivals,
    seed: int,
    *,
    deadline_s: float | np.ndarray = np.inf,
    window_s: tuple[float, float] | None = None,
) -> Played:
    """Play every request of `arrivals` to its end, from empty queues. O((services + steps) log(requests under way)).

    When a request comes it takes the first of its type's options that is open: at every gate of the option a server is
    free, or fewer requests wait than the station's limit. It sees the queues as they are at that moment, not who is on the
    way there. If none is open it is refused.

    A server that is free takes the requests that have waited longest, up to a batch; with fewer than a batch it waits until
    the first of them has waited `batch_wait_s`. A request whose deadline has passed when a server would take it is dropped
    there, and takes nothing of the server. Once begun, a service is never broken off, so an answer may come late.

    What is under way at a moment goes before what comes from outside at the same moment.

    Args:
        seed: of service times and exits; they are the same for the same request, whatever happens to others.
        deadline_s: from arrival, for all or by type [R].
        window_s: from when to when stations are measured; None: from 0 to the last arrival.

    Raises:
        InputError: a request is of a type that `system` does not have.
    """
    count, kind = len(arrivals), arrivals.type
    if count and int(kind.max()) >= system.type_count:
        raise InputError(f"a request is of type {int(kind.max())}, the last type is {system.type_count - 1}")
    deadline = np.broadcast_to(np.asarray(deadline_s, np.float64), system.type_count)
    if not (deadline >= 0).all():
        raise InputError("a deadline is at least 0 s")
    window = window_s or (0.0, float(arrivals.time_s[-1]) if count else 0.0)
    requests = np.zeros(count, REQUEST)
    requests["due_s"] = arrivals.time_s + deadline[kind]
    for column in ("option", "place", "dropped_at"):
        requests[column] = -1
    queues = np.zeros(len(system.stations), QUEUE)
    queues["watched"] = -1
    visits = np.zeros(len(system.steps), np.int64)
    run(
        arrivals.time_s,
        kind,
        requests,
        system.stations,
        system.factors,
        queues,
        system.steps,
        visits,
        system.option_ptr,
        system.options,
        system.gates,
        np.array(window, np.float64),
        key_of(seed),
    )
    told = ("due_s", "departure_s", "fate", "option", "place", "dropped_at")
    counted = ("arrived", "services", "dropped", "waited_s", "waiting_area_s", "held_area_s")
    return Played(
        system=system,
        arrivals=arrivals,
        visits=visits,
        window_s=(float(window[0]), float(window[1])),
        **{column: requests[column].copy() for column in told},
        **{column: queues[column].copy() for column in counted},
    )
