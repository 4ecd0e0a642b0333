"""What happens to a network in mid-run: nodes fail, recover, join; memory shrinks or grows; links are cut, restored, slower.

    timeline(network, [Fail(50, "core"), Recover(80, "core"), Memory(100, "edge", 2 << 30)])

gives the network of every stretch. Nodes keep their order in all of them, so that a policy's state outlives the change.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from placid.errors import InputError, UnknownNameError
from placid.network.graph import Link, Network, Node

__all__ = [
    "CHANGES",
    "Change",
    "Cut",
    "Fail",
    "Join",
    "Memory",
    "Recover",
    "Restore",
    "RoundTrip",
    "timeline",
]


@dataclass(frozen=True)
class Change(ABC):
    """Something that happens before the slot `slot` is played."""

    name: ClassVar[str]
    slot: int

    @abstractmethod
    def apply(self, now: Network, whole: Network) -> Network:
        """The network after the change. `whole` is the network of the scenario, with all its links."""

    def _node(self, network: Network, name: str) -> Node:
        if name not in network.index:
            raise UnknownNameError("node", name, network.index, where=self._where)
        return network.node(name)

    def _link(self, whole: Network, a: str, b: str) -> Link:
        for end in (a, b):
            self._node(whole, end)
        for link in whole.links:
            if {link.a, link.b} == {a, b}:
                return link
        beside = sorted({e.b if e.a == a else e.a for e in whole.links if a in (e.a, e.b)})
        raise InputError(
            f"there is no link {a}-{b}; '{a}' is linked to {', '.join(beside) or 'nobody'}", where=self._where
        )

    @property
    def _where(self) -> str:
        return f"change '{self.name}' at slot {self.slot}"


@dataclass(frozen=True)
class Fail(Change):
    """A node goes down: it holds nothing, answers nothing, forwards nothing."""

    name: ClassVar[str] = "fail"
    node: str

    def apply(self, now: Network, whole: Network) -> Network:
        node = self._node(now, self.node)
        if not node.up:
            raise InputError(f"'{self.node}' is down already", where=self._where)
        return now.with_node(replace(node, up=False))


@dataclass(frozen=True)
class Recover(Change):
    """A node that failed comes back, empty."""

    name: ClassVar[str] = "recover"
    node: str

    def apply(self, now: Network, whole: Network) -> Network:
        node = self._node(now, self.node)
        if node.up:
            raise InputError(
                f"'{self.node}' is up, so it cannot recover; did it fail at an earlier slot?",
                where=self._where,
            )
        return now.with_node(replace(node, up=True))


@dataclass(frozen=True)
class Join(Change):
    """A node is there from now on only; until then it is down."""

    name: ClassVar[str] = "join"
    node: str

    def apply(self, now: Network, whole: Network) -> Network:
        return now.with_node(replace(self._node(now, self.node), up=True))


@dataclass(frozen=True)
class Memory(Change):
    """A node's memory budget shrinks or grows to `memory_bytes`."""

    name: ClassVar[str] = "memory"
    node: str
    memory_bytes: int

    def apply(self, now: Network, whole: Network) -> Network:
        node = self._node(now, self.node)
        if self.memory_bytes < 0:
            raise InputError(
                f"a memory budget must not be negative, got {self.memory_bytes}", where=self._where
            )
        if node.repository:
            raise InputError(
                f"'{self.node}' is a repository: it holds everything and has no budget", where=self._where
            )
        return now.with_node(replace(node, memory_bytes=self.memory_bytes))


@dataclass(frozen=True)
class Cut(Change):
    """A link goes away; requests climb another way, if there is one."""

    name: ClassVar[str] = "cut"
    a: str
    b: str

    def apply(self, now: Network, whole: Network) -> Network:
        self._link(whole, self.a, self.b)
        left = tuple(e for e in now.links if {e.a, e.b} != {self.a, self.b})
        if len(left) == len(now.links):
            raise InputError(f"the link {self.a}-{self.b} is cut already", where=self._where)
        return replace(now, links=left)


@dataclass(frozen=True)
class Restore(Change):
    """A link that was cut is there again, as the scenario's network has it (with its first round-trip time)."""

    name: ClassVar[str] = "restore"
    a: str
    b: str

    def apply(self, now: Network, whole: Network) -> Network:
        link = self._link(whole, self.a, self.b)
        if any({e.a, e.b} == {self.a, self.b} for e in now.links):
            raise InputError(f"the link {self.a}-{self.b} is not cut", where=self._where)
        order = {frozenset((e.a, e.b)): i for i, e in enumerate(whole.links)}
        links = sorted((*now.links, link), key=lambda e: order[frozenset((e.a, e.b))])
        return replace(now, links=tuple(links))


@dataclass(frozen=True)
class RoundTrip(Change):
    """A link's round-trip time becomes `rtt_s`; routes follow."""

    name: ClassVar[str] = "round-trip"
    a: str
    b: str
    rtt_s: float

    def apply(self, now: Network, whole: Network) -> Network:
        self._link(whole, self.a, self.b)
        if not any({e.a, e.b} == {self.a, self.b} for e in now.links):
            raise InputError(f"the link {self.a}-{self.b} is cut", where=self._where)
        if not 0 <= self.rtt_s < float("inf"):
            raise InputError(
                f"a round-trip time must be a number of at least 0, got {self.rtt_s}", where=self._where
            )
        links = (replace(e, rtt_s=self.rtt_s) if {e.a, e.b} == {self.a, self.b} else e for e in now.links)
        return replace(now, links=tuple(links))


#: every change by the name that scenarios use
CHANGES: dict[str, type[Change]] = {
    change.name: change for change in (Fail, Recover, Join, Memory, Cut, Restore, RoundTrip)
}


def timeline(network: Network, changes: Sequence[Change]) -> list[tuple[int, Network]]:
    """(first slot, network from then on), in rising order, the first at slot 0.

    Changes of one slot happen in the order given. Nodes that join later are down from the start.

    Raises:
        UnknownNameError: a change names an unknown node.
        InputError: a change is impossible where it stands (recovering a node that is up or has not joined, cutting a cut
            link), or comes before slot 0.
    """
    for change in changes:
        if isinstance(change.slot, bool) or change.slot != int(change.slot) or change.slot < 0:
            raise InputError(
                f"slots are whole numbers and begin at 0, got {change.slot}", where=f"change '{change.name}'"
            )
    now = network
    joins: dict[str, int] = {}
    for change in changes:
        if isinstance(change, Join):
            node = change._node(now, change.node)
            if change.node in joins:
                raise InputError(f"'{change.node}' joins twice", where=change._where)
            joins[change.node] = change.slot
            now = now.with_node(replace(node, up=False))
    stretches = [(0, now)]
    for change in sorted(changes, key=lambda c: c.slot):
        if isinstance(change, Join):
            del joins[change.node]
        elif isinstance(change, Fail | Recover) and change.node in joins:
            raise InputError(f"'{change.node}' joins only at slot {joins[change.node]}", where=change._where)
        now = change.apply(now, network)
        if stretches[-1][0] == change.slot:
            stretches[-1] = (change.slot, now)
        else:
            stretches.append((change.slot, now))
    return stretches
