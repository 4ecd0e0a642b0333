"""Going into a network namespace that has a name."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from placid.errors import RunError

__all__ = ["NAMESPACES", "enter"]

#: where ``ip netns`` keeps them
NAMESPACES = Path("/run/netns")
_NETWORK = 0x40000000  # CLONE_NEWNET


def enter(name: str) -> None:
    """Put this thread, and all it starts from now on, into the network namespace `name`. Sockets that are open stay.

    Raises:
        RunError: there is no such namespace, or this process may not enter it.
    """
    try:
        fd = os.open(NAMESPACES / name, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise RunError(f"network namespace '{name}' cannot be opened: {error.strerror}") from None
    try:
        # os.setns is of Python 3.12
        if ctypes.CDLL(None, use_errno=True).setns(fd, _NETWORK) != 0:
            raise RunError(f"network namespace '{name}' cannot be entered: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(fd)
