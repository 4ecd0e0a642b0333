"""What requests wait at busy copies: against textbook formulas, and against requests followed one by one."""

from __future__ import annotations

import copy
from dataclasses import replace
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from placid.errors import InputError
from placid.experiments.run import run
from placid.experiments.scenario import build, load_scenario
from placid.problem.arrays import Problem
from placid.reports.tables import summary
from placid.simulation.events import Draft, play, poisson_arrivals
from placid.simulation.waiting import erlang_c, mean_waits
from placid.testing.instances import random_problem


def copies(servers: list[int], slot_s: float) -> Problem:
    """Copies whose every server answers one request a second."""
    problem = random_problem(np.random.default_rng(0), tasks=2, models=3)
    n = problem.item_count
    many = np.resize(np.array(servers, np.int32), n)
    return replace(problem, slot_s=slot_s, item_servers=many, item_capacity=many * slot_s)


def followed(servers: int, load: float, law: str, seconds: float, seeds: int = 1) -> float:
    """Mean wait at one copy, every request followed."""
    draft = Draft()
    draft.option(0, draft.step(draft.station("copy", servers=servers, law=law), work_s=1.0))
    system, waits = draft.system(), []
    for seed in range(seeds):
        arrivals = poisson_arrivals(np.array([load]), seconds, seed=seed)
        waits.append(float(play(system, arrivals, seed=seed).waited_s[0]) / len(arrivals))
    return float(np.mean(waits))


def test_erlang_c_is_the_textbooks() -> None:
    for servers in (1, 2, 5, 20):
        for busy in (0.1, 0.5, 0.9):
            a = servers * busy
            top = a**servers / factorial(servers) / (1 - busy)
            wanted = top / (sum(a**k / factorial(k) for k in range(servers)) + top)
            assert erlang_c(np.array([servers]), np.array([a]))[0] == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_allclose(erlang_c(np.array([3, 3, 1]), np.array([3.0, 7.0, 0.0])), [1, 1, 0])


@pytest.mark.parametrize(("law", "variation"), [("fixed", 0.0), ("exponential", 1.0)])
@pytest.mark.parametrize(("servers", "busy"), [(1, 0.3), (1, 0.6), (1, 0.9), (4, 0.6), (4, 0.9)])
def test_a_copy_waits_as_long_as_where_requests_are_followed(
    law: str, variation: float, servers: int, busy: float
) -> None:
    seconds = 4e5
    problem = copies([servers], seconds)
    load = np.full(problem.item_count, servers * busy * seconds)
    found = mean_waits(problem, load, variation)[0]
    wanted = followed(servers, servers * busy, law, seconds)
    # Lee and Longton are exact for one server and for exponential services; else a tenth off at most
    assert found == pytest.approx(wanted, rel=0.05 if servers == 1 or variation == 1 else 0.12, abs=0.003)
    assert found > 0


@pytest.mark.parametrize(("law", "variation"), [("fixed", 0.0), ("exponential", 1.0)])
@pytest.mark.parametrize("servers", [1, 4])
def test_a_copy_filled_to_the_brim_waits_as_long_as_a_slot_lets_it(
    law: str, variation: float, servers: int
) -> None:
    seconds = 2000.0
    problem = copies([servers], seconds)
    found = mean_waits(problem, problem.item_capacity, variation)[0]
    assert found == pytest.approx(followed(servers, servers, law, seconds, seeds=200), rel=0.15)


def test_nobody_waits_where_nobody_comes() -> None:
    problem = copies([1, 3], 60.0)
    load = np.zeros(problem.item_count)
    assert not mean_waits(problem, load, 1.0).any()
    load[1] = 30.0
    waits = mean_waits(problem, load, 1.0)
    assert np.flatnonzero(waits).tolist() == [1]


SCENARIO: dict[str, Any] = {
    "slots": 4,
    "network": {"tiered": {"base_stations": 2, "memory": {"base-station": "300 MB"}, "processor": "rtx2070"}},
    "catalog": {"family": "yolov4", "tasks": 2, "replicas": 1, "processors": ["rtx2070"]},
    "workload": {"process": "poisson", "rate": "60 /s"},
    "objective": {"latency": 1, "error": 0.2},
    "policies": ["infida-adaptive"],
    "hindsight": {"solvers": ["greedy"], "windows": 1},
}


def test_a_run_tells_what_requests_wait(tmp_path: Path) -> None:
    told = {}
    for waiting in (None, "fixed", "exponential", 1):
        scenario = copy.deepcopy(SCENARIO) | ({} if waiting is None else {"waiting": waiting})
        told[waiting] = summary(run(scenario, tmp_path / str(waiting), report=False))
    assert told[None]["waiting_s"].null_count() == told[None].height
    fixed, exponential = told["fixed"]["waiting_s"], told["exponential"]["waiting_s"]
    assert (fixed > 0).all()
    assert (
        (exponential / fixed).is_between(1.2, 2.0)
    ).all()  # twice where no copy is full, sqrt 2 where all are
    assert told[1]["waiting_s"].to_list() == exponential.to_list()
    # nothing else changes: policies and gains are as if nobody met anybody
    same = [c for c in told[None].columns if not c.startswith("waiting_s")]
    assert told["fixed"].select(same).equals(told[None].select(same))


def test_more_requests_wait_longer() -> None:
    waits = []
    for rate in ("6 /s", "60 /s", "600 /s"):
        built = build(load_scenario(SCENARIO | {"workload": {"process": "poisson", "rate": rate}}))
        ((_, problem),) = built.problems()
        demand = built.workload.expected(0)
        from placid.placement.offline import Greedy
        from placid.problem.serving import serve

        load = serve(problem, Greedy().solve(problem, demand).placed, demand).item_load
        waits.append(load @ mean_waits(problem, load, 0.0) / demand.sum())
    assert waits == sorted(waits)
    assert waits[0] < 0.1 * waits[-1]


@pytest.mark.parametrize("waiting", ["fixd", -1, [1]])
def test_what_is_no_law_is_told(tmp_path: Path, waiting: Any) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(yaml.safe_dump(SCENARIO | {"waiting": waiting}, sort_keys=False))
    with pytest.raises(InputError, match=r"scenario\.yaml:\d+: .*waiting"):
        build(load_scenario(file))
