"""The loop of the simulator, compiled: take the soonest event, do what it says, note what follows from it.

An event is a request that comes to a station, a service that ends, a server that has rested, or a batch that has waited.
A queue is a chain of requests: the first, and for each the one behind it; so is a batch under way, whose event names its
first request.

A function whose arrays are used last in some branch names them all in its final line. Without that, Numba counts references
to them at every call, and the loop takes five times as long.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from placid.simulation.events.draws import uniform
from placid.simulation.events.heap import EVENT, grown, pop, push
from placid.simulation.events.system import EXPONENTIAL, FIXED

__all__ = ["QUEUE", "REFUSED", "REQUEST", "TOO_LATE", "run"]

#: what changes of a request
REQUEST = np.dtype(
    [
        ("due_s", np.float64),
        ("queued_s", np.float64),
        ("departure_s", np.float64),
        ("step", np.int64),
        ("behind", np.int64),
        ("option", np.int64),
        ("place", np.int64),
        ("dropped_at", np.int64),
        ("draws", np.int32),
        ("fate", np.int8),
    ],
    align=True,
)
#: what changes of a station: who waits, how many servers are held, for which first request a timer runs; what was counted
QUEUE = np.dtype(
    [
        ("first", np.int64),
        ("last", np.int64),
        ("waiting", np.int64),
        ("held", np.int64),
        ("watched", np.int64),
        ("touched_s", np.float64),
        ("arrived", np.int64),
        ("services", np.int64),
        ("dropped", np.int64),
        ("waited_s", np.float64),
        ("waiting_area_s", np.float64),
        ("held_area_s", np.float64),
    ]
)
#: fates; 0 is to be answered
TOO_LATE, REFUSED = 1, 2
#: kinds of events, the lowest two bits of what is noted; above them a request or a station
_COMES, _ENDS, _RESTED, _WAITED = 0, 1, 2, 3


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def run(
    time_s: np.ndarray,
    kind: np.ndarray,
    requests: np.ndarray,
    stations: np.ndarray,
    factors: np.ndarray,
    queues: np.ndarray,
    steps: np.ndarray,
    visits: np.ndarray,
    option_ptr: np.ndarray,
    options: np.ndarray,
    gates: np.ndarray,
    window_s: np.ndarray,
    key: np.uint64,
) -> None:
    """Play requests that come at `time_s` and are of `kind`; `requests`, `queues` and `visits` are written in place."""
    most = 8  # events that one event notes: one for each request of a batch, and some for its station
    for s in range(len(stations)):
        most = max(most, 8 + min(stations[s].batch, len(time_s)))
    heap, noted = np.empty(1024 + most, EVENT), np.zeros(2, np.int64)
    coming = 0
    while coming < len(time_s) or noted[0] > 0:
        if noted[0] + most > len(heap):
            heap = grown(heap)
        if coming < len(time_s) and (noted[0] == 0 or time_s[coming] < heap[0].time_s):
            i = coming
            coming += 1
            o = _first_open(stations, queues, option_ptr, options, gates, kind[i])
            requests[i].option = o
            if o < 0:
                requests[i].fate = REFUSED
                requests[i].departure_s = time_s[i]
            else:
                _sets_out(heap, noted, requests, steps, visits, key, i, options[o].first, time_s[i])
        else:
            now = heap[0].time_s
            what = pop(heap, noted)
            event, i = what & 3, what >> 2
            s = i if event in (_RESTED, _WAITED) else steps[requests[i].step].station
            _touch(queues, window_s, s, now)
            if event == _COMES:
                _queues_up(requests, queues, i, s, now)
            elif event == _RESTED or (event == _ENDS and stations[s].pause_s == 0.0):
                queues[s].held -= 1
            if event == _ENDS:
                while i >= 0:
                    behind = requests[i].behind
                    step = requests[i].step
                    if steps[step].place >= 0:
                        requests[i].place = steps[step].place
                    _sets_out(
                        heap,
                        noted,
                        requests,
                        steps,
                        visits,
                        key,
                        i,
                        _after(requests, steps, key, i, step),
                        now,
                    )
                    i = behind
            # a timer may outlive the one for whom it was set
            idle = event == _WAITED and now < requests[queues[s].first].queued_s + stations[s].batch_wait_s
            while not idle and queues[s].waiting > 0 and queues[s].held < stations[s].servers:
                if not _serve(heap, noted, requests, stations, factors, queues, steps, key, s, now):
                    break
    _ = time_s, kind, requests, stations, factors, queues, steps, visits, option_ptr, options, gates, window_s
    _ = heap, noted


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _first_open(
    stations: np.ndarray,
    queues: np.ndarray,
    option_ptr: np.ndarray,
    options: np.ndarray,
    gates: np.ndarray,
    kind: int,
) -> int:
    """The option that a request of `kind` takes now, -1 if none is open."""
    o, found = option_ptr[kind], -1
    while found < 0 and o < option_ptr[kind + 1]:
        g, end = options[o].gate, options[o].gate + options[o].gate_count
        while g < end and (
            queues[gates[g]].held < stations[gates[g]].servers
            or queues[gates[g]].waiting < stations[gates[g]].limit
        ):
            g += 1
        if g == end:
            found = o
        o += 1
    _ = stations, queues, option_ptr, options, gates
    return found


@njit(cache=True, forceinline=True)  # type: ignore[misc,unused-ignore]
def _sets_out(
    heap: np.ndarray,
    noted: np.ndarray,
    requests: np.ndarray,
    steps: np.ndarray,
    visits: np.ndarray,
    key: np.uint64,
    i: int,
    step: int,
    now: float,
) -> None:
    """Request i sets out on `step`, and on all behind it up to the next station."""
    while step >= 0 and steps[step].station < 0:
        visits[step] += 1
        now += steps[step].delay_s
        if steps[step].place >= 0:
            requests[i].place = steps[step].place
        step = _after(requests, steps, key, i, step)
    if step >= 0:
        visits[step] += 1
        requests[i].step = step
        push(heap, noted, now + steps[step].delay_s, (i << 2) | _COMES)
    else:
        requests[i].departure_s = now
    _ = heap, noted, requests, steps, visits


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _after(requests: np.ndarray, steps: np.ndarray, key: np.uint64, i: int, step: int) -> int:
    """The step that follows, by lot where some leave."""
    leave = steps[step].leave
    leaves = leave >= 1.0
    if 0.0 < leave < 1.0:
        leaves = uniform(key, i, requests[i].draws) < leave
        requests[i].draws += 1
    after = steps[step].out if leaves else steps[step].on
    _ = requests, steps
    return after


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _queues_up(requests: np.ndarray, queues: np.ndarray, i: int, s: int, now: float) -> None:
    """Request i goes to the end of the queue of station s."""
    requests[i].queued_s = now
    requests[i].behind = -1
    if queues[s].waiting == 0:
        queues[s].first = i
    else:
        requests[queues[s].last].behind = i
    queues[s].last = i
    queues[s].waiting += 1
    queues[s].arrived += 1
    _ = requests, queues


@njit(cache=True, forceinline=True)  # type: ignore[misc,unused-ignore]
def _serve(
    heap: np.ndarray,
    noted: np.ndarray,
    requests: np.ndarray,
    stations: np.ndarray,
    factors: np.ndarray,
    queues: np.ndarray,
    steps: np.ndarray,
    key: np.uint64,
    s: int,
    now: float,
) -> bool:
    """A free server of station s turns to the queue, in which somebody waits; false if it waits for more."""
    head = queues[s].first
    full_s = requests[head].queued_s + stations[s].batch_wait_s
    late = now > requests[head].due_s
    goes = late or queues[s].waiting >= stations[s].batch or now >= full_s
    if late:
        _take(requests, queues, s, now)
        _drop(requests, queues, head, s, now)
    elif goes:
        _take(requests, queues, s, now)
        work_s = stations[s].fixed_s + _batch(requests, stations, queues, steps, head, s, now)
        if stations[s].law != FIXED:
            u = uniform(key, head, requests[head].draws)
            requests[head].draws += 1
            if stations[s].law == EXPONENTIAL:
                work_s *= -np.log1p(-u)
            else:
                work_s *= factors[stations[s].factor + int(u * stations[s].factor_count)]
        queues[s].services += 1
        queues[s].held += 1
        push(heap, noted, now + work_s, (head << 2) | _ENDS)
        if stations[s].pause_s > 0.0:
            push(heap, noted, now + work_s + stations[s].pause_s, (s << 2) | _RESTED)
    elif queues[s].watched != head:
        queues[s].watched = head
        push(heap, noted, full_s, (s << 2) | _WAITED)
    _ = heap, noted, requests, stations, factors, queues, steps
    return goes


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _batch(
    requests: np.ndarray,
    stations: np.ndarray,
    queues: np.ndarray,
    steps: np.ndarray,
    head: int,
    s: int,
    now: float,
) -> float:
    """Put those who are served with `head` behind it; the work of all of them, seconds."""
    tail, size = head, 1
    work_s = steps[requests[head].step].work_s
    while size < stations[s].batch and queues[s].waiting > 0:
        i = _take(requests, queues, s, now)
        if now > requests[i].due_s:
            _drop(requests, queues, i, s, now)
        else:
            work_s += steps[requests[i].step].work_s
            requests[tail].behind = i
            tail = i
            size += 1
    requests[tail].behind = -1
    _ = requests, stations, queues, steps
    return work_s


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _take(requests: np.ndarray, queues: np.ndarray, s: int, now: float) -> int:
    """The first leaves the queue of station s."""
    i = queues[s].first
    queues[s].first = requests[i].behind
    queues[s].waiting -= 1
    queues[s].waited_s += now - requests[i].queued_s
    return i


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _drop(requests: np.ndarray, queues: np.ndarray, i: int, s: int, now: float) -> None:
    requests[i].fate = TOO_LATE
    requests[i].departure_s = now
    requests[i].dropped_at = s
    queues[s].dropped += 1


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _touch(queues: np.ndarray, window_s: np.ndarray, s: int, now: float) -> None:
    """Measure station s up to now, before something changes there."""
    begin = max(queues[s].touched_s, window_s[0])
    end = min(now, window_s[1])
    if end > begin:
        queues[s].waiting_area_s += (end - begin) * queues[s].waiting
        queues[s].held_area_s += (end - begin) * queues[s].held
    queues[s].touched_s = now
