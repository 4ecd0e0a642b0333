"""The fixed loop-free paths that requests climb: from every node along least round-trip time to its nearest repository.

The paths form a forest: every node has one next hop. That is what lets nodes decide with one message up and one back.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from placid.network.graph import Network

__all__ = ["Routes", "route"]


@dataclass(frozen=True)
class Routes:
    """Where each node forwards what it does not answer.

    Attributes:
        next_hop: int32 [V]; index of the next node, -1 at repositories and at nodes cut off from every repository.
        link: int32 [V]; index of the link to the next hop, -1 where there is none.
        rtt_s: float64 [V]; round-trip time to the repository, infinity when cut off.
    """

    next_hop: np.ndarray
    link: np.ndarray
    rtt_s: np.ndarray

    def path(self, node: int) -> list[int]:
        """The nodes from `node` to its repository, both included; empty if it is cut off."""
        if not np.isfinite(self.rtt_s[node]):
            return []
        nodes = [node]
        while self.next_hop[nodes[-1]] >= 0:
            nodes.append(int(self.next_hop[nodes[-1]]))
        return nodes


def route(network: Network) -> Routes:
    """Routes of least round-trip time (ties: fewer hops, then lower node index), by Dijkstra from all repositories."""
    count = len(network.nodes)
    near: list[list[tuple[int, int, float]]] = [[] for _ in range(count)]
    for i, link in enumerate(network.links):
        a, b = network.index[link.a], network.index[link.b]
        near[a].append((b, i, link.rtt_s))
        near[b].append((a, i, link.rtt_s))
    next_hop = np.full(count, -1, np.int32)
    via = np.full(count, -1, np.int32)
    rtt_s = np.full(count, np.inf)
    settled = np.zeros(count, bool)
    heap: list[tuple[float, int, int, int, int]] = [
        (0.0, 0, v, -1, -1) for v, node in enumerate(network.nodes) if node.repository and node.up
    ]
    heapq.heapify(heap)
    while heap:
        distance, hops, v, towards, link_index = heapq.heappop(heap)
        if settled[v]:
            continue
        settled[v] = True
        rtt_s[v], next_hop[v], via[v] = distance, towards, link_index
        for u, i, rtt in near[v]:
            # a repository answers everything itself: no path runs through one
            if not settled[u] and network.nodes[u].up and not network.nodes[u].repository:
                heapq.heappush(heap, (distance + rtt, hops + 1, u, v, i))
    return Routes(next_hop, via, rtt_s)
