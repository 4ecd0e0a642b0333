"""Starting a coroutine at once, in the middle of what calls it: most requests need not wait for the loop's next turn.

A turn of the loop costs two calls of the kernel, as much as the rest of a small request. It is what
`asyncio.eager_task_factory` does from Python 3.12 on. Until it first waits, the coroutine has no task: it must not ask for
its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any

__all__ = ["start"]


def start(coro: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop) -> asyncio.Task[None] | None:
    """Run `coro` until it waits; the task that does the rest, None if nothing is left.

    Raises:
        BaseException: what the coroutine raised before it waited.
    """
    try:
        first = coro.send(None)
    except StopIteration:
        return None
    return loop.create_task(_rest(coro, first))


@coroutine
def _rest(coro: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    """The coroutine from its first wait on, as a task can run it."""
    while True:
        try:
            given = yield awaited
        except BaseException as error:
            raised: BaseException | None = error
        else:
            raised = None
        try:
            awaited = coro.send(given) if raised is None else coro.throw(raised)
        except StopIteration:
            return
