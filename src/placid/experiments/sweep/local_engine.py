"""Cells in processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import ClassVar

from placid.experiments.pool import Tell, share_out
from placid.experiments.sweep.engine import Engine
from placid.experiments.sweep.folder import SweepFolder, as_bytes
from placid.experiments.sweep.threads import children_of_one_thread
from placid.experiments.sweep.unit import Unit

__all__ = ["LocalEngine"]

_WATCH = "placid: end with the parent"


@dataclass(frozen=True)
class LocalEngine(Engine):
    """Processes of this machine. A cell that is interrupted goes on in its middle.

    Attributes:
        workers: how many; with 1 all is done in this process, with the threads that it has.
    """

    name: ClassVar[str] = "local"
    workers: int = 1

    def play(self, units: Sequence[Unit], folder: SweepFolder, tell: Tell) -> None:
        with children_of_one_thread():
            share_out(folder, [_Local(unit) for unit in units], self.workers, tell)


@dataclass(frozen=True)
class _Local:
    """A unit as a task of the pool."""

    unit: Unit

    @property
    def title(self) -> str:
        return self.unit.title

    def steps(self, plan: SweepFolder) -> int:
        return self.unit.step_count

    def do(self, plan: SweepFolder, tell: Callable[[int], None]) -> None:
        _end_with_parent()
        table = self.unit.rows(plan.scratch(self.unit.digest), tell)
        plan.keep(self.unit.digest, as_bytes(table))


def _end_with_parent() -> None:
    """In a worker: end at once when the process that it works for is gone.

    A worker whose parent was killed would otherwise play on, in the way of the sweep that is begun anew. What it writes, it
    replaces whole, so that it may end at any moment.
    """
    parent = multiprocessing.parent_process()
    if parent is None or any(thread.name == _WATCH for thread in threading.enumerate()):
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name=_WATCH, daemon=True).start()
