"""From a network, a catalog and the request types to the flat arrays of a `Problem`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from placid.catalog.models import Catalog, Model, Part
from placid.errors import InputError, UnknownNameError
from placid.network.graph import Network
from placid.network.routing import route
from placid.problem.arrays import Chains, Problem
from placid.problem.buffers import ChainBuffers, OptionBuffers, WayBuffers
from placid.problem.laying import PlanGroup, layouts, plan_groups
from placid.problem.limits import Limits, Terms
from placid.problem.paths import PathCosts, path_costs
from placid.problem.pinned import carried_by, pinned
from placid.problem.uses import Budget, Limited, ModelWork, model_uses, plan_uses
from placid.workload.requests import RequestTypes

__all__ = ["compile_problem"]


def compile_problem(
    network: Network,
    catalog: Catalog,
    requests: RequestTypes,
    weights: np.ndarray,
    slot_s: float = 60.0,
    budgets: Sequence[Budget] = (),
    terms: Terms | None = None,
) -> Problem:
    """Lay every model and every plan on every path, price it, rank it, and drop what is dearer than the repository.

    Items are (node, model) for every node that is no repository and every model, or part of one, with a profile on its
    processor class, in the same order whatever is up or down, so that a policy's state outlives failures. The repository
    runs whatever part of a plan is left to it. A layout that needs more items than another of the same plan and saves no
    more is dropped too. Where links or processors have hard limits, or there are `budgets`, a request can be refused: what
    is cheaper than that is kept (`placid.problem.limits`).

    Args:
        weights: float64 [4]; price of a second, of a unit of error, of a joule and of a byte-hop (`COMPONENTS`).
        slot_s: slot length; item capacities are per slot.
        budgets: what may be used in the long run.
        terms: what a refusal costs.

    Raises:
        InputError: an unknown ingress or task, no repository at all, a repository without a model for a task, or limits
            within which not one request of a type can be answered.
    """
    nodes, models = network.nodes, catalog.models
    weights = np.asarray(weights, np.float64)
    if not any(n.repository for n in nodes):
        raise InputError(
            "no node is a repository: one node must hold every model and always serve", where=network.name
        )
    routes = route(network)
    processors = sorted({n.processor for n in nodes})
    placed = catalog.placed
    latency_s, capacity_per_s, energy_j = _profiles(placed, processors)
    processor = {name: i for i, name in enumerate(processors)}
    node_processor = np.array([processor[n.processor] for n in nodes])
    size_bytes = np.array([m.size_bytes for m in placed], np.int64)
    quality = _quality(catalog)
    error = 1.0 - quality[: len(models)]
    model_task = np.array([catalog.task_index[m.task] for m in placed], np.int32)

    runs = np.isfinite(latency_s[node_processor])  # [V, M]
    hosts = runs & np.array([not n.repository for n in nodes])[:, None]
    item_node, item_model = (a.astype(np.int32) for a in np.nonzero(hosts))
    item_of = np.full(hosts.shape, -1, np.int32)
    item_of[item_node, item_model] = np.arange(len(item_node), dtype=np.int32)
    node_ptr = np.concatenate(([0], np.cumsum(hosts.sum(axis=1)))).astype(np.int64)

    type_ingress = np.array([_lookup(network.index, v, "ingress node") for v in requests.ingress], np.int32)
    type_task = np.array([_lookup(catalog.task_index, t, "task") for t in requests.task], np.int32)
    carried = carried_by(catalog)
    first_s, first_j = pinned(processors, [m.before for m in models])
    last_s, last_j = pinned(processors, [m.after for m in models])
    groups = plan_groups(catalog, processors)

    count, whole = len(requests), len(models)
    repository_cost = np.full(count, np.inf)
    repository_vector = np.zeros((count, 4))
    repository_node = np.full(count, -1, np.int32)
    repository_runs = np.full(count, -1, np.int32)
    type_hops = np.zeros(count, np.int32)
    of_task = [np.flatnonzero(model_task[:whole] == t) for t in range(len(catalog.tasks))]
    no_limits = np.zeros(0, np.int64)
    options, chains = OptionBuffers(count), ChainBuffers() if catalog.plans else None
    limited, terms = Limited(network, budgets, slot_s), terms or Terms()
    terms.check_tasks(catalog.task_index)
    ways = WayBuffers(count) if len(limited) else None
    work = ModelWork.of(catalog, processors) if ways else None

    def priced(vector: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(vector[..., 0]), vector @ weights, np.inf)

    @lru_cache(maxsize=16)  # types of one ingress usually follow each other
    def laid_on_path(v: int) -> tuple[PathCosts, np.ndarray, np.ndarray]:
        """The path from node v, and every model's cost vector [path, M, 4] and cost [path, M] on it."""
        path = path_costs(network, routes, node_processor, v)
        vector = np.empty((len(path), whole, 4))
        if len(path):
            on, here, top = path.processor, path.processor[0], path.processor[-1]
            fixed = np.zeros(len(path))
            # what a request costs up to the placed part and there, then what the rest of it costs on top
            vector[:, :, 0] = first_s[here] + carried.laid(
                latency_s[on, :whole], path.rtt_s, path.s_per_byte, last_s[top]
            )
            vector[:, :, 1] = error
            vector[:, :, 2] = first_j[here] + carried.laid(
                energy_j[on, :whole], fixed, path.j_per_byte, last_j[top]
            )
            vector[:, :, 3] = carried.laid(0.0, fixed, path.hops, 0.0)
        return path, vector, priced(vector)

    @lru_cache(maxsize=16)
    def taken_on_path(v: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Limits that the path from node v touches [L], how columns count [.., L], every model's parts [path, M, L]."""
        path, vector, _ = laid_on_path(v)
        touched, counts = limited.on_path(routes, path.nodes)
        assert work is not None
        return touched, counts, model_uses(path, carried, work, vector[:, :, 2]) @ counts

    for r in range(count):
        path, vector, cost = laid_on_path(int(type_ingress[r]))
        if not len(path):
            options.close_type()
            if ways:
                ways.close_type(np.inf, no_limits, np.zeros(0))
            continue
        mine = of_task[type_task[r]]
        plans = [(g, *_laid(g, path, priced)) for g in groups[type_task[r]]]
        # the repository's choice: of whole models there, and of plans that run there from end to end
        at_top = [(cost[-1, mine], vector[-1, mine]), *((c[:, -1], v[:, -1]) for _, v, c in plans)]
        best_cost, best_vector = (
            np.concatenate([c for c, _ in at_top]),
            np.concatenate([v for _, v in at_top]),
        )
        best = int(np.argmin(best_cost)) if len(best_cost) else -1
        if best < 0 or not np.isfinite(best_cost[best]):
            top = nodes[path.nodes[-1]]
            raise InputError(
                f"repository '{top.name}' (processor '{top.processor}') has no model for "
                f"task '{requests.task[r]}': give a model of that task a profile on that processor",
                where=catalog.name,
            )
        repository_cost[r], repository_vector[r] = best_cost[best], best_vector[best]
        repository_node[r], type_hops[r] = path.nodes[-1], len(path) - 1
        repository_runs[r] = np.concatenate([mine, *(g.part[:, 0] for g, _, _ in plans)])[best]
        saving = repository_cost[r] - cost[:-1, mine]
        margin, touched, shares = 0.0, no_limits, np.zeros((*cost.shape, 0))
        plan_shares = [np.zeros((*c.shape, 0)) for _, _, c in plans]
        if ways:
            touched, counts, shares = taken_on_path(int(type_ingress[r]))
            plan_shares = [plan_uses(g, path, v[:, :, 2]) @ counts for g, v, _ in plans]
            dearest = max(
                float(c[np.isfinite(c)].max(initial=0.0)) for c in (cost[:, mine], *(c for _, _, c in plans))
            )
            refusing = terms.refusal_cost(
                requests.task[r], requests.ingress[r], dearest, float(repository_cost[r])
            )
            margin = refusing - float(repository_cost[r])
        at, model = np.nonzero(saving > -margin)
        saved, item = saving[at, model], item_of[path.nodes[at], mine[model]]
        rank = np.lexsort((item, -saved))
        all_of_it = np.ones((len(rank), 1))
        offers = [
            _Offers(
                saved[rank],
                vector[at[rank], mine[model[rank]]],
                item[rank, None],
                all_of_it,
                all_of_it,
                shares[at[rank], mine[model[rank]]],
            )
        ]
        if chains is not None:
            offers += [
                _plan_offers(g, path, item_of, v, repository_cost[r] - c, margin, s)
                for (g, v, c), s in zip(plans, plan_shares, strict=True)
            ]
            offers = [_merged(offers)]
            chains.append(offers[0].item, offers[0].load, offers[0].answered)
        options.append(offers[0].item[:, 0], offers[0].saving, offers[0].vector)
        options.close_type()
        if ways:
            at_top_share = np.concatenate([shares[-1, mine], *(s[:, -1] for s in plan_shares)])[best]
            ways.append(touched, offers[0].share)
            ways.close_type(refusing, touched, at_top_share)
            if (
                not (np.vstack((offers[0].share, at_top_share))[:, limited.hard[touched]] <= 1)
                .all(axis=1)
                .any()
            ):
                raise _too_narrow(limited, touched, at_top_share, requests, r, network.name)
    option_ptr, option_item, option_saving, option_vector = options.arrays()
    return Problem(
        node_names=tuple(n.name for n in nodes),
        model_names=tuple(m.name for m in placed),
        model_variants=tuple(m.variant or m.name for m in placed),
        task_names=tuple(t.name for t in catalog.tasks),
        tiers=network.tiers,
        model_task=model_task,
        model_quality=quality,
        item_node=item_node,
        item_model=item_model,
        item_size_bytes=size_bytes[item_model],
        item_capacity=capacity_per_s[node_processor[item_node], item_model]
        * slot_s
        / np.concatenate((carried.travels, np.ones(len(catalog.parts))))[item_model],
        item_servers=np.maximum(
            1, np.ceil(capacity_per_s * np.where(np.isfinite(latency_s), latency_s, 0.0) - 1e-9)
        )[node_processor[item_node], item_model].astype(np.int32),
        node_ptr=node_ptr,
        budget_bytes=np.array([n.memory_bytes if n.up and not n.repository else 0 for n in nodes], np.int64),
        option_ptr=option_ptr,
        option_item=option_item if chains is None else np.zeros(0, np.int32),
        option_saving=option_saving,
        option_vector=option_vector,
        option_type=np.repeat(np.arange(count, dtype=np.int32), np.diff(option_ptr)),
        serving_order=np.argsort(-option_saving, kind="stable").astype(np.int32),
        repository_cost=repository_cost,
        repository_vector=repository_vector,
        repository_node=repository_node,
        repository_runs=repository_runs,
        type_ingress=type_ingress,
        type_task=type_task,
        type_hops=type_hops,
        node_tier=np.array([network.tiers.index(n.tier) for n in nodes], np.int32),
        next_hop=routes.next_hop,
        slot_s=slot_s,
        chains=None if chains is None else Chains(*chains.arrays()),
        limits=None
        if ways is None
        else _limits(limited, ways, terms, option_ptr, option_saving, repository_cost),
    )


def _limits(
    limited: Limited,
    ways: WayBuffers,
    terms: Terms,
    option_ptr: np.ndarray,
    option_saving: np.ndarray,
    repository_cost: np.ndarray,
) -> Limits:
    ptr, limit, share, refusal_cost = ways.arrays()
    reached = np.isfinite(repository_cost)
    margin = np.where(reached, refusal_cost, 0.0) - np.where(reached, repository_cost, 0.0)
    return Limits(
        names=tuple(limited.names),
        kind=np.array(limited.kind, np.int8),
        most=np.array(limited.most),
        ptr=ptr,
        limit=limit,
        share=share,
        worth=np.concatenate((option_saving + np.repeat(margin, np.diff(option_ptr)), margin)),
        refusal_cost=refusal_cost,
        patience_slots=terms.patience_slots,
        rounds=terms.rounds,
    )


def _too_narrow(
    limited: Limited, touched: np.ndarray, share: np.ndarray, requests: RequestTypes, r: int, where: str
) -> InputError:
    """That no request of type r can be answered, by the limit that the repository's answer exceeds most."""
    worst = int(np.argmax(np.where(limited.hard[touched], share, 0.0)))
    name, unit = (
        limited.names[touched[worst]],
        "bytes" if limited.names[touched[worst]].startswith("link") else "s",
    )
    most = limited.most[touched[worst]]
    return InputError(
        f"not even one request of task '{requests.task[r]}' that enters at '{requests.ingress[r]}' can be answered in a "
        f"slot: {name} carries {most:.6g} {unit} a slot, and a request takes {share[worst] * most:.6g}; raise the limit, "
        "make the slot longer, or give the task a model that takes less",
        where=where,
    )


@dataclass(frozen=True)
class _Offers:
    """Options of one type: saving [n], cost vector [n, 4], and the items [n, k] that each needs, -1 where it needs fewer.

    `load` and `answered` are of those items, as in `Chains`; `share` [n, L] the parts that a request takes of the L limits
    that the path touches.
    """

    saving: np.ndarray
    vector: np.ndarray
    item: np.ndarray
    load: np.ndarray
    answered: np.ndarray
    share: np.ndarray


def _laid(
    group: PlanGroup, path: PathCosts, priced: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Cost vector [P, A, 4] and cost [P, A] of every plan of `group` under every layout."""
    vector = group.lay(path)
    return vector, priced(vector)


def _plan_offers(
    group: PlanGroup,
    path: PathCosts,
    item_of: np.ndarray,
    vector: np.ndarray,
    saving: np.ndarray,
    margin: float,
    share: np.ndarray,
) -> _Offers:
    """What of `group` is worth offering on `path`; `saving` [P, A] against the repository.

    Args:
        margin: what refusing costs more than the repository, 0 if it never refuses.
        share: of the limits, [P, A, L].
    """
    laid = layouts(group.part.shape[1], len(path))
    top = len(path) - 1
    item = np.where(laid.at < top, item_of[path.nodes[laid.at], group.part[:, None, :]], -1)  # [P, A, k]
    worth = saving > -margin
    worth[:, -1] = False  # all in the repository: it needs nothing
    if not share.shape[2]:
        # a part moved back to the repository frees memory: it has to be worth its place, and can be by what it keeps off a
        # limited link
        for short in laid.cut_short.T:
            worth &= (short == np.arange(len(short))) | (saving > saving[:, short])
    plan, layout = np.nonzero(worth)
    needed = item[plan, layout]
    none = needed < 0
    return _Offers(
        saving[plan, layout],
        vector[plan, layout],
        needed,
        np.where(none, 0.0, group.load[plan]),
        np.where(none, 0.0, group.answered[plan]),
        share[plan, layout],
    )


def _merged(offers: Sequence[_Offers]) -> _Offers:
    """All of them, those that save most first; ties: the lower first item."""
    width = max(o.item.shape[1] for o in offers)

    def stacked(arrays: Iterable[np.ndarray], missing: float) -> np.ndarray:
        return np.concatenate(
            [np.pad(a, ((0, 0), (0, width - a.shape[1])), constant_values=missing) for a in arrays]
        )

    saving = np.concatenate([o.saving for o in offers])
    item = stacked((o.item for o in offers), -1)
    rank = np.lexsort((*item.T[::-1], -saving))
    return _Offers(
        saving[rank],
        np.concatenate([o.vector for o in offers])[rank],
        item[rank],
        stacked((o.load for o in offers), 0.0)[rank],
        stacked((o.answered for o in offers), 0.0)[rank],
        np.concatenate([o.share for o in offers])[rank],
    )


def _quality(catalog: Catalog) -> np.ndarray:
    """float64 [M]: of every model, then of every part: that of the best plan that runs it, 0 if none does."""
    best = dict.fromkeys((p.name for p in catalog.parts), 0.0)
    for plan in catalog.plans:
        for name in plan.parts:
            best[name] = max(best[name], plan.quality)
    return np.array([*(m.quality for m in catalog.models), *best.values()])


def _profiles(
    placed: Sequence[Model | Part], processors: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Latency (infinite where a class cannot run it), capacity and energy of what is placed, each [C, M]."""
    shape = (len(processors), len(placed))
    latency_s, capacity_per_s, energy_j = np.full(shape, np.inf), np.zeros(shape), np.zeros(shape)
    for i, cls in enumerate(processors):
        for j, model in enumerate(placed):
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
