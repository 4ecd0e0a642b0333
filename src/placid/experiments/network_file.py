"""The network of a run as ``network.json`` holds it: what maps are drawn from."""

from __future__ import annotations

from typing import Any

from placid.network.graph import Network

__all__ = ["network_as_json"]


def network_as_json(network: Network) -> dict[str, Any]:
    """Names, nodes and links."""
    return {
        "name": network.name,
        "nodes": [
            {
                "name": n.name,
                "tier": n.tier,
                "memory_bytes": n.memory_bytes,
                "processor": n.processor,
                "repository": n.repository,
                "position": None if n.position is None else list(n.position),
            }
            for n in network.nodes
        ],
        "links": [{"a": e.a, "b": e.b, "rtt_s": e.rtt_s} for e in network.links],
    }
