"""What a play came to: latency by type with percentiles and intervals, stations, and how sure the means are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.special import stdtrit

from placid.simulation.events.playing import Fate, Played
from placid.simulation.events.system import UNLIMITED

__all__ = ["batch_means", "by_station", "by_type"]


def batch_means(
    values: np.ndarray, batches: int = 20, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Mean of what came one after another, and the ends of its interval by batch means.

    Requests that follow each other wait for each other, so their latencies are not independent; means of long batches
    nearly are. The interval is Student's t over the means of `batches` batches of equal size, the first values being left
    out where they do not divide. It is too short while a batch is not much longer than the memory of the queue. The ends are
    NaN with fewer than two values a batch.

    Example:
        >>> [round(v, 3) for v in batch_means(np.arange(100.0) % 10, batches=5)]
        [4.5, 4.5, 4.5]
    """
    size = len(values) // batches
    mean = float(np.mean(values)) if len(values) else float("nan")
    if size < 2:
        return mean, float("nan"), float("nan")
    means = values[len(values) - size * batches :].reshape(batches, size).mean(axis=1)
    half = float(stdtrit(batches - 1, 0.5 + confidence / 2) * means.std(ddof=1) / np.sqrt(batches))
    return mean, mean - half, mean + half


def by_type(
    played: Played, names: Sequence[str] | None = None, *, after_s: float = 0.0, batches: int = 20
) -> pl.DataFrame:
    """One row for each type, and a last one, ``"all"``, for all of them.

    Columns: ``type``, ``requests``, ``answered``, ``too_late`` (dropped), ``refused``, ``overdue`` (answered after the
    deadline), and of the latency of those answered ``mean_s``, ``low_s``, ``high_s`` (95 %, by batch means), ``p50_s``,
    ``p95_s``, ``p99_s``.

    Args:
        names: of the types; None: their numbers.
        after_s: requests that came earlier are left out, since the queues began empty.
    """
    kinds = played.system.type_count
    counted = played.arrivals.time_s >= after_s
    order = np.argsort(played.arrivals.type, kind="stable")
    order = order[counted[order]]
    ptr = np.searchsorted(played.arrivals.type[order], np.arange(kinds + 1))
    rows = [
        (str(r) if names is None else names[r], order[ptr[r] : ptr[r + 1]]) for r in range(kinds)
    ]  # in order of arrival within a type
    rows.append(("all", np.flatnonzero(counted)))
    return pl.DataFrame([_row(played, name, those, batches) for name, those in rows])


def _row(played: Played, name: str, those: np.ndarray, batches: int) -> dict[str, str | int | float]:
    fate = played.fate[those]
    answered = those[fate == Fate.ANSWERED]
    latency_s = played.latency_s[answered]
    mean, low, high = batch_means(latency_s, batches)
    p50, p95, p99 = np.quantile(latency_s, (0.5, 0.95, 0.99)) if len(answered) else (float("nan"),) * 3
    return {
        "type": name,
        "requests": len(those),
        "answered": len(answered),
        "too_late": int((fate == Fate.TOO_LATE).sum()),
        "refused": int((fate == Fate.REFUSED).sum()),
        "overdue": int((played.departure_s[answered] > played.due_s[answered]).sum()),
        "mean_s": mean,
        "low_s": low,
        "high_s": high,
        "p50_s": float(p50),
        "p95_s": float(p95),
        "p99_s": float(p99),
    }


def by_station(played: Played) -> pl.DataFrame:
    """One row for each station.

    Columns: ``station``, ``servers`` (null where unlimited), ``arrived``, ``services``, ``dropped``, ``mean_wait_s`` in the
    queue, and over the window ``waiting`` and ``held``, the mean numbers of requests in the queue and of servers held, and
    ``utilisation``, the share of servers held (null where unlimited).
    """
    length_s = played.window_s[1] - played.window_s[0]
    servers = played.system.stations["servers"]
    with np.errstate(invalid="ignore", divide="ignore"):
        held = played.held_area_s / length_s
        mean_wait_s = played.waited_s / played.arrived
        waiting = played.waiting_area_s / length_s
    limited = servers < UNLIMITED
    return pl.DataFrame(
        {
            "station": played.system.station_names,
            "servers": [int(c) if few else None for c, few in zip(servers, limited, strict=True)],
            "arrived": played.arrived,
            "services": played.services,
            "dropped": played.dropped,
            "mean_wait_s": mean_wait_s,
            "waiting": waiting,
            "held": held,
            "utilisation": [
                float(h / c) if few else None for h, c, few in zip(held, servers, limited, strict=True)
            ],
        },
        schema_overrides={"station": pl.String, "servers": pl.Int64, "utilisation": pl.Float64},
    )
