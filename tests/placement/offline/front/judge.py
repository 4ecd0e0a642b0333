"""What fronts are held against: every placement of a tiny instance, its best routing by another solver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import linprog

from placid.objectives.ways import Ways
from placid.problem.arrays import COMPONENTS
from placid.testing.brute import full_placements
from placid.testing.instances import random_demand, random_setting


def tiny(seed: int, plans: int = 0) -> tuple[Ways, np.ndarray]:
    """A random instance with a few hundred placements, and a demand."""
    for again in range(100):
        rng = np.random.default_rng([41, seed, plans, again])
        kind = {"nodes": 3, "tasks": 1, "models": 2, "plans": plans} if plans else {"nodes": 3, "models": 3}
        ways = Ways.of(*random_setting(rng, **kind))
        demand = random_demand(rng, ways.frame).astype(np.float64)
        if demand.sum() > 0 and 4 <= len(placements(ways)) <= 60:
            return ways, demand
    raise AssertionError("no instance of the wanted size")


def placements(ways: Ways) -> list[np.ndarray]:
    """Every placement to which no item that any way needs can be added."""
    everything = ways.chosen(np.arange(len(ways)), np.ones(len(ways)))
    try:
        return list(full_placements(everything, 2000))
    except ValueError:
        return []


def least_by_linprog(
    ways: Ways, demand: np.ndarray, placed: np.ndarray, weights: np.ndarray, at_most: dict[str, float]
) -> float:
    """The least weighted mean cost of a request with `placed`, requests routed at will; infinity if nothing is allowed."""
    need = np.where(ways.item >= 0, ways.item, 0)
    there = (placed[need] | (ways.item < 0)).all(axis=1)
    use = np.flatnonzero(there & (demand[ways.type] > 0))
    top = np.flatnonzero(demand[ways.repository_type] > 0)
    vector = np.concatenate((ways.vector[use], ways.repository_vector[top])) / demand.sum()
    kind = np.concatenate((ways.type[use], ways.repository_type[top]))
    types = np.flatnonzero(demand > 0)
    items = np.flatnonzero(placed)
    loads = np.zeros((len(items), len(kind)))
    for column, way in enumerate(use):
        for e, load in zip(ways.item[way], ways.load[way], strict=True):
            if e >= 0:
                loads[np.searchsorted(items, e), column] += load
    limits = []
    for name, most in at_most.items():
        if name in COMPONENTS:
            limits.append((vector[:, COMPONENTS.index(name)], most))
        else:  # latency_p95_s: no more than the rest of the requests are slower
            share = float(name.split("_")[1][1:]) / 100
            slower = vector[:, 0] * demand.sum() > most * (1 + 1e-9)
            limits.append((slower.astype(float), (1 - share) * demand.sum() + 1e-9))
    found = linprog(
        vector @ weights,
        A_ub=np.vstack([loads, *[row for row, _ in limits]]) if len(items) or limits else None,
        b_ub=np.concatenate([ways.frame.item_capacity[items], [most for _, most in limits]])
        if len(items) or limits
        else None,
        A_eq=(kind[None] == types[:, None]).astype(float),
        b_eq=demand[types],
    )
    return float(found.fun) if found.status == 0 else np.inf


def least_of_all(ways: Ways, demand: np.ndarray, weights: np.ndarray, at_most: dict[str, float]) -> float:
    """The same over all placements."""
    return min(least_by_linprog(ways, demand, placed, weights, at_most) for placed in placements(ways))


def lowest_of_all(ways: Ways, demand: np.ndarray, name: str, at_most: dict[str, float]) -> float:
    """The least of a component or of a quantile of latency, over all placements and routings."""
    if name in COMPONENTS:
        return least_of_all(ways, demand, np.array([float(c == name) for c in COMPONENTS]), at_most)
    steps = np.unique(np.concatenate((ways.vector[:, 0], ways.repository_vector[:, 0])))
    steps = steps[steps <= at_most.get(name, np.inf) * (1 + 1e-9)]
    allowed = (np.isfinite(least_of_all(ways, demand, np.zeros(4), at_most | {name: most})) for most in steps)
    return next((most for most, yes in zip(steps, allowed, strict=True) if yes), np.inf)


def with_a_node_down(ways: Ways, node: int) -> Ways:
    budget = ways.frame.budget_bytes.copy()
    budget[node] = 0
    return replace(ways, frame=replace(ways.frame, budget_bytes=budget))
