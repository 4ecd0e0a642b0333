"""Solvers where options need several items: against brute force, each other, and a plain version of the greedy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from placid.errors import InputError
from placid.experiments.scenario import build, load_scenario
from placid.placement.offline.averaged import Averaged
from placid.placement.offline.base import Solver
from placid.placement.offline.bundles import fill_with_bundles
from placid.placement.offline.ceiling import ceiling
from placid.placement.offline.greedy import Greedy
from placid.placement.offline.local_search import LocalSearch
from placid.placement.offline.lp import LinearProgram
from placid.placement.offline.milp import Milp
from placid.placement.offline.ruin import recreated, without_orphans
from placid.problem.arrays import Problem
from placid.problem.gain import partitioned_gain, potential_share
from placid.problem.serving import serve
from placid.testing.brute import brute_force
from placid.testing.instances import random_demand, random_problem
from placid.testing.solvers import check_solver


def instance(seed: int, **more: int) -> tuple[Problem, np.ndarray]:
    rng = np.random.default_rng([7, seed])
    problem = random_problem(rng, **{"tasks": 1, "models": 2, "plans": 2, **more})
    return problem, random_demand(rng, problem).astype(float)


@pytest.mark.parametrize("solver", [Greedy(), LocalSearch(), LinearProgram(), Milp()], ids=lambda s: s.name)
def test_solvers_place_plans(solver: Solver) -> None:
    check_solver(solver, plans=2, instances=60)


def test_the_program_bounds_every_placement_and_the_milp_meets_it() -> None:
    closed = 0
    for seed in range(40):
        problem, demand = instance(seed)
        best = brute_force(problem, demand)
        lp, milp = LinearProgram().solve(problem, demand), Milp().solve(problem, demand)
        assert best.served <= milp.bound * (1 + 1e-6) + 1e-9 <= lp.bound * (1 + 2e-6) + 2e-9
        closed += milp.value >= best.served * (1 - 1e-6)
    # the program routes as is best for all, the serving rule as is best for each: now and then it cannot be met
    assert closed >= 36


def test_prices_bound_every_other_slot() -> None:
    for seed in range(40):
        problem, demand = instance(seed)
        _, prices = LinearProgram().solve_priced(problem, demand)
        rng = np.random.default_rng(seed)
        for _ in range(3):
            other = random_demand(rng, problem).astype(float)
            assert brute_force(problem, other).served <= ceiling(problem, other, prices) * (1 + 1e-9) + 1e-9


def plain_greedy(problem: Problem, demand: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Every bundle looked at in every step."""
    needs = problem.needs
    placed = np.zeros(problem.item_count, bool)
    room = problem.budget_bytes.copy()
    while True:
        now = partitioned_gain(problem, demand, share, placed)
        best, best_worth = None, 0.0
        for o in range(problem.option_count):
            if demand[problem.option_type[o]] <= 0:
                continue
            missing = [e for e in needs.item[needs.ptr[o] : needs.ptr[o + 1]] if not placed[e]]
            used = np.zeros(problem.node_count, np.int64)
            np.add.at(used, problem.item_node[missing], problem.item_size_bytes[missing])
            if not missing or (used > room).any():
                continue
            with_it = placed.copy()
            with_it[missing] = True
            added = partitioned_gain(problem, demand, share, with_it) - now
            worth = added / problem.item_size_bytes[missing].sum()
            if added > 1e-9 and worth > best_worth * (1 + 1e-9):
                best, best_worth = missing, worth
        if best is None:
            return placed
        placed[best] = True
        np.subtract.at(room, problem.item_node[best], problem.item_size_bytes[best])


def test_lazy_bundles_are_the_plain_greedy() -> None:
    for seed in range(30):
        problem, demand = instance(seed, nodes=5, tasks=2)
        share = potential_share(problem, demand)
        nothing = np.zeros(problem.item_count, bool)
        lazy = fill_with_bundles(problem, demand, share, nothing)
        plain = plain_greedy(problem, demand, share)
        # ties may fall otherwise; what is earned may not
        assert partitioned_gain(problem, demand, share, lazy) == pytest.approx(
            partitioned_gain(problem, demand, share, plain), rel=1e-6
        )


def plain_single_items(problem: Problem, demand: np.ndarray, share: np.ndarray) -> np.ndarray:
    """One item at a time, all looked at in every step."""
    placed, room = np.zeros(problem.item_count, bool), problem.budget_bytes.copy()
    while True:
        now = partitioned_gain(problem, demand, share, placed)
        worth = np.zeros(problem.item_count)
        for e in np.flatnonzero(~placed & (problem.item_size_bytes <= room[problem.item_node])):
            placed[e] = True
            worth[e] = (partitioned_gain(problem, demand, share, placed) - now) / problem.item_size_bytes[e]
            placed[e] = False
        best = int(worth.argmax())
        if worth[best] * problem.item_size_bytes[best] <= 1e-9:
            return placed
        placed[best] = True
        room[problem.item_node[best]] -= problem.item_size_bytes[best]


def test_items_one_by_one_are_the_plain_greedy_and_never_begin_a_plan() -> None:
    earned = np.zeros(2)
    for seed in range(30):
        problem, demand = instance(seed, nodes=5, tasks=2)
        share = potential_share(problem, demand)
        nothing = np.zeros(problem.item_count, bool)
        lazy = fill_with_bundles(problem, demand, share, nothing, one_by_one=True)
        plain = plain_single_items(problem, demand, share)
        assert partitioned_gain(problem, demand, share, lazy) == pytest.approx(
            partitioned_gain(problem, demand, share, plain), rel=1e-6
        )
        earned += [Greedy(one_by_one=one).solve(problem, demand).value for one in (True, False)]
    assert earned[0] < 0.97 * earned[1]


def test_greedy_comes_near_the_optimum() -> None:
    earned, best = 0.0, 0.0
    for seed in range(40):
        problem, demand = instance(seed)
        earned += Greedy().solve(problem, demand).value
        best += brute_force(problem, demand).served
    assert earned > 0.9 * best


def test_local_search_undoes_what_greedy_cannot() -> None:
    better, greedy, local, best = 0, 0.0, 0.0, 0.0
    for seed in range(60):
        problem, demand = instance(seed, nodes=5, tasks=2)
        first, then = Greedy().solve(problem, demand), LocalSearch().solve(problem, demand)
        assert then.value >= first.value * (1 - 1e-9)
        better += then.value > first.value * (1 + 1e-6)
        greedy, local = greedy + first.value, local + then.value
        best += Milp().solve(problem, demand).value
    assert better >= 3  # greedy is optimal in most
    assert local > greedy + 0.3 * (best - greedy)  # of what greedy leaves, a third and more is found


def test_a_sweep_that_finds_nothing_is_the_end() -> None:
    for seed in range(20):
        problem, demand = instance(seed)
        once = recreated(problem, demand, Greedy().solve(problem, demand).placed, 50)
        np.testing.assert_array_equal(once, recreated(problem, demand, once, 50))
        for node in range(problem.node_count):
            kept = without_orphans(problem, once & (problem.item_node != node))
            for by_density in (True, False):
                share = potential_share(problem, demand)
                tried = fill_with_bundles(problem, demand, share, kept, by_density=by_density)
                earned = serve(problem, tried, demand).gain
                assert earned <= serve(problem, once, demand).gain * (1 + 1e-8) + 1e-12


def test_a_node_and_those_below_it_change_places() -> None:
    """With little memory greedy fills metro sites and base stations with the wrong tasks; no node alone can mend that."""
    scenarios = Path(__file__).parents[3] / "scenarios"
    document = yaml.safe_load((scenarios / "split-plans.yaml").read_text())
    document["network"]["file"] = str(scenarios / document["network"]["file"])
    document["workload"] |= {"process": "poisson"}
    del document["workload"]["shift"], document["workload"]["every_slots"]
    built = build(load_scenario(document))
    ((_, whole),) = built.problems()
    problem = replace(whole, budget_bytes=whole.budget_bytes // 10)
    demand = np.mean([built.workload.demand(s, 0) for s in range(20)], axis=0)
    greedy = Greedy(bound_steps=0).solve(problem, demand)
    better = recreated(problem, demand, greedy.placed, 2)
    assert serve(problem, better, demand).gain > 1.02 * greedy.value


def test_orphans_are_what_no_complete_option_uses() -> None:
    rng = np.random.default_rng(3)
    for seed in range(30):
        problem, _ = instance(seed)
        placed, needs = rng.random(problem.item_count) < 0.5, problem.needs
        used = {
            int(e)
            for o in range(problem.option_count)
            if placed[needs.item[needs.ptr[o] : needs.ptr[o + 1]]].all()
            for e in needs.item[needs.ptr[o] : needs.ptr[o + 1]]
        }
        assert set(np.flatnonzero(without_orphans(problem, placed)).tolist()) == used


def test_what_cannot_place_plans_says_so() -> None:
    problem, demand = instance(0)
    with pytest.raises(InputError, match=r"'averaged' places models that answer alone"):
        Averaged().solve(problem, demand)
