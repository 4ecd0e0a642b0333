"""Real topologies by name, from topohub: SNDlib (with traffic matrices), Topology Zoo, backbones, CAIDA, Gabriel graphs.

A topology comes undressed: positions and lengths are known, memory, processors and repositories are not. `dress` adds them.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from placid.errors import InputError, UnknownNameError
from placid.network.graph import Link, Network, Node
from placid.network.lengths import great_circle_km, rtt_of_km

__all__ = ["load_topology", "topology_names", "traffic_matrix"]


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
    nodes = tuple(Node(names[n["id"]], position=position[n["id"]]) for n in found["nodes"])
    shortest: dict[tuple[Any, Any], float] = {}
    for edge in found["edges"]:
        a, b = edge["source"], edge["target"]
        if a == b:
            continue
        if "dist" in edge:
            km = float(edge["dist"])
        elif (here := position[a]) is not None and (there := position[b]) is not None:
            km = great_circle_km(here, there)
        else:
            raise InputError(f"link {names[a]}-{names[b]} has neither a length nor positions", where=topology)
        pair = (a, b) if (b, a) not in shortest else (b, a)
        shortest[pair] = min(km, shortest.get(pair, float("inf")))
    links = tuple(Link(names[a], names[b], rtt_of_km(km, detour, hop_s)) for (a, b), km in shortest.items())
    return Network(nodes, links, topology)


def traffic_matrix(topology: str) -> dict[tuple[str, str], float] | None:
    """What each node sends to each other, in the unit of the source (SNDlib's demand values); None if it has none.

    SNDlib's units differ from network to network, so take them as proportions.

    Raises:
        UnknownNameError: there is no such topology.
    """
    found = _get(topology)
    demands = found["graph"].get("demands")
    if not demands:
        return None
    names = {str(i): name for i, name in _names(found["nodes"]).items()}
    return {
        (names[str(a)], names[str(b)]): float(value)
        for a, row in demands.items()
        for b, value in row.items()
        if str(a) != str(b)
    }


def _get(topology: str) -> dict[str, Any]:
    import topohub

    if topology not in topology_names():
        raise UnknownNameError("topology", topology, topology_names())
    # what topohub.get reads; read here because it leaves the file open, which warns
    text = (resources.files(topohub) / "data" / f"{topology}.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def _names(nodes: list[dict[str, Any]]) -> dict[Any, str]:
    """Id -> a name of its own."""
    names: dict[Any, str] = {}
    taken: set[str] = set()
    for node in nodes:
        name = str(node.get("name") or f"node-{node['id']}")
        if name in taken:
            name = f"{name}-{node['id']}"
        taken.add(name)
        names[node["id"]] = name
    return names


def _position(node: dict[str, Any]) -> tuple[float, float] | None:
    at = node.get("pos")
    return None if not at or None in at else (float(at[0]), float(at[1]))
