"""Looks at all nodes every second, and remembers the last minutes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from time import monotonic
from typing import Any

from placid.network.graph import Network
from placid.network.routing import route
from placid.runtime.control.controller import Controller
from placid.runtime.control.watching import glances

__all__ = ["Watcher"]

_EVERY_S = 1.0
#: looks that are kept: ten minutes
_KEPT = 600


class Watcher:
    """What a page shows, made anew every second. `begin` it, and `end` it."""

    def __init__(self, controller: Controller, network: Network, title: str) -> None:
        self._controller = controller
        self._network = network
        self._nodes = [{"name": n.name, "tier": n.tier} for n in network.nodes]
        self._place = _places(network)
        self._title = title
        self._before: Mapping[str, Any] = {}
        self._at = monotonic()
        self._began = monotonic()
        self._history: deque[dict[str, float]] = deque(maxlen=_KEPT)
        self._events: deque[dict[str, Any]] = deque(maxlen=50)
        self._now: list[dict[str, Any]] = []
        self._looking: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Look from now on."""
        self._looking = asyncio.create_task(self._look())

    async def end(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def happened(self, what: str) -> None:
        """Something worth a line."""
        self._events.appendleft({"at_s": round(monotonic() - self._began, 1), "what": what})

    def told(self) -> dict[str, Any]:
        """All that the page shows, for JSON."""
        return {
            "title": self._title,
            "slot": self._controller.slot,
            "nodes": self._now,
            "history": list(self._history),
            "events": list(self._events),
        }

    async def _look(self) -> None:
        while True:
            now, at = await self._controller.ask_all(), monotonic()
            seconds = at - self._at
            seen = glances(self._nodes, self._before, now, seconds)
            routes = self._controller.routes
            self._now = [
                asdict(g)
                | {
                    "items": sorted(now[g.name]["held"]) if g.alive else [],
                    "to": _next(self._network, routes.next_hop, g.name),
                    "x": self._place[g.name][0],
                    "y": self._place[g.name][1],
                }
                for g in seen
            ]
            if self._before:
                self._history.append(self._summed(now, seconds, at))
            self._before, self._at = now, at
            await asyncio.sleep(max(0.0, _EVERY_S - (monotonic() - at)))

    def _summed(self, now: Mapping[str, Any], seconds: float, at: float) -> dict[str, float]:
        """Over the whole network since the last look."""

        def more(key: str) -> float:
            total = 0.0
            for name, told in now.items():
                old = self._before.get(name, {"tally": {}})["tally"].get(key, 0)
                new = told["tally"][key]
                # a process that is new counts from 0
                total += new - old if new >= old else new
            return total

        done = more("done")
        return {
            "at_s": round(at - self._began, 1),
            "answered_per_s": round(done / seconds, 2),
            "refused_per_s": round(sum(n["refused_per_s"] for n in self._now), 2),
            "latency_ms": round(1e3 * more("done_s") / done, 3) if done else 0.0,
            "quality": round(more("sure") / done, 4) if done else 0.0,
        }


def _next(network: Network, next_hop: Any, name: str) -> str:
    towards = int(next_hop[network.index[name]])
    return network.nodes[towards].name if towards >= 0 else ""


def _places(network: Network) -> dict[str, tuple[float, float]]:
    """Where each node stands in a square of side 1: as the network says, else in rows by hops to the repository."""
    given = [n.position for n in network.nodes]
    if all(p is not None for p in given):
        xs, ys = [p[0] for p in given if p], [p[1] for p in given if p]
        wide, high = (max(v) - min(v) or 1.0 for v in (xs, ys))
        return {
            n.name: ((n.position[0] - min(xs)) / wide, 1 - (n.position[1] - min(ys)) / high)
            for n in network.nodes
            if n.position
        }
    routes = route(network)
    rows: dict[int, list[str]] = {}
    for v, node in enumerate(network.nodes):
        rows.setdefault(max(0, len(routes.path(v)) - 1), []).append(node.name)
    deepest = max(rows) or 1
    return {
        name: ((i + 0.5) / len(names), hops / deepest)
        for hops, names in rows.items()
        for i, name in enumerate(names)
    }
