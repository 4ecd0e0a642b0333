"""`placid pareto`: several objectives at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["pareto"]

console = Console()


def pareto(
    file: Annotated[Path, typer.Argument(help="The scenario, a YAML file.", metavar="SCENARIO")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the front.", show_default="runs/NAME-pareto")
    ] = None,
    objectives: Annotated[
        str, typer.Option(help="Two or more of latency, error, energy, traffic, with commas.")
    ] = "latency,error,energy",
    points: Annotated[
        int, typer.Option(help="Preferences to solve for, spread evenly; at most so many.", min=2)
    ] = 66,
    time_limit: Annotated[
        float,
        typer.Option(
            help="Seconds of the MILP for each preference, beside greedy and local search; 0 for none.",
            min=0.0,
        ),
    ] = 2.0,
    evolve: Annotated[
        float, typer.Option(help="Seconds of NSGA-III afterwards (pip install 'placid[pareto]').", min=0.0)
    ] = 0.0,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact", help="Also the exact front under the best routing, of two or three objectives."
        ),
    ] = False,
    exact_time: Annotated[
        float,
        typer.Option(help="Seconds of the exact front of three objectives; more time, more points.", min=1.0),
    ] = 600.0,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            help="What the chosen point has to keep, as 'p95 latency < 80 ms and accuracy >= 0.9'; as often as you like."
        ),
    ] = None,
    order: Annotated[
        str,
        typer.Option(
            help="What comes first in choosing a point, as energy,p95.", show_default="the objectives"
        ),
    ] = "",
    slack: Annotated[
        float,
        typer.Option(
            help="What each of the order may give up for those after it: a share of its least.", min=0.0
        ),
    ] = 0.0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the front that is in the folder and start again.")
    ] = False,
) -> None:
    """What can be had at once of latency, error, energy and traffic, and a page to choose on. Run it again to go on."""
    from placid.cli.progress import Progress
    from placid.experiments.pareto import pareto as work_out
    from placid.reports.pareto import read_front_folder
    from placid.reports.pareto.page import verdict
    from placid.reports.pareto.wish import granted

    try:
        with Progress(console) as progress:
            folder = work_out(
                file,
                out,
                objectives=objectives.split(","),
                points=points,
                time_limit_s=time_limit,
                evolve_s=evolve,
                exact=exact,
                exact_s=exact_time,
                limits=limit or (),
                order=[name for name in order.split(",") if name.strip()],
                slack=slack,
                fresh=fresh,
                tell=progress.tell,
            )
    except KeyboardInterrupt:
        console.print(
            "\nInterrupted; what was solved is saved. The same command, without --fresh, goes on from there."
        )
        raise typer.Exit(130) from None
    told = read_front_folder(folder)
    console.print(verdict(told), highlight=False)
    if told.choice is not None:
        console.print(granted(told.choice), highlight=False)
        console.print(f"The chosen point: [bold]{folder / 'choice.json'}[/]", highlight=False, soft_wrap=True)
    console.print(f"The points: [bold]{folder / 'front.csv'}[/]", highlight=False, soft_wrap=True)
    console.print(f"The page: [bold]{folder / 'pareto.html'}[/]", highlight=False, soft_wrap=True)
    if told.choice is not None and not told.choice["kept"]:
        raise typer.Exit(1)
