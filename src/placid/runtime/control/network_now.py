"""The problem while nodes come and go and links change: compiled once for each set of nodes that are down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from placid.network.graph import Network
from placid.network.routing import Routes, route
from placid.problem.arrays import Problem

__all__ = ["NetworkNow"]


class NetworkNow:
    """The network as it is, and its problem.

    Args:
        compiled: from a network to its problem; items and types have the same order for all.
    """

    def __init__(self, network: Network, compiled: Callable[[Network], Problem]) -> None:
        self._whole = network
        self._compiled = compiled
        self._known: dict[frozenset[str], tuple[Network, Problem, Routes]] = {}
        self.down: frozenset[str] = frozenset()
        self.changes = 0

    @property
    def network(self) -> Network:
        """With the nodes that are down marked as such."""
        return self._now()[0]

    @property
    def problem(self) -> Problem:
        """Of `network`."""
        return self._now()[1]

    @property
    def routes(self) -> Routes:
        """Where each node forwards."""
        return self._now()[2]

    @property
    def whole(self) -> Network:
        """As it would be if no node's process had ended."""
        return self._whole

    @property
    def key(self) -> tuple[int, frozenset[str]]:
        """Of what follows from the network as it is now."""
        return self.changes, self.down

    def becomes(self, network: Network) -> None:
        """From now on the network is this one, less what is down."""
        self._whole = network
        self._known.clear()
        self.changes += 1

    def fails(self, node: str) -> None:
        """From now on `node` is down."""
        self.down |= {node}

    def is_back(self, node: str) -> None:
        """From now on `node` is up again."""
        self.down -= {node}

    def _now(self) -> tuple[Network, Problem, Routes]:
        if self.down not in self._known:
            network = self._whole
            for name in sorted(self.down):
                network = network.with_node(replace(network.node(name), up=False))
            self._known[self.down] = network, self._compiled(network), route(network)
        return self._known[self.down]
