from __future__ import annotations

import json
from importlib import resources
from math import dist

import networkx as nx
import numpy as np
import pytest
import topohub

from placid.errors import InputError, UnknownNameError
from placid.network import (
    TIERS,
    Cloud,
    Link,
    Network,
    Node,
    declarations,
    declared_lengths,
    dress,
    great_circle_km,
    ingress_nodes,
    load_topology,
    route,
    rtt_of_km,
    tiered,
    topology_names,
    traffic_matrix,
)

SNDLIB = [name for name in topology_names() if name.startswith("sndlib/")]
ZOO = [name for name in topology_names() if name.startswith("topozoo/")]


@pytest.mark.parametrize("name", SNDLIB)
def test_every_sndlib_network_loads_with_its_traffic(name: str) -> None:
    network = load_topology(name)
    assert nx.is_connected(network.to_networkx())
    assert all(0 < link.rtt_s < 1 for link in network.links)
    matrix = traffic_matrix(name)
    assert matrix
    names = set(network.index)
    assert all(a in names and b in names and value >= 0 for (a, b), value in matrix.items())


def test_topology_zoo_loads_whole() -> None:
    assert len(ZOO) > 200
    for name in ZOO[::7]:
        network = load_topology(name)
        assert len(network.nodes) > 1
        assert traffic_matrix(name) is None


def test_lengths_become_round_trips() -> None:
    # light in fibre needs about 4.9 us a kilometre, there and back twice that
    assert rtt_of_km(1000) == pytest.approx(9.79e-3, rel=1e-3)
    assert rtt_of_km(100, detour=1.5, hop_s=1e-3) == pytest.approx(1.5 * rtt_of_km(100) + 1e-3)
    # Paris to New York, great circle
    assert great_circle_km((2.35, 48.86), (-74.0, 40.71)) == pytest.approx(5837, rel=0.01)
    for wrong in ((-1,), (float("inf"),), (1, 0), (1, 1, -1)):
        with pytest.raises(InputError, match="must"):
            rtt_of_km(*wrong)


def test_geant_link_has_the_round_trip_of_its_length() -> None:
    link = next(e for e in load_topology("sndlib/geant").links if {e.a, e.b} == {"at1.at", "ch1.ch"})
    assert link.rtt_s == pytest.approx(rtt_of_km(804.05), rel=1e-9)


def test_drawings_are_not_taken_for_maps() -> None:
    """SNDlib's norway has pixels, which topohub takes for degrees: thousands of kilometres a link."""
    network = load_topology("sndlib/norway")
    for link in network.links:
        units = dist(network.node(link.a).position, network.node(link.b).position)
        assert link.rtt_s == pytest.approx(rtt_of_km(units))
    assert max(link.rtt_s for link in network.links) < 0.01
    drawn = [name for name in SNDLIB if declared_lengths(name)]
    assert len(drawn) == 12
    assert not declared_lengths("sndlib/geant")
    assert "coordinates of a drawing" in declared_lengths("gabriel/25/1")[0]
    dressed = dress(network, memory_bytes=1, cloud=Cloud(0.01))
    assert any("a unit is taken as 1 km" in sentence for sentence in declarations(network, dressed))


def test_lengths_are_those_of_a_map_where_there_is_one() -> None:
    for name in set(SNDLIB) - {name for name in SNDLIB if declared_lengths(name)}:
        network = load_topology(name)
        for link in network.links:
            km = great_circle_km(network.node(link.a).position, network.node(link.b).position)
            # positions are told to a hundredth of a degree
            assert link.rtt_s == pytest.approx(rtt_of_km(km), abs=rtt_of_km(3))


@pytest.mark.parametrize("name", ["sndlib/polska", "sndlib/france", "sndlib/germany50"])
def test_demands_between_two_are_halved_each_way(name: str) -> None:
    matrix = traffic_matrix(name)
    assert matrix is not None
    assert all(matrix[b, a] == value for (a, b), value in matrix.items())
    data = json.loads((resources.files(topohub) / "data" / f"{name}.json").read_text())
    told = sum(sum(row.values()) for row in data["graph"]["demands"].values())
    assert sum(matrix.values()) == pytest.approx(told)
    # everybody sends something
    assert {a for a, _ in matrix} == set(load_topology(name).index)


def test_directed_demands_are_kept() -> None:
    matrix = traffic_matrix("sndlib/geant")
    assert matrix is not None
    data = json.loads((resources.files(topohub) / "data" / "sndlib/geant.json").read_text())
    names = [n["name"] for n in data["nodes"]]
    assert matrix == {
        (names[int(a)], names[int(b)]): value
        for a, row in data["graph"]["demands"].items()
        for b, value in row.items()
    }


@pytest.mark.parametrize("group", ["backbone", "caida", "gabriel"])
def test_other_collections_load(group: str) -> None:
    names = [name for name in topology_names() if name.startswith(f"{group}/")]
    assert len(names) >= 20
    for name in names[:: len(names) // 5]:
        network = load_topology(name)
        assert len(network.links) >= len(network.nodes) - 1
        assert traffic_matrix(name) is None


def test_ingress_nodes() -> None:
    assert ingress_nodes(tiered(2), ["base-station"]) == ("bs-0", "bs-1")
    assert set(ingress_nodes(tiered(2))) == set(tiered(2).index) - {"cloud"}
    with pytest.raises(UnknownNameError, match="did you mean 'base-station'"):
        ingress_nodes(tiered(2), ["base-staton"])
    with pytest.raises(InputError, match="every node is a repository"):
        ingress_nodes(tiered(2), ["cloud"])


def test_labels_of_a_tiering_may_be_unused() -> None:
    memory = {"core": 3, "metro": 2, "edge": 1}
    dressed = dress(line(), memory_bytes=memory, tiers="degree", cloud=Cloud(0.04))
    assert [n.memory_bytes for n in dressed.nodes] == [1, 2, 1, 1, 0]


def test_unknown_topology_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'sndlib/geant'"):
        load_topology("sndlib/gaent")


def test_tiered_is_36_nodes_with_the_round_trips_asked_for() -> None:
    network = tiered()
    assert len(network.nodes) == 36
    assert network.tiers == TIERS
    routes = route(network)
    leaf = network.index["bs-0"]
    assert routes.rtt_s[leaf] == pytest.approx(0.006 + 0.006 + 0.015 + 0.040)
    assert [network.nodes[v].tier for v in routes.path(leaf)] == list(TIERS)
    assert [n.name for n in network.nodes if n.repository] == ["cloud"]


@pytest.mark.parametrize("stations", [1, 2, 7, 25, 1000])
def test_tiered_of_any_width_is_a_tree(stations: int) -> None:
    network = tiered(stations)
    assert nx.is_tree(network.to_networkx())
    assert sum(n.tier == "base-station" for n in network.nodes) == stations
    assert len({n.position for n in network.nodes}) == len(network.nodes)


def test_tiered_small_is_a_chain_of_five() -> None:
    assert [n.name for n in tiered(1).nodes] == ["bs", "co", "region", "dc", "cloud"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"base_stations": 0}, "'base_stations' must be at least 1, got 0"),
        ({"rtt_s": (1.0, 2.0)}, "needs four round-trip times"),
        ({"memory_bytes": {"base-staton": 1}}, "did you mean 'base-station'"),
        ({"processor": {"cloud": "a"}}, "lacks the tier 'base-station'"),
    ],
)
def test_tiered_tells_what_is_wrong(settings: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        tiered(**settings)  # type: ignore[arg-type]


def line() -> Network:
    """west - mid - east, and a spur at mid."""
    nodes = tuple(Node(name, position=(i, 0.0)) for i, name in enumerate(("west", "mid", "east", "spur")))
    links = (Link("west", "mid", 0.01), Link("mid", "east", 0.02), Link("mid", "spur", 0.03))
    return Network(nodes, links, "line")


def test_dress_adds_a_cloud_at_the_best_connected_node() -> None:
    dressed = dress(line(), memory_bytes=100, processor="cpu", cloud=Cloud(0.04, processor="gpu"))
    assert dressed.node("cloud").repository
    assert {(e.a, e.b) for e in dressed.links} - {(e.a, e.b) for e in line().links} == {("mid", "cloud")}
    assert route(dressed).rtt_s[dressed.index["east"]] == pytest.approx(0.06)


def test_dress_by_hops_by_degree_and_by_hand() -> None:
    by_hops = dress(line(), memory_bytes=1, tiers="hops", cloud=Cloud(0.04, ("west",)))
    assert [n.tier for n in by_hops.nodes] == ["core", "core", "metro", "metro", "cloud"]
    by_degree = dress(line(), memory_bytes=1, tiers="degree", cloud=Cloud(0.04))
    assert [n.tier for n in by_degree.nodes] == ["edge", "metro", "edge", "edge", "cloud"]
    by_hand = dress(
        line(),
        memory_bytes={"edge": 1, "node": 2},
        tiers={"spur": "edge"},
        repositories=("west",),
        overrides={"east": {"memory_bytes": 77, "processor": "tpu"}},
    )
    assert [(n.memory_bytes, n.processor) for n in by_hand.nodes] == [
        (0, "cpu"),
        (2, "cpu"),
        (77, "tpu"),
        (1, "cpu"),
    ]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"memory_bytes": 1}, "there is no repository"),
        (
            {"memory_bytes": 1, "processor": {"node": "a", "cloud": "b"}, "cloud": Cloud(0.1, processor="c")},
            "write its processor 'b' in 'cloud'",
        ),
        ({"memory_bytes": 1, "repositories": ("wset",)}, "unknown node 'wset'; did you mean 'west'"),
        ({"memory_bytes": 1, "cloud": Cloud(0.1, ("eastt",))}, "did you mean 'east'"),
        ({"memory_bytes": 1, "cloud": Cloud(0.1, name="mid")}, "has a node 'mid' already"),
        ({"memory_bytes": {"core": 1}, "cloud": Cloud(0.1)}, "the tier 'node' has no memory"),
        ({"memory_bytes": {"node": 1, "nodde": 2}, "cloud": Cloud(0.1)}, "did you mean 'node'"),
        ({"memory_bytes": 1, "tiers": "hop", "cloud": Cloud(0.1)}, "did you mean 'hops'"),
        ({"memory_bytes": 1, "tiers": {"nord": "x"}, "cloud": Cloud(0.1)}, "unknown node 'nord'"),
        (
            {"memory_bytes": 1, "cloud": Cloud(0.1), "overrides": {"mid": {"memry": 1}}},
            "unknown field of a node 'memry'",
        ),
    ],
)
def test_dress_tells_what_is_wrong(settings: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        dress(line(), **settings)  # type: ignore[arg-type]


def test_declarations_say_what_the_topology_does_not_give() -> None:
    dressed = dress(
        line(), memory_bytes=1 << 30, cloud=Cloud(0.04), processor="gpu", bandwidth_bytes_per_s=1.25e9
    )
    said = " ".join(declarations(line(), dressed))
    for words in ("Memory budgets are declared", "1 GiB", "gpu", "joined at mid over 40 ms", "10 Gbit/s"):
        assert words in said
    assert declarations(dressed, dressed) == ()


def test_a_hundred_thousand_base_stations() -> None:
    network = tiered(100_000)
    assert np.isfinite(route(network).rtt_s).all()
