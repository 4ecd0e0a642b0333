"""What is to be raised for a network: names, addresses and rates, all decided before anything is done."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from math import isfinite
from pathlib import Path

from placid.errors import InputError
from placid.network.graph import Network

__all__ = ["End", "KernelLink", "Place", "Plan", "Run", "plan_links"]

#: ports of a bridge in Linux
_MOST_NODES = 1023


@dataclass(frozen=True)
class Run:
    """Whose the namespaces are: a process, told from a later one with the same number by when it started.

    Attributes:
        began: of the process, in the kernel's ticks since the machine started.
        token: of this run in the process; devices, whose names may have 15 letters, carry it alone.
    """

    pid: int
    began: int
    token: str

    @classmethod
    def mine(cls) -> Run:
        """A new one of this process."""
        return cls(os.getpid(), _began(os.getpid()), secrets.token_hex(3))

    @classmethod
    def of(cls, name: str) -> Run | None:
        """Whose the namespace or mark `name` is; None if it is no run's."""
        match name.split("-"):
            case ["placid", pid, began, token, *rest] if pid.isdigit() and began.isdigit() and len(rest) < 2:
                return cls(int(pid), int(began), token)
        return None

    @property
    def mark(self) -> str:
        """What namespaces' names begin with, and what devices in the root namespace carry as their alias."""
        return f"placid-{self.pid}-{self.began}-{self.token}"

    def lives(self) -> bool:
        """Whether its process is still there."""
        return _began(self.pid) == self.began


@dataclass(frozen=True)
class Place:
    """Where a node's process runs.

    Attributes:
        host: its address on the management bridge.
        outer: the device in the root namespace that leads to it.
    """

    namespace: str
    host: IPv4Address
    outer: str


@dataclass(frozen=True)
class End:
    """One end of a link: a device of a node's namespace.

    Attributes:
        mac: fixed, so that no packets are spent on finding it.
    """

    node: str
    namespace: str
    device: str
    host: IPv4Address

    @property
    def mac(self) -> str:
        return "02:00:" + ":".join(f"{byte:02x}" for byte in self.host.packed)


@dataclass(frozen=True)
class KernelLink:
    """A link of the network.

    Attributes:
        rate_bytes_per_s: each way; None for no limit.
    """

    a: End
    b: End
    rate_bytes_per_s: float | None


@dataclass(frozen=True)
class Plan:
    """All that is raised for a network.

    Attributes:
        management: the addresses of the bridge, `gateway` its own.
        places: by node.
    """

    run: Run
    bridge: str
    management: IPv4Network
    gateway: IPv4Address
    places: Mapping[str, Place]
    links: tuple[KernelLink, ...]

    def reached(self, node: str) -> dict[str, str]:
        """Neighbour of `node` -> the address where it reaches `node` on their link."""
        found = {}
        for link in self.links:
            for here, there in ((link.a, link.b), (link.b, link.a)):
                if here.node == node:
                    found[there.node] = str(here.host)
        return found


def plan_links(network: Network, run: Run, block: IPv4Network) -> Plan:
    """For `network`, in the addresses of `block`: the lower half for the bridge, the upper half for the links.

    Raises:
        InputError: it has more nodes or links than there are ports or addresses.
    """
    management, between = block.subnets(prefixlen_diff=1)
    most_links = between.num_addresses // 2
    most_nodes = min(_MOST_NODES, management.num_addresses - 3)
    if len(network.nodes) > most_nodes or len(network.links) > most_links:
        raise InputError(
            f"links in namespaces are for {most_nodes:,} nodes and {most_links:,} links at most, and "
            f"'{network.name}' has {len(network.nodes):,} and {len(network.links):,}. '--links process' has no such limit"
        )
    places = {
        node.name: Place(f"{run.mark}-{i}", management[i + 2], f"pl{run.token}{i:x}")
        for i, node in enumerate(network.nodes)
    }
    devices: dict[str, int] = {}

    def end(node: str, number: int) -> End:
        device = devices[node] = devices.get(node, -1) + 1
        return End(node, places[node].namespace, f"link{device}", between[number])

    links = tuple(
        KernelLink(
            end(link.a, 2 * i),
            end(link.b, 2 * i + 1),
            _rate(link.bandwidth_bytes_per_s, link.rate_bytes_per_s),
        )
        for i, link in enumerate(network.links)
    )
    return Plan(run, f"pl{run.token}br", management, management[1], places, links)


def _rate(*given: float) -> float | None:
    least = min(given)
    return least if isfinite(least) else None


def _began(pid: int) -> int:
    """When process `pid` started; -1 if there is none."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return -1
