"""`placid top`: a live network at a glance."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

if TYPE_CHECKING:
    from placid.runtime.control.watching import Glance

__all__ = ["top"]

console = Console()


def top(
    folder: Annotated[Path, typer.Argument(help="Folder of a live network.", metavar="FOLDER")],
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 2.0,
    times: Annotated[
        int | None, typer.Option(min=1, help="Look so often, then end.", show_default="until Ctrl-C")
    ] = None,
) -> None:
    """Watch a live network in the terminal: what enters, who answers, what is held. Ctrl-C ends it."""
    from placid.cli.extras import need

    need("serve", "top")
    from placid.errors import RunError
    from placid.experiments.live import LiveFolder
    from placid.runtime.event_loop import run

    paths = LiveFolder(folder)
    try:
        told, token = json.loads(paths.nodes.read_text()), paths.token.read_text()
    except FileNotFoundError:
        raise RunError(f"no network is up in {folder}: 'placid up' says in which folder it is") from None
    try:
        run(_watch(told, token, every, times))
    except KeyboardInterrupt:
        return


async def _watch(told: dict[str, Any], token: str, every_s: float, times: int | None) -> None:
    from placid.runtime.certificates import Certificates
    from placid.runtime.control.watching import glances
    from placid.runtime.http.client import HttpClient

    nodes = told["nodes"]
    tls = Certificates(Path(told["tls"])).asking if told["tls"] else None
    clients = {
        n["name"]: HttpClient(n["host"], n["peers"], token=token, tls=tls, timeout_s=5.0) for n in nodes
    }

    async def look() -> tuple[float, dict[str, Any]]:
        answers = await asyncio.gather(
            *(client.get("/placid/tally") for client in clients.values()), return_exceptions=True
        )
        found = {
            name: json.loads(answer[1])
            for name, answer in zip(clients, answers, strict=True)
            if not isinstance(answer, BaseException) and answer[0] == 200
        }
        return monotonic(), found

    try:
        at, before = await look()
        with Live(console=console, auto_refresh=False) as shown:
            while times is None or times > 0:
                await asyncio.sleep(every_s)
                now_at, now = await look()
                shown.update(_table(glances(nodes, before, now, now_at - at), told["policy"]), refresh=True)
                at, before = now_at, now
                times = None if times is None else times - 1
    finally:
        await asyncio.gather(*(client.close() for client in clients.values()))


def _table(nodes: list[Glance], policy: str) -> Table:
    answered = sum(n.answered_per_s for n in nodes)
    refused = sum(n.refused_per_s for n in nodes)
    table = Table(
        title=f"{answered:.1f} requests/s answered, {refused:.1f} refused, policy {policy}",
        box=None,
        title_justify="left",
        pad_edge=False,
    )
    for name in ("node", "tier"):
        table.add_column(name)
    for name in ("enter /s", "answer /s", "refuse /s", "up kB/s", "in flight", "items", "memory"):
        table.add_column(name, justify="right")
    for n in nodes:
        if not n.alive:
            table.add_row(n.name, n.tier, "[red]down[/]")
            continue
        used = f"{n.used_bytes / n.budget_bytes:.0%}" if n.budget_bytes else ""
        table.add_row(
            *(n.name, n.tier, _number(n.entered_per_s), _number(n.answered_per_s)),
            f"[red]{n.refused_per_s:.1f}[/]" if n.refused_per_s else "",
            *(_number(n.up_bytes_per_s / 1e3), str(n.in_flight or ""), str(n.held or ""), used),
        )
    return table


def _number(value: float) -> str:
    return f"{value:.1f}" if value else ""
