"""Nodes as processes of this machine, forked from one that has imported what they share."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from placid.errors import RunError
from placid.runtime.engines.base import Ended, Engine, Running
from placid.runtime.engines.zygote import log_of
from placid.runtime.spec import NodeSpec

__all__ = ["LocalEngine"]

#: within which a node has to listen
_START_S = 60.0


class LocalEngine(Engine):
    """The default: nothing to install, nothing to configure.

    Args:
        logs: folder for what nodes have to say, a file each.
    """

    def __init__(self, logs: Path) -> None:
        super().__init__()
        self._logs = logs
        self._zygote: asyncio.subprocess.Process | None = None
        self._starting: dict[str, asyncio.Future[Running]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._held = -1
        self._closing = False

    async def start(self, specs: Sequence[NodeSpec]) -> Mapping[str, Running]:
        if self._zygote is None:
            await self._begin()
        zygote = self._zygote
        assert zygote is not None
        assert zygote.stdin is not None
        loop = asyncio.get_running_loop()
        futures = {spec.name: loop.create_future() for spec in specs}
        self._starting |= futures
        for spec in specs:
            zygote.stdin.write(spec.to_json().encode() + b"\n")
        await zygote.stdin.drain()
        try:
            found = await asyncio.wait_for(asyncio.gather(*futures.values()), _START_S)
        except TimeoutError:
            late = ", ".join(name for name, f in futures.items() if not f.done())
            raise RunError(
                f"these nodes did not listen within {_START_S:g} s: {late}. See {self._logs}"
            ) from None
        return {running.name: running for running in found}

    async def close(self) -> None:
        self._closing = True
        if self._held >= 0:
            os.close(self._held)
            self._held = -1
        if self._zygote is not None:
            assert self._zygote.stdin is not None
            self._zygote.stdin.close()
            try:
                await asyncio.wait_for(self._zygote.wait(), 10.0)
            except TimeoutError:
                self._zygote.kill()
                await self._zygote.wait()
        if self._listening is not None:
            await self._listening

    async def _begin(self) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        gone, self._held = os.pipe()
        # one thread each: there are more nodes than processors
        threads = {f"{lib}_NUM_THREADS": "1" for lib in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
        self._zygote = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "placid.runtime.engines.zygote", str(gone), str(self._logs)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | threads,
            pass_fds=(gone,),
            # Ctrl-C is for whoever started us, who then ends the nodes in order
            start_new_session=True,
        )
        os.close(gone)
        assert self._zygote.stdout is not None
        first = await self._zygote.stdout.readline()
        if not first:
            raise RunError("the process that nodes are forked from did not start; what it said is above")
        self._listening = asyncio.create_task(self._listen(self._zygote.stdout))

    async def _listen(self, out: asyncio.StreamReader) -> None:
        while line := await out.readline():
            told = json.loads(line)
            if "ended" in told:
                self._over(told["ended"], told["code"])
                continue
            future = self._starting.pop(told["name"], None)
            if future is not None and not future.done():
                future.set_result(Running.told(told))

    def _over(self, name: str, code: int) -> None:
        future = self._starting.pop(name, None)
        if future is not None and not future.done():
            future.set_exception(RunError(f"node '{name}' did not start{self._last_words(name)}"))
        elif not self._closing:
            self.ended.put_nowait(Ended(name, code))

    def _last_words(self, name: str) -> str:
        try:
            lines = log_of(self._logs, name).read_text().strip().splitlines()
        except OSError:
            return ""
        return f": {lines[-1]}" if lines else ""
