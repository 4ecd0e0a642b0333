"""What the slot-level model says of latency, beside what single requests meet."""

from __future__ import annotations

import numpy as np
import polars as pl

from placid.problem.arrays import Problem
from placid.problem.serving import serve
from placid.simulation.events.compiled import CompiledSystem
from placid.simulation.events.playing import Fate, Played
from placid.simulation.events.summary import batch_means

__all__ = ["beside_slots"]


def beside_slots(
    problem: Problem,
    placed: np.ndarray,
    compiled: CompiledSystem,
    played: Played,
    duration_s: float,
    *,
    after_s: float = 0.0,
) -> pl.DataFrame:
    """One row for each type that was asked for, and a last one, ``"all"``: mean latency by slots and by events.

    The slot-level model gets the same requests as an even rate: the serving rule fills options up to each copy's capacity,
    and a request takes the time of its option. Columns: ``type``, ``requests``, ``slot_s``, ``event_s`` with its interval
    ``low_s``, ``high_s`` (of those answered), and ``waiting_s``, the difference: what queues add, and what going on to
    another option because of a queue costs or saves.

    Args:
        duration_s: how long requests came.
        after_s: requests that came earlier are left out, since the queues began empty.
    """
    counted = played.arrivals.time_s >= after_s
    kind = played.arrivals.type
    requests = np.bincount(kind[counted], minlength=problem.type_count)
    rate_per_s = requests / (duration_s - after_s)
    slots_s = slot_latency_s(problem, placed, rate_per_s)
    order = np.argsort(kind, kind="stable")
    order = order[counted[order]]
    ptr = np.searchsorted(kind[order], np.arange(problem.type_count + 1))
    rows = [
        _row(compiled.type_names[r], float(slots_s[r]), played, order[ptr[r] : ptr[r + 1]])
        for r in np.flatnonzero(requests)
    ]
    asked = requests > 0
    mean_s = float(requests[asked] @ slots_s[asked] / requests.sum()) if asked.any() else float("nan")
    rows.append(_row("all", mean_s, played, np.flatnonzero(counted)))
    return pl.DataFrame(rows)


def slot_latency_s(problem: Problem, placed: np.ndarray, rate_per_s: np.ndarray) -> np.ndarray:
    """Mean latency by type under the serving rule, float64 [R]; NaN where nothing is asked for or no repository reached."""
    demand = np.asarray(rate_per_s, np.float64) * problem.slot_s
    outcome = serve(problem, placed, demand, flows=True)
    total = np.bincount(
        problem.option_type,
        weights=outcome.flow * problem.option_vector[:, 0].astype(np.float64),
        minlength=problem.type_count,
    )
    total = total + outcome.repository_load * problem.repository_vector[:, 0]
    reached = (demand > 0) & (problem.repository_node >= 0)
    return np.divide(total, demand, out=np.full(len(demand), np.nan), where=reached)


def _row(name: str, slot_s: float, played: Played, those: np.ndarray) -> dict[str, str | int | float]:
    latency_s = played.latency_s[those[played.fate[those] == Fate.ANSWERED]]
    mean, low, high = batch_means(latency_s)
    return {
        "type": name,
        "requests": len(those),
        "slot_s": slot_s,
        "event_s": mean,
        "low_s": low,
        "high_s": high,
        "waiting_s": mean - slot_s,
    }
