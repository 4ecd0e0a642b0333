"""Models and plans laid on paths, type by type: what each way to answer costs, component by component, and what it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from placid.catalog.models import Catalog, Model
from placid.network.graph import Network
from placid.network.routing import route
from placid.problem.arrays import Problem
from placid.problem.laying import PlanGroup, layouts, plan_groups
from placid.problem.paths import PathCosts, path_costs
from placid.problem.pinned import carried_by, pinned

__all__ = ["TypeWays", "joined", "stacked", "ways_by_type"]


@dataclass(frozen=True)
class TypeWays:
    """The ways of one type, as in `placid.objectives.ways.Ways`; `short_of` and `short` count from its first.

    `repository` [q, 4] are the cost vectors of those that need nothing but the repository.
    """

    vector: np.ndarray
    item: np.ndarray
    load: np.ndarray
    answered: np.ndarray
    short_of: np.ndarray
    short: np.ndarray
    repository: np.ndarray


def ways_by_type(network: Network, catalog: Catalog, frame: Problem) -> list[TypeWays]:
    """The ways of every type of `frame`, those that can run; whole models first, then plans."""
    laying = _Laying(network, catalog, frame)
    paths: dict[int, _OnPath] = {}
    found = []
    for v, task in zip(frame.type_ingress.tolist(), frame.type_task.tolist(), strict=True):
        if v not in paths:
            paths[v] = laying.on_path(v)
        found.append(paths[v].of_task(task))
    return found


def joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """One int64 array; of nothing, if there is nothing."""
    return np.concatenate([np.zeros(0, np.int64), *arrays]).astype(np.int64)


def stacked(arrays: Sequence[np.ndarray], missing: float) -> np.ndarray:
    """Arrays [n, w] one below the other, the narrow ones filled up with `missing` on their right."""
    width = max((a.shape[1] for a in arrays), default=1)
    wide = [np.pad(a, ((0, 0), (0, width - a.shape[1])), constant_values=missing) for a in arrays]
    return np.concatenate([np.zeros((0, width), wide[0].dtype if wide else np.float64), *wide])


class _Laying:
    """Models and plans laid on paths; the costs are those of `placid.problem`, nothing is priced."""

    def __init__(self, network: Network, catalog: Catalog, frame: Problem) -> None:
        self.network, self.frame, self.routes = network, frame, route(network)
        processors = sorted({n.processor for n in network.nodes})
        number = {name: i for i, name in enumerate(processors)}
        self.node_processor = np.array([number[n.processor] for n in network.nodes])
        models = catalog.models
        self.latency_s, self.energy_j = _work(models, processors)
        self.error = 1.0 - np.array([m.quality for m in models])
        self.carried = carried_by(catalog)
        self.first_s, self.first_j = pinned(processors, [m.before for m in models])
        self.last_s, self.last_j = pinned(processors, [m.after for m in models])
        self.groups = plan_groups(catalog, processors)
        self.of_task = [
            np.flatnonzero(frame.model_task[: len(models)] == t) for t in range(len(catalog.tasks))
        ]
        self.item_of = np.full((len(network.nodes), len(catalog.placed)), -1, np.int32)
        self.item_of[frame.item_node, frame.item_model] = np.arange(frame.item_count, dtype=np.int32)

    def on_path(self, v: int) -> _OnPath:
        path = path_costs(self.network, self.routes, self.node_processor, v)
        vector = np.empty((len(path), len(self.error), 4))
        if len(path):
            on, here, top = path.processor, path.processor[0], path.processor[-1]
            fixed = np.zeros(len(path))
            laid = self.carried.laid
            vector[:, :, 0] = self.first_s[here] + laid(
                self.latency_s[on], path.rtt_s, path.s_per_byte, self.last_s[top]
            )
            vector[:, :, 1] = self.error
            vector[:, :, 2] = self.first_j[here] + laid(
                self.energy_j[on], fixed, path.j_per_byte, self.last_j[top]
            )
            vector[:, :, 3] = laid(0.0, fixed, path.hops, 0.0)
        return _OnPath(self, path, vector)


@dataclass(frozen=True)
class _OnPath:
    """A path and the cost vector of every model at every node of it, [path, M, 4]."""

    laying: _Laying
    path: PathCosts
    vector: np.ndarray

    def of_task(self, task: int) -> TypeWays:
        if not len(self.path):
            none, no = np.zeros((0, 1)), np.zeros(0, np.int64)
            return TypeWays(np.zeros((0, 4)), none.astype(np.int32), none, none, no, no, np.zeros((0, 4)))
        mine = self.laying.of_task[task]
        vector = self.vector[:, mine]
        runs = np.isfinite(vector[:, :, 0])
        at, model = np.nonzero(runs[:-1])
        item = self.laying.item_of[self.path.nodes[at], mine[model]][:, None]
        ones = np.ones(item.shape)
        no = np.zeros(0, np.int64)
        parts = [TypeWays(vector[at, model], item, ones, ones, no, no, vector[-1][runs[-1]])]
        parts += [_of_plans(g, self.path, self.laying.item_of) for g in self.laying.groups[task]]
        return _together(parts)


def _of_plans(group: PlanGroup, path: PathCosts, item_of: np.ndarray) -> TypeWays:
    laid = layouts(group.part.shape[1], len(path))
    vector = group.lay(path)  # [P, A, 4]
    runs, top = np.isfinite(vector[..., 0]), len(path) - 1
    item = np.where(laid.at < top, item_of[path.nodes[laid.at], group.part[:, None, :]], -1)
    offered = runs.copy()
    offered[:, -1] = False  # all in the repository: it needs nothing
    number = np.full(runs.shape, -1)
    plan, layout = np.nonzero(offered)
    number[plan, layout] = np.arange(len(plan))
    short_of, short = [], []
    for cut in laid.cut_short.T:
        other = number[plan, cut[layout]]
        there = (other >= 0) & (cut[layout] != layout)
        short_of.append(np.flatnonzero(there))
        short.append(other[there])
    needed = item[plan, layout]
    none = needed < 0
    return TypeWays(
        vector[plan, layout],
        needed.astype(np.int32),
        np.where(none, 0.0, group.load[plan]),
        np.where(none, 0.0, group.answered[plan]),
        joined(short_of),
        joined(short),
        vector[runs[:, -1], -1],
    )


def _together(parts: Sequence[TypeWays]) -> TypeWays:
    first = np.concatenate(([0], np.cumsum([len(p.vector) for p in parts])))[:-1]

    return TypeWays(
        np.concatenate([p.vector for p in parts]),
        stacked([p.item for p in parts], -1),
        stacked([p.load for p in parts], 0.0),
        stacked([p.answered for p in parts], 0.0),
        joined([p.short_of + f for p, f in zip(parts, first, strict=True)]),
        joined([p.short + f for p, f in zip(parts, first, strict=True)]),
        np.concatenate([p.repository for p in parts]),
    )


def _work(models: Sequence[Model], processors: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Latency (infinite where a class cannot run it) and energy of each model, [C, M]."""
    latency_s, energy_j = (
        np.full((len(processors), len(models)), np.inf),
        np.zeros((len(processors), len(models))),
    )
    for j, model in enumerate(models):
        for i, cls in enumerate(processors):
            if cls in model.profiles:
                latency_s[i, j], energy_j[i, j] = model.profiles[cls].latency_s, model.profiles[cls].energy_j
    return latency_s, energy_j
