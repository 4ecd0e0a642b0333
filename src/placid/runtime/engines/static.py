"""Nodes that others start: containers, machines, whatever keeps them running. They are found at given addresses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar

from placid.errors import InputError, RunError
from placid.runtime.certificates import Certificates
from placid.runtime.engines.base import Ended, Engine, Running
from placid.runtime.http.client import HttpClient
from placid.runtime.protocol.messages import ProtocolError
from placid.runtime.spec import Address, NodeSpec

__all__ = ["StaticNodes", "addresses_of"]

#: between two looks at a node, and how many in a row may fail before it is held to have ended
_EVERY_S, _PATIENCE = 1.0, 3


def addresses_of(file: Path) -> dict[str, Running]:
    """Where nodes listen, from a JSON file: name -> {host, port, peers, grpc (if it speaks gRPC)}.

    Raises:
        InputError: it cannot be read; says where.
    """
    try:
        told = json.loads(file.read_text())
        return {
            str(name): Running(
                str(name),
                Address(str(at["host"]), int(at["port"])),
                Address(str(at["host"]), int(at["peers"])),
                grpc=None if at.get("grpc") is None else Address(str(at["host"]), int(at["grpc"])),
            )
            for name, at in told.items()
        }
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(file)) from None
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"is no JSON of node -> host, port, peers: {error}", where=str(file)) from None
    except KeyError as error:
        raise InputError(f"a node lacks {error}: host, port and peers are due", where=str(file)) from None


class StaticNodes(Engine):
    """Waits for nodes to listen, and notices when one has ended or been started anew.

    Args:
        nodes: where each listens.
        wait_s: for a node to listen.
    """

    attaches: ClassVar[bool] = True

    def __init__(self, nodes: Mapping[str, Running], *, wait_s: float = 300.0) -> None:
        super().__init__()
        self._nodes, self._wait_s = dict(nodes), wait_s
        self._clients: dict[str, HttpClient] = {}
        self._born: dict[str, str] = {}
        self._watching: dict[str, asyncio.Task[None]] = {}

    async def start(self, specs: Sequence[NodeSpec]) -> Mapping[str, Running]:
        missing = [s.name for s in specs if s.name not in self._nodes]
        if missing:
            raise RunError(f"it is not said where these nodes listen: {', '.join(missing)}")
        await asyncio.gather(*(self._found(spec) for spec in specs))
        return {spec.name: self._nodes[spec.name] for spec in specs}

    async def close(self) -> None:
        """Watch no more; the nodes go on."""
        for task in self._watching.values():
            task.cancel()
        await asyncio.gather(*self._watching.values(), return_exceptions=True)
        await asyncio.gather(*(client.close() for client in self._clients.values()))

    async def _found(self, spec: NodeSpec) -> None:
        name, at = spec.name, self._nodes[spec.name].peers
        if name not in self._clients:
            tls = Certificates(Path(spec.tls)).asking if spec.tls else None
            self._clients[name] = HttpClient(
                at.host, at.port, token=spec.token or None, tls=tls, timeout_s=5.0
            )
        until = monotonic() + self._wait_s
        while True:
            try:
                self._born[name] = await self._birth(name)
                break
            except ProtocolError as error:
                if error.status == 401:
                    raise RunError(
                        f"node '{name}' at {at.host}:{at.port} does not know this secret"
                    ) from None
                if monotonic() > until:
                    raise RunError(
                        f"node '{name}' did not listen at {at.host}:{at.port} within {self._wait_s:g} s: {error}"
                    ) from None
            await asyncio.sleep(_EVERY_S / 4)
        self._watching[name] = asyncio.create_task(self._watch(name))

    async def _watch(self, name: str) -> None:
        failed = 0
        while True:
            await asyncio.sleep(_EVERY_S)
            try:
                born = await self._birth(name)
                failed = 0
            except ProtocolError:
                born, failed = self._born[name], failed + 1
            if born != self._born[name] or failed >= _PATIENCE:
                self.ended.put_nowait(Ended(name, -1))
                return

    async def _birth(self, name: str) -> str:
        """What tells this process of the node from the one before."""
        status, body = await self._clients[name].get("/placid/tally")
        if status != 200:
            raise ProtocolError(f"it answers with status {status}", status=status)
        told: dict[str, Any] = json.loads(body)
        if told["name"] != name:
            raise RunError(f"where '{name}' should listen is node '{told['name']}'")
        return str(told["born"])
