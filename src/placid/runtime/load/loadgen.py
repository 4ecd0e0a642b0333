"""The four ways of asking that MLPerf's LoadGen has: SingleStream, MultiStream, Server, Offline.

What they mean, which figure counts and what makes a run valid is that of the MLPerf Inference rules (section "Scenarios")
and of LoadGen's summary of a run. How long a run lasts and how many queries it has at the least are settings here, so a
result is not one of MLPerf's; `LoadGen.official` has MLPerf's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Literal, get_args

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.randomness import stream
from placid.runtime.alarm import Alarm
from placid.runtime.load.early_stopping import bound_holds, sure_quantile_s
from placid.runtime.load.outstanding import Outstanding
from placid.runtime.protocol.messages import ProtocolError

__all__ = ["SCENARIOS", "LoadGen", "Result", "Scenario"]

Scenario = Literal["SingleStream", "MultiStream", "Server", "Offline"]
SCENARIOS: tuple[str, ...] = get_args(Scenario)
#: samples in a query of MultiStream, and the percentile that counts
_SAMPLES = 8
_PERCENTILE = {"SingleStream": 0.9, "MultiStream": 0.99, "Server": 0.99}
#: MLPerf's: a run's least duration, queries of any scenario and of MultiStream, samples of Offline
_OFFICIAL_S, _OFFICIAL_QUERIES, _OFFICIAL_MULTI, _OFFICIAL_SAMPLES = 600.0, 100, 662, 24_576
#: by which Offline sends more samples than are expected to be answered in the least duration
_SLACK = 1.1

#: one sample, by its number; raises ProtocolError if it is refused
Sample = Callable[[int], Awaitable[object]]


@dataclass(frozen=True)
class Result:
    """What a run came to.

    Attributes:
        figure: what counts in this scenario, and `unit`: "s" at a quantile, "queries/s" or "samples/s".
        valid: whether the run keeps the rules; `reasons` say why not.
        latency_s: float64 [queries], those that were answered.
        sure_s: of SingleStream and MultiStream, LoadGen's early-stopping estimate of the percentile: one that holds with
            99 % confidence. NaN if there were too few queries.
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
    sure_s: float = float("nan")

    def quantile_s(self, q: float) -> float:
        """Of the latency of queries, as LoadGen takes it: one of them, that a share of at most 1 - q exceeds."""
        return _quantile_s(self.latency_s, q)


@dataclass(frozen=True)
class LoadGen:
    """Settings of a run.

    Attributes:
        least_s: for which it lasts at the least (LoadGen's ``min_duration``).
        least_queries: that it sends at the least (``min_query_count``); Offline sends one.
        rate_per_s: of Server: queries come as a Poisson process of this rate. Of Offline: samples that are expected to be
            answered a second, which makes the query large enough to last `least_s` (``target_qps``).
        bound_s: of Server: 99 of 100 queries have to be answered within (``target_latency``).
        samples: of Offline: at the least, all in one query.
        early_stopping: whether what is said of a percentile has to hold with 99 % confidence, as MLPerf asks since 2021. It
            takes 64 queries for SingleStream, 662 for MultiStream, 459 and more for Server.

    Raises:
        UnknownNameError, InputError: no such scenario; a number out of range.
    """

    scenario: Scenario
    least_s: float = 10.0
    least_queries: int = 100
    rate_per_s: float = 10.0
    bound_s: float = 0.1
    samples: int = 1000
    seed: int = 0
    early_stopping: bool = False

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            raise UnknownNameError("LoadGen scenario", self.scenario, SCENARIOS)
        if self.least_s < 0 or min(self.least_queries, self.samples) < 1:
            raise InputError(
                f"a run lasts 0 s and has a query and a sample at the least, got {self.least_s:g} s, "
                f"{self.least_queries} and {self.samples}"
            )
        if not (self.rate_per_s > 0 and self.bound_s > 0):
            raise InputError(f"rate and bound lie above 0, got {self.rate_per_s:g} /s and {self.bound_s:g} s")

    @classmethod
    def official(cls, scenario: Scenario, **settings: Any) -> LoadGen:
        """With MLPerf's least duration and counts for image classification: ten minutes, and early stopping.

        Args:
            settings: the others, and any that should differ.
        """
        queries = _OFFICIAL_MULTI if scenario == "MultiStream" else _OFFICIAL_QUERIES
        theirs: dict[str, Any] = {
            "least_s": _OFFICIAL_S,
            "least_queries": queries,
            "samples": _OFFICIAL_SAMPLES,
        }
        return cls(scenario, **(theirs | {"early_stopping": True} | settings))

    async def run(self, sample: Sample, tell: Callable[[int], None] = lambda done: None) -> Result:
        """Ask, and say what came of it. An error of `sample` that is no ProtocolError ends the run and is raised.

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
            await run.query(self._offline_samples, begun)
        return self._result(run, monotonic() - begun)

    @property
    def _offline_samples(self) -> int:
        return max(self.samples, int(_SLACK * self.least_s * self.rate_per_s))

    async def _poisson(self, run: _Run, begun: float) -> None:
        rng, alarm, out = stream(self.seed, "loadgen"), Alarm(), Outstanding()
        due, sent = begun, 0
        try:
            while not out.failed and (due - begun < self.least_s or sent < self.least_queries):
                sent += 1
                due += float(rng.exponential(1 / self.rate_per_s))
                await alarm.until(due)
                out.start(run.query(1, due))
            await out.all_done()
        finally:
            await out.end()
            alarm.close()

    def _result(self, run: _Run, took_s: float) -> Result:
        latency = np.array(run.latency_s)
        reasons = self._reasons(run, latency, took_s)
        figure, sure = float("nan"), float("nan")
        if self.scenario == "Offline":
            unit, what = "samples/s", "throughput"
            figure = self._offline_samples / took_s if len(latency) else figure
        elif self.scenario == "Server":
            unit, what = "queries/s", "rate answered"
            # the last query is the open end of the time that the others took
            figure = (len(latency) - 1) / took_s if len(latency) else figure
        else:
            p = _PERCENTILE[self.scenario]
            unit, what = "s", f"{100 * p:.0f}th percentile of latency"
            sure = sure_quantile_s(latency, p)
            figure = sure if self.early_stopping else _quantile_s(latency, p)
        return Result(
            scenario=self.scenario,
            figure=figure,
            unit=unit,
            what=what,
            valid=not reasons,
            reasons=tuple(reasons),
            queries=run.sent,
            refused=run.refused,
            duration_s=took_s,
            latency_s=latency,
            sure_s=sure,
        )

    def _reasons(self, run: _Run, latency: np.ndarray, took_s: float) -> list[str]:
        """Why a run is not valid."""
        found = []
        if run.refused:
            found.append(f"{run.refused} of {run.sent} queries were refused, the first: {run.first_refusal}")
        if not len(latency):
            return [*found, "nothing was answered"]
        if took_s < self.least_s:
            short = f"it took {took_s:.1f} s, {self.least_s:g} s are due"
            if self.scenario == "Offline":
                short += f": expect a rate of {self._offline_samples / took_s:.0f} samples/s"
            found.append(short)
        p, count = _PERCENTILE.get(self.scenario, 0.0), len(latency)
        if self.scenario == "Server":
            slow, over = _quantile_s(latency, p), int((latency > self.bound_s).sum())
            if slow > self.bound_s:
                found.append(
                    f"the 99th percentile of latency is {1e3 * slow:.1f} ms, {1e3 * self.bound_s:g} ms are allowed"
                )
            elif self.early_stopping and not bound_holds(over, count, p):
                found.append(
                    f"{over} of {count} queries took longer than {1e3 * self.bound_s:g} ms: too few queries to be 99 % "
                    "sure that 99 of 100 do not"
                )
        elif p and self.early_stopping and np.isnan(sure_quantile_s(latency, p)):
            found.append(f"{count} queries are too few to be 99 % sure of the {100 * p:.0f}th percentile")
        return found


def _quantile_s(latency_s: np.ndarray, q: float) -> float:
    count = len(latency_s)
    return float(np.sort(latency_s)[min(count - 1, int(count * q))]) if count else float("nan")


class _Run:
    """Queries so far."""

    def __init__(self, sample: Sample, tell: Callable[[int], None]) -> None:
        self._sample, self._tell = sample, tell
        self.sent = self.refused = 0
        self.first_refusal = ""
        self._number = 0
        self.latency_s: list[float] = []

    async def query(self, size: int, due_s: float) -> None:
        """So many samples at once; its latency is that of the slowest, from when it was due."""
        self.sent += 1
        first, self._number = self._number, self._number + size
        # all are waited for, whatever becomes of the others: else what is left of a query would run beside the next
        ends = (
            [await self._end(first)]
            if size == 1
            else await asyncio.gather(*(self._end(first + i) for i in range(size)))
        )
        took_s = monotonic() - due_s
        for end in ends:
            if end is not None and not isinstance(end, ProtocolError):
                raise end
        refusals = [end for end in ends if end is not None]
        if refusals:
            self.refused += 1
            self.first_refusal = self.first_refusal or str(refusals[0])
        else:
            self.latency_s.append(took_s)
        self._tell(len(self.latency_s) + self.refused)

    async def _end(self, number: int) -> Exception | None:
        """The error that a sample ended with, if any."""
        try:
            await self._sample(number)
        except Exception as error:
            return error
        return None
