"""Nodes, links and the network they form. Knows nothing of models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from placid.errors import InputError
from placid.network.attributes import flag, number, point, unlimited, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    import networkx as nx

__all__ = ["Link", "Network", "Node"]

_INFINITY = float("inf")


@dataclass(frozen=True)
class Node:
    """A computer in the network.

    Attributes:
        name: unique in its network.
        tier: its place in the hierarchy, e.g. ``"edge"``; tiers are only labels.
        memory_bytes: the budget for models; a repository's is not used.
        processor: the processor class that profiles refer to, e.g. ``"rtx2070"``.
        repository: true if it holds every model and can always serve (a cloud).
        position: (longitude, latitude) in degrees or any plane coordinates, for the map; None if unknown.
        up: false while it has failed; it then holds nothing, answers nothing and forwards nothing.
        processors: how many processors of its class all its copies share: a hard limit. Infinity: every copy has one to
            itself.
    """

    name: str
    tier: str = "node"
    memory_bytes: int = 0
    processor: str = "cpu"
    repository: bool = False
    position: tuple[float, float] | None = None
    up: bool = True
    processors: float = float("inf")


@dataclass(frozen=True)
class Link:
    """Joins two nodes, both ways.

    Attributes:
        rtt_s: round-trip time.
        bandwidth_bytes_per_s: rate each way; infinity if not given.
        energy_j_per_byte: energy to move one byte across.
        rate_bytes_per_s: what all requests together may move, each way: a hard limit; infinity if there is none. The
            bandwidth says how long a byte takes, the rate how many pass.
    """

    a: str
    b: str
    rtt_s: float
    bandwidth_bytes_per_s: float = float("inf")
    energy_j_per_byte: float = 0.0
    rate_bytes_per_s: float = float("inf")


@dataclass(frozen=True)
class Network:
    """Nodes and links, checked when made.

    Raises:
        InputError: a name occurs twice, a link joins unknown nodes or a node to itself, a number is negative or not finite
            (only a link's bandwidth and rate and a node's processors may be infinite).
    """

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    name: str = "network"

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for node in self.nodes:
            if node.name in seen:
                raise InputError(f"node '{node.name}' occurs twice", where=self.name)
            if node.memory_bytes < 0:
                raise InputError(f"node '{node.name}' has a negative memory budget", where=self.name)
            if not node.processors > 0:
                raise InputError(
                    f"node '{node.name}' needs more than 0 processors, got {node.processors:g}: leave them out for no "
                    "limit, or give a node that only forwards no memory",
                    where=self.name,
                )
            seen.add(node.name)
        joined: set[frozenset[str]] = set()
        for link in self.links:
            for end in (link.a, link.b):
                if end not in seen:
                    raise InputError(
                        f"link {link.a}-{link.b} joins the unknown node '{end}'", where=self.name
                    )
            if link.a == link.b:
                raise InputError(f"link {link.a}-{link.b} joins a node to itself", where=self.name)
            if frozenset((link.a, link.b)) in joined:
                raise InputError(f"link {link.a}-{link.b} occurs twice", where=self.name)
            joined.add(frozenset((link.a, link.b)))
            if (
                not 0 <= link.rtt_s < _INFINITY
                or not link.bandwidth_bytes_per_s > 0
                or not 0 <= link.energy_j_per_byte < _INFINITY
            ):
                raise InputError(
                    f"link {link.a}-{link.b} needs rtt >= 0, bandwidth > 0, energy >= 0, rtt and energy finite",
                    where=self.name,
                )
            if not link.rate_bytes_per_s > 0:
                raise InputError(
                    f"link {link.a}-{link.b} needs a rate above 0, got {link.rate_bytes_per_s:g}: nothing could pass, so "
                    "take the link out of the network (in mid-run: cut it), or leave its rate out for no limit",
                    where=self.name,
                )

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Node name -> position in `nodes`."""
        return {node.name: i for i, node in enumerate(self.nodes)}

    @cached_property
    def tiers(self) -> tuple[str, ...]:
        """The tier labels in the order in which they first occur."""
        return tuple(dict.fromkeys(node.tier for node in self.nodes))

    def node(self, name: str) -> Node:
        """The node called `name`. Raises KeyError if there is none."""
        return self.nodes[self.index[name]]

    def with_node(self, node: Node) -> Network:
        """This network with the node of the same name replaced by `node`."""
        return replace(self, nodes=tuple(node if n.name == node.name else n for n in self.nodes))

    def to_networkx(self) -> nx.Graph[str]:
        """An undirected networkx graph whose node and edge attributes are the fields of `Node` and `Link`."""
        # most runs need no networkx, and it takes longer to load than all the rest
        import networkx as nx

        graph: nx.Graph[str] = nx.Graph(name=self.name)
        for n in self.nodes:
            graph.add_node(
                n.name,
                tier=n.tier,
                memory_bytes=n.memory_bytes,
                processor=n.processor,
                repository=n.repository,
                position=n.position,
                up=n.up,
                processors=n.processors,
            )
        for e in self.links:
            graph.add_edge(
                e.a,
                e.b,
                rtt_s=e.rtt_s,
                bandwidth_bytes_per_s=e.bandwidth_bytes_per_s,
                energy_j_per_byte=e.energy_j_per_byte,
                rate_bytes_per_s=e.rate_bytes_per_s,
            )
        return graph

    @classmethod
    def from_networkx(cls, graph: nx.Graph[Any], name: str | None = None) -> Network:
        """A network from a networkx graph with the attributes that `to_networkx` writes; only `rtt_s` is required.

        The links come in the order in which networkx tells them. For graphs with other attributes see
        `placid.network.files`.

        Raises:
            InputError: an edge has no `rtt_s`, an attribute is no number, or the graph is directed or a multigraph.
        """
        if graph.is_directed() or graph.is_multigraph():
            raise InputError("a network is made from an undirected networkx.Graph without parallel edges")
        nodes = []
        for n, d in graph.nodes(data=True):
            here = f"node '{n}', attribute"
            at = d.get("position")
            nodes.append(
                Node(
                    name=str(n),
                    tier=str(d.get("tier", "node")),
                    memory_bytes=whole(d.get("memory_bytes", 0), f"{here} 'memory_bytes'"),
                    processor=str(d.get("processor", "cpu")),
                    repository=flag(d.get("repository", False), f"{here} 'repository'"),
                    position=None if at is None else point(at, f"{here} 'position'"),
                    up=flag(d.get("up", True), f"{here} 'up'"),
                    processors=unlimited(d.get("processors", _INFINITY), f"{here} 'processors'"),
                )
            )
        links = []
        for a, b, d in graph.edges(data=True):
            here = f"edge {a}-{b}, attribute"
            if "rtt_s" not in d:
                raise InputError(f"edge {a}-{b} has no 'rtt_s' attribute (seconds, round trip)")
            links.append(
                Link(
                    str(a),
                    str(b),
                    number(d["rtt_s"], f"{here} 'rtt_s'", least=0),
                    unlimited(d.get("bandwidth_bytes_per_s", _INFINITY), f"{here} 'bandwidth_bytes_per_s'"),
                    number(d.get("energy_j_per_byte", 0.0), f"{here} 'energy_j_per_byte'", least=0),
                    unlimited(d.get("rate_bytes_per_s", _INFINITY), f"{here} 'rate_bytes_per_s'"),
                )
            )
        return cls(tuple(nodes), tuple(links), name or str(graph.graph.get("name") or "network"))
