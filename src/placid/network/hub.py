"""Real topologies by name, from topohub: SNDlib (with traffic matrices), Topology Zoo, backbones, CAIDA, Gabriel graphs.

A topology comes undressed: positions and lengths are known, memory, processors and repositories are not. `dress` adds them.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from math import dist
from typing import Any

from placid.errors import InputError, UnknownNameError
from placid.network.attributes import unique_names
from placid.network.graph import Link, Network, Node
from placid.network.lengths import great_circle_km, is_geographic, rtt_of_km

__all__ = ["declared_lengths", "load_topology", "topology_names", "traffic_matrix"]

#: drawn on a grid whose numbers could be degrees, but India lies at 68 to 97 degrees east
_GRIDS = ("sndlib/india35",)


@cache
def topology_names() -> tuple[str, ...]:
    """Every id that `load_topology` knows, such as ``sndlib/geant`` or ``topozoo/Abilene``, sorted."""
    import topohub

    root = resources.files(topohub) / "data"
    names: list[str] = []

    def walk(folder: Any, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                walk(entry, f"{prefix}{entry.name}/")
            elif entry.name.endswith(".json") and prefix:
                names.append(prefix + entry.name.removesuffix(".json"))

    walk(root, "")
    return tuple(sorted(names))


def load_topology(topology: str, *, detour: float = 1.0, hop_s: float = 0.0) -> Network:
    """The topology of that id as a network: names, positions (longitude, latitude), and link RTT from length.

    Lengths are great circles between the ends, so with `detour` 1 the round-trip times are the least that could be; two
    nodes in one town are 0 apart. Eleven networks of SNDlib and all Gabriel graphs have the coordinates of a drawing instead
    of degrees: there a unit is taken as a kilometre (topohub's own lengths of those SNDlib networks take pixels for degrees,
    and are not used); choose `detour` as the scale. `declared_lengths` tells which they are.

    Parallel edges become their shortest one; loops are dropped; nodes without a name, or with one that is taken, get their
    number appended.

    Args:
        detour, hop_s: see `placid.network.lengths.rtt_of_km`.

    Raises:
        UnknownNameError: there is no such topology.
        InputError: a link has neither a length nor positions at its ends.

    Example:
        >>> network = load_topology("sndlib/geant")
        >>> len(network.nodes), len(network.links)
        (22, 36)
    """
    found = _get(topology)
    names = _names(found["nodes"])
    position = {n["id"]: _position(n) for n in found["nodes"]}
    drawn = _is_drawn(found)
    nodes = tuple(Node(names[n["id"]], position=position[n["id"]]) for n in found["nodes"])
    shortest: dict[tuple[Any, Any], float] = {}
    for edge in found["edges"]:
        a, b = edge["source"], edge["target"]
        if a == b:
            continue
        here, there = position[a], position[b]
        if here is not None and there is not None and (drawn or "dist" not in edge):
            km = dist(here, there) if drawn else great_circle_km(here, there)
        elif "dist" in edge:
            km = float(edge["dist"])
        else:
            raise InputError(f"link {names[a]}-{names[b]} has neither a length nor positions", where=topology)
        pair = (a, b) if (b, a) not in shortest else (b, a)
        shortest[pair] = min(km, shortest.get(pair, float("inf")))
    links = tuple(Link(names[a], names[b], rtt_of_km(km, detour, hop_s)) for (a, b), km in shortest.items())
    return Network(nodes, links, topology)


def declared_lengths(topology: str) -> tuple[str, ...]:
    """What is assumed of the lengths of a topology that does not give them, in sentences; nothing if it gives them.

    Raises:
        UnknownNameError: there is no such topology.
    """
    if _is_drawn(_get(topology)):
        return (
            f"Lengths are declared: the positions of {topology} are coordinates of a drawing, and a unit is taken as 1 km.",
        )
    if topology in _GRIDS:
        return (
            f"Lengths are declared: the positions of {topology} are on a grid, and a unit is taken as a degree.",
        )
    return ()


def traffic_matrix(topology: str) -> dict[tuple[str, str], float] | None:
    """What each node sends to each other, in the unit of the source (SNDlib's demand values); None if it has none.

    SNDlib's units (multiples of a routing unit, from 2 Mbit/s to 2.5 Gbit/s) differ from network to network, so take them as
    proportions. Where a network gives every pair once only (a triangular matrix: SNDlib's undirected demands, as of polska,
    france, germany50), half is counted each way; as it stands, who sends how much would hang on the order of the nodes.

    Raises:
        UnknownNameError: there is no such topology.
    """
    found = _get(topology)
    demands = found["graph"].get("demands")
    if not demands:
        return None
    names = {str(i): name for i, name in _names(found["nodes"]).items()}
    sent = {
        (names[str(a)], names[str(b)]): float(value)
        for a, row in demands.items()
        for b, value in row.items()
        if str(a) != str(b)
    }
    if any((b, a) in sent for a, b in sent):
        return sent
    return {pair: value / 2 for (a, b), value in sent.items() for pair in ((a, b), (b, a))}


def _get(topology: str) -> dict[str, Any]:
    import topohub

    if topology not in topology_names():
        raise UnknownNameError("topology", topology, topology_names())
    # what topohub.get reads; read here because it leaves the file open, which warns
    text = (resources.files(topohub) / "data" / f"{topology}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _names(nodes: list[dict[str, Any]]) -> dict[Any, str]:
    """Id -> a name of its own."""
    return unique_names({n["id"]: str(n.get("name") or f"node-{n['id']}") for n in nodes})


def _position(node: dict[str, Any]) -> tuple[float, float] | None:
    at = node.get("pos")
    return None if not at or None in at else (float(at[0]), float(at[1]))


def _is_drawn(found: dict[str, Any]) -> bool:
    """Whether the positions are those of a drawing."""
    return any(at is not None and not is_geographic(at) for at in map(_position, found["nodes"]))
