"""From a network, a catalog and the request types to the flat arrays of a `Problem`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from placid.catalog.models import AtIngress, AtRepository, Catalog
from placid.errors import InputError, UnknownNameError
from placid.network.graph import Network
from placid.network.routing import route
from placid.problem.arrays import Problem
from placid.problem.buffers import OptionBuffers
from placid.workload.requests import RequestTypes

__all__ = ["compile_problem"]


def compile_problem(
    network: Network,
    catalog: Catalog,
    requests: RequestTypes,
    weights: np.ndarray,
    slot_s: float = 60.0,
) -> Problem:
    """Lay every model on every path, price it, rank it, and drop what is dearer than the repository.

    Items are (node, model) for every node that is no repository and every model with a profile on its processor class,
    in the same order whatever is up or down, so that a policy's state outlives failures.

    Args:
        weights: float64 [4]; price of a second, of a unit of error, of a joule and of a byte-hop (`COMPONENTS`).
        slot_s: slot length; item capacities are per slot.

    Raises:
        InputError: an unknown ingress or task, no repository at all, or a repository without a model for a task.
    """
    nodes, models = network.nodes, catalog.models
    weights = np.asarray(weights, np.float64)
    if not any(n.repository for n in nodes):
        raise InputError(
            "no node is a repository: one node must hold every model and always serve", where=network.name
        )
    routes = route(network)
    latency_s, capacity_per_s, energy_j = _profiles(catalog, {n.processor for n in nodes})
    processor = {name: i for i, name in enumerate(sorted({n.processor for n in nodes}))}
    node_processor = np.array([processor[n.processor] for n in nodes])
    size_bytes = np.array([m.size_bytes for m in models], np.int64)
    error = 1.0 - np.array([m.quality for m in models])
    model_task = np.array([catalog.task_index[m.task] for m in models], np.int32)

    runs = np.isfinite(latency_s[node_processor])  # [V, M]
    hosts = runs & np.array([not n.repository for n in nodes])[:, None]
    item_node, item_model = (a.astype(np.int32) for a in np.nonzero(hosts))
    item_of = np.full(hosts.shape, -1, np.int32)
    item_of[item_node, item_model] = np.arange(len(item_node), dtype=np.int32)
    node_ptr = np.concatenate(([0], np.cumsum(hosts.sum(axis=1)))).astype(np.int64)

    type_ingress = np.array([_lookup(network.index, v, "ingress node") for v in requests.ingress], np.int32)
    type_task = np.array([_lookup(catalog.task_index, t, "task") for t in requests.task], np.int32)
    carried = _carried(catalog)
    first_s, first_j = _pinned(catalog, {n.processor for n in nodes}, [m.before for m in models])
    last_s, last_j = _pinned(catalog, {n.processor for n in nodes}, [m.after for m in models])

    count = len(requests)
    repository_cost = np.full(count, np.inf)
    repository_vector = np.zeros((count, 4))
    repository_node = np.full(count, -1, np.int32)
    type_hops = np.zeros(count, np.int32)
    of_task = [np.flatnonzero(model_task == t) for t in range(len(catalog.tasks))]
    options = OptionBuffers(count)

    @lru_cache(maxsize=16)  # types of one ingress usually follow each other
    def laid_on_path(v: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The path from node v, and every model's cost vector [path, M, 4] and cost [path, M] on it."""
        path = np.array(routes.path(v), np.int64)
        links = [network.links[routes.link[u]] for u in path[:-1]]
        rtt_s = np.concatenate(([0.0], np.cumsum([e.rtt_s for e in links])))
        s_per_byte = np.concatenate(([0.0], np.cumsum([1 / e.bandwidth_bytes_per_s for e in links])))
        j_per_byte = np.concatenate(([0.0], np.cumsum([e.energy_j_per_byte for e in links])))
        hops = np.arange(len(path), dtype=np.float64)
        vector = np.empty((len(path), len(models), 4))
        if len(path):
            on, here, top = node_processor[path], node_processor[path[0]], node_processor[path[-1]]
            # what a request costs up to the placed part and there, then what the rest of it costs on top
            vector[:, :, 0] = first_s[here] + carried.laid(latency_s[on], rtt_s, s_per_byte, last_s[top])
            vector[:, :, 1] = error
            vector[:, :, 2] = first_j[here] + carried.laid(
                energy_j[on], np.zeros(len(path)), j_per_byte, last_j[top]
            )
            vector[:, :, 3] = carried.laid(0.0, np.zeros(len(path)), hops, 0.0)
        with np.errstate(invalid="ignore"):
            return path, vector, np.where(np.isfinite(vector[:, :, 0]), vector @ weights, np.inf)

    for r in range(count):
        path, vector, cost = laid_on_path(int(type_ingress[r]))
        if not len(path):
            options.close_type()
            continue
        mine = of_task[type_task[r]]
        best = mine[np.argmin(cost[-1, mine])] if len(mine) else -1
        if best < 0 or not np.isfinite(cost[-1, best]):
            raise InputError(
                f"repository '{nodes[path[-1]].name}' (processor '{nodes[path[-1]].processor}') has no model for "
                f"task '{requests.task[r]}': give a model of that task a profile on that processor",
                where=catalog.name,
            )
        repository_cost[r], repository_vector[r] = cost[-1, best], vector[-1, best]
        repository_node[r], type_hops[r] = path[-1], len(path) - 1
        saving = repository_cost[r] - cost[:-1, mine]
        at, model = np.nonzero(saving > 0)
        saved, item = saving[at, model], item_of[path[at], mine[model]]
        rank = np.lexsort((item, -saved))
        options.append(item[rank], saved[rank], vector[at[rank], mine[model[rank]]])
        options.close_type()
    option_ptr, option_item, option_saving, option_vector = options.arrays()
    return Problem(
        node_names=tuple(n.name for n in nodes),
        model_names=tuple(m.name for m in models),
        model_variants=tuple(m.variant or m.name for m in models),
        task_names=tuple(t.name for t in catalog.tasks),
        tiers=network.tiers,
        model_task=model_task,
        model_quality=1.0 - error,
        item_node=item_node,
        item_model=item_model,
        item_size_bytes=size_bytes[item_model],
        item_capacity=capacity_per_s[node_processor[item_node], item_model]
        * slot_s
        / carried.travels[item_model],
        node_ptr=node_ptr,
        budget_bytes=np.array([n.memory_bytes if n.up and not n.repository else 0 for n in nodes], np.int64),
        option_ptr=option_ptr,
        option_item=option_item,
        option_saving=option_saving,
        option_vector=option_vector,
        option_type=np.repeat(np.arange(count, dtype=np.int32), np.diff(option_ptr)),
        serving_order=np.argsort(-option_saving, kind="stable").astype(np.int32),
        repository_cost=repository_cost,
        repository_vector=repository_vector,
        repository_node=repository_node,
        type_ingress=type_ingress,
        type_task=type_task,
        type_hops=type_hops,
        node_tier=np.array([network.tiers.index(n.tier) for n in nodes], np.int32),
        next_hop=routes.next_hop,
        slot_s=slot_s,
    )


@dataclass(frozen=True)
class _Carried:
    """What the requests of each model carry, all float64 [M].

    Attributes:
        up: bytes to the placed part.
        on: bytes from there to the repository.
        down: bytes of the answer.
        travels: share of requests that leave the node where they enter.
        goes_on: share of those at the placed part that go on to the repository.
    """

    up: np.ndarray
    on: np.ndarray
    down: np.ndarray
    travels: np.ndarray
    goes_on: np.ndarray

    def laid(
        self, work: np.ndarray | float, fixed: np.ndarray, per_byte: np.ndarray, last: np.ndarray | float
    ) -> np.ndarray:
        """float64 [path, M]: expected cost beyond the ingress node's own work, of every model at every node of a path.

        Args:
            work: of the placed part [path, M].
            fixed: of reaching each node, whatever is carried [path].
            per_byte: of carrying a byte to each node [path].
            last: of the repository's part [M].
        """
        fixed, per_byte = fixed[:, None], per_byte[:, None]
        there = work + fixed + per_byte * (self.up + self.down)
        beyond = last + (fixed[-1] - fixed) + (per_byte[-1] - per_byte) * (self.on + self.down)
        with np.errstate(invalid="ignore"):  # nobody goes on, and nobody could: 0 times infinity
            return self.travels * (there + np.where(self.goes_on > 0, self.goes_on * beyond, 0.0))


def _carried(catalog: Catalog) -> _Carried:
    models, tasks = catalog.models, [catalog.tasks[catalog.task_index[m.task]] for m in catalog.models]
    return _Carried(
        up=np.array(
            [
                t.request_bytes if m.before is None else m.before.sent_bytes
                for m, t in zip(models, tasks, strict=True)
            ],
            np.float64,
        ),
        on=np.array([0 if m.after is None else m.after.sent_bytes for m in models], np.float64),
        down=np.array([t.response_bytes for t in tasks], np.float64),
        travels=np.array([1 if m.before is None else 1 - m.before.answered for m in models], np.float64),
        goes_on=np.array([0 if m.after is None else m.after.share for m in models], np.float64),
    )


def _pinned(
    catalog: Catalog, processors: set[str], parts: Sequence[AtIngress | AtRepository | None]
) -> tuple[np.ndarray, np.ndarray]:
    """Latency and energy, each [P, M], of what has a fixed place: 0 where there is nothing, infinite where it cannot run."""
    latency_s, energy_j = np.zeros((2, len(processors), len(catalog.models)))
    for i, cls in enumerate(sorted(processors)):
        for j, part in enumerate(parts):
            if part is not None and cls in part.profiles:
                latency_s[i, j], energy_j[i, j] = part.profiles[cls].latency_s, part.profiles[cls].energy_j
            elif part is not None:
                latency_s[i, j] = np.inf
    return latency_s, energy_j


def _profiles(catalog: Catalog, processors: set[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Latency (infinite where a class cannot run a model), capacity and energy, each [P, M], classes sorted by name."""
    shape = (len(processors), len(catalog.models))
    latency_s, capacity_per_s, energy_j = np.full(shape, np.inf), np.zeros(shape), np.zeros(shape)
    for i, cls in enumerate(sorted(processors)):
        for j, model in enumerate(catalog.models):
            if cls in model.profiles:
                p = model.profiles[cls]
                latency_s[i, j], capacity_per_s[i, j], energy_j[i, j] = (
                    p.latency_s,
                    p.capacity_per_s,
                    p.energy_j,
                )
    return latency_s, capacity_per_s, energy_j


def _lookup(index: Mapping[str, int], name: str, kind: str) -> int:
    if name not in index:
        raise UnknownNameError(kind, name, index)
    return index[name]
