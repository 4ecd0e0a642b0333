"""A node as a process: listens to its clients, to the nodes below and to the controller, until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from placid.errors import InfeasiblePlacementError, InputError, PlacidError
from placid.runtime.event_loop import run
from placid.runtime.http.server import HttpServer, serve_http
from placid.runtime.node.metrics import CONTENT_TYPE
from placid.runtime.node.node import BINARY, Node
from placid.runtime.protocol.messages import InferRequest, InferResponse, ModelMetadata, ProtocolError
from placid.runtime.spec import NodeSpec, Orders

if TYPE_CHECKING:
    from placid.runtime.rpc.server import GrpcServer

__all__ = ["main", "run_node", "serve_node"]

_JSON = "application/json"
#: the secret of a node that is started on its own, in its environment and not in its file
_TOKEN = "PLACID_TOKEN"
Reply = tuple[int, str, bytes]


class _Peers:
    """The node as the nodes below see it."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.name, self.version = node.name, node.version

    def live(self) -> bool:
        return self._node.live()

    def ready(self) -> bool:
        return self._node.ready()

    def models(self) -> list[ModelMetadata]:
        return list(self._node.models())

    def model(self, name: str, version: str = "") -> ModelMetadata:
        return self._node.model(name, version)

    async def infer(self, request: InferRequest) -> InferResponse:
        return await self._node.pass_on(request)


def open_to_all(node: Node) -> dict[tuple[str, str], Callable[..., Awaitable[Reply]]]:
    """What anybody may ask beside the protocol."""

    async def metrics(body: bytes, headers: Mapping[str, str]) -> Reply:
        return 200, CONTENT_TYPE, node.metrics.text()

    return {("GET", "/metrics"): metrics}


def control(node: Node) -> dict[tuple[str, str], Callable[..., Awaitable[Reply]]]:
    """What the controller asks: (method, path) -> handler."""

    async def orders(body: bytes, headers: Mapping[str, str]) -> Reply:
        try:
            await node.obey(Orders.from_json(body))
        except PlacidError as error:
            status = 409 if isinstance(error, InfeasiblePlacementError) else 400
            return status, _JSON, json.dumps({"error": str(error)}).encode()
        return 200, _JSON, json.dumps(told(node)).encode()

    async def tally(body: bytes, headers: Mapping[str, str]) -> Reply:
        return 200, _JSON, json.dumps(told(node)).encode()

    async def letter(body: bytes, headers: Mapping[str, str]) -> Reply:
        if node.agent is None:
            return 404, _JSON, json.dumps({"error": f"node '{node.name}' is told what to hold"}).encode()
        try:
            return 200, BINARY, await node.agent.asked(body)
        except InputError as error:
            return 400, _JSON, json.dumps({"error": str(error)}).encode()
        except ProtocolError as error:
            return error.status, _JSON, json.dumps({"error": str(error)}).encode()

    return {
        ("POST", "/placid/orders"): orders,
        ("GET", "/placid/tally"): tally,
        ("POST", "/placid/letter"): letter,
    }


def told(node: Node) -> dict[str, Any]:
    """What a node tells of itself, for JSON."""
    shaped = node.shaped
    return {
        "name": node.name,
        "born": node.born,
        "slot": node.orders_seen,
        "in_flight": node.in_flight,
        "held": dict(node.held.bytes),
        "used_bytes": node.held.used_bytes,
        "lacks": node.held.lacks,
        "budget_bytes": node.held.budget_bytes,
        "resident_bytes": _resident_bytes(),
        "tally": node.tally.as_dict(),
        "agent": None if node.agent is None else {"slot": node.agent.slot, **vars(node.agent.learned)},
        "link": None
        if shaped is None
        else {"to": shaped.uplink.node, "up": vars(shaped.up), "down": vars(shaped.down)},
    }


async def serve_node(
    spec: NodeSpec, say: Callable[[dict[str, Any]], None], gone: int | None = None, *, signals: bool = True
) -> None:
    """Serve until told to stop.

    Args:
        say: hears where the node listens.
        gone: a file descriptor that can be read once whoever started the node is no more.
        signals: whether SIGTERM and SIGINT end it; the loop must then run in the main thread.
    """
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT) if signals else ():
        loop.add_signal_handler(number, stopped.set)
    if gone is not None:
        loop.add_reader(gone, stopped.set)
    node = Node(spec)
    if spec.traces:
        from placid.runtime.tracing.tracer import open_traces  # brings OpenTelemetry

        node.traces = open_traces(spec, node.networks)
    servers: list[HttpServer | GrpcServer] = []
    certificates = node.certificates
    try:
        servers.append(
            await serve_http(
                node,
                spec.host,
                spec.port,
                extra=open_to_all(node),
                pending=node.pending,
                tls=None if certificates is None else certificates.serving(),
            )
        )
        servers.append(
            await serve_http(
                _Peers(node),
                # nobody else's addresses are in a namespace: those of its links and of the bridge
                "0.0.0.0" if spec.namespace else spec.host,
                spec.peers_port,
                token=spec.token or None,
                extra=control(node),
                pending=node.pending,
                tls=None if certificates is None else certificates.serving(mutual=True),
            )
        )
        grpc = None
        if spec.grpc_port is not None:
            from placid.runtime.rpc.server import credentials, serve_grpc

            servers.append(
                await serve_grpc(
                    node,
                    spec.host,
                    spec.grpc_port,
                    pending=node.pending,
                    traced=bool(spec.traces),
                    tls=None if certificates is None else credentials(certificates),
                )
            )
            grpc = servers[-1].port
        say(
            {
                "name": spec.name,
                "pid": os.getpid(),
                "host": spec.host,
                "port": servers[0].port,
                "peers": servers[1].port,
                "grpc": grpc,
            }
        )
        ends = [asyncio.ensure_future(event.wait()) for event in (stopped, node.exhausted)]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
    finally:
        if gone is not None:
            loop.remove_reader(gone)
        await asyncio.gather(*(server.close(grace_s=1.0) for server in servers))
        await node.close()
        if node.traces is not None:
            await node.traces.close()


def run_node(spec: NodeSpec, out: IO[str], gone: int | None = None) -> None:
    """`serve_node` in an event loop of its own; one line of JSON on `out` says where it listens."""

    def say(what: dict[str, Any]) -> None:
        out.write(json.dumps(what) + "\n")
        out.flush()

    run(serve_node(spec, say, gone))


def main() -> None:
    """``python -m placid.runtime.node SPEC.json``: one node, for a container or a machine of its own.

    Its secret may stand in the environment, PLACID_TOKEN.
    """
    if len(sys.argv) != 2:
        sys.exit("usage: python -m placid.runtime.node SPEC.json")
    try:
        spec = NodeSpec.from_json(Path(sys.argv[1]).read_text())
        run_node(replace(spec, token=os.environ.get(_TOKEN, spec.token)), sys.stdout)
    except (PlacidError, OSError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")


def _resident_bytes() -> int:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
