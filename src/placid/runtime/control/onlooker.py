"""A controller that does not decide: nodes run the policy by themselves, it starts them, connects them and looks on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from time import time
from typing import Any

import numpy as np

from placid.problem.serving import serve
from placid.runtime.control.controller import Controller, Slot
from placid.runtime.control.views import views_of
from placid.runtime.spec import Orders

__all__ = ["Onlooker"]

#: from when all nodes are connected to when the first slot begins
_HEAD_START_S = 0.3
#: of a slot, after which all nodes have what they hold in it in place
_SETTLED = 0.6


class Onlooker(Controller):
    """For nodes with an agent (`placid.runtime.node.agent`). What is in place is what nodes say they hold.

    It tells nodes who is above and below them, when slots begin, and what each can know of itself; when a node ends it tells
    those left how things are now. What came and what is held it learns after the fact, for the records.
    """

    _begins_s = 0.0
    _first_slot = 0

    async def play(self, in_force: Callable[[np.ndarray], None] = lambda _: None) -> Slot:
        """One slot, as nodes live through it; see `Controller.play`. `in_force` is called when all of them have settled."""
        live, slot = self._live, self.slot
        await self._changes()
        begins_s = self._begins_s + (slot - self._first_slot) * live.slot_s
        await asyncio.sleep(max(0.0, begins_s + _SETTLED * live.slot_s - time()))
        told = await self._asked([n for n in self.running if n not in self._now.down])
        before, loaded_before, took_before = self.placed, self._sum("bytes_loaded"), self._sum("took_s")
        self._tallies.update({n: t for n, t in told.items() if not isinstance(t, BaseException)})
        self.placed = self._held()
        in_force(self.placed)
        self._failed = set(self._now.down)
        await asyncio.sleep(max(0.0, begins_s + live.slot_s - time()))
        problem, placed = self._now.problem, self.placed
        demand, refused = await self._collect()
        outcome = serve(problem, placed, demand)
        self.demand, self.slot = demand, slot + 1
        if self._kept is not None:
            self._kept.save(self.slot, self._state, demand, self._prices)
        changed = bool((before != placed).any())
        return Slot(
            slot,
            demand,
            placed,
            outcome.gain,
            max(0, int(self._sum("bytes_loaded") - loaded_before)),
            max(0.0, self._sum("took_s") - took_before) if changed else 0.0,
            0.0,
            tuple(sorted(self._failed)),
            refused,
            dict(self._tallies),
        )

    async def _tell_all(self) -> None:
        """To every node that is up where it forwards, what it can know of itself, and its way to the repository."""
        if not self._begins_s:
            self._begins_s, self._first_slot = time() + _HEAD_START_S, self.slot
        problem = self._now.problem
        views = views_of(problem, self._begins_s, self._first_slot)
        alone = self._ways_now().alone()
        orders: dict[str, Orders] = {}
        for name in self.running:
            if name not in self._now.down:
                below = tuple(n for n in views[name].below if n not in self._now.down)
                view = replace(views[name], below=below)
                node = self._now.network.node(name)
                memory_bytes = None if node.repository else node.memory_bytes
                orders[name] = replace(
                    self._orders(name), ways=alone.get(name, {}), view=view, memory_bytes=memory_bytes
                )
        await self._tell(orders)

    def _sum(self, what: str) -> Any:
        return sum(told["tally"][what] for told in self._tallies.values())
