"""Nodes, links, the paths that requests climb; real topologies by name, files, the tiered ISP, changes in mid-run.

Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Callable

from placid.network.changes import (
    CHANGES,
    Change,
    Cut,
    Fail,
    Join,
    Memory,
    Recover,
    Restore,
    RoundTrip,
    timeline,
)
from placid.network.declared import declarations
from placid.network.devices import Devices, hang
from placid.network.dress import TIERINGS, Cloud, dress, ingress_nodes
from placid.network.files import read_graph, write_graph
from placid.network.graph import Link, Network, Node
from placid.network.hub import declared_lengths, load_topology, topology_names, traffic_matrix
from placid.network.lengths import great_circle_km, rtt_of_km
from placid.network.routing import Routes, route
from placid.network.tiered import TIERS, tiered
from placid.network.told import changes_told

__all__ = [
    "CHANGES",
    "NETWORKS",
    "TIERINGS",
    "TIERS",
    "Change",
    "Cloud",
    "Cut",
    "Devices",
    "Fail",
    "Join",
    "Link",
    "Memory",
    "Network",
    "Node",
    "Recover",
    "Restore",
    "RoundTrip",
    "Routes",
    "changes_told",
    "declarations",
    "declared_lengths",
    "dress",
    "great_circle_km",
    "hang",
    "ingress_nodes",
    "load_topology",
    "read_graph",
    "route",
    "rtt_of_km",
    "tiered",
    "timeline",
    "topology_names",
    "traffic_matrix",
    "write_graph",
]

#: where a network can come from, by the name that scenarios use
NETWORKS: dict[str, Callable[..., Network]] = {
    "topology": load_topology,
    "file": read_graph,
    "tiered": tiered,
}
