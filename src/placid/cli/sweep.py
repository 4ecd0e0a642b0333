"""`placid sweep`: a grid of scenarios."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from placid.experiments.sweep.sweep import Outset

__all__ = ["sweep"]

console = Console()


def sweep(
    file: Annotated[Path, typer.Argument(help="The study, a YAML file.", metavar="STUDY")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the sweep.", show_default="runs/NAME-sweep")
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            help="local: processes of this machine; ray: a Ray cluster (pip install 'placid[cluster]')."
        ),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(help="Of a Ray cluster that runs, such as auto.", show_default="a Ray of this machine"),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", "-j", min=1, help="Cells played at a time.", show_default="cores"),
    ] = None,
    figure: Annotated[
        str, typer.Option(help="The figure to print; all are in the tables.", show_default="the first")
    ] = "",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the sweep that is in the folder and start again.")
    ] = False,
) -> None:
    """Run a grid of scenarios under several seeds into one table. Run it again to go on after an interruption."""
    from placid.experiments.sweep.threads import ONE_THREAD

    os.environ.update(ONE_THREAD)  # before anything loads numpy and polars
    import polars as pl

    from placid.experiments.sweep.engines import engine_named
    from placid.experiments.sweep.folder import SweepFolder
    from placid.experiments.sweep.study import load_study
    from placid.experiments.sweep.sweep import sweep as run_study
    from placid.experiments.sweep.tables import grid_table, summary_of

    study = load_study(file)
    chosen = engine_named(engine, workers, address)
    try:
        with Bars(console) as bars:
            folder = SweepFolder(
                run_study(study, out, engine=chosen, fresh=fresh, begin=bars.begin, tell=bars.tell)
            )
    except KeyboardInterrupt:
        console.print(
            "\nInterrupted; what was done is saved. The same command, without --fresh, goes on from there."
        )
        raise typer.Exit(130) from None
    console.print(grid_table(study, summary_of(study, pl.read_parquet(folder.rows)), figure))
    console.print(f"The rows: [bold]{folder.rows}[/]", highlight=False, soft_wrap=True)
    console.print(f"Means and intervals: [bold]{folder.summary}[/]", highlight=False, soft_wrap=True)


class Bars:
    """One bar for the whole sweep, with the time left by the pace so far; before it, one for the checking."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            # cells differ in length: the pace of the last ten minutes, not of the last seconds
            speed_estimate_period=600.0,
        )
        self._console = console
        self._checking = self._bars.add_task("checking the cells", total=None)
        self._task = self._bars.add_task("", visible=False, start=False)
        self._done: dict[str, int] = {}
        self._finished = 0
        self._plays = 0

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def begin(self, outset: Outset) -> None:
        """Hear what there is to do."""
        plays, kept = outset.plays, outset.kept
        if outset.other_code:
            self._console.print(
                "What is in the folder was made by another version of placid, or of what it computes with; it is not used."
            )
        left = f"{plays - kept} to play, {kept} kept from before" if kept else f"{plays} to play"
        self._console.print(f"{plays} cells and seeds: {left}", highlight=False)
        self._finished, self._plays = kept, plays
        self._bars.update(self._checking, visible=False)
        self._bars.start_task(self._task)
        self._bars.update(self._task, total=outset.steps, visible=True, description=self._told())

    def tell(self, title: str, step: int, steps: int) -> None:
        """Hear that `title` has done `step` of `steps`."""
        if not self._plays:
            self._bars.update(self._checking, completed=step, total=steps)
            return
        before = self._done.get(title, 0)
        if step <= before:
            return
        self._done[title] = step
        self._finished += step >= steps
        self._bars.update(self._task, advance=step - before, description=self._told())

    def _told(self) -> str:
        return f"{self._finished} of {self._plays} done"
