"""The event loop that everything live runs in."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["run"]

_R = TypeVar("_R")


def run(work: Coroutine[Any, Any, _R]) -> _R:
    """`asyncio.run`, in uvloop's event loop if there is one: half the time for each message."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)
