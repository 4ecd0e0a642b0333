from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from placid.network import Cloud, Link, Network, Node, dress, load_topology, route, topology_names


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Up to 8 nodes, some down, some repositories, links of few different lengths, so that ties abound."""
    count = draw(st.integers(1, 8))
    nodes = tuple(
        Node(str(v), repository=draw(st.integers(0, 3)) == 0, up=draw(st.integers(0, 5)) > 0)
        for v in range(count)
    )
    pairs = [(a, b) for a in range(count) for b in range(a)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    links = tuple(Link(str(a), str(b), float(draw(st.integers(0, 3)))) for a, b in chosen)
    return Network(nodes, links)


def best_paths(network: Network) -> dict[int, tuple[float, int]]:
    """(round-trip time, hops) of the best path to a repository, over all simple paths: plain search, for comparison."""
    graph = network.to_networkx()
    graph.remove_nodes_from([n.name for n in network.nodes if not n.up])
    best: dict[int, tuple[float, int]] = {}
    for name in graph:
        inner = graph.copy()
        ends = [n.name for n in network.nodes if n.repository and n.up]
        if name in ends:
            best[network.index[name]] = (0.0, 0)
            continue
        for end in ends:
            # no path runs through a repository
            inner = graph.subgraph([v for v in graph if v == end or v not in ends])
            for path in nx.all_simple_paths(inner, name, end):
                length = sum(graph.edges[e]["rtt_s"] for e in pairwise(path))
                one = (length, len(path) - 1)
                best[network.index[name]] = min(one, best.get(network.index[name], one))
    return best


@given(networks())
def test_routes_are_the_best_of_all_paths(network: Network) -> None:
    routes, best = route(network), best_paths(network)
    for v in range(len(network.nodes)):
        path = routes.path(v)
        if v not in best:
            assert path == []
            assert routes.rtt_s[v] == np.inf
            assert routes.next_hop[v] == routes.link[v] == -1
        else:
            assert (routes.rtt_s[v], len(path) - 1) == best[v]


@given(networks())
def test_routes_are_a_forest_rooted_at_repositories(network: Network) -> None:
    routes = route(network)
    for v in range(len(network.nodes)):
        path = routes.path(v)
        assert len(set(path)) == len(path)
        for here, there in pairwise(path):
            link = network.links[routes.link[here]]
            assert {network.index[link.a], network.index[link.b]} == {here, there}
            assert routes.path(there) == path[path.index(there) :]
        if path:
            assert network.nodes[path[-1]].repository
            assert not any(network.nodes[u].repository for u in path[:-1])
            assert all(network.nodes[u].up for u in path)


def test_ties_go_to_fewer_hops_then_to_the_first_node() -> None:
    names = ("cloud", "far", "near", "also", "x")
    nodes = tuple(Node(n, repository=n == "cloud") for n in names)
    links = (
        Link("x", "also", 1.0),
        Link("x", "near", 1.0),
        Link("also", "cloud", 1.0),
        Link("near", "cloud", 1.0),
        Link("x", "far", 0.5),
        Link("far", "near", 0.5),
    )
    routes = route(Network(nodes, links))
    assert [names[v] for v in routes.path(4)] == ["x", "near", "cloud"]


def test_islands_are_cut_off() -> None:
    nodes = (Node("cloud", repository=True), Node("a"), Node("b"), Node("c"))
    routes = route(Network(nodes, (Link("cloud", "a", 1.0), Link("b", "c", 1.0))))
    assert [routes.path(v) for v in range(4)] == [[0], [1, 0], [], []]


@pytest.mark.parametrize("name", [n for n in topology_names() if n.startswith("sndlib/")])
def test_real_networks_agree_with_networkx(name: str) -> None:
    network = dress(load_topology(name), memory_bytes=1, cloud=Cloud(0.01))
    shortest = nx.single_source_dijkstra_path_length(network.to_networkx(), "cloud", weight="rtt_s")
    np.testing.assert_allclose(route(network).rtt_s, [shortest[n.name] for n in network.nodes])
