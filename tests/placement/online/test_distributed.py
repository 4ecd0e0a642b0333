"""The distributed form decides what the central form decides, and no node reads what it cannot know."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from placid.placement.base import Feedback
from placid.placement.checkpoint import flatten
from placid.placement.online import distributed
from placid.placement.online.agents import Climbing, Local, Reply, gradient, hear, local_view, meet, report
from placid.placement.online.distributed import DistributedInfida, Wire
from placid.placement.online.infida import AdaptiveInfida
from placid.placement.online.messages import NUMBER_BYTES
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, supergradient
from placid.problem.serving import serve
from placid.randomness import stream
from placid.testing.instances import random_demand, random_problem

SETTINGS = [
    {},
    {"refresh": 3},
    {"refresh": 1, "stretch": 1.6},
    {"rounding": "dependent", "fill": False},
    {"rounding": "permanent"},
    {"reserve": True, "share": 0.02},
]


def timeline(problem: Problem, slots: int) -> list[Problem]:
    """The problem slot by slot: a node fails, and comes back smaller."""
    largest = int(np.argmax(problem.budget_bytes))
    down, small = problem.budget_bytes.copy(), problem.budget_bytes.copy()
    down[largest] = 0
    small[largest] = small[largest] * 2 // 3
    failed, back = replace(problem, budget_bytes=down), replace(problem, budget_bytes=small)
    return [problem if t < slots // 3 else failed if t < slots // 2 else back for t in range(slots)]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_it_decides_what_the_central_form_decides(settings: dict[str, float]) -> None:
    slots = 24
    for seed in range(12):
        rng = np.random.default_rng(seed)
        problem = random_problem(rng, nodes=int(rng.integers(2, 8)), tasks=3)
        central = AdaptiveInfida(coordinate=False, **settings)  # type: ignore[arg-type]
        spread = DistributedInfida(**settings)  # type: ignore[arg-type]
        a, b = (p.start(problem, stream(seed, "start")) for p in (central, spread))
        for t, now in enumerate(timeline(problem, slots)):
            a, here = central.place(a, now, t, stream(seed, "place", t))
            b, there = spread.place(b, now, t, stream(seed, "place", t))
            np.testing.assert_array_equal(here, there)
            demand = random_demand(rng, problem)
            feedback = Feedback(t, demand, here, serve(now, here, demand))
            a = central.learn(a, now, feedback, stream(seed, "learn", t))
            b = spread.learn(b, now, feedback, stream(seed, "learn", t))
            one, other = flatten(a), flatten(b)
            assert one.keys() == other.keys()
            for name in one:
                np.testing.assert_allclose(other[name], one[name], rtol=1e-9, atol=1e-12, err_msg=name)
            assert (a.messages, a.message_bytes) == (b.messages, b.message_bytes)


def test_the_first_gradient_is_the_supergradient_and_messages_are_counted_by_hand() -> None:
    problem = random_problem(np.random.default_rng(4), nodes=6, tasks=3)
    demand = random_demand(np.random.default_rng(5), problem)
    policy = DistributedInfida()
    state = policy.start(problem, stream(0))
    feedback = Feedback(0, demand, state.placed, serve(problem, state.placed, demand))
    learned = policy.learn(state, problem, feedback, stream(0))
    _, g = supergradient(problem, demand, potential_share(problem, demand), state.y)
    np.testing.assert_allclose(learned.gradient, g, rtol=1e-12, atol=1e-15)
    hops = int(problem.type_hops[demand > 0].sum())
    assert learned.messages == 2 * hops
    # two numbers at least in every message, both ways
    assert learned.message_bytes >= 4 * NUMBER_BYTES * hops


def poisoned(problem: Problem, node: int) -> Problem:
    """`problem` with everything that belongs to other nodes made unusable."""
    mine = problem.item_node == node
    option_mine = mine[problem.option_item]
    elsewhere = np.arange(problem.node_count) != node

    def spoil(name: str, keep: np.ndarray) -> np.ndarray:
        value = getattr(problem, name).copy()
        value[~keep] = np.nan if value.dtype.kind == "f" else -7
        return value

    return replace(
        problem,
        item_size_bytes=spoil("item_size_bytes", mine),
        item_capacity=spoil("item_capacity", mine),
        budget_bytes=spoil("budget_bytes", ~elsewhere),
        next_hop=spoil("next_hop", ~elsewhere),
        option_saving=spoil("option_saving", option_mine),
        option_vector=spoil("option_vector", option_mine),
        repository_cost=np.full_like(problem.repository_cost, np.nan),
        repository_vector=np.full_like(problem.repository_vector, np.nan),
        repository_node=np.full_like(problem.repository_node, -7),
        type_ingress=np.full_like(problem.type_ingress, -7),
        type_hops=np.full_like(problem.type_hops, -7),
        serving_order=np.full_like(problem.serving_order, -7),
    )


def same(a: Local, b: Local) -> None:
    for f in fields(a):
        one, other = getattr(a, f.name), getattr(b, f.name)
        if isinstance(one, Problem):
            for g in fields(one):
                np.testing.assert_array_equal(getattr(one, g.name), getattr(other, g.name), err_msg=g.name)
        else:
            np.testing.assert_array_equal(one, other, err_msg=f.name)


def test_what_a_node_knows_is_its_own() -> None:
    """Everything of all other nodes replaced by nonsense, a node knows the same, to the last number."""
    for seed in range(10):
        problem = random_problem(np.random.default_rng(seed), nodes=6, tasks=3)
        for v in range(problem.node_count):
            same(local_view(problem, v), local_view(poisoned(problem, v), v))


def test_a_node_decides_from_its_own_state_and_messages_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record what each node hears in a slot; play it to a lone node that knows only itself; it must say the same."""
    problem = random_problem(np.random.default_rng(11), nodes=7, tasks=3)
    demand = random_demand(np.random.default_rng(12), problem)
    heard: dict[int, tuple[list[Climbing], np.ndarray, np.ndarray]] = {}
    said: dict[int, Climbing] = {}
    told: dict[int, Reply] = {}
    climbed: dict[int, np.ndarray] = {}

    def hears(local: Local, arrived: list[Climbing], entered: np.ndarray, demand: np.ndarray):  # type: ignore[no-untyped-def]
        heard[local.node] = (arrived, entered, demand)
        return hear(local, arrived, entered, demand)

    def says(local: Local, known, y):  # type: ignore[no-untyped-def]
        said[local.node] = report(local, known, y)
        return said[local.node]

    def climbs(local: Local, known, reply):  # type: ignore[no-untyped-def]
        told[local.node] = reply
        climbed[local.node] = gradient(local, known, reply)
        return climbed[local.node]

    for name, spy in (("hear", hears), ("report", says), ("gradient", climbs)):
        monkeypatch.setattr(distributed, name, spy)
    policy = DistributedInfida()
    start = policy.start(problem, stream(0))
    feedback = Feedback(0, demand, start.placed, serve(problem, start.placed, demand))
    after = policy.learn(start, problem, feedback, stream(0))
    assert len(said) >= 3
    for v in said:
        lone = local_view(poisoned(problem, v), v)
        known = hear(lone, *heard[v])
        mine = slice(int(problem.node_ptr[v]), int(problem.node_ptr[v + 1]))
        spoken = report(lone, known, start.y[mine].copy())
        for f in fields(Climbing):
            np.testing.assert_array_equal(getattr(spoken, f.name), getattr(said[v], f.name))
        g = gradient(lone, known, told[v])
        np.testing.assert_array_equal(g, climbed[v])
        alone = AdaptiveInfida().start(lone.own, stream(0))
        stepped = AdaptiveInfida()._learned(replace(alone, y=start.y[mine].copy()), lone.own, g)
        np.testing.assert_array_equal(stepped.y, after.y[mine])


def test_a_saving_is_a_number_of_the_node_not_of_the_ingress() -> None:
    """What makes `Local.option_saving` the node's own knowledge: the way to the node cancels."""
    shared = 0
    for seed in range(30):
        problem = random_problem(np.random.default_rng(seed), nodes=6, tasks=2)
        for e in range(problem.item_count):
            savings = problem.option_saving[problem.option_item == e]
            if len(savings) > 1:
                np.testing.assert_allclose(savings, savings[0], rtol=1e-9)
                shared += 1
    assert shared > 100


def test_what_cannot_matter_further_up_is_left_out() -> None:
    nothing = np.zeros(0)
    full = Climbing(
        np.array([3]), np.array([5.0]), np.array([0, 3]), np.array([9.0, 8.0, 7.0]), np.array([0.6, 0.4, 0.3])
    )
    problem = random_problem(np.random.default_rng(0))
    bare = local_view(problem, 0)  # the cloud: it has nothing to add
    assert bare.own.item_count == 0
    known = hear(bare, [full], np.zeros(0, np.int64), nothing)
    passed = report(bare, known, np.zeros(bare.own.item_count))
    assert passed.saving.tolist() == [9.0, 8.0]
    assert meet(full).met.tolist() == meet(passed).met.tolist() == [8.0]
    assert passed.size_bytes == (2 + 2 * 2) * NUMBER_BYTES
    short = replace(full, ptr=np.array([0, 1]), saving=np.array([9.0]), part=np.array([0.6]))
    assert meet(short).met.tolist() == [0.0]


def test_the_wire_joins_neighbours_only() -> None:
    wire = Wire(np.array([-1, 0, 1]))
    with pytest.raises(AssertionError, match="not below"):
        wire.send_down(0, 2, Reply(np.zeros(0, np.int64), np.zeros(0)))
