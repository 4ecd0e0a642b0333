"""Small systems for the queueing tests, and textbook formulas to hold them against."""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial

from placid.simulation.events import Draft, System

__all__ = ["erlang_b", "erlang_c", "one_station"]


def one_station(
    law: str | Sequence[float], servers: int = 1, limit: int | None = None, gated: bool = False
) -> System:
    """One station whose service takes a second on average."""
    draft = Draft()
    desk = draft.station("desk", servers=servers, limit=limit, law=law)
    draft.option(0, draft.step(desk, work_s=1.0), [desk] if gated else [])
    return draft.system()


def erlang_b(servers: int, load: float) -> float:
    """Share of requests that find all servers of M/G/c/c held."""
    terms = [load**k / factorial(k) for k in range(servers + 1)]
    return terms[-1] / sum(terms)


def erlang_c(servers: int, load: float) -> float:
    """Share of requests that have to wait in M/M/c."""
    blocked = erlang_b(servers, load)
    return blocked / (1 - load / servers * (1 - blocked))
