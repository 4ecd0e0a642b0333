"""Nodes of this machine, each in a network namespace of its own, with links whose rates the kernel imposes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from placid.network.graph import Network
from placid.runtime.engines.base import Running
from placid.runtime.engines.local import LocalEngine
from placid.runtime.namespaces.commands import check_permitted
from placid.runtime.namespaces.plan import Plan
from placid.runtime.namespaces.raised import raise_links, remove
from placid.runtime.spec import NodeSpec

__all__ = ["NamespaceEngine"]


class NamespaceEngine(LocalEngine):
    """The local engine, with the links of `network` raised before the first node starts and gone after the last.

    A node that is started again comes back in its namespace: its links are as they were.

    Args:
        logs: folder for what nodes have to say, a file each.

    Raises:
        InputError: this machine does not let us; the message says what is missing.
    """

    def __init__(self, logs: Path, network: Network) -> None:
        super().__init__(logs)
        check_permitted()
        self._network = network
        self._plan: Plan | None = None

    async def start(self, specs: Sequence[NodeSpec]) -> Mapping[str, Running]:
        if self._plan is None:
            # it takes a second and is not to be interrupted half-way, so not in a thread
            self._plan = raise_links(self._network)
        plan = self._plan
        placed = [
            replace(spec, namespace=plan.places[spec.name].namespace, host=str(plan.places[spec.name].host))
            for spec in specs
        ]
        found = await super().start(placed)
        return {name: replace(running, links=plan.reached(name)) for name, running in found.items()}

    async def close(self) -> None:
        try:
            await super().close()
        finally:
            if self._plan is not None:
                remove(self._plan.run)
                self._plan = None
