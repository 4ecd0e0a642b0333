"""`placid up`: a scenario as a live network on this machine."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

if TYPE_CHECKING:
    from placid.experiments.live import NetworkUp
    from placid.experiments.scenario import Scenario
    from placid.runtime.control.controller import Slot

__all__ = ["up"]

console = Console()


def up(
    file: Annotated[Path, typer.Argument(help="The scenario, a YAML file.", metavar="SCENARIO")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the network.", show_default="runs/live-NAME")
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option("--policy", "-p", help="Of the scenario's policies.", show_default="the first"),
    ] = None,
    slot: Annotated[
        str | None,
        typer.Option(help="How long a slot lasts, such as '10 s'.", show_default="as the scenario says"),
    ] = None,
    slots: Annotated[
        int | None, typer.Option(min=1, help="End after so many slots.", show_default="until Ctrl-C")
    ] = None,
    pace: Annotated[
        str,
        typer.Option(
            help="profile: work takes as long as on the processor a node stands for; real: as it takes here."
        ),
    ] = "profile",
    grpc: Annotated[
        bool, typer.Option("--grpc", help="Speak gRPC to clients too; ports are in nodes.json.")
    ] = False,
    engine: Annotated[
        str,
        typer.Option(
            help="local: processes of this machine; ray: actors of a Ray cluster; static: nodes that others start."
        ),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(help="Of a Ray cluster that runs, such as auto.", show_default="a Ray of this machine"),
    ] = None,
    links: Annotated[
        str,
        typer.Option(
            help="process: nodes impose delay and rate; namespaces: the kernel imposes the rate, each node in a network "
            "namespace of its own (Linux, root)."
        ),
    ] = "process",
    offload: Annotated[
        str | None,
        typer.Option(
            metavar="VARIANT",
            help="Nodes that hold parts of this variant decide by themselves, request by request, whether they answer.",
            show_default="by its exits' thresholds",
        ),
    ] = None,
    nodes: Annotated[
        Path | None,
        typer.Option(
            help="With --engine static: a JSON file that says where each node listens, host, port and peers."
        ),
    ] = None,
    tls: Annotated[
        Path | None,
        typer.Option(
            help="A folder with certificate.pem and key.pem: connections are encrypted, nodes know each other by them.",
            show_default="plain text",
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="Of the live page.", show_default="any that is free")] = 0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget what was learned in earlier starts.")
    ] = False,
    traces: Annotated[
        str,
        typer.Option(
            help="Where traces of requests go: otlp=http://HOST:4318 or file=PATH.", metavar="TARGET"
        ),
    ] = "",
    trace_ratio: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the requests without a trace that begin one.")
    ] = 0.1,
) -> None:
    """Bring a scenario to life: every node a process that answers requests. Ctrl-C ends it."""
    from placid.cli.extras import need
    from placid.errors import InputError
    from placid.experiments.scenario import load_scenario
    from placid.units import parse_quantity

    need("serve", "up")
    if traces:
        need("trace", "up --traces")
    from placid.runtime.event_loop import run

    if pace not in ("profile", "real"):
        raise InputError(f"--pace is profile or real, got '{pace}'")
    if engine not in ("local", "ray", "static"):
        raise InputError(f"--engine is local, ray or static, got '{engine}'")
    if links not in ("process", "namespaces"):
        raise InputError(f"--links is process or namespaces, got '{links}'")
    imposed: Literal["process", "namespaces"] = "namespaces" if links == "namespaces" else "process"
    chosen: Literal["profile", "real"] = "real" if pace == "real" else "profile"
    scenario = load_scenario(file)
    slot_s = None if slot is None else parse_quantity(slot, "time")
    run(
        _up(
            scenario,
            slots,
            out=out,
            policy=policy,
            slot_s=slot_s,
            pace=chosen,
            grpc=grpc,
            fresh=fresh,
            engine=engine,
            address=address,
            nodes=nodes,
            port=port,
            links=imposed,
            traces=traces,
            trace_ratio=trace_ratio,
            offload=offload,
            tls=tls,
        )
    )


async def _up(scenario: Scenario, slots: int | None, **settings: Any) -> None:
    from placid.experiments.live import network_up

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with network_up(
        scenario, hears=lambda line: console.print(f"[yellow]{line}[/]", highlight=False), **settings
    ) as network:
        _say_where(network)
        playing = asyncio.create_task(network.play(slots, _say_slot))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({playing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (playing, stopping):
            task.cancel()
        results = await asyncio.gather(playing, stopping, return_exceptions=True)
        failed = [r for r in results if isinstance(r, Exception)]
        if failed:
            raise failed[0]
        console.print("Ending …", highlight=False)
    console.print(f"All nodes have ended. What happened: [bold]{network.folder.slots}[/]", highlight=False)


def _say_where(network: NetworkUp) -> None:
    live, running = network.live, network.running
    first = next(n.name for n in live.network.nodes if not n.repository)
    at = running[first].clients
    scheme = "https" if live.specs[first].tls else "http"
    console.print(
        f"{len(running)} nodes are up, policy {live.label}, slots of {live.slot_s:g} s. Where they listen: "
        f"[bold]{network.folder.nodes}[/]\n{first} answers at {scheme}://{at.host}:{at.port}/v2 (Open Inference Protocol)\n"
        f"The page: [bold]{network.page}[/]",
        highlight=False,
    )


def _say_slot(slot: Slot) -> None:
    refused = sum(slot.refused.values())
    console.print(
        f"slot {slot.slot}: {int(slot.demand.sum()):,} requests"
        + (f", [red]{refused:,} refused[/]" if refused else "")
        + (
            f", {slot.bytes_loaded / 1e6:.1f} MB loaded in {slot.changed_s:.2f} s"
            if slot.bytes_loaded
            else ""
        )
        + (f", down: {', '.join(slot.down)}" if slot.down else ""),
        highlight=False,
    )
