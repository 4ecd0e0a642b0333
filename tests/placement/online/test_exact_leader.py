"""The perturbed leader with an exact oracle: near the best static placement, with plans over several nodes too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from placid.errors import InputError, UnknownNameError
from placid.placement.base import Feedback
from placid.placement.offline.milp import Milp
from placid.placement.online.perturbed import LeaderState, PerturbedLeader
from placid.problem.arrays import Problem
from placid.problem.serving import serve
from placid.simulation.slots import Episode, play
from placid.testing.instances import random_demand, random_problem
from placid.testing.policies import check_policy
from placid.workload.replay import Replay
from placid.workload.requests import RequestTypes

EXACT = PerturbedLeader(oracle="milp", refresh=3)
SEARCHING = PerturbedLeader(oracle="local-search", refresh=3)


def instance(seed: int, plans: int) -> tuple[Problem, np.random.Generator]:
    """Memory is short, capacities are not."""
    rng = np.random.default_rng([5, seed])
    problem = random_problem(rng, tasks=2, models=2, plans=plans, tight=False)
    return replace(problem, budget_bytes=(problem.budget_bytes * 0.25).astype(np.int64)), rng


@pytest.mark.parametrize("plans", [0, 2])
@pytest.mark.parametrize("policy", [EXACT, SEARCHING], ids=["milp", "local-search"])
def test_it_conforms(policy: PerturbedLeader, plans: int) -> None:
    check_policy(policy, plans=plans, instances=3)


@pytest.mark.parametrize("plans", [0, 2])
@pytest.mark.parametrize("kind", ["random", "in turn"])
def test_it_earns_nearly_what_the_best_static_placement_does(plans: int, kind: str) -> None:
    earned, best = 0.0, 0.0
    for seed in range(4):
        problem, rng = instance(seed, plans)
        demand = np.array([random_demand(rng, problem) for _ in range(60)])
        if kind == "in turn":
            demand[:] = 0
            demand[np.arange(60), np.arange(60) % problem.type_count] = 20
        types = RequestTypes(
            tuple(problem.node_names[v] for v in problem.type_ingress),
            tuple(problem.task_names[t] for t in problem.type_task),
        )
        episode = Episode(((0, problem),), Replay(types, demand), EXACT, seed, 60)
        played = list(play(episode))
        earned += sum(record.outcome.gain for record, _ in played)
        state = played[-1][1].state
        assert isinstance(state, LeaderState)
        assert state.worst_gap < 1e-3, "the oracle was exact"
        static = Milp().solve(problem, demand.sum(axis=0)).placed
        best += sum(serve(problem, static, d).gain for d in demand)
    assert earned > 0.9 * best


def test_local_search_goes_on_from_what_is_in_place() -> None:
    better = 0
    for seed in range(60):
        rng = np.random.default_rng([7, seed])
        problem = random_problem(rng, nodes=5, tasks=2, models=2, plans=2)
        demand = np.array([random_demand(rng, problem)] * 6)
        types = RequestTypes(
            tuple(problem.node_names[v] for v in problem.type_ingress),
            tuple(problem.task_names[t] for t in problem.type_task),
        )
        gains = {}
        for oracle in ("greedy", "local-search"):
            leader = PerturbedLeader(oracle=oracle, refresh=3, noise=0.0)  # type: ignore[arg-type]
            episode = Episode(((0, problem),), Replay(types, demand), leader, seed, 6)
            gains[oracle] = sum(record.outcome.gain for record, _ in play(episode))
        # without noise it believes what comes, and what it takes is the better of both
        assert gains["local-search"] >= gains["greedy"] * (1 - 1e-9)
        better += gains["local-search"] > gains["greedy"] * (1 + 1e-6)
    assert better >= 1  # greedy is optimal in most


def test_settings_out_of_range_are_named() -> None:
    with pytest.raises(UnknownNameError, match="oracle 'milpp'; did you mean 'milp'"):
        PerturbedLeader(oracle="milpp")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="time_limit_s"):
        PerturbedLeader(time_limit_s=0.0)


def test_it_decides_when_the_first_requests_have_come() -> None:
    """However many slots were empty before, and whatever `refresh` is."""
    rng = np.random.default_rng(5)
    problem = random_problem(rng)
    demand = np.maximum(random_demand(rng, problem), 1)
    policy = PerturbedLeader(refresh=50)
    state = policy.start(problem, rng)
    for slot in range(1, 4):
        state, placed = policy.place(state, problem, slot, rng)
        assert not placed.any()
        asked = demand if slot == 3 else np.zeros_like(demand)
        feedback = Feedback(slot, asked, placed, serve(problem, placed, asked))
        state = policy.learn(state, problem, feedback, rng)
    state, placed = policy.place(state, problem, 4, rng)
    assert placed.any()
