"""Requests that are out, each a task of its own, and the first error that is no refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["Outstanding"]


class Outstanding:
    """Start work, wait for all of it, and leave none behind."""

    def __init__(self) -> None:
        self._out: set[asyncio.Task[None]] = set()
        self._failed: list[BaseException] = []

    def __len__(self) -> int:
        return len(self._out)

    @property
    def failed(self) -> bool:
        """Whether some work has ended with an error; nothing more should be started then."""
        return bool(self._failed)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` beside the others."""
        task = asyncio.create_task(work)
        self._out.add(task)
        task.add_done_callback(self._over)

    async def all_done(self) -> None:
        """Return when all work is done, or raise the first error as soon as there is one."""
        while self._out and not self._failed:
            await asyncio.wait(self._out, return_when=asyncio.FIRST_EXCEPTION)
        if self._failed:
            raise self._failed[0]

    async def end(self) -> None:
        """Nothing is out any more: what was is cancelled."""
        for task in self._out:
            task.cancel()
        await asyncio.gather(*self._out, return_exceptions=True)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._out.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed.append(error)
