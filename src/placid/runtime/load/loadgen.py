"""The four ways of asking that MLPerf's LoadGen has: SingleStream, MultiStream, Server, Offline.

What they mean, and which figure counts, is that of the MLPerf Inference rules (Reddi et al., ISCA 2020, section 4). How long
a run lasts and how many queries it has at the least are settings here, so a result is not one of MLPerf's: there a run lasts
ten minutes at the least, and each scenario has its own least count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Literal, get_args

import numpy as np

from placid.errors import UnknownNameError
from placid.randomness import stream
from placid.runtime.alarm import Alarm
from placid.runtime.protocol.messages import ProtocolError

__all__ = ["SCENARIOS", "LoadGen", "Result", "Scenario"]

Scenario = Literal["SingleStream", "MultiStream", "Server", "Offline"]
SCENARIOS: tuple[str, ...] = get_args(Scenario)
#: samples in a query of MultiStream
_SAMPLES = 8

#: one sample, by its number; raises ProtocolError if it is refused
Sample = Callable[[int], Awaitable[object]]


@dataclass(frozen=True)
class Result:
    """What a run came to.

    Attributes:
        figure: what counts in this scenario, and `unit`: "s" at a quantile, "queries/s" or "samples/s".
        valid: whether the run keeps the rules; `reasons` say why not.
        latency_s: float64 [queries], those that were answered.
    """

    scenario: str
    figure: float
    unit: str
    what: str
    valid: bool
    reasons: tuple[str, ...]
    queries: int
    refused: int
    duration_s: float
    latency_s: np.ndarray

    def quantile_s(self, q: float) -> float:
        """Of the latency of queries."""
        return float(np.quantile(self.latency_s, q)) if len(self.latency_s) else float("nan")


@dataclass(frozen=True)
class LoadGen:
    """Settings of a run.

    Attributes:
        least_s: for which it lasts at the least.
        least_queries: that it sends at the least.
        rate_per_s: of Server: queries come as a Poisson process of this rate.
        bound_s: of Server: 99 of 100 queries have to be answered within.
        samples: of Offline: all of them in one query.
    """

    scenario: Scenario
    least_s: float = 10.0
    least_queries: int = 100
    rate_per_s: float = 10.0
    bound_s: float = 0.1
    samples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            raise UnknownNameError("LoadGen scenario", self.scenario, SCENARIOS)

    async def run(self, sample: Sample, tell: Callable[[int], None] = lambda done: None) -> Result:
        """Ask, and say what came of it.

        Args:
            tell: hears how many queries are done.
        """
        run = _Run(sample, tell)
        begun = monotonic()
        if self.scenario in ("SingleStream", "MultiStream"):
            size = _SAMPLES if self.scenario == "MultiStream" else 1
            while monotonic() - begun < self.least_s or run.sent < self.least_queries:
                await run.query(size, monotonic())
        elif self.scenario == "Server":
            await self._poisson(run, begun)
        else:
            await run.query(self.samples, begun)
        return self._result(run, monotonic() - begun)

    async def _poisson(self, run: _Run, begun: float) -> None:
        rng, alarm = stream(self.seed, "loadgen"), Alarm()
        out: set[asyncio.Task[None]] = set()
        due = begun
        try:
            while due - begun < self.least_s or run.sent < self.least_queries:
                due += float(rng.exponential(1 / self.rate_per_s))
                await alarm.until(due)
                task = asyncio.create_task(run.query(1, due))
                out.add(task)
                task.add_done_callback(out.discard)
            await asyncio.gather(*out)
        finally:
            for task in out:
                task.cancel()
            alarm.close()

    def _result(self, run: _Run, took_s: float) -> Result:
        latency = np.array(run.latency_s)
        reasons = [f"{run.refused} of {run.sent} queries were refused"] if run.refused else []
        if self.scenario != "Offline" and took_s < self.least_s:
            reasons.append(f"it took {took_s:.1f} s, {self.least_s:g} s are due")
        if not len(latency):
            reasons.append("nothing was answered")
            told = tuple(reasons)
            return Result(
                self.scenario, float("nan"), "s", "", False, told, run.sent, run.refused, took_s, latency
            )
        if self.scenario == "Offline":
            figure, unit, what = self.samples / took_s, "samples/s", "throughput"
        elif self.scenario == "Server":
            figure, unit, what = len(latency) / took_s, "queries/s", "rate answered"
            slow = float(np.quantile(latency, 0.99))
            if slow > self.bound_s:
                reasons.append(
                    f"the 99th percentile of latency is {1e3 * slow:.1f} ms, {1e3 * self.bound_s:g} ms are allowed"
                )
        else:
            q = 0.9 if self.scenario == "SingleStream" else 0.99
            figure, unit, what = float(np.quantile(latency, q)), "s", f"{100 * q:.0f}th percentile of latency"
        return Result(
            self.scenario,
            figure,
            unit,
            what,
            not reasons,
            tuple(reasons),
            run.sent,
            run.refused,
            took_s,
            latency,
        )


class _Run:
    """Queries so far."""

    def __init__(self, sample: Sample, tell: Callable[[int], None]) -> None:
        self._sample, self._tell = sample, tell
        self.sent = self.refused = 0
        self._number = 0
        self.latency_s: list[float] = []

    async def query(self, size: int, due_s: float) -> None:
        """So many samples at once; its latency is that of the slowest, from when it was due."""
        self.sent += 1
        first, self._number = self._number, self._number + size
        try:
            if size == 1:
                await self._sample(first)
            else:
                await asyncio.gather(*(self._sample(first + i) for i in range(size)))
        except ProtocolError:
            self.refused += 1
        else:
            self.latency_s.append(monotonic() - due_s)
        self._tell(len(self.latency_s) + self.refused)
