"""The same requests through the same system in SimPy: one process a request, one resource a station.

It shares tables and draws with placid, and no code of the simulation. Batches are not in it.
"""

from __future__ import annotations

from collections.abc import Generator
from math import log1p
from typing import Any

import numpy as np
import simpy

from placid.simulation.events.draws import key_of, uniform
from placid.simulation.events.system import EXPONENTIAL, FIXED, UNLIMITED, System
from placid.workload.arrivals import Arrivals

__all__ = ["SimpyWalk"]

#: fates, as in `placid.simulation.events.playing.Fate`
_ANSWERED, _TOO_LATE, _REFUSED = 0, 1, 2


class SimpyWalk:
    """Everything is set up when made, so that `run` can be timed alone.

    Attributes:
        departure_s, fate: by request, once run.
    """

    def __init__(
        self,
        system: System,
        arrivals: Arrivals,
        seed: int,
        deadline_s: float | np.ndarray = np.inf,
        most_draws: int = 4,
    ) -> None:
        assert (system.stations["batch"] == 1).all()
        self.environment = simpy.Environment()
        key, count = key_of(seed), len(arrivals)
        self.draws = [[uniform(key, i, k) for k in range(most_draws)] for i in range(count)]
        self.time_s, self.kind = arrivals.time_s.tolist(), arrivals.type.tolist()
        due = arrivals.time_s + np.broadcast_to(deadline_s, system.type_count)[arrivals.type]
        self.due_s = due.tolist()
        self.stations = [
            dict(zip(system.stations.dtype.names, row, strict=True)) for row in system.stations.tolist()
        ]
        self.steps = [dict(zip(system.steps.dtype.names, row, strict=True)) for row in system.steps.tolist()]
        self.factors = system.factors.tolist()
        gates = system.gates.tolist()
        self.options = [
            [(row[0], gates[row[1] : row[1] + row[2]]) for row in system.options[a:b].tolist()]
            for a, b in zip(system.option_ptr, system.option_ptr[1:], strict=False)
        ]
        self.resources = [
            None if s["servers"] == UNLIMITED else simpy.Resource(self.environment, s["servers"])
            for s in self.stations
        ]
        self.departure_s = [0.0] * count
        self.fate = [_ANSWERED] * count

    def run(self) -> None:
        """Play to the end."""
        self.environment.process(self._source())
        self.environment.run()

    def _source(self) -> Generator[Any, Any, None]:
        for i, time_s in enumerate(self.time_s):
            yield self.environment.timeout(time_s - self.environment.now)
            self.environment.process(self._request(i))

    def _open(self, gates: list[int]) -> bool:
        for s in gates:
            resource = self.resources[s]
            if (
                resource is not None
                and resource.count >= resource.capacity
                and len(resource.queue) >= self.stations[s]["limit"]
            ):
                return False
        return True

    def _request(self, i: int) -> Generator[Any, Any, None]:
        env, draws = self.environment, iter(self.draws[i])
        at = next((first for first, gates in self.options[self.kind[i]] if self._open(gates)), None)
        if at is None:
            self.fate[i] = _REFUSED
        while at is not None and at >= 0:
            step = self.steps[at]
            if step["delay_s"] > 0:
                yield env.timeout(step["delay_s"])
            if step["station"] >= 0:
                station, resource = self.stations[step["station"]], self.resources[step["station"]]
                turn = None
                if resource is not None:
                    turn = resource.request()
                    yield turn
                if env.now > self.due_s[i]:
                    self.fate[i] = _TOO_LATE
                else:
                    yield env.timeout(self._work_s(step, station, draws))
                if turn is not None:
                    if station["pause_s"] > 0 and self.fate[i] == _ANSWERED:
                        env.process(self._rest(resource, turn, station["pause_s"]))
                    else:
                        resource.release(turn)
                if self.fate[i] == _TOO_LATE:
                    break
            leave = step["leave"]
            leaves = next(draws) < leave if 0 < leave < 1 else leave >= 1
            at = step["out"] if leaves else step["on"]
        self.departure_s[i] = env.now

    def _rest(self, resource: Any, turn: Any, pause_s: float) -> Generator[Any, Any, None]:
        yield self.environment.timeout(pause_s)
        resource.release(turn)

    def _work_s(self, step: dict[str, Any], station: dict[str, Any], draws: Any) -> float:
        work_s: float = station["fixed_s"] + step["work_s"]
        if station["law"] == EXPONENTIAL:
            return work_s * -log1p(-next(draws))
        if station["law"] != FIXED:
            return work_s * self.factors[station["factor"] + int(next(draws) * station["factor_count"])]
        return work_s
