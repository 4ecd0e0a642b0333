"""How long something takes, on a machine that does other things too."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter, thread_time

import numpy as np

from placid.catalog.variants import Timing
from placid.errors import InputError

__all__ = ["time_run", "time_together"]

#: a run is disturbed if the thread waited longer than this, in parts of the run and in seconds
_WAITED, _WAITED_S = 0.05, 20e-6


def time_run(work: Callable[[], object], *, runs: int = 200, warmup: int = 20) -> Timing:
    """Time `work`, one call after another.

    A run from which the operating system took the core for another process (the clock went on, this thread's processor
    time did not) says how busy the machine is, not how long `work` takes, and is left out; all are kept if that
    concerns more than three of four, since then `work` itself waits. What others do to caches and clock frequency stays in
    the figures: to compare two things, use `time_together`.

    Args:
        runs: calls that are timed; `Timing.runs` says how many were not disturbed.
        warmup: calls before, not timed.
    """
    return time_together({"": work}, runs=runs, warmup=warmup)[""]


def time_together(
    works: Mapping[str, Callable[[], object]], *, runs: int = 200, warmup: int = 20, burst: int = 4
) -> dict[str, Timing]:
    """Time several things in turn, so that what slows the machine for a while slows them all and their ratios are fair.

    In each round every one is called once untimed (or it would pay for what the one before left in the caches), then `burst`
    times; who is first changes from round to round. See `time_run` for which runs are left out.

    Raises:
        InputError: `runs` or `burst` is less than one.
    """
    if runs < 1 or burst < 1:
        raise InputError(f"a timing needs at least one run, got runs={runs}, burst={burst}")
    names = list(works)
    clock: dict[str, list[float]] = {name: [] for name in names}
    busy: dict[str, list[float]] = {name: [] for name in names}
    for work in works.values():
        for _ in range(warmup):
            work()
    with _no_collection():
        for turn in range(-(-runs // burst)):
            start = turn % len(names)
            for name in names[start:] + names[:start]:
                work = works[name]
                work()
                for _ in range(min(burst, runs - turn * burst)):
                    b0, t0 = thread_time(), perf_counter()
                    work()
                    t1, b1 = perf_counter(), thread_time()
                    clock[name].append(t1 - t0)
                    busy[name].append(b1 - b0)
    return {name: _timing(np.array(clock[name]), np.array(busy[name])) for name in names}


def _timing(clock: np.ndarray, busy: np.ndarray) -> Timing:
    undisturbed = clock - busy <= np.maximum(_WAITED * clock, _WAITED_S)
    if 4 * undisturbed.sum() >= len(clock):
        clock = clock[undisturbed]
    p50, p95 = np.quantile(clock, [0.5, 0.95])
    return Timing(float(clock.mean()), float(p50), float(p95), float(clock.std()), len(clock))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Garbage is collected before, not in the middle of a run."""
    was = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
