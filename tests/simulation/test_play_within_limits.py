"""Runs whose links and processors have limits: prices travel along, policies see them, budgets hold in the long run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from placid.network.graph import Network
from placid.placement.base import Feedback, Policy, State
from placid.placement.online.fixed import Fixed
from placid.placement.online.infida import AdaptiveInfida
from placid.placement.online.portfolio import Portfolio
from placid.problem.arrays import Problem
from placid.problem.compile import compile_problem
from placid.problem.limits import Terms
from placid.problem.placement import empty_placement
from placid.problem.uses import Budget
from placid.simulation.rows import row
from placid.simulation.slots import Episode, SlotRecord, begin, play
from placid.testing.instances import random_demand, random_setting
from placid.testing.limited import limited_problem
from placid.workload.replay import Replay
from placid.workload.requests import RequestTypes


def replayed(problem: Problem, demand: np.ndarray) -> Replay:
    names = tuple(problem.node_names[v] for v in problem.type_ingress)
    tasks = tuple(problem.task_names[t] for t in problem.type_task)
    return Replay(RequestTypes(names, tasks), demand)


def played(problem: Problem, policy: Policy, demand: np.ndarray) -> list[SlotRecord]:
    return [r for r, _ in play(Episode(((0, problem),), replayed(problem, demand), policy, 0, len(demand)))]


def test_no_hard_limit_is_exceeded_in_any_slot_and_rows_tell_of_it() -> None:
    full = {"link_load": 0, "processor_load": 0}
    for seed in range(6):
        rng = np.random.default_rng(seed)
        problem = limited_problem(rng, plans=seed % 2)
        demand = np.array([3 * random_demand(rng, problem) for _ in range(15)])
        for record in played(problem, Portfolio(), demand):
            assert record.within is not None
            told = row(problem, record)
            assert told["refused"] == pytest.approx(record.within.refused.sum())
            assert told["served"] + told["refused"] + told["unserved"] == pytest.approx(told["requests"])
            for column in full:
                assert told[column] <= 1
                full[column] += told[column] == 1
    assert min(full.values()) > 5, "nothing was ever full"


def test_going_on_from_any_slot_comes_to_the_same(tmp_path: Any) -> None:
    rng = np.random.default_rng(3)
    problem = limited_problem(rng)
    demand = np.array([3 * random_demand(rng, problem) for _ in range(20)])
    episode = Episode(((0, problem),), replayed(problem, demand), AdaptiveInfida(), 0, 20)
    whole = list(play(episode))
    middle = whole[9][1]
    # what a file keeps of it: two arrays
    middle = replace(middle, prices=replace(middle.prices, seen=None))
    rest = [record for record, _ in play(episode, middle)]
    for a, b in zip([r for r, _ in whole[10:]], rest, strict=True):
        assert a.outcome.gain == b.outcome.gain
        np.testing.assert_array_equal(a.loaded, b.loaded)
        np.testing.assert_array_equal(a.within.prices, b.within.prices)  # type: ignore[union-attr]


@dataclass(frozen=True)
class Watching(Policy):
    """Places nothing and keeps what it was shown in `shown`."""

    name: ClassVar[str] = "watching"
    shown: tuple[list[Problem], ...] = ([],)

    def start(self, problem: Problem, rng: np.random.Generator) -> State:
        self.shown[0].append(problem)
        return State()

    def place(
        self, state: State, problem: Problem, slot: int, rng: np.random.Generator
    ) -> tuple[State, np.ndarray]:
        self.shown[0].append(problem)
        return state, empty_placement(problem)

    def learn(self, state: State, problem: Problem, feedback: Feedback, rng: np.random.Generator) -> State:
        return state


def test_policies_see_a_problem_without_limits_in_which_a_full_link_is_dear() -> None:
    rng = np.random.default_rng(5)
    problem = limited_problem(rng)
    demand = np.full((8, problem.type_count), 30)
    watching = Watching(([],))
    played(problem, watching, demand)
    first, last = watching.shown[0][0], watching.shown[0][-1]
    assert first.limits is None
    assert last.limits is None
    # links to the repository are full, so what the repository answers costs more, and options save more against it
    assert (last.repository_cost >= first.repository_cost - 1e-9).all()
    assert (last.repository_cost > first.repository_cost + 1e-9).any()
    assert last.option_saving.sum() > first.option_saving.sum()
    # the same slot after slot: prices settle, and it is told of them seldom
    assert len({id(p) for p in watching.shown[0]}) <= 4


def cut_network() -> tuple[Network, Network, Any, RequestTypes]:
    rng = np.random.default_rng(12)
    network, catalog, requests = random_setting(rng, nodes=6, tasks=2, models=2)
    links = tuple(replace(e, rate_bytes_per_s=4.0) for e in network.links)
    network = replace(network, links=links)
    return network, replace(network, links=links[:-1]), catalog, requests


def test_prices_outlive_a_link_that_is_cut() -> None:
    whole, cut, catalog, requests = cut_network()
    weights = np.array([1.0, 0.0, 0.0, 0.0])
    before, after = (compile_problem(n, catalog, requests, weights) for n in (whole, cut))
    assert before.limits is not None
    assert after.limits is not None
    assert len(before.limits) == len(after.limits) + 2
    demand = np.full((12, before.type_count), 25)
    episode = Episode(
        ((0, before), (6, after)), replayed(before, demand), Fixed(empty_placement(before)), 0, 12
    )
    progress = [p for _, p in play(episode)]
    kept = progress[5].prices.at(after, before.limits).now
    old = dict(zip(before.limits.names, progress[5].prices.now.tolist(), strict=True))
    assert any(old.values())
    for name, price in zip(after.limits.names, kept.tolist(), strict=True):
        assert price == old[name]
    assert len(progress[-1].prices.now) == len(after.limits)
    assert begin(episode).prices.now.tolist() == [0.0] * len(before.limits)


@pytest.mark.parametrize("seed", range(6))
def test_a_budget_holds_in_the_long_run_up_to_its_proven_overdraft(seed: int) -> None:
    patience, slots = 10.0, 300
    free = limited_problem(np.random.default_rng(seed), wide=1e9, budgets=[Budget("energy", 1e9)])
    demand = np.array([random_demand(np.random.default_rng(1000 * seed + t), free) for t in range(slots)])
    nothing = Fixed(empty_placement(free))
    asked = np.mean([r.within.load[-1] for r in played(free, nothing, demand)])  # type: ignore[union-attr]
    if asked == 0:
        return  # this network uses no energy
    # a third of what only repositories would use
    per_s = 1e9 * asked / 3
    problem = limited_problem(
        np.random.default_rng(seed),
        wide=1e9,
        budgets=[Budget("energy", per_s)],
        terms=Terms(patience_slots=patience),
    )
    limits = problem.limits
    assert limits is not None
    load = np.array([r.within.load[-1] for r in played(problem, nothing, demand)])  # type: ignore[union-attr]
    ways = np.repeat(np.arange(len(limits.worth)), np.diff(limits.ptr))
    mine = limits.limit == len(limits) - 1
    steepest = (limits.worth[ways[mine]] / limits.share[mine]).max() / limits.scale[-1]
    used = np.cumsum(load)
    assert (used <= np.arange(1, slots + 1) + patience * steepest + load.max() + 1e-6).all()
    # it binds, and is used: neither ignored nor refused outright
    assert 0.8 < load[slots // 2 :].mean() < 1.2
    # what is overdrawn in the first slots is not made up for, but shrinks as a share
    assert used[-1] / slots < used[slots // 10] / (slots // 10)
