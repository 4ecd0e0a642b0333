"""What a node holds of what may be placed: within its budget to the byte, loaded before it is used, dropped after."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter

from placid.errors import InfeasiblePlacementError, PlacidError, UnknownNameError
from placid.runtime.node.networks import Networks
from placid.runtime.node.pace import Copy
from placid.runtime.node.tally import Tally
from placid.runtime.spec import NodeSpec

__all__ = ["Held"]


class Held:
    """The items in place at one node.

    Args:
        servers: how many requests a copy works on at a time.
    """

    def __init__(self, spec: NodeSpec, networks: Networks, tally: Tally, servers: int) -> None:
        self._spec = spec
        self._networks = networks
        self._tally = tally
        self._servers = servers
        self._changing = asyncio.Lock()
        self.budget_bytes = spec.memory_bytes
        self.shared = None if spec.processors is None else Copy(spec.processors)
        self.lacks: tuple[str, ...] = ()
        self.copies: dict[str, Copy] = {}
        self.bytes: dict[str, int] = {}

    @property
    def used_bytes(self) -> int:
        """Of the budget."""
        return sum(self.bytes.values())

    async def change(self, items: Mapping[str, int], keep: Callable[[], frozenset[str]]) -> None:
        """Hold `items` (item -> bytes) and nothing else. What goes is gone before what comes is loaded, so that the budget
        holds at every moment; whoever sends requests here is told to use only what stays while that goes on. What cannot be
        loaded, for want of memory or of its file, is in `lacks`; the rest is in place.

        Args:
            keep: files of what has a fixed place here.

        Raises:
            InfeasiblePlacementError: they are more than the budget; then nothing changes.
            UnknownNameError: an item cannot be placed here.
        """
        for item in items:
            if item not in self._spec.models:
                raise UnknownNameError("item", item, self._spec.models, where=f"node '{self._spec.name}'")
        over = sum(items.values()) - self.budget_bytes
        if over > 0:
            raise InfeasiblePlacementError(
                f"node '{self._spec.name}' cannot hold {len(items)} items: its budget of {self.budget_bytes} bytes "
                f"would be exceeded by {over} bytes"
            )
        async with self._changing:
            for item in [i for i in self.copies if i not in items]:
                del self.copies[item], self.bytes[item]
            due = self._files(items)
            self._networks.drop(self._networks.loaded - due - keep())
            come = [item for item in items if item not in self.copies]
            begun = perf_counter()
            try:
                failed = await asyncio.to_thread(self._load, come) if come else []
            except (RuntimeError, MemoryError) as error:  # there is not even memory for a thread
                print(f"nothing can be loaded: {error}", file=sys.stderr, flush=True)
                failed = come
            self.lacks = tuple(failed)
            come = [item for item in come if item not in failed]
            for item in come:
                self.copies[item] = self.shared or Copy(self._servers)
                self.bytes[item] = items[item]
            self._tally.loads += len(come)
            self._tally.bytes_loaded += sum(items[i] for i in come)
            self._tally.took_s += perf_counter() - begun

    def _load(self, items: Sequence[str]) -> list[str]:
        """Sessions for `items`; those that there can be none for come back."""
        failed = []
        for item in items:
            try:
                self._networks.load(sorted(self._files({item: 0}) - self._networks.loaded))
            except (PlacidError, MemoryError, RuntimeError) as error:
                # the runtime says by many errors that it could not get memory
                print(f"'{item}' cannot be loaded: {error}", file=sys.stderr, flush=True)
                failed.append(item)
        return failed

    def _files(self, items: Mapping[str, int]) -> frozenset[str]:
        models = self._spec.models
        return frozenset(f for item in items for f in self._networks.files(*models[item]))
