"""Networks in files that others write and read: GraphML and node-link JSON, as networkx does.

Attributes are read in the names of `Network.to_networkx` (``rtt_s``, ``memory_bytes``, …), in human units (``rtt: "6 ms"``,
``memory: "16 GiB"``), and as the Internet Topology Zoo writes them (``Latitude``, ``Longitude``, ``label``). A link needs a
round-trip time, a length, or positions at both ends, in this order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from placid.errors import InputError, UnknownNameError
from placid.network.graph import Link, Network, Node
from placid.network.lengths import great_circle_km, rtt_of_km
from placid.units import parse_quantity

__all__ = ["FORMATS", "read_graph", "write_graph"]

#: endings of the files that are read and written
FORMATS = (".graphml", ".json")


def read_graph(path: str | Path, *, detour: float = 1.0, hop_s: float = 0.0) -> Network:
    """The network in `path` (``.graphml``, or ``.json`` in networkx' node-link form).

    Args:
        detour, hop_s: where only lengths or positions are known, see `placid.network.lengths.rtt_of_km`.

    Raises:
        InputError: the file is missing or damaged, a link has no round-trip time, length or positions, an attribute is no
            number; the message names file, node or link, and attribute.
        UnknownNameError: the file's ending is not known.
    """
    import networkx as nx

    path = Path(path)
    if path.suffix not in FORMATS:
        raise UnknownNameError("graph format", path.suffix or path.name, FORMATS, where=str(path))
    try:
        if path.suffix == ".graphml":
            graph = nx.read_graphml(path)
        else:
            data = json.loads(path.read_text())
            graph = nx.node_link_graph(data, edges="links" if "links" in data else "edges")
    except FileNotFoundError:
        raise InputError("there is no such file", where=str(path)) from None
    except (
        ParseError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OSError,
        nx.NetworkXException,
    ) as error:
        raise InputError(
            f"is no {path.suffix[1:]} graph that networkx reads: {error}", where=str(path)
        ) from error
    return _network(graph, path, detour, hop_s)


def write_graph(network: Network, path: str | Path) -> None:
    """Write `network` to `path`; `read_graph` gives it back exactly.

    Raises:
        UnknownNameError: the file's ending is not known.
    """
    import networkx as nx

    path = Path(path)
    graph = network.to_networkx()
    if path.suffix == ".json":
        path.write_text(json.dumps(nx.node_link_data(graph, edges="edges"), indent=1) + "\n")
    elif path.suffix == ".graphml":
        for _, data in graph.nodes(data=True):
            # GraphML knows no pairs
            at = data.pop("position")
            if at is not None:
                data["x"], data["y"] = at
        nx.write_graphml(graph, path)
    else:
        raise UnknownNameError("graph format", path.suffix or path.name, FORMATS, where=str(path))


def _network(graph: Any, path: Path, detour: float, hop_s: float) -> Network:
    names: dict[Any, str] = {}
    nodes: list[Node] = []
    taken: set[str] = set()
    for key, data in graph.nodes(data=True):
        # Topology Zoo's ids are numbers and its labels are names, some of them twice
        name = str(data.get("label") or key)
        name = f"{name}-{key}" if name in taken else name
        taken.add(name)
        names[key] = name
        nodes.append(_node(name, data, f"{path}, node '{name}'"))
    position = {n.name: n.position for n in nodes}
    links: dict[frozenset[str], Link] = {}
    for a, b, data in graph.edges(data=True):
        if a == b:
            continue
        link = _link(names[a], names[b], data, position, f"{path}, link {names[a]}-{names[b]}", detour, hop_s)
        pair = frozenset((link.a, link.b))
        # the two directions of a directed graph, or parallel edges: the quickest stands for all
        if pair not in links or link.rtt_s < links[pair].rtt_s:
            links[pair] = link
    name = str(graph.graph.get("name") or graph.graph.get("Network") or path.stem)
    return Network(tuple(nodes), tuple(links.values()), name)


def _node(name: str, data: Mapping[str, Any], where: str) -> Node:
    memory = _first(data, where, memory_bytes=None, memory="size")
    at = data.get("position")
    if at is None:
        pairs = (("x", "y"), ("Longitude", "Latitude"), ("longitude", "latitude"), ("lon", "lat"))
        for x, y in pairs:
            if x in data and y in data:
                at = (
                    _number(data[x], f"{where}, attribute '{x}'"),
                    _number(data[y], f"{where}, attribute '{y}'"),
                )
                break
    elif isinstance(at, str) or len(at) != 2:
        raise InputError(f"expected two numbers, got {at!r}", where=f"{where}, attribute 'position'")
    else:
        at = tuple(_number(value, f"{where}, attribute 'position'") for value in at)
    return Node(
        name=name,
        tier=str(data.get("tier", "node")),
        memory_bytes=int(memory or 0),
        processor=str(data.get("processor", "cpu")),
        repository=data.get("repository") in (True, "true", "True", 1),
        position=at,
    )


def _link(
    a: str,
    b: str,
    data: Mapping[str, Any],
    position: Mapping[str, tuple[float, float] | None],
    where: str,
    detour: float,
    hop_s: float,
) -> Link:
    rtt = _first(data, where, rtt_s=None, rtt="time")
    if rtt is None:
        km = _first(data, where, length_km=None, dist_km=None, dist=None)
        metres = _first(data, where, length="distance")
        here, there = position[a], position[b]
        if km is None and metres is not None:
            km = metres / 1e3
        if km is None and here is not None and there is not None:
            km = great_circle_km(here, there)
        if km is None:
            raise InputError(
                "has no 'rtt_s' (seconds, round trip), no 'length_km', and no positions at its ends; give one of them",
                where=where,
            )
        rtt = rtt_of_km(km, detour, hop_s)
    return Link(
        a,
        b,
        rtt,
        _first(data, where, bandwidth_bytes_per_s=None, bandwidth="data rate") or float("inf"),
        _first(data, where, energy_j_per_byte=None, energy="energy per byte") or 0.0,
    )


def _first(data: Mapping[str, Any], where: str, **dimensions: str | None) -> float | None:
    """The first of the named attributes that is there: a plain number, or a quantity of the given dimension."""
    for name, dimension in dimensions.items():
        if name not in data:
            continue
        here = f"{where}, attribute '{name}'"
        if dimension is None:
            return _number(data[name], here)
        try:
            return parse_quantity(data[name], dimension)
        except InputError as error:
            raise InputError(error.message, where=here) from None
    return None


def _number(value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"expected a number, got {value!r}", where=where) from None
    if number != number:
        raise InputError("expected a number, got NaN", where=where)
    return number
