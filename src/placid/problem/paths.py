"""The path that requests climb from one node, and what it takes to get along it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from placid.network.graph import Network
    from placid.network.routing import Routes

__all__ = ["PathCosts", "path_costs"]


@dataclass(frozen=True)
class PathCosts:
    """A path of n nodes from where requests enter to the repository, and what it takes to get to each of them, [n].

    Attributes:
        nodes: int64; `processor` the class of each, by number.
        rtt_s: there and back, without a byte.
        s_per_byte, j_per_byte, hops: of a byte carried there.
    """

    nodes: np.ndarray
    processor: np.ndarray
    rtt_s: np.ndarray
    s_per_byte: np.ndarray
    j_per_byte: np.ndarray
    hops: np.ndarray

    def __len__(self) -> int:
        return len(self.nodes)

    def ways(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Component of the cost vector, its fixed cost of reaching each node, its cost of a byte carried there."""
        none = np.zeros(len(self.nodes))
        yield 0, self.rtt_s, self.s_per_byte
        yield 2, none, self.j_per_byte
        yield 3, none, self.hops


def path_costs(network: Network, routes: Routes, node_processor: np.ndarray, v: int) -> PathCosts:
    """The path from node v; of no nodes if no repository can be reached.

    Args:
        node_processor: int [V]; the class of every node, by number.
    """
    nodes = np.array(routes.path(v), np.int64)
    links = [network.links[routes.link[u]] for u in nodes[:-1]]

    def summed(costs: list[float]) -> np.ndarray:
        return np.concatenate(([0.0], np.cumsum(costs)))

    return PathCosts(
        nodes,
        node_processor[nodes],
        summed([e.rtt_s for e in links]),
        summed([1 / e.bandwidth_bytes_per_s for e in links]),
        summed([e.energy_j_per_byte for e in links]),
        np.arange(len(nodes), dtype=np.float64),
    )
