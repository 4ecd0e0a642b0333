"""Random small instances, for tests and conformance checks: little networks in which memory and capacities are short.

Everything that can go wrong between requests and models occurs often: types that contend for one item, items that are
larger than their node, models that some processor cannot run, options that tie, ingress nodes half-way up a path, paths
that share nodes, types without any demand. Every type can reach a repository.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from placid.catalog.models import Catalog, Handover, Model, Part, Plan, Profile, Task
from placid.network.graph import Link, Network, Node
from placid.problem.arrays import Problem
from placid.problem.compile import compile_problem
from placid.workload.requests import RequestTypes

__all__ = ["random_demand", "random_problem", "random_setting"]

_SLOT_S = 60.0
_PROCESSORS = ("slow", "fast")


def random_problem(
    rng: np.random.Generator,
    *,
    nodes: int = 4,
    tasks: int = 2,
    models: int = 3,
    plans: int = 0,
    tight: bool = True,
) -> Problem:
    """A random problem with one repository, compiled.

    Args:
        nodes: how many, the repository included; at least 2.
        tasks: how many.
        models: how many per task, so that there are at most ``(nodes - 1) * tasks * models`` items.
        plans: how many per task, of two or three parts each, some with exits; some share a part.
        tight: budgets hold part of the models only, and capacities fall short of `random_demand`; otherwise every
            budget holds every model and every capacity exceeds any demand.

    Example:
        >>> import numpy as np
        >>> problem = random_problem(np.random.default_rng(0))
        >>> problem.node_count, problem.item_count <= 18
        (4, True)
    """
    setting = random_setting(rng, nodes=nodes, tasks=tasks, models=models, plans=plans, tight=tight)
    weights = np.array([1.0, rng.choice([0.0, 0.5, 2.0]), rng.choice([0.0, 0.1]), rng.choice([0.0, 1e-3])])
    return compile_problem(*setting, weights, _SLOT_S)


def random_setting(
    rng: np.random.Generator,
    *,
    nodes: int = 4,
    tasks: int = 2,
    models: int = 3,
    plans: int = 0,
    tight: bool = True,
) -> tuple[Network, Catalog, RequestTypes]:
    """What `random_problem` compiles, before any weights; arguments as there."""
    catalog = _catalog(rng, tasks, models, tight)
    if plans:
        catalog = _with_plans(rng, catalog, plans, tight)
    network = _network(rng, nodes, catalog, tight)
    inner = [n.name for n in network.nodes if not n.repository]
    ingress = [v for v in inner if rng.random() < 0.7] or inner[:1]
    pairs = [(v, t.name) for v in ingress for t in catalog.tasks if rng.random() < 0.9]
    pairs = pairs or [(ingress[0], catalog.tasks[0].name)]
    return network, catalog, RequestTypes(tuple(v for v, _ in pairs), tuple(t for _, t in pairs))


def random_demand(rng: np.random.Generator, problem: Problem) -> np.ndarray:
    """Requests of one slot by type, int64 [R]: up to about 20 of each, and none of some types."""
    most = rng.integers(1, 21)
    demand: np.ndarray = rng.integers(0, most + 1, problem.type_count) * (
        rng.random(problem.type_count) < 0.85
    )
    return demand.astype(np.int64)


def _catalog(rng: np.random.Generator, tasks: int, models: int, tight: bool) -> Catalog:
    # round numbers make options tie; others do not
    decimals = int(rng.choice([1, 6]))
    unit = int(rng.choice([1, 7, 1_000_003]))
    most = 12 if tight else 10_000
    made = []
    for i in range(tasks):
        for j in range(models):
            profiles = {}
            for processor in _PROCESSORS:
                # the fast class runs everything: it is the repository's
                if processor == "fast" or rng.random() < 0.8:
                    profiles[processor] = Profile(
                        latency_s=round(float(rng.uniform(0.0, 1.0)), decimals),
                        capacity_per_s=float(rng.integers(1 if tight else most // 2, most + 1)) / _SLOT_S,
                        energy_j=round(float(rng.uniform(0.0, 2.0)), decimals),
                    )
            size = unit * int(rng.integers(1, 9))
            quality = round(float(rng.uniform(0.3, 1.0)), decimals)
            made.append(Model(f"m{i}-{j}", f"t{i}", size, quality, profiles))
    kinds = tuple(Task(f"t{i}", int(rng.integers(0, 100)), int(rng.integers(0, 10))) for i in range(tasks))
    return Catalog(kinds, tuple(made), "random")


def _with_plans(rng: np.random.Generator, catalog: Catalog, count: int, tight: bool) -> Catalog:
    parts, plans = [], []
    most = 12 if tight else 10_000
    for task in catalog.tasks:
        for j in range(count):
            names = []
            for i in range(int(rng.integers(2, 4))):
                names.append(f"{task.name}-p{j}-{i}")
                profiles = {}
                for processor in _PROCESSORS:
                    if processor == "fast" or rng.random() < 0.8:
                        profiles[processor] = Profile(
                            float(rng.uniform(0.0, 0.4)),
                            float(rng.integers(1 if tight else most // 2, most + 1)) / _SLOT_S,
                            float(rng.uniform(0.0, 1.0)),
                        )
                parts.append(Part(names[-1], task.name, int(rng.integers(1, 5)), profiles))
            if j and rng.random() < 0.3:  # two plans that begin alike
                names[0] = f"{task.name}-p{j - 1}-0"
                parts = [p for p in parts if p.name != f"{task.name}-p{j}-0"]
            reach = np.cumprod([1.0, *np.where(rng.random(len(names) - 1) < 0.5, 1.0, rng.uniform(0.2, 0.9))])
            coding = {"slow": Profile(0.01, 1.0, 0.02)} if rng.random() < 0.5 else {}
            plans.append(
                Plan(
                    f"{task.name}-p{j}",
                    task.name,
                    tuple(names),
                    tuple(Handover(float(rng.integers(0, 60)), coding, coding) for _ in names[1:]),
                    tuple(reach.tolist()),
                    float(rng.uniform(0.3, 1.0)),
                )
            )
    return replace(catalog, parts=tuple(parts), plans=tuple(plans))


def _network(rng: np.random.Generator, nodes: int, catalog: Catalog, tight: bool) -> Network:
    sizes = np.array([m.size_bytes for m in catalog.placed])
    made = [Node("cloud", "cloud", processor="fast", repository=True)]
    for v in range(1, nodes):
        budget = int(sizes.sum() * rng.uniform(0.05, 0.6)) if tight else int(sizes.sum())
        made.append(Node(f"v{v}", f"tier{v % 2}", budget, str(rng.choice(_PROCESSORS))))
    # a random tree that hangs from the cloud, and now and then a link across
    links = [
        Link(made[v].name, made[int(rng.integers(v))].name, float(rng.uniform(0.1, 2.0)), 1e3, 1e-4)
        for v in range(1, nodes)
    ]
    if nodes > 3 and rng.random() < 0.5:
        a, b = (made[int(v)].name for v in rng.choice(nodes, 2, replace=False))
        if all({a, b} != {link.a, link.b} for link in links):
            links.append(Link(a, b, float(rng.uniform(0.1, 2.0)), 1e3, 1e-4))
    return Network(tuple(made), tuple(links), "random")
