"""What an engine is: it starts nodes wherever they run, and says when one ends."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from placid.runtime.spec import Address, NodeSpec

__all__ = ["Ended", "Engine", "Running"]


@dataclass(frozen=True)
class Running:
    """A node that has started.

    Attributes:
        clients: where its clients ask.
        peers: where nodes below it and the controller ask, with the token.
        pid: of its process; 0 if it is not on this machine.
        grpc: where it speaks gRPC to its clients; None if it does not.
        links: neighbour -> the address where it reaches this node over their link, if the kernel imposes its rate.
    """

    name: str
    clients: Address
    peers: Address
    pid: int = 0
    grpc: Address | None = None
    links: Mapping[str, str] = field(default_factory=dict)

    def peers_from(self, neighbour: str) -> Address:
        """Where `neighbour` asks, over their link."""
        return Address(self.links.get(neighbour, self.peers.host), self.peers.port)

    @classmethod
    def told(cls, what: Mapping[str, Any]) -> Running:
        """From what a node says when it listens (`placid.runtime.node.process.serve_node`)."""
        name, host, grpc = what["name"], what["host"], what["grpc"]
        return cls(
            name,
            Address(host, what["port"]),
            Address(host, what["peers"]),
            what["pid"],
            None if grpc is None else Address(host, grpc),
        )


@dataclass(frozen=True)
class Ended:
    """A node's process that is no more."""

    name: str
    code: int


class Engine(ABC):
    """Starts nodes. `ended` gets every node that ended unasked."""

    #: whether nodes may have run before, and hold something
    attaches: ClassVar[bool] = False

    def __init__(self) -> None:
        self.ended: asyncio.Queue[Ended] = asyncio.Queue()

    @abstractmethod
    async def start(self, specs: Sequence[NodeSpec]) -> Mapping[str, Running]:
        """Start nodes, by name; return when all of them listen.

        Raises:
            RunError: one did not start; what it said is in the message.
        """

    @abstractmethod
    async def close(self) -> None:
        """End all nodes; return when none is left."""
