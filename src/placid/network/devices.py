"""Devices that hang below the nodes of a network: sensors, cameras, phones, each by a link of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from placid.errors import InputError, UnknownNameError
from placid.network.graph import Link, Network, Node

__all__ = ["Devices", "hang"]

#: how far from its node a device stands on the map, as a share of the map's longer side
_ASIDE = 0.03


@dataclass(frozen=True)
class Devices:
    """Devices of one kind. No public topology has any, so all of it is declared.

    Attributes:
        processor: their processor class.
        memory_bytes: memory budget of each, for models.
        rtt_s: round-trip time of the link of each.
        bandwidth_bytes_per_s: rate of that link, each way.
        energy_j_per_byte: energy to move a byte across it.
        rate_bytes_per_s: hard limit of what all its requests together move over it, each way.
        at: nodes or tiers below whose nodes they hang; none means every node that is no repository.
        each: how many below each of these nodes.
        together: one node stands for the `each` devices below a node. They can hold nothing then, and their links have no
            `rate`, so that all of them have the same ways to be answered at the same costs: the same network, exactly, with
            a node for a million microcontrollers.
    """

    processor: str
    memory_bytes: int
    rtt_s: float
    bandwidth_bytes_per_s: float = float("inf")
    energy_j_per_byte: float = 0.0
    rate_bytes_per_s: float = float("inf")
    at: tuple[str, ...] = ()
    each: int = 1
    together: bool = False

    @property
    def stands_for(self) -> int:
        """Devices that one of its nodes stands for."""
        return self.each if self.together else 1

    def __post_init__(self) -> None:
        if self.each < 1:
            raise InputError(f"'each' must be at least 1, got {self.each}")
        if self.together and (self.memory_bytes > 0 or self.rate_bytes_per_s < float("inf")):
            raise InputError(
                "devices that hold something, or whose links have a 'rate', cannot stand 'together' as one node: what one "
                "of them holds or sends is not the others'; write 'memory: 0 B' and no 'rate', or 'together: false'"
            )


def hang(network: Network, kinds: Mapping[str, Devices]) -> Network:
    """`network` with devices below its nodes: leaves, so that no path of others runs through them.

    Args:
        kinds: by name, which is their tier. A device is called after its kind and node, "camera-it1.it", and with several
            below one node it has a number too, "camera-it1.it-0".

    Raises:
        UnknownNameError: `at` names neither a node nor a tier of `network`.
        InputError: a kind is called like a tier of `network`, or hangs nowhere.

    Example:
        >>> from placid.network import Devices, hang, tiered
        >>> cameras = Devices("jetson-nano", 4 << 20, 0.004, 2.5e6, at=("base-station",), each=2)
        >>> network = hang(tiered(3), {"camera": cameras})
        >>> [n.name for n in network.nodes if n.tier == "camera"][:2]
        ['camera-bs-0-0', 'camera-bs-0-1']
    """
    nodes, links = list[Node](), list(network.links)
    below: dict[str, list[int]] = {}
    for kind, devices in kinds.items():
        if kind in network.tiers:
            raise InputError(f"'{kind}' is a tier of the network already; call these devices something else")
        hosts = _hosts(network, kind, devices.at)
        for host in hosts:
            count = devices.each // devices.stands_for
            for i in range(count):
                name = f"{kind}-{host.name}" + (f"-{i}" if count > 1 else "")
                below.setdefault(host.name, []).append(len(nodes))
                nodes.append(Node(name, kind, devices.memory_bytes, devices.processor))
                links.append(
                    Link(
                        name,
                        host.name,
                        devices.rtt_s,
                        devices.bandwidth_bytes_per_s,
                        devices.energy_j_per_byte,
                        devices.rate_bytes_per_s,
                    )
                )
    _place(network, nodes, below)
    # devices first: tiers are told in the order of nodes, from where requests enter to the repository
    return Network((*nodes, *network.nodes), tuple(links), network.name)


def _hosts(network: Network, kind: str, at: tuple[str, ...]) -> list[Node]:
    for name in at:
        if name not in network.index and name not in network.tiers:
            raise UnknownNameError("node or tier", name, [*network.index, *network.tiers], where=f"'{kind}'")
    hosts = [n for n in network.nodes if (n.name in at or n.tier in at if at else not n.repository)]
    if not hosts:
        raise InputError(
            f"the devices '{kind}' hang nowhere: every node is a repository; say where with 'at'"
        )
    return hosts


def _place(network: Network, nodes: list[Node], below: Mapping[str, list[int]]) -> None:
    """Put devices on the map, in a half circle below their node."""
    placed = [n.position for n in network.nodes if n.position is not None]
    if not placed:
        return
    sides = [max(c) - min(c) for c in zip(*placed, strict=True)]
    radius = _ASIDE * (max(sides) or 1.0)
    for host, found in below.items():
        centre = network.node(host).position
        if centre is None:
            continue
        for place, index in enumerate(found):
            angle = -math.pi * (place + 0.5) / len(found)
            here = (centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle))
            old = nodes[index]
            nodes[index] = Node(old.name, old.tier, old.memory_bytes, old.processor, position=here)
