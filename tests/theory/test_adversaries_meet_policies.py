"""Adversarial sequences: policies that react by a fixed rule earn nothing, the guarantee of INFIDA stands.

Networks are small enough that the best static placement is found by trying all, and that the expected gain of a drawn
placement is computed exactly, outcome by outcome. No statistics.
"""

from __future__ import annotations

import numpy as np
import pytest
from comparators import best_fractional, best_static, expected_gain, total_gain

from placid.catalog.models import Catalog, Model, Profile, Task
from placid.network.graph import Link, Network, Node
from placid.placement.base import Feedback, Policy
from placid.placement.online.ascent import Ascent
from placid.placement.online.infida import AdaptiveInfida, Infida
from placid.placement.online.recency import LeastFrequentlyUsed, LeastRecentlyUsed
from placid.problem.arrays import Problem
from placid.problem.compile import compile_problem
from placid.problem.serving import serve
from placid.simulation.slots import Episode, SlotRecord, play
from placid.workload.adversaries import Evader, RoundRobin
from placid.workload.base import Workload
from placid.workload.replay import Replay
from placid.workload.requests import RequestTypes

FACTOR = 1 - 1 / np.e


def one_node(tasks: int, room: int, sizes: tuple[int, ...] = (1,)) -> tuple[Problem, RequestTypes]:
    """A device that holds `room` bytes, and a cloud 100 ms behind it; one model a task, of sizes in turn."""
    kinds = tuple(Task(f"t{i}") for i in range(tasks))
    profiles = {"cpu": Profile(latency_s=0.01, capacity_per_s=1e6)}
    models = tuple(Model(f"m{i}", f"t{i}", sizes[i % len(sizes)], 0.9, profiles) for i in range(tasks))
    network = Network(
        (Node("edge", memory_bytes=room), Node("cloud", repository=True)), (Link("edge", "cloud", 0.1),)
    )
    requests = RequestTypes.grid(["edge"], [t.name for t in kinds])
    return compile_problem(network, Catalog(kinds, models), requests, np.array([1.0, 0, 0, 0])), requests


def two_nodes() -> tuple[Problem, RequestTypes]:
    """A device with room for one of three models below an office with room for one."""
    kinds = tuple(Task(f"t{i}") for i in range(3))
    profiles = {"cpu": Profile(latency_s=0.01, capacity_per_s=1e6)}
    models = tuple(Model(f"m{i}", f"t{i}", 10, 0.9, profiles) for i in range(3))
    network = Network(
        (Node("edge", memory_bytes=19), Node("office", memory_bytes=19), Node("cloud", repository=True)),
        (Link("edge", "office", 0.02), Link("office", "cloud", 0.1)),
    )
    requests = RequestTypes.grid(["edge", "office"], [t.name for t in kinds])
    return compile_problem(network, Catalog(kinds, models), requests, np.array([1.0, 0, 0, 0])), requests


def played(policy: Policy, problem: Problem, workload: Workload, slots: int) -> list[SlotRecord]:
    return [record for record, _ in play(Episode(((0, problem),), workload, policy, 0, slots))]


def evaded(victim: Policy, problem: Problem, requests: RequestTypes, slots: int) -> list[np.ndarray]:
    """What an adversary asks that sees every placement of `victim`."""
    evader = Evader(requests, rate_per_s=1.0)
    return [record.demand for record in played(victim, problem, evader, slots)]


def expected_total(policy: Ascent, problem: Problem, demands: list[np.ndarray]) -> tuple[float, float, float]:
    """Expected gain of placements drawn anew in every slot, gain of the fractions, and the bound; all exact.

    The fractions do not depend on the draws when the requests do not.
    """
    rng = np.random.default_rng(0)
    state = policy.start(problem, rng)
    nothing = np.zeros(problem.item_count, bool)
    gained, ys = 0.0, []
    for t, demand in enumerate(demands):
        gained += expected_gain(problem, demand, state.y, reserve=policy.reserve)
        ys.append(state.y)
        state = policy.learn(
            state, problem, Feedback(t, demand, nothing, serve(problem, nothing, demand)), rng
        )
    return gained, total_gain(problem, demands, ys), state.regret_bound


CASES = {
    "in turn": lambda: (*one_node(4, 3), "in turn"),
    "in turn, sizes": lambda: (*one_node(5, 13, (2, 3, 5)), "in turn"),
    "evades lru": lambda: (*one_node(4, 3), "lru"),
    "evades lfu, sizes": lambda: (*one_node(5, 13, (2, 3, 5)), "lfu"),
    "evades lru on two nodes": lambda: (*two_nodes(), "lru"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("reserve", [True, False], ids=["reserve", "coin"])
@pytest.mark.parametrize("kind", [Infida, AdaptiveInfida])
def test_infida_keeps_its_guarantee(case: str, reserve: bool, kind: type[Ascent]) -> None:
    slots = 120
    problem, requests, how = CASES[case]()
    if how == "in turn":
        turns = RoundRobin(requests, rate_per_s=1.0)
        demands = [turns.demand(t, 0) for t in range(slots)]
    else:
        victim = LeastRecentlyUsed() if how == "lru" else LeastFrequentlyUsed()
        demands = evaded(victim, problem, requests, slots)
    policy = kind(reserve=reserve)
    usable = policy.drawing.usable_budget(problem.node_ptr, problem.item_size_bytes, problem.budget_bytes)
    best, fractional = best_static(problem, demands, usable), best_fractional(problem, demands, usable)
    gained, relaxed, bound = expected_total(policy, problem, demands)
    assert best <= fractional * (1 + 1e-9) + 1e-9
    assert relaxed >= fractional - bound - 1e-9
    kept = FACTOR if reserve else FACTOR / 2
    assert gained >= kept * relaxed - 1e-9
    assert gained >= kept * (best - bound) - 1e-9
    assert bound < 0.8 * max(best, 1e-9) or reserve  # the statement is not empty


def test_recency_and_frequency_break_where_infida_does_not() -> None:
    slots = 400
    problem, requests = one_node(4, 3)
    turns = RoundRobin(requests, rate_per_s=1.0)
    demands = [turns.demand(t, 0) for t in range(slots)]
    best = best_static(problem, demands, problem.budget_bytes)
    assert best == pytest.approx(0.75 * sum(d.sum() for d in demands) * 0.1, rel=1e-9)
    lru = sum(r.outcome.gain for r in played(LeastRecentlyUsed(), problem, turns, slots))
    assert lru == 0.0
    gained, _, _ = expected_total(AdaptiveInfida(), problem, demands)
    assert gained >= 0.95 * best


@pytest.mark.parametrize("victim", [LeastRecentlyUsed(), LeastFrequentlyUsed()], ids=lambda p: p.name)
def test_whoever_sees_a_deterministic_policy_starves_it(victim: Policy) -> None:
    slots = 300
    problem, requests = one_node(4, 3)
    demands = evaded(victim, problem, requests, slots)
    recorded = Replay(requests, np.array(demands))
    best = best_static(problem, demands, problem.budget_bytes)
    assert sum(r.outcome.gain for r in played(victim, problem, recorded, slots)) == 0.0
    gained, _, _ = expected_total(AdaptiveInfida(), problem, demands)
    assert gained >= FACTOR * best
