"""Split models laid over several nodes: costs added up by hand, which layouts are offered, and how they are served."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations_with_replacement

import numpy as np
import pytest

from placid.catalog import AtIngress, AtRepository, Catalog, Handover, Model, Part, Plan, Profile, Task
from placid.errors import InputError, UnknownNameError
from placid.network.graph import Link, Network, Node
from placid.problem.arrays import Problem
from placid.problem.compile import compile_problem
from placid.problem.serving import serve
from placid.testing.instances import random_demand, random_problem
from placid.workload import RequestTypes

#: sensor - edge - cloud; 10 ms and 1 MB/s, then 40 ms and 2 MB/s
NETWORK = Network(
    (
        Node("sensor", "device", 10_000, "mcu"),
        Node("edge", "edge", 10_000, "gateway"),
        Node("cloud", "cloud", processor="gpu", repository=True),
    ),
    (Link("sensor", "edge", 0.010, 1e6, 2e-6), Link("edge", "cloud", 0.040, 2e6, 1e-6)),
    "chain",
)
TASK = Task("look", request_bytes=3000, response_bytes=100)


def profiles(**latency_s: float) -> dict[str, Profile]:
    return {name: Profile(s, 1 / s, 10 * s) for name, s in latency_s.items()}


WHOLE = Model("whole", "look", 5000, 0.9, profiles(gateway=0.02, gpu=0.1))
HEAD = Part("head", "look", 900, profiles(mcu=0.005, gateway=0.004, gpu=0.0004))
MIDDLE = Part("middle", "look", 800, profiles(gateway=0.006, gpu=0.0006))
TAIL = Part("tail", "look", 1500, profiles(gateway=0.010, gpu=0.001))
ENDS = (profiles(mcu=0.003, gateway=0.0003), profiles(gateway=0.0002, gpu=0.00002))
TWO = Plan("two", "look", ("head", "tail"), (Handover(130, *ENDS),), (1, 0.6), 0.88)
THREE = Plan(
    "three",
    "look",
    ("head", "middle", "tail"),
    (Handover(700, *ENDS), Handover(130, *ENDS)),
    (1, 0.6, 0.5),
    0.89,
)


def compiled(*plans: Plan, weights: tuple[float, float, float, float] = (1, 0, 0, 0)) -> Problem:
    catalog = Catalog((TASK,), (WHOLE,), parts=(HEAD, MIDDLE, TAIL), plans=plans)
    return compile_problem(
        NETWORK, catalog, RequestTypes(("sensor",), ("look",)), np.array(weights, float), 1.0
    )


def options_of(problem: Problem) -> Mapping[tuple[str, ...], tuple[np.ndarray, np.ndarray]]:
    """Items by name -> cost vector and loads."""
    needs = problem.needs
    found = {}
    for o in range(problem.option_count):
        mine = slice(needs.ptr[o], needs.ptr[o + 1])
        names = tuple(problem.item_name(int(e)) for e in needs.item[mine])
        assert names not in found
        found[names] = (problem.option_vector[o].astype(float), needs.load[mine])
    return found


def test_a_plan_over_two_nodes_costs_what_one_adds_up_by_hand() -> None:
    vector, load = options_of(compiled(TWO))["sensor/head", "edge/tail"]
    hand = 0.003 + 0.0002 + 0.010 + 130 / 1e6
    latency = 0.005 + 0.6 * (hand + 0.010) + 0.6 * 100 / 1e6
    energy = 0.05 + 0.6 * (0.03 + 0.002 + 130 * 2e-6 + 0.1) + 0.6 * 100 * 2e-6
    np.testing.assert_allclose(vector, [latency, 0.12, energy, 0.6 * 230], rtol=1e-6)
    assert load.tolist() == [1.0, 0.6]


def test_parts_on_one_node_need_no_coding_and_parts_in_the_repository_no_item() -> None:
    options = options_of(compiled(THREE))
    vector, load = options["edge/head", "edge/middle"]  # and the tail in the cloud
    up = 0.010 + 3000 / 1e6
    on = 0.040 + 130 / 2e6 + 0.0003 + 0.00002
    back = 0.5 * 100 / 1e6 + 0.5 * (100 / 1e6 + 100 / 2e6)
    latency = up + 0.004 + 0.6 * 0.006 + 0.5 * (on + 0.001) + back
    assert vector[0] == pytest.approx(latency, rel=1e-6)
    assert vector[3] == pytest.approx(3000 + 0.5 * 130 + 0.5 * 100 + 0.5 * 200, rel=1e-6)
    assert load.tolist() == [1.0, 0.6]
    assert options["sensor/head",][1].tolist() == [1.0]
    # the microcontroller runs heads only
    assert not any("sensor/middle" in names or "sensor/tail" in names for names in options)


def test_a_head_with_its_tail_in_the_repository_is_the_model_with_a_pinned_tail() -> None:
    rest = AtRepository(profiles(gpu=0.001), sent_bytes=130, share=0.6)
    pinned = Model("pinned", "look", 900, 0.88, HEAD.profiles, after=rest)
    catalog = Catalog((TASK,), (WHOLE, pinned))
    requests, weights = RequestTypes(("sensor",), ("look",)), np.array([1.0, 0.2, 0.1, 1e-6])
    old = options_of(compile_problem(NETWORK, catalog, requests, weights, 1.0))
    uncoded = Plan("two", "look", ("head", "tail"), (Handover(130),), (1, 0.6), 0.88)
    new = options_of(compiled(uncoded, weights=(1.0, 0.2, 0.1, 1e-6)))
    for node in ("sensor", "edge"):
        np.testing.assert_allclose(new[f"{node}/head",][0], old[f"{node}/pinned",][0], rtol=1e-6)


def test_what_is_done_where_requests_enter_counts_for_all_of_them() -> None:
    squeezed = Plan(
        "squeezed", "look", ("middle", "tail"), (Handover(130, *ENDS),), (1, 0.5), 0.85,
        before=AtIngress(profiles(mcu=0.003), sent_bytes=600),
    )  # fmt: skip
    vector, _ = options_of(compiled(squeezed))["edge/middle", "edge/tail"]
    latency = 0.003 + 0.010 + 600 / 1e6 + 0.006 + 0.5 * 0.010 + 100 / 1e6
    assert vector[0] == pytest.approx(latency, rel=1e-6)


def test_a_layout_that_takes_more_and_saves_no_more_is_not_offered() -> None:
    # a tail at the edge would be slower than the way to the cloud
    slow = Part("tail", "look", 1500, profiles(gateway=0.9, gpu=0.001))
    catalog = Catalog((TASK,), (WHOLE,), parts=(HEAD, MIDDLE, slow), plans=(TWO,))
    problem = compile_problem(
        NETWORK, catalog, RequestTypes(("sensor",), ("look",)), np.array([1.0, 0, 0, 0]), 1.0
    )
    assert not any("edge/tail" in names for names in options_of(problem))


def plainly(problem: Problem, placed: np.ndarray, demand: np.ndarray) -> tuple[float, np.ndarray]:
    """The serving rule request by request type, best pair first, sharing no code with it."""
    left, load = demand.astype(float), np.zeros(problem.item_count)
    needs, gain = problem.needs, 0.0
    ranked = sorted(range(problem.option_count), key=lambda o: (-problem.option_saving[o], o))
    for o in ranked:
        mine = range(needs.ptr[o], needs.ptr[o + 1])
        if not all(placed[needs.item[z]] for z in mine):
            continue
        room = min((problem.item_capacity[needs.item[z]] - load[needs.item[z]]) / needs.load[z] for z in mine)
        take = max(0.0, min(left[problem.option_type[o]], room))
        left[problem.option_type[o]] -= take
        gain += take * problem.option_saving[o]
        for z in mine:
            load[needs.item[z]] += take * needs.load[z]
    return gain, load


@pytest.mark.parametrize("block", range(4))
def test_serving_plans_agrees_with_the_plain_rule(block: int) -> None:
    chains = 0
    for seed in range(block * 100, block * 100 + 100):
        rng = np.random.default_rng(seed)
        problem = random_problem(rng, plans=2)
        chains += int((np.diff(problem.needs.ptr) > 1).sum())
        placed = rng.random(problem.item_count) < rng.uniform(0.3, 1)
        demand = random_demand(rng, problem)
        gain, load = plainly(problem, placed, demand)
        outcome = serve(problem, placed, demand, flows=True)
        assert outcome.gain == pytest.approx(gain, rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(outcome.item_load, load, atol=1e-9)
        assert (outcome.item_load <= problem.item_capacity).all()
        assert (outcome.item_load[~placed] == 0).all()
        assert outcome.served == pytest.approx(demand.sum())
        cost = problem.repository_cost[problem.option_type] - problem.option_saving
        now = float(outcome.flow @ cost + outcome.repository_load @ problem.repository_cost)
        assert outcome.gain == pytest.approx(
            float(demand @ problem.repository_cost) - now, rel=1e-9, abs=1e-9
        )
    assert chains > 100


def test_every_offer_of_a_random_problem_is_sound() -> None:
    for seed in range(60):
        problem = random_problem(np.random.default_rng(seed), plans=2)
        needs = problem.needs
        assert (np.diff(needs.ptr) >= 1).all()
        assert ((needs.load > 0) & (needs.load <= 1)).all()
        answered = np.add.reduceat(needs.answered, needs.ptr[:-1]) if problem.option_count else np.zeros(0)
        assert (answered <= 1 + 1e-9).all()
        for r in range(problem.type_count):
            mine = slice(problem.option_ptr[r], problem.option_ptr[r + 1])
            saving = problem.option_saving[mine]
            assert (saving > 0).all()
            assert (np.diff(saving) <= 0).all()
            hops = _hops_from(problem, int(problem.type_ingress[r]))
            for o in range(mine.start, mine.stop):
                nodes = problem.item_node[needs.item[needs.ptr[o] : needs.ptr[o + 1]]]
                climbed = [hops[int(v)] for v in nodes]
                assert climbed == sorted(climbed), "a plan never goes back down"


def _hops_from(problem: Problem, v: int) -> dict[int, int]:
    hops = {}
    while v >= 0:
        hops[v] = len(hops)
        v = int(problem.next_hop[v])
    return hops


def test_layouts_are_all_of_them() -> None:
    from placid.problem.laying import layouts

    laid = layouts(3, 4)
    assert [tuple(a) for a in laid.at] == list(combinations_with_replacement(range(4), 3))
    for a, short in zip(laid.at, laid.cut_short, strict=True):
        for t in range(3):
            assert tuple(laid.at[short[t]]) == (*a[:t], *(3,) * (3 - t))


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (
            Plan("p", "look", ("head", "tial"), (Handover(1),), (1, 1), 0.5),
            "part 'tial'; did you mean 'tail'",
        ),
        (Plan("p", "look", ("head", "tail"), (), (1, 1), 0.5), "1 handovers and 2 shares"),
        (Plan("p", "look", ("head", "tail"), (Handover(1),), (1, 1.2), 0.5), "never rises"),
        (Plan("p", "look", ("head", "head"), (Handover(1),), (1, 1), 0.5), "none of them twice"),
        (Plan("p", "see", ("head",), (), (1,), 0.5), "unknown task 'see'"),
        (Plan("p", "look", ("head",), (), (1,), 1.5), "quality between 0 and 1"),
        (Plan("p", "look", ("head", "tail"), (Handover(-1),), (1, 1), 0.5), "bytes >= 0"),
    ],
)
def test_mistakes_in_plans_are_named(plan: Plan, says: str) -> None:
    with pytest.raises((InputError, UnknownNameError), match=says):
        compiled(plan)
