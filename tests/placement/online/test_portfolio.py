"""A portfolio follows whoever does well, pays for loading if told to, and names what it cannot use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from placid.errors import InputError, UnknownNameError
from placid.placement.base import Policy
from placid.placement.online import POLICIES
from placid.placement.online.portfolio import Portfolio
from placid.problem.arrays import Problem
from placid.simulation.slots import Episode, SlotRecord, play
from placid.testing.instances import random_demand, random_problem
from placid.testing.policies import check_policy
from placid.workload.replay import Replay
from placid.workload.requests import RequestTypes


@pytest.mark.parametrize(
    "policy",
    [Portfolio(refresh=3), Portfolio(members=("lru", "olag", "infida"), refresh=1, loading_per_gb=2.0)],
    ids=str,
)
def test_it_conforms(policy: Portfolio) -> None:
    check_policy(policy)


def test_it_conforms_with_plans() -> None:
    check_policy(Portfolio(refresh=2), plans=2)


def played(policy: Policy, problem: Problem, demand: np.ndarray) -> list[SlotRecord]:
    types = RequestTypes(
        tuple(problem.node_names[v] for v in problem.type_ingress),
        tuple(problem.task_names[t] for t in problem.type_task),
    )
    return [r for r, _ in play(Episode(((0, problem),), Replay(types, demand), policy, 0, len(demand)))]


def gain(records: list[SlotRecord]) -> float:
    return float(sum(r.outcome.gain for r in records))


def instance(seed: int) -> tuple[Problem, np.random.Generator]:
    rng = np.random.default_rng([3, seed])
    problem = random_problem(rng, nodes=6, tasks=4, tight=False)
    return replace(problem, budget_bytes=(problem.budget_bytes * 0.2).astype(np.int64)), rng


def test_it_is_not_far_behind_its_best_member_on_any_kind_of_requests() -> None:
    members = ("lru", "repacking", "infida-adaptive")
    behind = []
    for seed in range(4):
        problem, rng = instance(seed)
        steady = np.array([random_demand(rng, problem)] * 200)
        turns = np.zeros((200, problem.type_count), np.int64)
        turns[np.arange(200), np.arange(200) % problem.type_count] = 20
        for demand in (steady, turns):
            alone = [gain(played(POLICIES[name](), problem, demand)) for name in members]
            together = gain(played(Portfolio(members=members, refresh=5), problem, demand))
            behind.append(1 - together / max(alone))
            assert together >= min(alone) * (1 - 1e-9)
    assert np.mean(behind) < 0.08
    assert max(behind) < 0.25


def test_it_changes_its_mind_between_refreshes_never() -> None:
    problem, rng = instance(1)
    demand = np.array([random_demand(rng, problem) for _ in range(60)])
    records = played(Portfolio(members=("most-accurate", "smallest"), refresh=20), problem, demand)
    assert all(not len(r.loaded) for r in records if r.slot % 20), "these members never move by themselves"


def test_a_price_on_loading_makes_it_move_less() -> None:
    loaded = {0.0: 0.0, 1e12: 0.0}
    for seed in range(3):
        problem, rng = instance(seed)
        demand = np.array([random_demand(rng, problem) for _ in range(120)])
        for price in loaded:
            policy = Portfolio(members=("infida", "lfu"), refresh=5, loading_per_gb=price)
            loaded[price] += sum(r.bytes_loaded for r in played(policy, problem, demand)[40:])
    assert loaded[1e12] < loaded[0.0]


def test_mistakes_are_named() -> None:
    with pytest.raises(UnknownNameError, match="'lruu'; did you mean 'lru'"):
        Portfolio(members=("lruu", "olag"))
    with pytest.raises(UnknownNameError, match="member of a portfolio 'portfolio'"):
        Portfolio(members=("portfolio", "olag"))
    with pytest.raises(InputError, match="two policies or more"):
        Portfolio(members=("lru",))
    with pytest.raises(InputError, match="refresh"):
        Portfolio(refresh=0)
    with pytest.raises(InputError, match="loading_per_gb"):
        Portfolio(loading_per_gb=-1.0)
    problem = random_problem(np.random.default_rng(0), plans=2)
    with pytest.raises(
        InputError, match="policy 'lru', a member of the portfolio, places models that answer alone"
    ):
        Portfolio(members=("lru", "perturbed-leader")).start(problem, np.random.default_rng(0))
