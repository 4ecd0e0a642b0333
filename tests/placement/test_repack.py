from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from placid.placement.online.repacking import Repacking
from placid.placement.repack import Repacker, marginal_gain
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, relaxed_gain
from placid.problem.placement import bytes_used, check_feasible, empty_placement, trim_to_budgets
from placid.testing.instances import random_demand, random_problem
from placid.testing.policies import check_policy

seeds = st.integers(0, 10**6)


def drawn(seed: int) -> tuple[Problem, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, nodes=int(rng.integers(2, 7)), tasks=3, models=4)
    demand = random_demand(rng, problem).astype(float)
    placed = trim_to_budgets(problem, rng.random(problem.item_count) < 0.5, rng.random(problem.item_count))
    return problem, demand, potential_share(problem, demand), placed


@settings(max_examples=150, deadline=None)
@given(seeds)
def test_marginal_gain_is_the_difference_that_an_item_makes(seed: int) -> None:
    problem, demand, share, placed = drawn(seed)
    before = relaxed_gain(problem, demand, share, placed.astype(float))
    added = marginal_gain(problem, demand, share, placed)
    for item in range(problem.item_count):
        more = placed.copy()
        more[item] = True
        difference = relaxed_gain(problem, demand, share, more.astype(float)) - before
        np.testing.assert_allclose(added[item], difference, rtol=1e-9, atol=1e-9 * max(before, 1.0))


@settings(max_examples=100, deadline=None)
@given(seeds)
def test_a_sweep_is_feasible_never_lowers_the_gain_and_comes_to_rest(seed: int) -> None:
    problem, demand, share, placed = drawn(seed)
    repacker = Repacker(problem, demand)
    gain = relaxed_gain(problem, demand, share, placed.astype(float))
    for _ in range(50):
        placed, changed = repacker.sweep(placed, problem.far_first)
        check_feasible(problem, placed)
        now = relaxed_gain(problem, demand, share, placed.astype(float))
        assert now >= gain * (1 - 1e-12)
        gain = now
        if not changed:
            return
    raise AssertionError("50 sweeps and still no rest")


def test_far_nodes_come_first() -> None:
    rng = np.random.default_rng(3)
    problem = random_problem(rng, nodes=6)
    order = problem.far_first
    hops = []
    for v in order:
        count, at = 0, problem.next_hop[v]
        while at >= 0:
            count, at = count + 1, problem.next_hop[at]
        hops.append(count)
    assert hops == sorted(hops, reverse=True)
    assert set(order) == set(np.flatnonzero(problem.budget_bytes > 0))


def test_types_of_nodes_are_those_with_options_there() -> None:
    problem, *_ = drawn(7)
    ptr, types = problem.types_by_node
    for v in range(problem.node_count):
        mine = {
            int(r)
            for r, e in zip(problem.option_type, problem.option_item, strict=True)
            if problem.item_node[e] == v
        }
        assert set(types[ptr[v] : ptr[v + 1]].tolist()) == mine


@settings(max_examples=100, deadline=None)
@given(seeds)
def test_filling_takes_nothing_off_and_leaves_no_room_for_a_gain(seed: int) -> None:
    problem, demand, share, placed = drawn(seed)
    filled = Repacker(problem, demand).fill(placed, placed, problem.far_first)
    check_feasible(problem, filled)
    assert not (placed & ~filled).any()
    room = problem.budget_bytes - bytes_used(problem, filled)
    fits = ~filled & (problem.item_size_bytes <= room[problem.item_node])
    assert not marginal_gain(problem, demand, share, filled)[fits].any()


def test_loyalty_moves_less() -> None:
    rng = np.random.default_rng(0)
    moved = {0.0: 0, 5.0: 0}
    for _ in range(20):
        problem = random_problem(rng, nodes=5, tasks=3, models=4)
        for loyalty in moved:
            placed = empty_placement(problem)
            noise = np.random.default_rng(1)
            for _ in range(6):
                before = placed
                demand = random_demand(noise, problem)
                placed, _ = Repacker(problem, demand, loyalty).sweep(placed, problem.far_first)
                moved[loyalty] += int((placed & ~before).sum())
    assert moved[5.0] < moved[0.0]


def test_conforms() -> None:
    check_policy(Repacking())
    check_policy(Repacking(refresh=3, memory=0.5, loyalty=0.0))
