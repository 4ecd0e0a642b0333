"""The process that nodes of this machine are forked from: it has read and imported all that they share.

Fifty nodes then take seconds to start and share the memory of what they have in common. On standard input come descriptions
of nodes, a line each; on standard output go where a node listens, and which one ended. It has one thread and no event loop:
that is what makes forking it safe.
"""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import signal
import sys
from pathlib import Path
from time import monotonic, sleep

from placid.runtime.namespaces.enter import enter

__all__ = ["log_of", "main"]

_DIE_WITH_PARENT = 1
#: for a node to answer what it has, and end
_END_S = 6.0


def log_of(logs: Path, name: str) -> Path:
    """The file in `logs` for what node `name` has to say."""
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
    return logs / f"{safe}.log"


def main() -> None:
    """``python -m placid.runtime.engines.zygote GONE LOGS``: GONE is a descriptor that ends with whoever started us."""
    gone, logs = int(sys.argv[1]), Path(sys.argv[2])
    _with_parent()
    # what nodes need, once for all of them
    from placid.runtime.node import process  # noqa: F401

    children: dict[int, str] = {}
    ended_r, ended_w = os.pipe()
    for fd in (ended_r, ended_w):
        os.set_blocking(fd, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(ended_w)
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(ended_r, selectors.EVENT_READ)
        waiting = b""
        _say({"ready": os.getpid()})
        while True:
            for key, _ in selector.select():
                if key.fd == ended_r:
                    _drain(ended_r)
                    _reap(children)
                    continue
                data = os.read(0, 1 << 16)
                if not data:
                    _end(children)
                    return
                *lines, waiting = (waiting + data).split(b"\n")
                for line in lines:
                    told = json.loads(line)
                    name = told["name"]
                    if told.get("agent") is not None:
                        from placid.runtime.node import agent

                        agent.warm()
                    if told.get("traces"):
                        from placid.runtime.tracing import tracer  # noqa: F401
                    pid = os.fork()
                    if pid == 0:
                        selector.close()
                        _become(line, name, told.get("namespace", ""), gone, logs, (ended_r, ended_w))
                    children[pid] = name


def _become(line: bytes, name: str, namespace: str, gone: int, logs: Path, unwanted: tuple[int, ...]) -> None:
    """The child's life; it does not come back."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _with_parent()
        for fd in unwanted:
            os.close(fd)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        log = os.open(log_of(logs, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 2)
        if namespace:
            # before there is a second thread: each has a namespace of its own
            enter(namespace)
        from placid.runtime.node.process import run_node
        from placid.runtime.spec import NodeSpec

        run_node(NodeSpec.from_json(line), sys.stdout, gone)
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _reap(children: dict[int, str]) -> None:
    while children:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _say({"ended": children.pop(pid, ""), "code": os.waitstatus_to_exitcode(status)})


def _end(children: dict[int, str]) -> None:
    """Stop all nodes, and wait for them; those that do not end in time are ended."""
    for pid in children:
        os.kill(pid, signal.SIGTERM)
    deadline = monotonic() + _END_S
    left = set(children)
    while left:
        for pid in tuple(left):
            if os.waitpid(pid, os.WNOHANG)[0]:
                left.discard(pid)
            elif monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
        sleep(0.01)


def _say(what: dict[str, object]) -> None:
    # below the size of a pipe's buffer a line is written whole, whoever else writes
    os.write(1, json.dumps(what).encode() + b"\n")


def _drain(fd: int) -> None:
    try:
        while os.read(fd, 4096):
            pass
    except BlockingIOError:
        return


def _with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent ends, however it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)


if __name__ == "__main__":
    main()
