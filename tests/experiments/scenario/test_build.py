"""From scenario files to the objects of a run."""

# ruff: noqa: E501

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import yaml

from placid.catalog import parametric, write_profiles
from placid.errors import InputError
from placid.experiments.scenario import Built, build, load_scenario, starter_yaml
from placid.network import load_topology, tiered, write_graph
from placid.problem.compile import compile_problem
from placid.workload import WORKLOADS, Poisson, RequestTypes, SlidingPopularity, write_trace

SCENARIOS = sorted((Path(__file__).parents[3] / "scenarios").glob("*.yaml"))

SMALL = """\
slots: 10
network:
  tiered: {base_stations: 2, stations_per_office: 2, processor: rtx2070}
catalog: {family: yolov4, tasks: 2, replicas: 1, processors: [rtx2070]}
workload: {process: poisson, rate: 10 /s}
objective: {latency: 1}
"""


def small(**sections: object) -> Built:
    """`SMALL` with sections replaced."""
    return build(load_scenario({**yaml.safe_load(SMALL), **sections}))


@pytest.mark.parametrize("file", SCENARIOS, ids=[f.stem for f in SCENARIOS])
def test_every_shipped_scenario_builds_and_compiles(file: Path) -> None:
    built = build(load_scenario(file))
    for _, network in built.timeline:
        problem = compile_problem(network, built.catalog, built.requests, built.weights, built.slot_s)
        assert problem.type_count == len(built.requests)
        assert problem.option_count > 0
    # what a file of nodes and links says by itself, the scenario does not declare beside it
    assert built.declared or file.stem in ("split-metro", "split-plans", "live", "live-learning")
    assert built.sources
    assert built.workload.demand(built.slots - 1, built.seeds[0]).sum() > 0


def test_the_scenarios_are_found() -> None:
    assert {f.stem for f in SCENARIOS} >= {
        "geant",
        "split-metro",
        "quick",
        "tiered-isp",
        "adversary",
        "mid-run-failures",
    }


def test_geant_shows_what_it_should() -> None:
    built = build(load_scenario(next(f for f in SCENARIOS if f.stem == "geant")))
    assert built.network.name == "sndlib/geant"
    assert len(built.catalog.tasks) == 20
    assert len(built.catalog.models) == 600
    rivals = {
        "gradient-ascent",
        "perturbed-leader",
        "olag",
        "lfu",
        "lru",
        "most-accurate",
        "smallest",
        "cloud-only",
    }
    assert {label for label, _ in built.policies} >= rivals | {
        "infida-adaptive",
        "infida",
        "infida-optimistic",
    }
    assert len(built.seeds) == 5
    assert [n.up for _, network in built.timeline for n in network.nodes if n.name == "it1.it"] == [
        True,
        False,
        True,
    ]
    # budgets bind: no node holds a fifth of the catalog
    total = sum(m.size_bytes for m in built.catalog.models)
    assert all(n.memory_bytes < total / 5 for n in built.network.nodes)


def test_the_starter_builds() -> None:
    built = build(load_scenario(starter_yaml()))
    assert built.slots == 60
    assert [label for label, _ in built.policies][1] == "INFIDA every 5 slots"
    assert built.network.node("NYCMng").memory_bytes == 8 * 2**30


def test_text_dictionary_and_file_are_the_same_scenario(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(SMALL)
    found = [build(load_scenario(source)) for source in (SMALL, yaml.safe_load(SMALL), file, str(file))]
    for built in found[1:]:
        assert built.network == found[0].network
        assert built.catalog == found[0].catalog
        assert built.policies == found[0].policies
        assert np.array_equal(built.workload.demand(3, 0), found[0].workload.demand(3, 0))
    assert load_scenario(file).name == "s"
    assert load_scenario(file).text == SMALL


def test_what_is_not_written_has_its_default() -> None:
    built = build(load_scenario(SMALL))
    assert built.slot_s == 60
    assert built.seeds == (0,)
    assert [label for label, _ in built.policies] == ["portfolio"]
    assert built.objective == {"latency": 1.0, "error": 0.0, "energy": 0.0, "traffic": 0.0}
    assert built.weights.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert [s.name for s in built.solvers] == ["greedy"]
    assert built.timeline == [(0, built.network)]
    assert built.requests.nodes == ("bs-0", "bs-1")


def test_quantities_arrive_in_si() -> None:
    built = small(
        slot="30 s",
        workload={"process": "poisson", "rate": "600 /min"},
        network={
            "tiered": {"base_stations": 1, "processor": "rtx2070", "rtt": ["1 ms", "2 ms", "3 ms", "4 ms"], "bandwidth": "8 Mbit/s",
                       "energy": "2 nJ/B", "memory": {"base-station": "1 GiB"}}
        },
    )  # fmt: skip
    assert isinstance(built.workload, Poisson)
    assert (built.workload.rate_per_s, built.workload.slot_s, built.slot_s) == (10.0, 30.0, 30.0)
    link = built.network.links[0]
    assert (link.rtt_s, link.bandwidth_bytes_per_s, link.energy_j_per_byte) == (1e-3, 1e6, 2e-9)
    assert built.network.nodes[0].memory_bytes == 2**30


def test_seeds_count_or_list() -> None:
    assert small(seeds=3).seeds == (0, 1, 2)
    assert small(seeds=[7, 3]).seeds == (7, 3)


def test_policies_have_labels_and_the_horizon() -> None:
    built = small(
        policies=[
            "infida",
            {"policy": "infida", "refresh": 5, "horizon": 77},
            {"policy": "lru", "label": "recent"},
        ]
    )
    assert [label for label, _ in built.policies] == ["infida", "infida (refresh=5, horizon=77)", "recent"]
    assert [getattr(p, "horizon", 0) for _, p in built.policies] == [10, 77, 0]


def test_further_policies_come_last() -> None:
    scenario = load_scenario(SMALL)
    assert [label for label, _ in build(scenario, ["lru"]).policies] == ["portfolio", "lru"]
    with pytest.raises(InputError, match="--policy: the label 'portfolio' is taken by the policy"):
        build(scenario, ["portfolio", "portfolio"])
    with pytest.raises(InputError, match="--policy: unknown policy 'lrv'; did you mean 'lru'"):
        build(scenario, ["lrv"])


OWN = '''
from dataclasses import dataclass
from placid.placement.online.fixed import Smallest

@dataclass(frozen=True)
class Mine(Smallest):
    """Mine.

    Attributes:
        budget_bytes: what I like.
    """
    name = "mine"
    budget_bytes: int = 3
    horizon: int | None = None

class Broken(Smallest):
    def __init__(self):
        raise ValueError("no")
'''


def test_a_policy_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_policy_of_mine.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    built = small(
        policies=["own_policy_of_mine:Mine", {"policy": "own_policy_of_mine:Mine", "budget": "2 kB"}]
    )
    assert [label for label, _ in built.policies] == ["mine", "mine (budget=2 kB)"]
    assert [p.budget_bytes for _, p in built.policies] == [3, 2000]
    assert built.policies[0][1].horizon == 10
    with pytest.raises(InputError, match=r"policies\[0\].*did you mean 'budget'"):
        small(policies=[{"policy": "own_policy_of_mine:Mine", "bugdet": "2 kB"}])
    with pytest.raises(InputError, match=r"has no 'Yours'; its policies: .*Mine"):
        small(policies=["own_policy_of_mine:Yours"])
    (tmp_path / "own_policy_that_fails.py").write_text("1 / 0\n")
    with pytest.raises(InputError, match="fails: ZeroDivisionError"):
        small(policies=["own_policy_that_fails:Mine"])
    with pytest.raises(InputError, match="cannot be made: ValueError: no"):
        small(policies=["own_policy_of_mine:Broken"])


def test_solvers_take_the_time_limit_unless_they_say_otherwise() -> None:
    pytest.importorskip("placid.placement.offline.milp")
    from placid.placement.offline import SOLVERS

    if "milp" not in SOLVERS:
        pytest.skip("no solver with a time limit is in the table")
    built = small(hindsight={"solvers": ["greedy", "milp"], "time_limit": "7 s"})
    assert built.solvers[1].time_limit_s == 7.0
    assert built.lp_time_limit_s == 7.0
    built = small(hindsight={"solvers": [{"solver": "milp", "time_limit": "3 s"}], "time_limit": "7 s"})
    assert built.solvers[0].time_limit_s == 3.0


def test_ingress_by_tier_by_name_and_all() -> None:
    tiers = yaml.safe_load(SMALL)["network"]
    assert small(network={**tiers, "ingress": ["central-office", "bs-1"]}).requests.nodes == ("co", "bs-1")
    assert small(network={**tiers, "ingress": "all"}).requests.nodes == ("bs-0", "bs-1", "co", "region", "dc")


def test_overrides_of_a_tiered_network() -> None:
    tiers = yaml.safe_load(SMALL)["network"]
    network = small(network={**tiers, "overrides": {"bs-1": {"memory": "5 MB"}}}).network
    assert network.node("bs-1").memory_bytes == 5_000_000
    assert network.node("bs-0").memory_bytes == tiered(2).nodes[0].memory_bytes
    assert [n.tier for n in network.nodes] == [n.tier for n in tiered(2, stations_per_office=2).nodes]


def test_a_network_file_keeps_the_memory_that_it_knows(tmp_path: Path) -> None:
    write_graph(tiered(3, processor="rtx2070"), tmp_path / "own.json")
    file = tmp_path / "s.yaml"
    file.write_text(
        SMALL.replace(
            "tiered: {base_stations: 2, stations_per_office: 2, processor: rtx2070}", "file: own.json"
        )
    )
    assert build(load_scenario(file)).network.nodes == tiered(3, processor="rtx2070").nodes
    file.write_text(
        file.read_text().replace("own.json", "own.json\n  memory: 1 GB\n  overrides: {bs-1: {memory: 2 GB}}")
    )
    network = build(load_scenario(file)).network
    assert [network.node(n).memory_bytes for n in ("bs-0", "bs-1", "dc")] == [10**9, 2 * 10**9, 10**9]


def test_a_bare_network_file_needs_memory(tmp_path: Path) -> None:
    write_graph(load_topology("sndlib/abilene"), tmp_path / "bare.graphml")
    file = tmp_path / "s.yaml"
    text = SMALL.replace(
        "tiered: {base_stations: 2, stations_per_office: 2, processor: rtx2070}",
        "file: bare.graphml\n  processor: rtx2070\n  cloud: {rtt: 9 ms, processor: rtx2070}",
    )
    file.write_text(text)
    with pytest.raises(InputError, match=r"s\.yaml:2: network: the field 'memory' is missing"):
        build(load_scenario(file))
    file.write_text(
        text.replace("  processor: rtx2070\n  cloud", "  processor: rtx2070\n  memory: 1 GB\n  cloud")
    )
    assert len(build(load_scenario(file)).network.nodes) == 13


def test_a_profile_table(tmp_path: Path) -> None:
    write_profiles(parametric(2, 3), tmp_path / "profiles.csv")
    file = tmp_path / "s.yaml"
    file.write_text(
        SMALL.replace("rtx2070}\ncatalog", "gpu}\ncatalog").replace(
            "{family: yolov4, tasks: 2, replicas: 1, processors: [rtx2070]}",
            "{file: profiles.csv, replicas: 2}",
        )
    )
    assert len(build(load_scenario(file)).catalog.models) == 12


def test_traffic_weighs_the_ingress_nodes() -> None:
    network = {"topology": "sndlib/abilene", "memory": "1 GB", "processor": "rtx2070",
               "cloud": {"rtt": "9 ms", "processor": "rtx2070"}}  # fmt: skip
    weighed = small(
        network=network, workload={"process": "sliding", "rate": 10, "weights": "traffic"}
    ).workload
    matrices = small(network=network, workload={"process": "traffic-matrices", "rate": 10}).workload
    assert isinstance(weighed, SlidingPopularity)
    assert np.allclose(weighed.expected(0), matrices.expected(0))
    with pytest.raises(InputError, match=r"workload.*ships no traffic matrix"):
        small(workload={"process": "traffic-matrices", "rate": 10})


def test_matrices_from_files(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("source,destination,traffic\nbs-0,bs-1,3\nbs-1,bs-0,1\n")
    file = tmp_path / "s.yaml"
    file.write_text(
        SMALL.replace(
            "{process: poisson, rate: 10 /s}", "{process: traffic-matrices, rate: 10 /s, files: m.csv}"
        )
    )
    mean = build(load_scenario(file)).workload.expected(0)
    assert np.allclose(mean[:2].sum(), 3 * mean[2:].sum())
    (tmp_path / "m.csv").write_text("source,destination\nbs-0,bs-1\n")
    with pytest.raises(InputError, match=r"s\.yaml:5: workload.*has no column 'traffic'"):
        build(load_scenario(file))
    (tmp_path / "m.csv").write_text("source,destination,traffic\nbs-0,bs-1,much\n")
    with pytest.raises(
        InputError, match=r"s\.yaml:5: workload.*row 1: 'traffic' must be a number, got 'much'"
    ):
        build(load_scenario(file))


def test_traces_and_recordings(tmp_path: Path) -> None:
    types = RequestTypes.grid(["bs-0", "bs-1"], ["task-1", "task-2"])
    process = Poisson(types, 1.0)
    write_trace(tmp_path / "t.csv", process, 10, 0)
    drawn = np.stack([process.demand(t, 0) for t in range(10)])
    np.save(tmp_path / "r.npy", drawn)
    file = tmp_path / "s.yaml"
    for section in ("{process: trace, file: t.csv}", "{process: replay, file: r.npy}"):
        file.write_text(SMALL.replace("{process: poisson, rate: 10 /s}", section))
        workload = build(load_scenario(file)).workload
        assert np.array_equal(np.stack([workload.demand(t, 0) for t in range(10)]), drawn)
    # a recording that is too short is told before the run, not in the middle of it
    file.write_text(file.read_text().replace("slots: 10", "slots: 11"))
    with pytest.raises(InputError, match=r"s\.yaml:5: workload.*has 10 slots"):
        build(load_scenario(file))
    (tmp_path / "r.npy").write_bytes(b"no array")
    with pytest.raises(InputError, match=r"is no array"):
        build(load_scenario(file))


def test_modulated_workloads() -> None:
    base = {"process": "poisson", "rate": "10 /s"}
    day = {"process": "diurnal", "peak": "12 h", "amplitude": 1, "base": base}
    workload = small(workload={"process": "flash-crowds", "crowds": "6 /h", "base": day}).workload
    assert workload.name == "flash-crowds"
    assert workload.base.peak_s == (43_200.0, 43_200.0)
    assert workload.base.base.rate_per_s == 10.0


def test_every_workload_can_be_named() -> None:
    from placid.experiments.scenario.tables import workloads

    assert set(workloads().entries) == set(WORKLOADS) | {"azure-functions"}


def test_nodes_that_join_are_down_at_first() -> None:
    built = small(changes=[{"slot": 5, "join": "bs-1"}])
    assert [network.node("bs-1").up for _, network in built.timeline] == [False, True]
    assert built.network == built.timeline[0][1]


def test_a_scenario_travels_to_other_processes() -> None:
    built = build(load_scenario(SMALL))
    assert pickle.loads(pickle.dumps(built.workload)).rate_per_s == 10.0
    assert pickle.loads(pickle.dumps(built.policies)) == built.policies
