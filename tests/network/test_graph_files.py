from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import networkx as nx
import pytest
import topohub
from hypothesis import given, settings
from hypothesis import strategies as st

from placid.errors import InputError
from placid.network import Link, Network, Node, load_topology, read_graph, rtt_of_km, tiered, write_graph


@pytest.mark.parametrize("ending", [".graphml", ".json"])
@pytest.mark.parametrize("network", [tiered(5), load_topology("sndlib/abilene")], ids=lambda n: n.name)
def test_round_trip_is_exact(tmp_path: Path, network: Network, ending: str) -> None:
    path = tmp_path / f"net{ending}"
    write_graph(network, path)
    assert read_graph(path) == network


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
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "needs the lists 'nodes' and 'edges'"),
        ("{}", "needs the lists 'nodes' and 'edges'"),
        (node_link(nodes=[{"id": "a"}, {}]), r"nodes\[1\]: needs an 'id'"),
        (node_link(nodes=[{"id": "a"}, {"id": "a"}]), r"nodes\[1\]: the id 'a' occurs twice"),
        (node_link(edges=[{"source": "a", "target": "bb", "rtt_s": 1}]), r"edges\[0\]: unknown node .* 'bb'"),
        (node_link(edges=[{"source": "a", "rtt_s": 1}]), r"edges\[0\]: unknown node at its 'target'"),
        (node_link(edges=["a-b"]), r"edges\[0\]: needs a 'source'"),
        (node_link(edges=[{"source": "a", "target": "b"}]), "link a-b: has no 'rtt_s'"),
        (
            node_link(edges=[{"source": "a", "target": "b", "rtt_s": "fast"}]),
            "attribute 'rtt_s': expected a number",
        ),
        (node_link(edges=[{"source": "a", "target": "b", "rtt": "5"}]), "attribute 'rtt': '5' has no unit"),
        (
            node_link(edges=[{"source": "a", "target": "b", "rtt_s": -1.0}]),
            "attribute 'rtt_s': must be at least 0",
        ),
        (
            node_link(edges=[{"source": "a", "target": "b", "length_km": "nan"}]),
            "expected a finite number, got 'nan'",
        ),
        (node_link(nodes=[{"id": "a", "memory": "2 GB/s"}, {"id": "b"}]), "node 'a', attribute 'memory'"),
        (node_link(nodes=[{"id": "a", "memory_bytes": "inf"}, {"id": "b"}]), "attribute 'memory_bytes'"),
        (node_link(nodes=[{"id": "a", "memory_bytes": 1.5}, {"id": "b"}]), "expected a whole number"),
        (node_link(nodes=[{"id": "a", "memory_bytes": -1}, {"id": "b"}]), "expected a whole number"),
        (node_link(nodes=[{"id": "a", "repository": "perhaps"}, {"id": "b"}]), "expected true or false"),
        (node_link(nodes=[{"id": "a", "position": "here"}, {"id": "b"}]), "attribute 'position'"),
        (
            node_link(nodes=[{"id": "a", "position": 5}, {"id": "b"}]),
            "attribute 'position': expected two numbers",
        ),
        (node_link(nodes=[{"id": "a", "lat": "x", "lon": 1}, {"id": "b"}]), "node 'a', attribute 'lat'"),
        (node_link(nodes=[{"id": "a", "lat": 95, "lon": 1}, {"id": "b"}]), "'lat' within -90 and 90"),
        (
            node_link(edges=[{"source": "a", "target": "b", "rtt_s": 1, "bandwidth_bytes_per_s": 0}]),
            "link a-b: has a rate of 0",
        ),
        (
            node_link(edges=[{"source": "a", "target": "b", "length": 12}]),
            "attribute 'length': a distance needs a unit",
        ),
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
    with pytest.raises(InputError, match="is no GraphML"):
        read_graph(tmp_path / "broken.graphml")


def test_a_place_on_a_drawing_gives_no_length(tmp_path: Path) -> None:
    nodes = [{"id": "a", "x": 3, "y": 4}, {"id": "b", "x": 0, "y": 0}]
    (tmp_path / "net.json").write_text(
        json.dumps(node_link(nodes=nodes, edges=[{"source": "a", "target": "b"}]))
    )
    with pytest.raises(InputError, match="no longitude and latitude"):
        read_graph(tmp_path / "net.json")


def test_of_parallel_links_the_quickest_stays(tmp_path: Path) -> None:
    for kind in (nx.MultiGraph, nx.DiGraph, nx.MultiDiGraph):
        graph = kind(name="g")
        graph.add_edge("b", "a", rtt_s=3.0)
        graph.add_edge("a", "b", rtt_s=2.0)
        graph.add_edge("b", "b", rtt_s=0.0)
        nx.write_graphml(graph, tmp_path / "net.graphml")
        (tmp_path / "net.json").write_text(json.dumps(nx.node_link_data(graph, edges="links")))
        for ending in ("graphml", "json"):
            (link,) = read_graph(tmp_path / f"net.{ending}").links
            assert ({link.a, link.b}, link.rtt_s) == ({"a", "b"}, 2.0)


def test_graphml_links_to_undeclared_nodes_and_double_ids(tmp_path: Path) -> None:
    path = tmp_path / "net.graphml"
    write_graph(tiered(2), path)
    text = path.read_text()
    path.write_text(text.replace('source="bs-1"', 'source="bs-7"'))
    with pytest.raises(
        InputError, match="link bs-7-co: unknown node at its 'source', 'bs-7'; did you mean 'bs-"
    ):
        read_graph(path)
    path.write_text(text.replace('<node id="bs-1"', '<node id="bs-0"'))
    with pytest.raises(InputError, match="the node id 'bs-0' occurs twice"):
        read_graph(path)
    path.write_text("<graphml/>")
    with pytest.raises(InputError, match="has no graph"):
        read_graph(path)


def test_link_speeds_of_topology_zoo_are_bits(tmp_path: Path) -> None:
    graph = nx.Graph()
    graph.add_edge("a", "b", rtt_s=1.0, LinkSpeedRaw=10e9)
    nx.write_graphml(graph, tmp_path / "zoo.graphml")
    assert read_graph(tmp_path / "zoo.graphml").links[0].bandwidth_bytes_per_s == 1.25e9


@pytest.mark.parametrize(
    "name", ["sndlib/geant", "topozoo/Abilene", "backbone/africa_nosc", "caida/2024-08/5384"]
)
def test_files_of_topohub_are_read_as_by_name(name: str) -> None:
    found = resources.files(topohub) / "data" / f"{name}.json"
    with resources.as_file(found) as path:
        network = read_graph(path)
    by_name = load_topology(name)
    ends = [(by_name.index[e.a], by_name.index[e.b], e.rtt_s) for e in by_name.links]
    assert [(network.index[e.a], network.index[e.b], e.rtt_s) for e in network.links] == ends
    assert [n.position for n in network.nodes] == [n.position for n in by_name.nodes]


def test_graphml_that_xml_cannot_hold_is_refused(tmp_path: Path) -> None:
    for bad in (Node("a\x01"), Node("a", tier=""), Node("a", processor="x\r")):
        with pytest.raises(InputError, match=r"GraphML cannot hold the (name|tier|processor)"):
            write_graph(Network((bad,), ()), tmp_path / "net.graphml")
    with pytest.raises(InputError, match="cannot be written"):
        write_graph(tiered(1), tmp_path / "no" / "net.json")


def test_from_networkx_tells_what_is_wrong() -> None:
    graph: nx.Graph = nx.Graph()
    graph.add_edge("a", "b")
    with pytest.raises(InputError, match="edge a-b has no 'rtt_s'"):
        Network.from_networkx(graph)
    graph.edges["a", "b"]["rtt_s"] = "fast"
    with pytest.raises(InputError, match="edge a-b, attribute 'rtt_s': expected a number, got 'fast'"):
        Network.from_networkx(graph)
    graph.edges["a", "b"]["rtt_s"] = 1.0
    graph.nodes["a"]["repository"] = "false"
    assert not Network.from_networkx(graph).node("a").repository
    with pytest.raises(InputError, match="undirected"):
        Network.from_networkx(nx.DiGraph())


numbers = st.floats(0, 1e300)
rates = numbers.filter(bool) | st.just(float("inf"))
#: all that XML can hold, and all that there is
plain = st.text(
    st.sampled_from(["a", "b", " ", "\n", "<", "&", '"', "é", "\U0001f4e1"]), min_size=1, max_size=4
)
wild = st.text(st.characters(), max_size=4)


@st.composite
def networks(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> Network:
    names = draw(st.lists(texts, min_size=1, max_size=6, unique=True))
    place = st.none() | st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
    nodes = tuple(
        Node(
            name,
            draw(texts),
            draw(st.integers(0, 2**70)),
            draw(texts),
            draw(st.booleans()),
            draw(place),
            draw(st.booleans()),
        )
        for name in names
    )
    pairs = [(a, b) for i, a in enumerate(names) for b in names[:i]]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    links = tuple(
        Link(*(pair[::-1] if draw(st.booleans()) else pair), draw(numbers), draw(rates), draw(numbers))
        for pair in chosen
    )
    return Network(nodes, links, draw(texts))


@pytest.mark.parametrize("ending", [".graphml", ".json"])
@given(network=networks(plain))
@settings(deadline=None)
def test_any_network_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, ending: str, network: Network
) -> None:
    path = tmp_path_factory.getbasetemp() / f"plain{ending}"
    write_graph(network, path)
    assert read_graph(path) == network


@given(networks(wild))
@settings(deadline=None)
def test_graphml_comes_back_exactly_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, network: Network
) -> None:
    path = tmp_path_factory.getbasetemp() / "wild.json"
    write_graph(network, path)
    assert read_graph(path) == network
    path = path.with_suffix(".graphml")
    texts = [network.name, *(t for n in network.nodes for t in (n.name, n.tier, n.processor))]
    if all(t and all(c in "\t\n" or (c >= " " and c not in "\ufffe\uffff") for c in t) for t in texts):
        write_graph(network, path)
        assert read_graph(path) == network
    else:
        with pytest.raises(InputError, match="GraphML cannot hold"):
            write_graph(network, path)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_input_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    for ending in (".graphml", ".json"):
        path = tmp_path_factory.getbasetemp() / f"any{ending}"
        path.write_bytes(content)
        with pytest.raises(InputError):
            read_graph(path)
