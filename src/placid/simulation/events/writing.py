"""Writes the options of a placement as steps: up the path, through the copies, at an exit or at the end back down."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import ceil

import numpy as np

from placid.catalog.models import Catalog
from placid.errors import InputError
from placid.network.graph import Network
from placid.network.routing import Routes, route
from placid.problem.arrays import Problem
from placid.problem.paths import PathCosts, path_costs
from placid.simulation.events.draft import Draft
from placid.simulation.events.queueing import Queueing
from placid.simulation.events.runs import Leg, Run, Runs, matching

__all__ = ["Writer"]


class Writer:
    """Writes options into a draft, and notes which step carries how many bytes over which link.

    Directions of links are numbered: twice the link's number, and 1 more from b to a.

    Attributes:
        draft: what was written so far.
        ways: (step, direction, bytes).
    """

    def __init__(self, problem: Problem, network: Network, catalog: Catalog, queueing: Queueing) -> None:
        self.problem, self.network, self.catalog, self.queueing = problem, network, catalog, queueing
        self.runs = Runs(network, catalog)
        self.routes: Routes = route(network)
        self.draft = Draft(problem.node_names)
        self.stations: dict[tuple[str, int, int], int] = {}
        self.ways: list[tuple[int, int, float]] = []
        self.path = lru_cache(maxsize=16)(self._path)

    def _path(self, v: int) -> PathCosts:
        return path_costs(self.network, self.routes, np.zeros(len(self.network.nodes), np.int64), v)

    def options_of(self, r: int, in_place: np.ndarray) -> None:
        """The options of type r that are `in_place` (bool [K]), and the repository as the last."""
        problem, needs = self.problem, self.problem.needs
        if problem.repository_node[r] < 0:
            return
        v, task = int(problem.type_ingress[r]), int(problem.type_task[r])
        path = self.path(v)
        position = {int(u): i for i, u in enumerate(path.nodes)}
        back: dict[tuple[int, float], int] = {}
        begin, end = int(problem.option_ptr[r]), int(problem.option_ptr[r + 1])
        for o in (begin + np.flatnonzero(in_place[begin:end])).tolist():
            items = needs.item[needs.ptr[o] : needs.ptr[o + 1]].tolist()
            at = [position[int(problem.item_node[e])] for e in items]
            models = [int(problem.item_model[e]) for e in items]
            run = matching(self.runs.of_items(path, at, models, task), path, problem.option_vector[o])
            names = " + ".join(problem.item_name(e) for e in items)
            self._write(r, self._found(run, r, names), path, back, o)
        run = matching(self.runs.at_top(path, task), path, problem.repository_vector[r])
        self._write(r, self._found(run, r, "the repository"), path, back, -1)

    def _found(self, run: Run | None, r: int, names: str) -> Run:
        if run is None:
            raise InputError(
                f"no model or plan of the catalog accounts for what {names} costs requests of type {r}: "
                "were problem, network and catalog made from each other?"
            )
        return run

    def _write(
        self, r: int, run: Run, path: PathCosts, back: dict[tuple[int, float], int], label: int
    ) -> None:
        top, gates = len(path) - 1, []
        after = -1
        for i in reversed(range(len(run.legs))):
            leg = run.legs[i]
            later = run.legs[i + 1].reach if i + 1 < len(run.legs) else 0.0
            answer = self._answer(path, leg.at, run.down_bytes, back)
            on = answer if i + 1 == len(run.legs) else after
            station = self._station(leg, path)
            if leg.at < top:
                gates.append(station)
            fixed = self.queueing.batch_fixed if leg.at < top else 0.0
            after = self._carried(
                path,
                run.legs[i - 1].at if i else 0,
                leg,
                station=station,
                work_s=leg.work_s * (1.0 - fixed),
                leave=0.0 if i + 1 == len(run.legs) else 1.0 - later / leg.reach,
                on=on,
                out=answer,
                place=int(path.nodes[leg.at]),
            )
        if run.before_s > 0.0 or run.answered_before > 0.0:
            after = self.draft.step(
                delay_s=run.before_s, leave=run.answered_before, on=after, place=int(path.nodes[0])
            )
        self.draft.option(r, after, gates[::-1], label)

    def _answer(self, path: PathCosts, at: int, size: float, back: dict[tuple[int, float], int]) -> int:
        """The first step of an answer's way down from position `at`; -1 if it is there already."""
        if at > 0 and (at, size) not in back:
            hops = [self._hop(path, i, up=False) for i in reversed(range(at))]
            back[at, size] = self._over(hops, size, 0.0, 0.0, place=-1)
        return back[at, size] if at > 0 else -1

    def _carried(self, path: PathCosts, come: int, leg: Leg, **served: float) -> int:
        """The first step of a request's way from position `come` to a leg, and the leg's own at the end."""
        hops = [self._hop(path, i, up=True) for i in range(come, leg.at)]
        coding = (leg.encode_s, leg.decode_s) if hops else (0.0, 0.0)
        return self._over(hops, leg.sent_bytes, *coding, **served)

    def _hop(self, path: PathCosts, i: int, *, up: bool) -> int:
        """The link between positions i and i + 1 of a path, by direction."""
        u = int(path.nodes[i])
        link = int(self.routes.link[u])
        from_a = (self.network.links[link].a == self.network.nodes[u].name) == up
        return 2 * link + (not from_a)

    def _over(self, hops: Sequence[int], size: float, first_s: float, last_s: float, **arrives: float) -> int:
        """Steps over `hops`, ending with the one that `arrives`; the first of them."""
        sent: list[tuple[int, float, float]] = []  # queued links: number, way before it, time on it
        crossed: list[list[int]] = [[]]  # links that each of these steps carries bytes over
        delay_s = first_s
        for hop in hops:
            link = self.network.links[hop // 2]
            time_s = size / link.bandwidth_bytes_per_s
            crossed[-1].append(hop)
            if self.queueing.queued_links and time_s > 0.0:
                sent.append((hop, delay_s, time_s))
                crossed.append([])
                delay_s = link.rtt_s / 2
            else:
                delay_s += link.rtt_s / 2 + time_s
        step = self.draft.step(delay_s=delay_s + last_s, **arrives)  # type: ignore[arg-type]
        self.ways += [(step, hop, size) for hop in crossed.pop()]
        for hop, before_s, time_s in reversed(sent):
            station = self._link(hop)
            step = self.draft.step(station, delay_s=before_s, work_s=time_s, on=step, place=-1)
            self.ways += [(step, h, size) for h in crossed.pop()]
        return step

    def _link(self, hop: int) -> int:
        if ("link", hop, 0) not in self.stations:
            self.stations["link", hop, 0] = self.draft.station(self.link_name(hop))
        return self.stations["link", hop, 0]

    def link_name(self, hop: int) -> str:
        """``a->b`` of a direction."""
        link = self.network.links[hop // 2]
        return f"{link.b}->{link.a}" if hop % 2 else f"{link.a}->{link.b}"

    def _station(self, leg: Leg, path: PathCosts) -> int:
        """Where the leg is served: at the repository, at its node, or at its copy."""
        q, v = self.queueing, int(path.nodes[leg.at])
        node = self.network.nodes[v]
        at_top, shared = leg.at == len(path) - 1, q.per == "node"
        key = ("repository", v, 0) if at_top else ("node", v, 0) if shared else ("item", v, leg.placed)
        if key not in self.stations:
            if at_top:
                made = self.draft.station(node.name, servers=None, law=q.law)
            elif shared:
                made = self.draft.station(node.name, servers=q.servers, limit=q.limit, law=q.law)
            else:
                model = self.catalog.placed[leg.placed]
                capacity_per_s = model.profiles[node.processor].capacity_per_s
                servers, pause_s = (
                    _servers(capacity_per_s, leg.work_s) if q.servers is None else (q.servers, 0.0)
                )
                made = self.draft.station(
                    f"{node.name}/{model.name}", servers=servers, limit=q.limit, batch=q.batch,
                    batch_wait_s=q.batch_wait_s, fixed_s=leg.work_s * q.batch_fixed, pause_s=pause_s, law=q.law,
                )  # fmt: skip
            self.stations[key] = made
        return self.stations[key]


def _servers(capacity_per_s: float, latency_s: float) -> tuple[int, float]:
    """How many servers answer `capacity_per_s` at `latency_s` each, and how long each rests after a service.

    Example:
        >>> _servers(10.0, 0.1), _servers(5.0, 0.1), _servers(16.0, 0.1)
        ((1, 0.0), (1, 0.1), (2, 0.024999999999999994))
    """
    servers = max(1, ceil(capacity_per_s * latency_s - 1e-9))
    pause_s = servers / capacity_per_s - latency_s
    return servers, pause_s if pause_s > 1e-9 * latency_s else 0.0
