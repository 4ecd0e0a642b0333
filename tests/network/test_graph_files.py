from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from placid.errors import InputError
from placid.network import Link, Network, Node, load_topology, read_graph, rtt_of_km, tiered, write_graph


@pytest.mark.parametrize("ending", [".graphml", ".json"])
@pytest.mark.parametrize("network", [tiered(5), load_topology("sndlib/abilene")], ids=lambda n: n.name)
def test_round_trip_is_exact(tmp_path: Path, network: Network, ending: str) -> None:
    path = tmp_path / f"net{ending}"
    write_graph(network, path)
    again = read_graph(path)
    assert again.nodes == network.nodes
    assert {frozenset((e.a, e.b)): e.rtt_s for e in again.links} == {
        frozenset((e.a, e.b)): e.rtt_s for e in network.links
    }


def test_networkx_in_and_out() -> None:
    network = tiered(4)
    assert Network.from_networkx(network.to_networkx()) == network


def test_topology_zoo_graphml_is_read(tmp_path: Path) -> None:
    graph = nx.MultiGraph(Network="Zoo")
    graph.add_node(0, label="Bern", Latitude=46.95, Longitude=7.45)
    graph.add_node(1, label="Basel", Latitude=47.56, Longitude=7.59)
    graph.add_node(2, label="Basel", Latitude=47.50, Longitude=7.60)
    graph.add_edge(0, 1)
    graph.add_edge(0, 1)
    graph.add_edge(1, 2)
    nx.write_graphml(graph, tmp_path / "zoo.graphml")
    network = read_graph(tmp_path / "zoo.graphml", detour=1.5)
    assert [n.name for n in network.nodes] == ["Bern", "Basel", "Basel-2"]
    assert len(network.links) == 2
    assert network.links[0].rtt_s == pytest.approx(rtt_of_km(68.6, detour=1.5), rel=0.02)


def test_human_units_are_read(tmp_path: Path) -> None:
    data = {
        "directed": False,
        "multigraph": False,
        "graph": {},
        "nodes": [{"id": "a", "memory": "2 GiB"}, {"id": "b", "repository": True}],
        "links": [
            {"source": "a", "target": "b", "rtt": "40 ms", "bandwidth": "1 Gbit/s", "energy": "8 nJ/B"}
        ],
    }
    (tmp_path / "net.json").write_text(json.dumps(data))
    network = read_graph(tmp_path / "net.json")
    assert network.nodes == (Node("a", memory_bytes=2 << 30), Node("b", repository=True))
    assert network.links == (Link("a", "b", 0.04, 1.25e8, pytest.approx(8e-9)),)


def node_link(**changes: object) -> dict[str, object]:
    return {
        "directed": False,
        "multigraph": False,
        "graph": {},
        "nodes": [{"id": "a"}, {"id": "b"}],
        "edges": [{"source": "a", "target": "b", "rtt_s": 1.0}],
    } | changes


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is no json graph"),
        ("[]", "is no json graph"),
        ("{}", "is no json graph"),
        (node_link(edges=[{"source": "a", "target": "b"}]), "link a-b: has no 'rtt_s'"),
        (
            node_link(edges=[{"source": "a", "target": "b", "rtt_s": "fast"}]),
            "attribute 'rtt_s': expected a number",
        ),
        (node_link(edges=[{"source": "a", "target": "b", "rtt": "5"}]), "attribute 'rtt': '5' has no unit"),
        (node_link(edges=[{"source": "a", "target": "b", "rtt_s": -1.0}]), "needs rtt >= 0"),
        (node_link(edges=[{"source": "a", "target": "b", "length_km": "nan"}]), "expected a number, got NaN"),
        (node_link(nodes=[{"id": "a", "memory": "2 GB/s"}, {"id": "b"}]), "node 'a', attribute 'memory'"),
        (node_link(nodes=[{"id": "a", "position": "here"}, {"id": "b"}]), "attribute 'position'"),
    ],
)
def test_mistakes_are_told_with_file_and_place(tmp_path: Path, content: object, told: str) -> None:
    path = tmp_path / "net.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(InputError, match=told):
        read_graph(path)


def test_missing_unknown_and_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_graph(tmp_path / "none.graphml")
    with pytest.raises(InputError, match=r"unknown graph format '\.gml'"):
        read_graph(tmp_path / "net.gml")
    with pytest.raises(InputError, match=r"unknown graph format '\.gml'"):
        write_graph(tiered(1), tmp_path / "net.gml")
    (tmp_path / "broken.graphml").write_text("<graphml")
    with pytest.raises(InputError, match="is no graphml graph"):
        read_graph(tmp_path / "broken.graphml")


@given(st.binary(max_size=200))
def test_any_bytes_are_an_input_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    for ending in (".graphml", ".json"):
        path = tmp_path_factory.getbasetemp() / f"any{ending}"
        path.write_bytes(content)
        with pytest.raises(InputError):
            read_graph(path)
