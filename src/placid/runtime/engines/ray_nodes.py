"""Nodes as actors of a Ray cluster: each a process of its own, on whatever machine Ray puts it.

Every machine needs the same placid with the extra ``serve``, and the zoo in the same folder (the shipped one is). Nodes
listen on their machine's address in the cluster: requests between them and orders need the secret of the start, clients need
none.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any

from placid.errors import InputError, RunError
from placid.runtime.engines.base import Ended, Engine, Running
from placid.runtime.spec import NodeSpec

__all__ = ["RayNodes"]

#: within which an actor has to listen: Ray starts a process for each, one after the other on a small machine
_START_S = 180.0


class RayNodes(Engine):
    """An actor for each node. One that ends, or whose machine does, is started again elsewhere if the controller asks.

    Args:
        address: of a cluster that runs, as `ray.init` takes it; None for RAY_ADDRESS, else a Ray of this machine that ends
            with the network.
        resources: tier -> what an actor of that tier asks of its machine (custom resources of Ray): pins tiers to machines.

    Raises:
        InputError: Ray is not installed.
        RunError: nobody answers at `address`.
    """

    def __init__(
        self, address: str | None = None, resources: Mapping[str, Mapping[str, float]] | None = None
    ) -> None:
        super().__init__()
        self._ray = _ray_module()
        self._resources = resources or {}
        self._actors: dict[str, Any] = {}
        self._watching: dict[str, asyncio.Task[None]] = {}
        self._ours = not self._ray.is_initialized()
        if self._ours:
            local = {} if address or "RAY_ADDRESS" in os.environ else {"include_dashboard": False}
            try:
                self._ray.init(
                    address=address or os.environ.get("RAY_ADDRESS", "local"),
                    log_to_driver=False,
                    logging_level="ERROR",
                    **local,
                )
            except Exception as error:  # Ray says it with whatever class
                raise RunError(f"no Ray cluster at '{address}': {str(error).splitlines()[0]}") from error
        self._node = self._ray.remote(_Node)

    async def start(self, specs: Sequence[NodeSpec]) -> Mapping[str, Running]:
        for spec in specs:
            # no processors are asked for: nodes mostly wait, and there are more of them than processors
            self._actors[spec.name] = self._node.options(
                num_cpus=0, max_restarts=0, resources=dict(self._resources.get(spec.tier, {}))
            ).remote(spec.to_json())
        found = {}
        for spec in specs:
            try:
                told = await asyncio.wait_for(_answer(self._actors[spec.name].listen.remote()), _START_S)
            except TimeoutError:
                raise RunError(
                    f"node '{spec.name}' did not listen within {_START_S:g} s on the Ray cluster"
                ) from None
            except Exception as error:  # of Ray, or of the node
                raise RunError(f"node '{spec.name}' did not start: {str(error).splitlines()[-1]}") from error
            found[spec.name] = Running.told(told)
            self._watching[spec.name] = asyncio.create_task(self._watch(spec.name))
        return found

    async def close(self) -> None:
        for task in self._watching.values():
            task.cancel()
        await asyncio.gather(*self._watching.values(), return_exceptions=True)
        for actor in self._actors.values():
            self._ray.kill(actor)
        self._actors.clear()
        if self._ours:
            await asyncio.to_thread(self._ray.shutdown)

    async def _watch(self, name: str) -> None:
        """Say so when the actor is no more: the call that lasts as long as it does then fails."""
        try:
            await _answer(self._actors[name].served.remote())
        except Exception:
            self.ended.put_nowait(Ended(name, -1))
        else:
            self.ended.put_nowait(Ended(name, 0))


class _Node:
    """What runs in the actor."""

    def __init__(self, spec: str) -> None:
        self._spec = NodeSpec.from_json(spec)
        self._host = str(_ray_module().util.get_node_ip_address())
        self._serving: asyncio.Task[None] | None = None

    async def listen(self) -> dict[str, Any]:
        """Begin to serve; where comes back."""
        from dataclasses import replace

        from placid.runtime.node.process import serve_node

        told: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        spec = replace(self._spec, host=self._host)
        self._serving = asyncio.create_task(serve_node(spec, told.set_result, signals=False))
        both: list[asyncio.Future[Any]] = [told, self._serving]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if self._serving.done():
            self._serving.result()
        return told.result()

    async def served(self) -> None:
        """Return when it serves no more."""
        if self._serving is not None:
            await self._serving


async def _answer(ref: Any) -> Any:
    """Of a remote call, in whatever event loop: Ray's own way of waiting asks for its own loop's policy."""
    return await asyncio.wrap_future(ref.future())


def _ray_module() -> Any:
    try:
        import ray
    except ImportError as error:
        raise InputError("'--engine ray' needs Ray: pip install 'placid[cluster]'") from error
    return ray
