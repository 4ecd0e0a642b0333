"""Dress a bare topology for inference: a repository, tiers, memory, processors, link rates.

No public topology gives these. What is added here is declared by whoever adds it, and `declarations` says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from placid.errors import InputError, UnknownNameError
from placid.network.graph import Link, Network, Node
from placid.network.routing import route

__all__ = ["TIERINGS", "Cloud", "dress", "ingress_nodes"]

#: ways to assign tiers to the nodes of a topology that has none
TIERINGS = ("one", "hops", "degree")

#: what "hops" and "degree" call them
_LABELS = ("core", "metro", "edge")
_OVERRIDES = ("tier", "memory_bytes", "processor", "processors")


@dataclass(frozen=True)
class Cloud:
    """A repository outside the topology, joined to it at gateways.

    Attributes:
        rtt_s: round-trip time from a gateway to it.
        gateways: names of nodes; none means the node with the most links (ties: the first).
        processor: its processor class.
        bandwidth_bytes_per_s, energy_j_per_byte, rate_bytes_per_s: of the links to it.
        processors: how many processors it has.
    """

    rtt_s: float
    gateways: tuple[str, ...] = ()
    processor: str = "cpu"
    bandwidth_bytes_per_s: float = float("inf")
    energy_j_per_byte: float = 0.0
    name: str = "cloud"
    tier: str = "cloud"
    rate_bytes_per_s: float = float("inf")
    processors: float = float("inf")


def dress(
    network: Network,
    *,
    memory_bytes: int | Mapping[str, int],
    processor: str | Mapping[str, str] = "cpu",
    tiers: str | Mapping[str, str] = "one",
    cloud: Cloud | None = None,
    repositories: Sequence[str] = (),
    bandwidth_bytes_per_s: float | None = None,
    energy_j_per_byte: float | None = None,
    rate_bytes_per_s: float | Mapping[str, float] | None = None,
    processors: float | Mapping[str, float] | None = None,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
) -> Network:
    """`network` with what inference needs.

    Args:
        memory_bytes, processor: one for all nodes, or by tier.
        tiers: ``"one"``: keep the tiers that the nodes have; ``"hops"``: "core" up to one hop from a gateway or
            repository of the topology on the path of least round-trip time, "metro" two, "edge" beyond; ``"degree"``: "core"
            for five links and more, "metro" for three or four, "edge" below; or node name -> tier (nodes left out keep
            theirs).
        cloud: a repository to add.
        repositories: nodes of the topology that are repositories themselves.
        bandwidth_bytes_per_s, energy_j_per_byte: of every link of the topology; None keeps what it has.
        rate_bytes_per_s: hard limit of what all requests together move over a link, each way: one for every link of the
            topology, or by link, "a-b"; links left out, and None, keep what they have.
        processors: how many processors the copies at a node share: one number for all nodes, or by tier; tiers left out,
            and None, keep what they have.
        overrides: node name -> field ("tier", "memory_bytes", "processor", "processors") -> value, after all else.

    Raises:
        UnknownNameError: a node, link, tier or field is not known.
        InputError: there is no node or no repository, a tier has no memory or processor, or `processor` says something else
            of the cloud's tier than `cloud` does.
    """
    names = network.index
    if not names:
        raise InputError("there is no node to dress", where=network.name)
    for name in (*repositories, *(cloud.gateways if cloud else ()), *(overrides or {})):
        if name not in names:
            raise UnknownNameError("node", name, names)
    if cloud is not None and cloud.name in names:
        raise InputError(f"the topology has a node '{cloud.name}' already; give the cloud another name")
    if cloud is None and not repositories and not any(n.repository for n in network.nodes):
        raise InputError(
            "there is no repository: add a 'cloud', or name nodes of the topology as 'repositories'"
        )
    gateways = cloud.gateways or (_best_connected(network),) if cloud else ()
    nodes = [replace(n, repository=n.repository or n.name in repositories) for n in network.nodes]
    tier_of = _tiers(replace(network, nodes=tuple(nodes)), tiers, gateways)
    dressed = []
    for node in nodes:
        changed: dict[str, Any] = {"tier": tier_of[node.name]}
        own = dict((overrides or {}).get(node.name, {}))
        for field in own:
            if field not in _OVERRIDES:
                raise UnknownNameError("field of a node", field, _OVERRIDES, where=f"node '{node.name}'")
        changed |= {"tier": own.pop("tier")} if "tier" in own else {}
        if "memory_bytes" not in own:
            own["memory_bytes"] = 0 if node.repository else _by_tier(memory_bytes, changed["tier"], "memory")
        if "processor" not in own:
            own["processor"] = _by_tier(processor, changed["tier"], "processor")
        if "processors" not in own and processors is not None:
            by_tier = processors if isinstance(processors, Mapping) else {changed["tier"]: processors}
            own["processors"] = by_tier.get(changed["tier"], node.processors)
        dressed.append(replace(node, **changed, **own))
    rate_of = _rates(network, rate_bytes_per_s)
    links = [
        replace(
            e,
            bandwidth_bytes_per_s=e.bandwidth_bytes_per_s
            if bandwidth_bytes_per_s is None
            else bandwidth_bytes_per_s,
            energy_j_per_byte=e.energy_j_per_byte if energy_j_per_byte is None else energy_j_per_byte,
            rate_bytes_per_s=rate_of.get(e, e.rate_bytes_per_s),
        )
        for e in network.links
    ]
    known = {n.tier for n in dressed} | set(_LABELS if tiers in ("hops", "degree") else ())
    for given, what in ((memory_bytes, "memory"), (processor, "processor"), (processors, "processors")):
        if isinstance(given, Mapping):
            for tier in given:
                if tier not in known and not (cloud and tier == cloud.tier):
                    raise UnknownNameError("tier", tier, known, where=what)
    if cloud is not None and isinstance(processor, Mapping):
        said = processor.get(cloud.tier, cloud.processor)
        if cloud.tier not in known and said != cloud.processor:
            raise InputError(
                f"the tier '{cloud.tier}' is that of the added repository; write its processor '{said}' in 'cloud'"
            )
    if cloud is not None:
        here = _beside(network, gateways)
        dressed.append(
            Node(cloud.name, cloud.tier, 0, cloud.processor, True, here, processors=cloud.processors)
        )
        links += [
            Link(
                g,
                cloud.name,
                cloud.rtt_s,
                cloud.bandwidth_bytes_per_s,
                cloud.energy_j_per_byte,
                cloud.rate_bytes_per_s,
            )
            for g in gateways
        ]
    return Network(tuple(dressed), tuple(links), network.name)


def ingress_nodes(network: Network, tiers: Sequence[str] = ()) -> tuple[str, ...]:
    """Where requests enter: the nodes that are no repository, of the given tiers if any are given.

    Raises:
        UnknownNameError: the network has no such tier.
        InputError: all these nodes are repositories.

    Example:
        >>> from placid.network import tiered
        >>> len(ingress_nodes(tiered(), ["base-station"]))
        24
    """
    for tier in tiers:
        if tier not in network.tiers:
            raise UnknownNameError("tier", tier, network.tiers)
    found = tuple(n.name for n in network.nodes if not n.repository and (not tiers or n.tier in tiers))
    if not found:
        raise InputError("no request can enter: every node is a repository", where=network.name)
    return found


def _rates(network: Network, given: float | Mapping[str, float] | None) -> dict[Link, float]:
    """The hard rates that are `given`, by link."""
    if not isinstance(given, Mapping):
        return {} if given is None else dict.fromkeys(network.links, given)
    known = {f"{a}-{b}": e for e in network.links for a, b in ((e.a, e.b), (e.b, e.a))}
    for name in given:
        if name not in known:
            raise UnknownNameError("link", name, known, where="rate")
    return {known[name]: rate for name, rate in given.items()}


def _best_connected(network: Network) -> str:
    degree = _degree(network)
    return max(network.nodes, key=lambda n: degree[n.name]).name


def _degree(network: Network) -> dict[str, int]:
    degree = dict.fromkeys(network.index, 0)
    for link in network.links:
        degree[link.a] += 1
        degree[link.b] += 1
    return degree


def _tiers(network: Network, tiers: str | Mapping[str, str], gateways: Sequence[str]) -> dict[str, str]:
    kept = {n.name: n.tier for n in network.nodes}
    if isinstance(tiers, Mapping):
        for name in tiers:
            if name not in kept:
                raise UnknownNameError("node", name, kept, where="tiers")
        return kept | dict(tiers)
    if tiers == "one":
        return kept
    if tiers == "degree":
        return {v: "core" if d >= 5 else "metro" if d >= 3 else "edge" for v, d in _degree(network).items()}
    if tiers == "hops":
        roots = {*gateways, *(n.name for n in network.nodes if n.repository)}
        seen = replace(network, nodes=tuple(replace(n, repository=n.name in roots) for n in network.nodes))
        routes = route(seen)
        hops = [len(routes.path(v)) - 1 for v in range(len(seen.nodes))]
        return {
            n.name: "core" if 0 <= h <= 1 else "metro" if h == 2 else "edge"
            for n, h in zip(network.nodes, hops, strict=True)
        }
    raise UnknownNameError("way to assign tiers", tiers, TIERINGS)


def _by_tier(given: Any, tier: str, what: str) -> Any:
    if not isinstance(given, Mapping):
        return given
    if tier not in given:
        raise InputError(f"the tier '{tier}' has no {what}; give one for each of the tiers in use")
    return given[tier]


def _beside(network: Network, gateways: Sequence[str]) -> tuple[float, float] | None:
    """A place on the map for a cloud: outside the topology, nearest to its gateways."""
    placed = [n.position for n in network.nodes if n.position is not None]
    doors = [p for g in gateways if (p := network.node(g).position) is not None]
    if not placed or not doors:
        return None
    top, bottom = max(y for _, y in placed), min(y for _, y in placed)
    return sum(x for x, _ in doors) / len(doors), top + 0.15 * max(top - bottom, 1.0)
