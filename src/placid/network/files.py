"""Networks in files that others write and read: GraphML and node-link JSON, as networkx does.

Attributes are read in the names of `Network.to_networkx` (``rtt_s``, ``memory_bytes``, …), in human units (``rtt: "6 ms"``,
``memory: "16 GiB"``), as the Internet Topology Zoo writes them (``Latitude``, ``Longitude``, ``label``, ``LinkSpeedRaw`` in
bit/s), and as topohub does (``pos``, ``name``, ``dist`` in km). A link needs a round-trip time, a length, or ends whose
longitude and latitude are known, in this order; ``x`` and ``y`` are a place on a drawing and give no length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError, fromstring

from placid.errors import InputError, UnknownNameError
from placid.network.attributes import flag, number, point, quantity, unique_names, unlimited, whole
from placid.network.graph import Link, Network, Node
from placid.network.lengths import great_circle_km, is_geographic, rtt_of_km

__all__ = ["FORMATS", "read_graph", "write_graph"]

#: endings of the files that are read and written
FORMATS = (".graphml", ".json")

_SPACE = "{http://graphml.graphdrawing.org/xmlns}"
#: what XML can hold and gives back as it was
_TEXT = re.compile("[\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
_DEGREES = (("Longitude", "Latitude"), ("longitude", "latitude"), ("lon", "lat"), ("lng", "lat"))

#: what a file says: its name, nodes (id -> attributes), links (two ids, attributes) in the order of the file
Said = tuple[str | None, dict[Any, Mapping[str, Any]], list[tuple[Any, Any, Mapping[str, Any]]]]


def read_graph(path: str | Path, *, detour: float = 1.0, hop_s: float = 0.0) -> Network:
    """The network in `path` (``.graphml``, or ``.json`` in networkx' node-link form).

    Nodes are called by their label, else their name, else their id. Of parallel links, or the two directions of a directed
    graph, the quickest stands for all; loops are dropped.

    Args:
        detour, hop_s: where only lengths or positions are known, see `placid.network.lengths.rtt_of_km`.

    Raises:
        InputError: the file is missing or damaged, a link joins a node that is not there or has no round-trip time, length
            or positions, an attribute is no number; the message names file, node or link, and attribute.
        UnknownNameError: the file's ending is not known.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise UnknownNameError("graph format", path.suffix or path.name, FORMATS, where=str(path))
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError("there is no such file", where=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    name, nodes, links = (_said_json if path.suffix == ".json" else _said_graphml)(content, str(path))
    return _network(path.stem if name is None else name, nodes, links, str(path), detour, hop_s)


def write_graph(network: Network, path: str | Path) -> None:
    """Write `network` to `path`; `read_graph` gives it back exactly.

    Raises:
        UnknownNameError: the file's ending is not known.
        InputError: the file cannot be written, or it is GraphML, and a name, tier or processor is empty or has characters
            that XML cannot hold.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise UnknownNameError("graph format", path.suffix or path.name, FORMATS, where=str(path))
    content = _json(network) if path.suffix == ".json" else _graphml(network, str(path))
    try:
        path.write_bytes(content.encode())
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from None


def _json(network: Network) -> str:
    # by hand: networkx forgets the order of links, and which end comes first
    nodes = [{"id": name, **data} for name, data in _nodes(network)]
    edges = [{"source": a, "target": b, **data} for a, b, data in _links(network)]
    graph = {"name": network.name}
    whole = {"directed": False, "multigraph": False, "graph": graph, "nodes": nodes, "edges": edges}
    return json.dumps(whole, indent=1, allow_nan=False) + "\n"


def _graphml(network: Network, where: str) -> str:
    import networkx as nx

    for n in network.nodes:
        for what, text in (("name", n.name), ("tier", n.tier), ("processor", n.processor)):
            if not _TEXT.fullmatch(text):
                raise InputError(
                    f"GraphML cannot hold the {what} {text!r} of node {n.name!r}; write .json", where=where
                )
    if not _TEXT.fullmatch(network.name):
        raise InputError(f"GraphML cannot hold the network's name {network.name!r}; write .json", where=where)
    graph: nx.Graph[str] = nx.Graph(name=network.name)
    for name, data in _nodes(network):
        if "position" in data:
            # GraphML knows no pairs
            data["x"], data["y"] = data.pop("position")
        graph.add_node(name, **data)
    for a, b, data in _links(network):
        graph.add_edge(a, b, **data)
    writer = nx.GraphMLWriter(graph=graph)
    # networkx forgets the order of links, and which end comes first
    element = writer.xml.find("graph")
    assert element is not None
    written = {frozenset((e.get("source"), e.get("target"))): e for e in element.findall("edge")}
    for edge in written.values():
        element.remove(edge)
    for link in network.links:
        edge = written[frozenset((link.a, link.b))]
        edge.set("source", link.a)
        edge.set("target", link.b)
        element.append(edge)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{writer}\n"


def _nodes(network: Network) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is written of each node; what is as if it were not written is not."""
    for n in network.nodes:
        data: dict[str, Any] = {
            "tier": n.tier,
            "memory_bytes": n.memory_bytes,
            "processor": n.processor,
            "repository": n.repository,
        }
        if n.position is not None:
            data["position"] = n.position
        if not n.up:
            data["up"] = False
        if n.processors != float("inf"):
            data["processors"] = n.processors
        yield n.name, data


def _links(network: Network) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for e in network.links:
        data = {"rtt_s": e.rtt_s, "energy_j_per_byte": e.energy_j_per_byte}
        if e.bandwidth_bytes_per_s != float("inf"):
            # neither JSON nor other programs know infinity
            data["bandwidth_bytes_per_s"] = e.bandwidth_bytes_per_s
        if e.rate_bytes_per_s != float("inf"):
            data["rate_bytes_per_s"] = e.rate_bytes_per_s
        yield e.a, e.b, data


def _said_json(content: bytes, where: str) -> Said:
    try:
        whole = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"is no JSON: {error}", where=where) from None
    edges = "links" if isinstance(whole, dict) and "links" in whole else "edges"
    if not isinstance(whole, dict) or not all(isinstance(whole.get(k), list) for k in ("nodes", edges)):
        raise InputError("is no node-link graph: it needs the lists 'nodes' and 'edges'", where=where)
    nodes: dict[Any, Mapping[str, Any]] = {}
    for i, data in enumerate(whole["nodes"]):
        key = data.get("id") if isinstance(data, dict) else None
        if isinstance(key, bool) or not isinstance(key, str | int):
            raise InputError("needs an 'id', a text or a whole number", where=f"{where}, nodes[{i}]")
        if key in nodes:
            raise InputError(f"the id {key!r} occurs twice", where=f"{where}, nodes[{i}]")
        nodes[key] = data
    links: list[tuple[Any, Any, Mapping[str, Any]]] = []
    for i, data in enumerate(whole[edges]):
        here = f"{where}, {edges}[{i}]"
        if not isinstance(data, dict):
            raise InputError("needs a 'source' and a 'target'", where=here)
        a, b = (_end(data.get(end), nodes, here, end) for end in ("source", "target"))
        links.append((a, b, data))
    name = whole.get("graph", {}).get("name") if isinstance(whole.get("graph", {}), dict) else None
    return None if name is None else str(name), nodes, links


def _said_graphml(content: bytes, where: str) -> Said:
    import networkx as nx

    try:
        tree = fromstring(content)
        graph: Any = next(iter(nx.GraphMLReader()(string=content)), None)
    except (
        ParseError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
        nx.NetworkXException,
    ) as error:
        raise InputError(f"is no GraphML that networkx reads: {error}", where=where) from None
    if graph is None:
        raise InputError("is no GraphML that networkx reads: it has no graph", where=where)
    known: set[str | None] = set()
    for node in tree.iter(f"{_SPACE}node"):
        if node.get("id") in known:
            raise InputError(f"the node id {node.get('id')!r} occurs twice", where=where)
        known.add(node.get("id"))
    # networkx makes up the nodes that only links name
    nodes = {key: data for key, data in graph.nodes(data=True) if key in known}
    links = []
    seen: set[frozenset[str]] = set()
    # networkx forgets the order of links, and which end comes first
    for edge in tree.iter(f"{_SPACE}edge"):
        a, b = (
            _end(edge.get(end), nodes, f"{where}, link {edge.get('source')}-{edge.get('target')}", end)
            for end in ("source", "target")
        )
        if frozenset((a, b)) in seen:
            continue
        seen.add(frozenset((a, b)))
        for u, v in ((a, b), (b, a)) if graph.is_directed() else ((a, b),):
            found = graph.get_edge_data(u, v)
            if found is not None:
                links += [(a, b, d) for d in (found.values() if graph.is_multigraph() else [found])]
    name = graph.graph.get("name", graph.graph.get("Network", graph.graph.get("label")))
    return None if name is None else str(name), nodes, links


def _end(key: Any, nodes: Mapping[Any, Any], where: str, end: str) -> Any:
    if isinstance(key, bool) or not isinstance(key, str | int) or key not in nodes:
        raise UnknownNameError(f"node at its '{end}',", str(key), map(str, nodes), where=where)
    return key


def _network(
    name: str,
    said: Mapping[Any, Mapping[str, Any]],
    links: list[tuple[Any, Any, Mapping[str, Any]]],
    where: str,
    detour: float,
    hop_s: float,
) -> Network:
    names = unique_names({key: _label(key, data) for key, data in said.items()})
    nodes = [_node(names[key], data, f"{where}, node '{names[key]}'") for key, data in said.items()]
    degrees = {names[key]: _degrees(data, f"{where}, node '{names[key]}'") for key, data in said.items()}
    quickest: dict[frozenset[str], Link] = {}
    for a, b, data in links:
        if a == b:
            continue
        ends = names[a], names[b]
        link = _link(
            ends, data, [degrees[e] for e in ends], f"{where}, link {ends[0]}-{ends[1]}", detour, hop_s
        )
        pair = frozenset(ends)
        if pair not in quickest or link.rtt_s < quickest[pair].rtt_s:
            quickest[pair] = link
    return Network(tuple(nodes), tuple(quickest.values()), name)


def _label(key: Any, data: Mapping[str, Any]) -> str:
    # Topology Zoo's ids are numbers and its labels are names, some of them twice
    return str(next((data[k] for k in ("label", "name") if data.get(k) not in (None, "")), key))


def _node(name: str, data: Mapping[str, Any], where: str) -> Node:
    at = None
    if "memory_bytes" in data:
        memory = whole(data["memory_bytes"], f"{where}, attribute 'memory_bytes'")
    elif "memory" in data:
        memory = int(quantity(data["memory"], "size", f"{where}, attribute 'memory'"))
    else:
        memory = 0
    for attribute in ("position", "pos"):
        if data.get(attribute) is not None:
            at = point(data[attribute], f"{where}, attribute '{attribute}'")
            break
    else:
        for x, y in (("x", "y"), *_DEGREES):
            if x in data and y in data:
                at = (
                    number(data[x], f"{where}, attribute '{x}'"),
                    number(data[y], f"{where}, attribute '{y}'"),
                )
                break
    return Node(
        name=name,
        tier=str(data.get("tier", "node")),
        memory_bytes=memory,
        processor=str(data.get("processor", "cpu")),
        repository=flag(data.get("repository", False), f"{where}, attribute 'repository'"),
        position=at,
        up=flag(data.get("up", True), f"{where}, attribute 'up'"),
        processors=unlimited(data.get("processors", "inf"), f"{where}, attribute 'processors'"),
    )


def _degrees(data: Mapping[str, Any], where: str) -> tuple[float, float] | None:
    """Longitude and latitude, if the file knows them."""
    for x, y in _DEGREES:
        if x in data and y in data:
            at = number(data[x], f"{where}, attribute '{x}'"), number(data[y], f"{where}, attribute '{y}'")
            if not is_geographic(at):
                raise InputError(
                    f"'{x}' must be within -180 and 180, '{y}' within -90 and 90, got {at[0]:g} and {at[1]:g}",
                    where=where,
                )
            return at
    for attribute in ("position", "pos"):
        if data.get(attribute) is not None:
            at = point(data[attribute], f"{where}, attribute '{attribute}'")
            return at if is_geographic(at) else None
    return None


def _link(
    ends: tuple[str, str],
    data: Mapping[str, Any],
    degrees: list[tuple[float, float] | None],
    where: str,
    detour: float,
    hop_s: float,
) -> Link:
    rtt = _first(data, where, rtt_s=None, rtt="time")
    if rtt is None:
        km = _first(data, where, length_km=None, dist_km=None, dist=None)
        metres = _first(data, where, length="distance")
        here, there = degrees
        if km is None and metres is not None:
            km = metres / 1e3
        if km is None and here is not None and there is not None:
            km = great_circle_km(here, there)
        if km is None:
            raise InputError(
                "has no 'rtt_s' (seconds, round trip), no 'length_km', and its ends have no longitude and latitude; give "
                "one of them",
                where=where,
            )
        rtt = rtt_of_km(km, detour, hop_s)
    rate = _first(data, where, bandwidth_bytes_per_s=None, bandwidth="data rate")
    if rate is None and "LinkSpeedRaw" in data:
        rate = number(data["LinkSpeedRaw"], f"{where}, attribute 'LinkSpeedRaw'", least=0) / 8
    if rate == 0:
        raise InputError("has a rate of 0; cut the link, or leave the rate out for no limit", where=where)
    energy = _first(data, where, energy_j_per_byte=None, energy="energy per byte")
    limit = _first(data, where, rate_bytes_per_s=None, rate="data rate")
    if limit == 0:
        raise InputError(
            "has a hard rate of 0; cut the link, or leave the rate out for no limit", where=where
        )
    return Link(
        *ends,
        rtt,
        float("inf") if rate is None else rate,
        energy or 0.0,
        float("inf") if limit is None else limit,
    )


def _first(data: Mapping[str, Any], where: str, **dimensions: str | None) -> float | None:
    """The first of the named attributes that is there: a plain number, or a quantity of the given dimension."""
    for name, dimension in dimensions.items():
        if name not in data:
            continue
        here = f"{where}, attribute '{name}'"
        if name in ("bandwidth_bytes_per_s", "rate_bytes_per_s") and str(data[name]).lower() in (
            "inf",
            "infinity",
        ):
            return float("inf")
        if dimension is None:
            return number(data[name], here, least=0)
        return quantity(data[name], dimension, here)
    return None
