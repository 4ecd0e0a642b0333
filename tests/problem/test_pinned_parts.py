"""A model with parts of fixed place costs what one would add up by hand."""

from __future__ import annotations

import numpy as np
import pytest

from placid.catalog import AtIngress, AtRepository, Catalog, Model, Profile, Task
from placid.errors import InputError
from placid.network.graph import Link, Network, Node
from placid.problem.arrays import Problem
from placid.problem.compile import compile_problem
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


WHOLE = Model("whole", "look", 5000, 0.9, profiles(gateway=0.02, gpu=0.001))


def compiled(*models: Model, weights: tuple[float, float, float, float] = (1, 0, 0, 0)) -> Problem:
    catalog = Catalog((TASK,), (WHOLE, *models))
    return compile_problem(
        NETWORK, catalog, RequestTypes(("sensor",), ("look",)), np.array(weights, float), 1.0
    )


def vector_of(problem: Problem, node: str, model: str) -> np.ndarray:
    for option, item in enumerate(problem.option_item):
        at = problem.node_names[problem.item_node[item]], problem.model_names[problem.item_model[item]]
        if at == (node, model):
            return problem.option_vector[option].astype(float)
    raise AssertionError(f"no option puts {model} at {node}")


def test_a_head_placed_at_the_edge_sends_little_to_the_cloud() -> None:
    split = Model(
        "split",
        "look",
        900,
        0.88,
        profiles(mcu=0.5, gateway=0.004),
        after=AtRepository(profiles(gpu=0.0008), sent_bytes=130, share=0.6),
    )
    problem = compiled(split)
    latency = 0.010 + 0.004 + 3100 / 1e6 + 0.6 * (0.0008 + 0.040 + 230 / 2e6)
    energy = 0.04 + 3100 * 2e-6 + 0.6 * (0.008 + 230 * 1e-6)
    traffic = 3100 + 0.6 * 230
    np.testing.assert_allclose(
        vector_of(problem, "edge", "split"), [latency, 0.12, energy, traffic], rtol=1e-6
    )


def test_what_the_device_does_first_decides_what_travels() -> None:
    squeezed = Model(
        "squeezed",
        "look",
        5000,
        0.89,
        profiles(gateway=0.02, gpu=0.001),
        before=AtIngress(profiles(mcu=0.003), sent_bytes=600, answered=0.25),
    )
    problem = compiled(squeezed)
    latency = 0.003 + 0.75 * (0.010 + 0.02 + 700 / 1e6)
    energy = 0.03 + 0.75 * (0.2 + 700 * 2e-6)
    np.testing.assert_allclose(
        vector_of(problem, "edge", "squeezed"), [latency, 0.11, energy, 0.75 * 700], rtol=1e-6
    )
    # a copy that sees three requests of four lasts for a third more of them
    item = problem.model_names.index("squeezed")
    assert problem.item_capacity[problem.item_model == item][0] == pytest.approx(50 / 0.75)
    # in the repository too: the cheapest there is what remains when nothing is placed
    assert problem.repository_cost[0] == pytest.approx(
        min(0.003 + 0.75 * (0.05 + 0.001 + 700 / 1e6 + 700 / 2e6), 0.05 + 0.001 + 3100 / 1e6 + 3100 / 2e6)
    )


def test_a_device_that_cannot_run_the_head_has_no_such_option() -> None:
    foreign = Model(
        "foreign",
        "look",
        100,
        0.99,
        profiles(gateway=0.001, gpu=0.001),
        before=AtIngress(profiles(phone=0.001), sent_bytes=10),
    )
    problem = compiled(foreign)
    assert "foreign" not in {problem.model_names[problem.item_model[i]] for i in problem.option_item}
    assert problem.repository_cost[0] == compiled().repository_cost[0]


def test_a_repository_that_cannot_finish_has_no_such_option() -> None:
    stuck = Model(
        "stuck", "look", 100, 0.99, profiles(gateway=0.001), after=AtRepository(profiles(tpu=0.001), 10)
    )
    problem = compiled(stuck)
    assert "stuck" not in {problem.model_names[problem.item_model[i]] for i in problem.option_item}


@pytest.mark.parametrize(
    "part",
    [
        {"before": AtIngress({}, -1)},
        {"before": AtIngress({}, 1, answered=1.0)},
        {"after": AtRepository({}, 1, share=1.5)},
    ],
)
def test_parts_that_cannot_be_are_refused(part: dict[str, object]) -> None:
    with pytest.raises(InputError, match="needs bytes"):
        Catalog((TASK,), (Model("m", "look", 1, 0.5, profiles(gpu=1.0), **part),))  # type: ignore[arg-type]
