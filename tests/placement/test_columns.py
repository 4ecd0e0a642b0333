"""Columns: the concave gain of plans over several nodes, its supergradient, and drawing them from the top down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from placid.placement.columns import Columns
from placid.placement.offline.lp import LinearProgram
from placid.placement.projections import Entropy
from placid.placement.rounding.top_down import TopDown
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, supergradient
from placid.problem.serving import serve
from placid.testing.instances import random_demand, random_problem


def instance(seed: int, *, tight: bool = True) -> tuple[Problem, Columns, np.ndarray]:
    rng = np.random.default_rng([11, seed])
    problem = random_problem(rng, nodes=5, plans=2, tight=tight)
    return problem, Columns.of(problem), random_demand(rng, problem).astype(float)


def test_columns_are_the_suffixes_of_options() -> None:
    for seed in range(30):
        problem, columns, _ = instance(seed)
        needs = problem.needs
        options = [tuple(needs.item[needs.ptr[o] : needs.ptr[o + 1]]) for o in range(problem.option_count)]
        wanted = {option[i:] for option in options for i in range(len(option))}
        keys = [tuple(e for e in key if e >= 0) for key in columns.key.tolist()]
        assert len(set(keys)) == len(keys)
        assert set(keys) == wanted
        for o, option in enumerate(options):
            assert keys[columns.leaf[o]] == option
        for n, key in enumerate(keys):
            assert columns.item[n] == key[0]
            assert columns.depth[n] == len(key) - 1
            assert (keys[columns.parent[n]] if columns.parent[n] >= 0 else ()) == key[1:]
        lifted = columns.lifted
        assert (np.diff(lifted.item_node) >= 0).all()
        for v in range(problem.node_count):
            assert (lifted.item_node[lifted.node_ptr[v] : lifted.node_ptr[v + 1]] == v).all()


def test_whole_columns_earn_what_is_served() -> None:
    for seed in range(100):
        problem, columns, demand = instance(seed, tight=False)
        rng = np.random.default_rng(seed)
        placed = rng.random(problem.item_count) < 0.6
        z = columns.whole(placed).astype(float)
        share = columns.share(problem, demand)
        assert columns.gain(demand, share, z) == pytest.approx(
            serve(problem, placed, demand).gain, rel=1e-9, abs=1e-9
        )


def test_whole_columns_never_promise_more_than_capacity_allows() -> None:
    """What the gain counts on can be routed: it is at most the best routing of what is placed."""
    for seed in range(60):
        problem, columns, demand = instance(seed)
        rng = np.random.default_rng(seed)
        placed = rng.random(problem.item_count) < 0.7
        z = columns.whole(placed).astype(float)
        promised = columns.gain(demand, columns.share(problem, demand), z)
        assert promised <= _best_routing(problem, placed, demand) * (1 + 1e-7) + 1e-7


def _best_routing(problem: Problem, placed: np.ndarray, demand: np.ndarray) -> float:
    needs = problem.needs
    of = np.repeat(np.arange(problem.option_count), np.diff(needs.ptr))
    by_item = np.zeros((problem.item_count, problem.option_count))
    np.add.at(by_item, (needs.item, of), needs.load)
    by_type = (problem.option_type == np.arange(problem.type_count)[:, None]).astype(float)
    found = linprog(
        -problem.option_saving,
        np.vstack((by_item, by_type)),
        np.concatenate((problem.item_capacity * placed, demand)),
        method="highs",
    )
    return float(-found.fun)


def test_the_supergradient_bounds_the_gain_everywhere() -> None:
    for seed in range(150):
        problem, columns, demand = instance(seed, tight=seed % 2 == 0)
        rng = np.random.default_rng(seed)
        share = columns.share(problem, demand)
        for _ in range(10):
            z, y = (rng.random(len(columns)) * (rng.random(len(columns)) < 0.8) for _ in range(2))
            if rng.random() < 0.3:
                z = np.round(z)
            value, g = columns.supergradient(demand, share, z)
            assert (g >= 0).all()
            assert columns.gain(demand, share, y) <= value + g @ (y - z) + 1e-9 * (1 + value)


def test_the_gain_is_the_most_that_flows_along_the_forest_can_save() -> None:
    for seed in range(40):
        problem, columns, demand = instance(seed)
        rng = np.random.default_rng(seed)
        z, share = rng.random(len(columns)), columns.share(problem, demand)
        total = 0.0
        for r in range(problem.type_count):
            mine = np.arange(problem.option_ptr[r], problem.option_ptr[r + 1])
            if not len(mine) or not demand[r]:
                continue
            rows, limits = [np.ones(len(mine))], [1.0]
            on_way = np.zeros((len(columns), len(mine)))
            for i, o in enumerate(mine):
                n = columns.leaf[o]
                while n >= 0:
                    on_way[n, i] = 1
                    n = columns.parent[n]
            found = linprog(
                -problem.option_saving[mine],
                np.vstack((rows, on_way)),
                np.concatenate((limits, share * columns.least(z))),
                method="highs",
            )
            total += demand[r] * -found.fun
        assert columns.gain(demand, share, z) == pytest.approx(total, rel=1e-7, abs=1e-7)


def test_with_models_that_answer_alone_it_is_infidas_gain() -> None:
    for seed in range(40):
        rng = np.random.default_rng(seed)
        problem = random_problem(rng, nodes=5)
        columns, demand = Columns.of(problem), random_demand(rng, problem).astype(float)
        y = rng.random(problem.item_count)
        value, g = supergradient(problem, demand, potential_share(problem, demand), y)
        lifted, h = columns.supergradient(demand, columns.share(problem, demand), y[columns.item])
        assert lifted == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(h, g[columns.item], rtol=1e-9, atol=1e-12)


def test_lifting_loses_little_of_the_bound() -> None:
    """The lifted program against that of the items, no capacity binding."""
    lost = []
    for seed in range(40):
        problem, _, demand = instance(seed, tight=False)
        tight = replace(problem, budget_bytes=(problem.budget_bytes * 0.3).astype(np.int64))
        items = LinearProgram().solve(tight, demand).bound
        lifted = LinearProgram().solve(Columns.of(tight).lifted, demand).bound
        assert lifted <= items * (1 + 1e-6) + 1e-9
        lost.append(1 - lifted / items if items else 0.0)
    assert np.mean(lost) < 0.02


def test_drawing_keeps_budgets_and_chains() -> None:
    for seed in range(60):
        problem, columns, _ = instance(seed)
        rng = np.random.default_rng(seed)
        drawing = TopDown(columns, problem.node_hops)
        lifted = columns.lifted
        allowed = lifted.placeable
        z = Entropy().project(
            rng.random(len(columns)) + 1e-3,
            lifted.item_size,
            lifted.node_ptr,
            lifted.budget_bytes.astype(float),
            allowed,
        )
        draws = drawing.start(rng)
        for _ in range(20):
            draws, drawn = drawing.round(draws, z, problem.budget_bytes, rng)
            used = np.zeros(problem.node_count, np.int64)
            np.add.at(used, lifted.item_node[drawn], lifted.item_size_bytes[drawn])
            assert (used <= problem.budget_bytes).all()
            above = columns.parent[drawn]
            assert drawn[above[above >= 0]].all(), "nothing is drawn without what it is dedicated to"
            assert (z[drawn] > 0).all()


def test_with_room_a_chain_is_whole_as_often_as_its_least_fraction_says() -> None:
    problem, columns, _ = instance(3, tight=False)
    rng = np.random.default_rng(0)
    drawing = TopDown(columns, problem.node_hops)
    z = rng.uniform(0.1, 0.9, len(columns)) / len(columns) * 3
    z = np.minimum(z, 0.9)
    roomy = np.full(problem.node_count, 10 * problem.item_size_bytes.sum())
    counts, rounds = np.zeros(len(columns)), 6000
    draws = drawing.start(rng)
    for _ in range(rounds):
        draws, drawn = drawing.round(draws, z, roomy, rng)
        counts += drawn
    least = z.copy()
    for n in np.argsort(columns.depth):
        if columns.parent[n] >= 0:
            least[n] = min(least[n], least[columns.parent[n]])
    error = np.abs(counts / rounds - least)
    assert (error < 4.5 * np.sqrt(least * (1 - least) / rounds) + 1e-3).all()


def test_few_numbers_renewed_move_little() -> None:
    problem, columns, _ = instance(5)
    lifted = columns.lifted
    z = Entropy().project(
        np.ones(len(columns)),
        lifted.item_size,
        lifted.node_ptr,
        lifted.budget_bytes.astype(float),
        lifted.placeable,
    )
    moved = {}
    for renewal in (0.02, 1.0):
        rng = np.random.default_rng(1)
        drawing = TopDown(columns, problem.node_hops)
        draws = drawing.start(rng)
        last, moved[renewal] = np.zeros(len(columns), bool), 0
        for _ in range(200):
            draws, drawn = drawing.round(draws, z, problem.budget_bytes, rng, renewal)
            moved[renewal] += int((drawn & ~last).sum())
            last = drawn
    assert moved[0.02] < 0.3 * moved[1.0]
