"""Timing: whether it measures what happened."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import numpy as np
import pytest

from placid.errors import InputError
from placid.splitting.measuring import time_run, time_together
from placid.splitting.measuring.timing import _timing


def working(seconds: float) -> Callable[[], None]:
    """Something that computes for as long, in processor time."""

    def work() -> None:
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass

    return work


def test_what_takes_a_millisecond() -> None:
    took = time_run(working(1e-3), runs=40, warmup=2)
    assert 0.99e-3 < took.p50_s < 1.5e-3
    assert took.p50_s <= took.p95_s
    assert 10 <= took.runs <= 40


def test_waiting_counts_where_it_is_the_work_itself() -> None:
    took = time_run(lambda: time.sleep(2e-3), runs=6, warmup=0)
    assert took.mean_s >= 2e-3
    assert took.runs == 6


def test_ratios_are_those_of_the_work() -> None:
    took = time_together({"one": working(3e-4), "three": working(9e-4)}, runs=60)
    assert 2.5 < took["three"].p50_s / took["one"].p50_s < 3.5


def test_each_is_called_as_often_and_in_turn() -> None:
    calls: list[str] = []
    time_together({n: lambda n=n: calls.append(n) for n in "ab"}, runs=5, warmup=1, burst=2)
    assert "".join(calls) == "ab" + "aaabbb" + "bbbaaa" + "aabb"
    assert gc.isenabled()


def test_runs_that_lost_the_core_are_left_out() -> None:
    busy = np.full(100, 1e-3)
    clock = busy.copy()
    clock[::10] += 4e-3
    took = _timing(clock, busy)
    assert (took.runs, took.mean_s, took.deviation_s) == (
        90,
        pytest.approx(1e-3),
        pytest.approx(0, abs=1e-12),
    )
    took = _timing(np.full(100, 5e-3), busy)
    assert (took.runs, took.mean_s) == (100, pytest.approx(5e-3))


def test_no_runs_are_refused() -> None:
    with pytest.raises(InputError, match="at least one run"):
        time_run(lambda: None, runs=0)
