"""The serving rule is the one stable assignment: found again by listing every way to serve a tiny instance."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

from placid.problem.arrays import Problem
from placid.problem.serving import serve
from placid.testing.instances import random_problem


def flows(
    problem: Problem, placed: np.ndarray, demand: np.ndarray, capacity: np.ndarray
) -> Iterator[np.ndarray]:
    """Every whole-number flow within demand and capacity."""
    ranges = [
        range(int(min(demand[problem.option_type[o]], capacity[e])) + 1) if placed[e] else range(1)
        for o, e in enumerate(problem.option_item)
    ]
    for flow in product(*ranges):
        f = np.array(flow, float)
        by_type = np.bincount(problem.option_type, f, minlength=problem.type_count)
        by_item = np.bincount(problem.option_item, f, minlength=problem.item_count)
        if (by_type <= demand).all() and (by_item <= capacity).all():
            yield f


def stable(
    problem: Problem, placed: np.ndarray, demand: np.ndarray, capacity: np.ndarray, f: np.ndarray
) -> bool:
    """No request and no item would both rather have each other, ranking a pair by its saving."""
    saving = problem.option_saving
    by_type = np.bincount(problem.option_type, f, minlength=problem.type_count)
    by_item = np.bincount(problem.option_item, f, minlength=problem.item_count)
    for o, (r, e) in enumerate(zip(problem.option_type, problem.option_item, strict=True)):
        if not placed[e]:
            continue
        # a request of the type goes to the repository, or to an option that saves less
        would_come = by_type[r] < demand[r] or any(
            f[p] > 0 and saving[p] < saving[o] for p in np.flatnonzero(problem.option_type == r)
        )
        would_take = by_item[e] < capacity[e] or any(
            f[p] > 0 and saving[p] < saving[o] for p in np.flatnonzero(problem.option_item == e)
        )
        if would_come and would_take:
            return False
    return True


def test_what_is_served_is_the_only_stable_assignment() -> None:
    checked = contended = 0
    seed = 0
    while checked < 60:
        seed += 1
        rng = np.random.default_rng(seed)
        problem = random_problem(rng, nodes=3, tasks=1, models=2)
        if not 2 <= problem.option_count <= 6 or len(np.unique(problem.option_saving)) < problem.option_count:
            continue  # ties are broken by index: then others are stable too
        placed = rng.random(problem.item_count) < 0.8
        demand = rng.integers(0, 4, problem.type_count)
        capacity = np.floor(problem.item_capacity + 1e-9)
        if not np.allclose(capacity, problem.item_capacity):
            continue
        found = [
            f
            for f in flows(problem, placed, demand, capacity)
            if stable(problem, placed, demand, capacity, f)
        ]
        outcome = serve(problem, placed, demand, flows=True)
        assert len(found) == 1
        np.testing.assert_allclose(outcome.flow, found[0], atol=1e-9)
        assert outcome.gain == pytest.approx(float(found[0] @ problem.option_saving), abs=1e-9)
        checked += 1
        contended += bool((outcome.item_load[placed] >= capacity[placed] - 1e-9).any())
    assert contended > 5
