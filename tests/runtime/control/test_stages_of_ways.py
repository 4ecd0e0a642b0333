"""Ways: what the serving rule would do, as stages that nodes can run."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from placid.catalog.variants import read_zoo
from placid.errors import InputError
from placid.experiments.scenario import Built, build, load_scenario
from placid.placement.offline.greedy import Greedy
from placid.problem.serving import serve
from placid.runtime.control.ways import Ways

SCENARIOS = Path(__file__).parents[3] / "scenarios"


@pytest.fixture(scope="module", params=["split-metro.yaml", "split-plans.yaml"])
def built(request: pytest.FixtureRequest) -> Built:
    return build(load_scenario(SCENARIOS / request.param))


def test_ways_are_whole_go_up_and_have_the_shares_of_the_serving_rule(built: Built) -> None:
    problem = built.problems()[0][1]
    demand = built.workload.demand(0, 0)
    placed = Greedy().solve(problem, demand).placed
    ways = Ways(problem, built.catalog)
    found = ways.of(placed, demand)
    outcome = serve(problem, placed, demand, flows=True)
    items, zoo = ways.items(placed), read_zoo(built.catalog.zoo)
    hops = {name: problem.node_hops[v] for v, name in enumerate(problem.node_names)}
    several = 0
    for r in range(problem.type_count):
        node, task = problem.node_names[problem.type_ingress[r]], problem.task_names[problem.type_task[r]]
        mine = found[node][task]
        if demand[r]:
            assert sum(w.share for w in mine) == pytest.approx(1)
            flows = outcome.flow[problem.option_ptr[r] : problem.option_ptr[r + 1]]
            assert sorted(f / demand[r] for f in flows if f) == pytest.approx(
                sorted(w.share for w in mine[:-1] if w.share), abs=1e-9
            )
        for way in mine:
            variant = zoo.variant(way.variant)
            assert way.stages[0].first == 0
            assert all(a.last == b.first for a, b in pairwise(way.stages))
            end = way.stages[-1].last
            assert end == len(variant.segments) or variant.reach(end) <= 0
            assert all(hops[a.node] >= hops[b.node] for a, b in pairwise(way.stages))
            assert all(s.item in items[s.node] for s in way.stages if s.item)
            several += len({s.node for s in way.stages if s.item}) > 1
        assert not any(s.item for s in mine[-1].stages), "the repository's way comes last"
    if problem.chains is not None:
        assert several


def test_within_leaves_ways_whose_items_stay(built: Built) -> None:
    problem = built.problems()[0][1]
    demand = built.workload.demand(0, 0)
    placed = Greedy().solve(problem, demand).placed
    ways = Ways(problem, built.catalog)
    whole = ways.of(placed, demand)
    none = ways.within(whole, frozenset())
    assert {len(found) for by_task in none.values() for found in by_task.values()} == {1}
    everything = frozenset((n, i) for n, held in ways.items(placed).items() for i in held)
    assert ways.within(whole, everything) == whole


def test_figures_cannot_be_run() -> None:
    built = build(load_scenario({
        "slots": 2, "network": {"topology": "sndlib/abilene", "tiers": "hops", "memory": "1 GiB", "processor": "rtx2070",
                                "cloud": {"rtt": "40 ms", "processor": "v100"}},
        "catalog": {"family": "yolov4"}, "workload": {"process": "poisson", "rate": "20 /s"}, "objective": {"latency": 1},
    }))  # fmt: skip
    with pytest.raises(InputError, match="figures of models, not models"):
        Ways(built.problems()[0][1], built.catalog)


def test_a_placement_of_nothing_goes_to_the_repository(built: Built) -> None:
    problem = built.problems()[0][1]
    found = Ways(problem, built.catalog).of(np.zeros(problem.item_count, bool), np.zeros(problem.type_count))
    for by_task in found.values():
        for (way,) in by_task.values():
            assert way.share == pytest.approx(1)
            assert way.stages[-1].node == "cloud"
