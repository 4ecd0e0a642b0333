"""What requests take of links, processors and batteries: by hand on a chain, and against the cost vectors on random ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from placid.catalog.models import AtIngress, AtRepository, Catalog, Model, Profile, Task
from placid.errors import InputError, UnknownNameError
from placid.network.graph import Link, Network, Node
from placid.objectives.ways import Ways
from placid.problem.arrays import Problem
from placid.problem.compile import compile_problem
from placid.problem.limits import Terms
from placid.problem.serving import serve
from placid.problem.uses import Budget
from placid.simulation.events.compiled import compile_system
from placid.testing.instances import random_setting
from placid.workload.requests import RequestTypes

LATENCY = np.array([1.0, 0.0, 0.0, 0.0])


def chain(rate: float = 1000.0, processors: float = 1.0) -> Network:
    return Network(
        (
            Node("device", memory_bytes=10, processor="cpu", processors=processors),
            Node("gateway", memory_bytes=10, processor="cpu"),
            Node("cloud", processor="gpu", repository=True, processors=2.0),
        ),
        (
            Link("device", "gateway", 0.010, rate_bytes_per_s=rate),
            Link("cloud", "gateway", 0.040, rate_bytes_per_s=rate),
        ),
    )


def split_catalog() -> Catalog:
    """A whole model, and one with a head at the device that answers a fifth and a tail in the cloud for half of the rest."""
    cpu, gpu = Profile(0.1, 10.0, 2.0), Profile(0.01, 100.0, 5.0)
    head = AtIngress({"cpu": Profile(0.02, 50.0, 0.5)}, sent_bytes=30, answered=0.2)
    tail = AtRepository({"gpu": Profile(0.005, 200.0, 1.0)}, sent_bytes=7, share=0.5)
    return Catalog(
        (Task("see", request_bytes=100, response_bytes=4),),
        (
            Model("whole", "see", 5, 0.9, {"cpu": cpu, "gpu": gpu}),
            Model("split", "see", 5, 0.8, {"cpu": cpu, "gpu": gpu}, before=head, after=tail),
        ),
    )


def taken(problem: Problem, way: int) -> dict[str, float]:
    """What a request of `way` takes of each limit, in its unit."""
    limits = problem.limits
    assert limits is not None
    mine = slice(int(limits.ptr[way]), int(limits.ptr[way + 1]))
    return {
        limits.names[m]: float(s * limits.most[m])
        for m, s in zip(limits.limit[mine], limits.share[mine], strict=True)
    }


def test_a_request_loads_links_and_processors_as_counted_by_hand() -> None:
    budgets = (Budget("energy", 1.0, node="gateway"), Budget("bytes", 10.0, link=("gateway", "cloud")))
    problem = compile_problem(
        chain(), split_catalog(), RequestTypes(("device",), ("see",)), LATENCY, 10.0, budgets
    )
    names = {problem.item_name(e): i for i, e in enumerate(problem.option_item)}
    # the head is busy 1/50 s for all, the gateway's part 1/10 s for the 0.8 that travel, the tail 1/200 s for 0.4
    assert taken(problem, names["gateway/split"]) == pytest.approx(
        {
            "link device-gateway from device": 0.8 * 30,
            "link device-gateway from gateway": 0.8 * 4,
            "link cloud-gateway from gateway": 0.4 * 7,
            "link cloud-gateway from cloud": 0.4 * 4,
            "processors of device": 1 / 50,
            "processors of cloud": 0.4 / 200,
            "energy of gateway": 0.8 * 2.0,
            "bytes of gateway-cloud": 0.4 * 11,
        }
    )
    assert taken(problem, names["device/whole"]) == pytest.approx({"processors of device": 1 / 10})
    assert taken(problem, problem.option_count) == pytest.approx(
        {
            "link device-gateway from device": 100,
            "link device-gateway from gateway": 4,
            "link cloud-gateway from gateway": 100,
            "link cloud-gateway from cloud": 4,
            "processors of cloud": 1 / 100,
            "bytes of gateway-cloud": 104,
        }
    )
    assert problem.limits is not None
    most = dict(zip(problem.limits.names, problem.limits.most.tolist(), strict=True))
    assert most["link device-gateway from device"] == pytest.approx(10_000)
    assert most["processors of cloud"] == pytest.approx(20)
    assert most["energy of gateway"] == pytest.approx(10)


def test_without_limits_nothing_is_compiled_of_them() -> None:
    network = chain(float("inf"), float("inf"))
    network = network.with_node(replace(network.node("cloud"), processors=float("inf")))
    problem = compile_problem(network, split_catalog(), RequestTypes(("device",), ("see",)), LATENCY)
    assert problem.limits is None
    assert (problem.option_saving > 0).all()


@pytest.mark.parametrize("seed", range(30))
def test_bytes_and_joules_add_up_to_the_cost_vectors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network, catalog, requests = random_setting(rng, nodes=6, plans=2 * (seed % 2))
    network = replace(
        network,
        nodes=tuple(replace(n, processors=1e9) for n in network.nodes),
        links=tuple(replace(e, rate_bytes_per_s=1e12) for e in network.links),
    )
    budgets = [Budget("energy", 1.0), *(Budget("energy", 1.0, node=n.name) for n in network.nodes)]
    problem = compile_problem(network, catalog, requests, np.ones(4), budgets=budgets)
    limits = problem.limits
    assert limits is not None
    energy_per_byte = network.links[0].energy_j_per_byte
    count = problem.option_count
    for way in range(count + problem.type_count):
        uses = taken(problem, way)
        vector = problem.option_vector[way] if way < count else problem.repository_vector[way - count]
        moved = sum(v for name, v in uses.items() if name.startswith("link"))
        at_nodes = sum(v for name, v in uses.items() if name.startswith("energy of v")) + uses.get(
            "energy of cloud", 0.0
        )
        assert moved == pytest.approx(float(vector[3]), rel=1e-5, abs=1e-5)
        assert uses.get("energy of all", 0.0) == pytest.approx(float(vector[2]), rel=1e-5, abs=1e-6)
        assert at_nodes + energy_per_byte * moved == pytest.approx(float(vector[2]), rel=1e-5, abs=1e-5)
    needs = problem.needs
    busy = needs.load * problem.slot_s / problem.item_capacity[needs.item]
    if not any(p.handovers and any(h.encode for h in p.handovers) for p in catalog.plans):
        for o in range(count):
            uses, mine = taken(problem, o), slice(int(needs.ptr[o]), int(needs.ptr[o + 1]))
            placed = dict.fromkeys(problem.node_names, 0.0)
            for z, b in zip(needs.item[mine], busy[mine], strict=True):
                placed[problem.node_names[problem.item_node[z]]] += float(b)
            for v, b in placed.items():
                if v != "cloud":
                    assert uses.get(f"processors of {v}", 0.0) == pytest.approx(b)


def test_refusing_costs_twice_the_dearest_way_unless_told() -> None:
    requests = RequestTypes(("device",), ("see",))
    problem = compile_problem(chain(), split_catalog(), requests, LATENCY)
    limits = problem.limits
    assert limits is not None
    # the dearest: the whole model at the gateway, 0.010 + 0.1 s; split there: 0.02 + 0.8 (0.11 + 0.5 (0.005 + 0.040))
    dearest = 0.02 + 0.8 * (0.010 + 0.1 + 0.5 * 0.045)
    assert limits.refusal_cost[0] == pytest.approx(2 * dearest)
    assert (limits.worth > 0).all()
    told = compile_problem(chain(), split_catalog(), requests, LATENCY, terms=Terms({"see": 0.105}))
    assert told.limits is not None
    assert told.limits.refusal_cost[0] == 0.105
    # 0.110 s at the gateway is worth less than a refusal now
    assert told.option_count < problem.option_count
    with pytest.raises(InputError, match=r"'refusal' must be above.*'see'.*'device'"):
        compile_problem(chain(), split_catalog(), requests, LATENCY, terms=Terms(0.02))
    with pytest.raises(UnknownNameError, match="task 'sea'"):
        compile_problem(chain(), split_catalog(), requests, LATENCY, terms=Terms({"sea": 1.0}))


def test_options_dearer_than_the_repository_are_kept_where_it_can_be_full() -> None:
    requests = RequestTypes(("device",), ("see",))
    problem = compile_problem(chain(), split_catalog(), requests, LATENCY)
    assert (problem.option_saving < 0).any()
    assert (np.diff(problem.option_saving) <= 0).all()


def test_limits_that_cannot_carry_one_request_are_an_error() -> None:
    requests = RequestTypes(("device",), ("see",))
    # 90 bytes a slot are too few for the 100 to the repository; the device could answer alone
    assert compile_problem(chain(9.0), split_catalog(), requests, LATENCY, 10.0).limits is not None
    with pytest.raises(
        InputError, match=r"not even one request of task 'see' that enters at 'device'.*90 bytes"
    ):
        compile_problem(chain(9.0, 0.001), split_catalog(), requests, LATENCY, 10.0)


def test_a_rate_or_a_processor_count_of_zero_is_an_error() -> None:
    with pytest.raises(InputError, match=r"link device-gateway needs a rate above 0"):
        chain(0.0)
    with pytest.raises(InputError, match=r"node 'device' needs more than 0 processors"):
        chain(1.0, 0.0)


def test_budgets_that_make_no_sense_are_errors() -> None:
    with pytest.raises(UnknownNameError, match="power"):
        Budget("power", 1.0)
    with pytest.raises(InputError, match="above 0"):
        Budget("energy", 0.0)
    with pytest.raises(InputError, match="a node has a budget of energy"):
        Budget("bytes", 1.0, node="device")
    requests = RequestTypes(("device",), ("see",))
    with pytest.raises(UnknownNameError, match="nowhere"):
        compile_problem(
            chain(), split_catalog(), requests, LATENCY, budgets=[Budget("energy", 1.0, node="nowhere")]
        )
    with pytest.raises(InputError, match="stands twice"):
        compile_problem(chain(), split_catalog(), requests, LATENCY, budgets=[Budget("energy", 1.0)] * 2)
    with pytest.raises(InputError, match=r"no link device-cloud"):
        compile_problem(
            chain(),
            split_catalog(),
            requests,
            LATENCY,
            budgets=[Budget("bytes", 1.0, link=("device", "cloud"))],
        )


def test_what_knows_no_limits_says_so() -> None:
    problem = compile_problem(chain(), split_catalog(), RequestTypes(("device",), ("see",)), LATENCY)
    with pytest.raises(InputError, match="knows no hard limits"):
        serve(problem, np.zeros(problem.item_count, bool), np.ones(1))


def test_fronts_and_single_requests_refuse_limits() -> None:
    with pytest.raises(InputError, match="front of several objectives knows no hard limits"):
        Ways.of(chain(), split_catalog(), RequestTypes(("device",), ("see",)))
    problem = compile_problem(chain(), split_catalog(), RequestTypes(("device",), ("see",)), LATENCY)
    with pytest.raises(InputError, match="request-level simulator knows no hard limits"):
        compile_system(problem, chain(), split_catalog(), np.zeros(problem.item_count, bool))
