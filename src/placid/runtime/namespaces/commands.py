"""Calling ``ip`` and ``tc``, and whether this machine lets us."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from placid.errors import InputError, RunError

__all__ = ["batch", "check_permitted", "missing", "read", "try_to"]

_TOOLS = ("ip", "tc")
_LIMIT_S = 60.0


def missing() -> str | None:
    """What this machine lacks for links in namespaces, in words; None if nothing. Leaves nothing behind."""
    if sys.platform != "linux":
        return f"network namespaces are Linux's, and this is {sys.platform}"
    absent = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if absent:
        return f"the command '{absent[0]}' (of the package iproute2) is not installed"
    if os.geteuid() != 0:
        return "only root may make network namespaces, and this is another user"
    name = f"placid-probe-{secrets.token_hex(4)}"
    try:
        batch("ip", [f"netns add {name}"])
        batch("ip", ["link add probe0 type veth peer name probe1", "link set probe0 up"], namespace=name)
        batch("tc", _PROBE, namespace=name)
    except RunError as error:
        return str(error)
    finally:
        try_to("ip", "netns", "del", name)
    return None


_PROBE = [
    "qdisc add dev probe0 root handle 1: htb default 1",
    "class add dev probe0 parent 1: classid 1:1 htb rate 1mbit burst 1b cburst 1b quantum 1514",
]


def check_permitted() -> None:
    """Raises InputError if links in namespaces are not possible here; it says what is missing."""
    lacks = missing()
    if lacks is not None:
        raise InputError(
            f"links in namespaces are not possible here: {lacks}. The default, '--links process', needs nothing"
        )


def batch(tool: str, lines: Sequence[str], *, namespace: str = "") -> None:
    """All `lines` as commands of `tool`, in one process; in `namespace` if one is given.

    Raises:
        RunError: one failed; what the tool said is in the message. Those before it are done.
    """
    inside = ("-n", namespace) if namespace else ()
    done = _run((tool, *inside, "-batch", "-"), "\n".join(lines) + "\n")
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        at = next((_line_of(s) for s in said if s.startswith("Command failed")), 0)
        command = lines[at - 1] if 0 < at <= len(lines) else lines[0]
        raise RunError(f"`{' '.join((tool, *inside, command))}` failed: {said[0]}")


def read(*command: str) -> list[dict[str, Any]]:
    """What `command` (with ``-json``) tells.

    Raises:
        RunError: it failed.
    """
    done = _run(command)
    if done.returncode != 0:
        raise RunError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")
    return [dict(told) for told in json.loads(done.stdout or "[]")]


def try_to(*command: str) -> bool:
    """Whether `command` went well."""
    return _run(command).returncode == 0


def _run(command: Sequence[str], given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        input=given,
        text=True,
        capture_output=True,
        timeout=_LIMIT_S,
        check=False,
        # Ctrl-C is for us, who then take all of it down in order
        start_new_session=True,
    )


def _line_of(said: str) -> int:
    """The line number in ``Command failed -:3``."""
    number = said.rpartition(":")[2]
    return int(number) if number.isdigit() else 0
