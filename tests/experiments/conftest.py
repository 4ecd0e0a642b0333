from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from placid.catalog.models import Catalog, Model, Profile, Task
from placid.experiments.folder import RunFolder
from placid.experiments.work import Plan
from placid.network.graph import Link, Network, Node
from placid.placement.offline.greedy import Greedy
from placid.placement.online.infida import AdaptiveInfida
from placid.placement.online.recency import LeastRecentlyUsed
from placid.problem.compile import compile_problem
from placid.workload import Evader, Poisson, RequestTypes, Workload


def small_network(memory_bytes: int = 250) -> Network:
    nodes = (
        Node("cloud", "cloud", repository=True, processor="fast"),
        Node("core", "core", 2 * memory_bytes, "fast"),
        Node("left", "edge", memory_bytes),
        Node("right", "edge", memory_bytes),
    )
    links = (Link("core", "cloud", 0.04), Link("left", "core", 0.01), Link("right", "core", 0.01))
    return Network(nodes, links, "small")


def small_catalog() -> Catalog:
    def profiles(scale: float) -> dict[str, Profile]:
        return {
            "cpu": Profile(0.01 * scale, 30 / scale, 0.1 * scale),
            "fast": Profile(0.004 * scale, 90 / scale, 0.2 * scale),
        }

    tasks = tuple(Task(name, 1000, 10) for name in ("cat", "dog", "bird"))
    models = tuple(
        Model(f"{t.name}/{variant}", t.name, size, quality, profiles(scale), variant)
        for t in tasks
        for variant, size, quality, scale in (("tiny", 60, 0.5, 0.5), ("large", 150, 0.8, 1.5))
    )
    return Catalog(tasks, models, "small")


@pytest.fixture
def make_plan(tmp_path: Path) -> Callable[..., Plan]:
    """A small plan: two policies, two seeds, 30 slots, a budget that shrinks at slot 15."""

    def make(folder: str = "run", adversary: bool = False, slots: int = 30) -> Plan:
        types = RequestTypes.grid(("left", "right"), ("cat", "dog", "bird"))
        weights = np.array([1.0, 0.2, 0.0, 0.0])
        before, after = (
            compile_problem(small_network(memory), small_catalog(), types, weights, 1.0)
            for memory in (250, 160)
        )
        workload: Workload = (
            Evader(types, rate_per_s=50, slot_s=1.0) if adversary else Poisson(types, 50, slot_s=1.0)
        )
        return Plan(
            folder=RunFolder(tmp_path / folder),
            timeline=((0, before), (slots // 2, after)),
            workload=workload,
            policies=(("learner", AdaptiveInfida()), ("recent", LeastRecentlyUsed())),
            solvers=(Greedy(),),
            slots=slots,
            seeds=(0, 1),
            windows=2,
            lp_time_limit_s=10.0,
        )

    return make
