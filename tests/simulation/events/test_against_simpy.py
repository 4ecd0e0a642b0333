"""Event by event against SimPy: the same arrivals, service times and exits, so the same departures."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simpy

from placid.simulation.events import Draft, Fate, System, play, poisson_arrivals

_spec = spec_from_file_location("simpy_walk", Path(__file__).parents[3] / "benchmarks" / "simpy_walk.py")
assert _spec is not None
assert _spec.loader is not None
_module = module_from_spec(_spec)
_spec.loader.exec_module(_module)
SimpyWalk = _module.SimpyWalk


def random_system(rng: np.random.Generator) -> System:
    """A few stations in any order, with exits, loops, limits, servers that rest, and every law."""
    draft = Draft(places=("a", "b"))
    stations = [
        draft.station(
            f"s{s}",
            servers=[1, 2, 3, None][rng.integers(4)],
            limit=[0, 1, 4, None][rng.integers(4)],
            fixed_s=float(rng.choice([0.0, 0.3])),
            pause_s=float(rng.choice([0.0, 0.2])),
            law=["fixed", "exponential", (0.2, 0.7, 3.1)][rng.integers(3)],
        )
        for s in range(rng.integers(1, 5))
    ]
    steps: list[int] = []
    for _ in range(rng.integers(1, 8)):
        later = [-1, *steps]
        steps.append(
            draft.step(
                int(rng.choice([-1, *stations])),
                delay_s=float(rng.choice([0.0, rng.random()])),
                work_s=float(rng.random()),
                leave=float(rng.choice([0.0, rng.random(), 1.0])),
                on=int(rng.choice(later)),
                out=int(rng.choice(later)),
            )
        )
    for kind in range(2):
        for _ in range(rng.integers(1, 4)):
            gates = rng.choice(stations, rng.integers(0, len(stations) + 1), replace=False)
            draft.option(kind, int(rng.choice(steps)), gates.tolist())
    return draft.system(2)


@pytest.mark.parametrize("seed", range(40))
def test_departures_are_simpys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    system = random_system(rng)
    arrivals = poisson_arrivals(rng.random(2) * 3, 80.0, seed)
    deadline_s = np.array([np.inf, float(rng.choice([0.5, 2.0, np.inf]))])
    walk = SimpyWalk(system, arrivals, seed, deadline_s, most_draws=20)
    walk.run()
    result = play(system, arrivals, seed, deadline_s=deadline_s)
    np.testing.assert_allclose(result.departure_s, walk.departure_s, rtol=0, atol=1e-9)
    assert result.fate.tolist() == walk.fate


class BatchDesk:
    """A station with batches, as SimPy processes: one for each server."""

    def __init__(self, env: simpy.Environment, servers: int, batch: int, wait_s: float, due_s: float) -> None:
        self.env, self.batch, self.wait_s, self.due_s = env, batch, wait_s, due_s
        self.queue: deque[tuple[float, int]] = deque()
        self.left: dict[int, float] = {}
        self.late: set[int] = set()
        self.news = env.event()
        for _ in range(servers):
            env.process(self.serve())

    def come(self, i: int) -> None:
        self.queue.append((self.env.now, i))
        self.news.succeed()
        self.news = self.env.event()

    def drop(self, i: int) -> None:
        self.late.add(i)
        self.left[i] = self.env.now

    def serve(self) -> Generator[Any, Any, None]:
        while True:
            while self.queue and self.env.now > self.queue[0][0] + self.due_s:
                self.drop(self.queue.popleft()[1])
            rest_s = self.queue[0][0] + self.wait_s - self.env.now if self.queue else np.inf
            if len(self.queue) < self.batch and rest_s > 1e-12:
                yield self.news | self.env.timeout(rest_s) if self.queue else self.news
                continue
            taken: list[int] = []
            while self.queue and len(taken) < self.batch:
                came_s, i = self.queue.popleft()
                if self.env.now > came_s + self.due_s:
                    self.drop(i)
                else:
                    taken.append(i)
            yield self.env.timeout(0.5 + 0.25 * len(taken))
            self.left |= dict.fromkeys(taken, self.env.now)


@pytest.mark.parametrize("servers", [1, 3])
@pytest.mark.parametrize(("batch", "wait_s"), [(1, 0.0), (4, 0.0), (4, 0.7), (8, 5.0)])
@pytest.mark.parametrize("deadline_s", [np.inf, 1.5])
def test_batches_are_simpys(servers: int, batch: int, wait_s: float, deadline_s: float) -> None:
    arrivals = poisson_arrivals(np.array([0.9 * servers * batch / (0.5 + 0.25 * batch)]), 100.0, 5)
    env = simpy.Environment()
    desk = BatchDesk(env, servers, batch, wait_s, deadline_s)

    def source() -> Generator[Any, Any, None]:
        for i, time_s in enumerate(arrivals.time_s.tolist()):
            yield env.timeout(time_s - env.now)
            desk.come(i)

    env.process(source())
    env.run()
    draft = Draft()
    station = draft.station("desk", servers=servers, batch=batch, batch_wait_s=wait_s, fixed_s=0.5)
    draft.option(0, draft.step(station, work_s=0.25))
    result = play(draft.system(), arrivals, 0, deadline_s=deadline_s)
    wanted = [desk.left[i] for i in range(len(arrivals))]
    np.testing.assert_allclose(result.departure_s, wanted, rtol=0, atol=1e-9)
    assert set(np.flatnonzero(result.fate == Fate.TOO_LATE).tolist()) == desk.late
