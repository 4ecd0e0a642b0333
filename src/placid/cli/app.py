"""The subcommands: init, check, run, sweep, compare, report, list, pareto, data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from placid.cli.catalog import catalog_app
from placid.cli.data import data_app
from placid.cli.export import export_app
from placid.cli.listing import FAMILIES, show
from placid.cli.load import load, validate
from placid.cli.pareto import pareto
from placid.cli.splits import splits_app
from placid.cli.sweep import sweep
from placid.cli.top import top
from placid.cli.trace import trace
from placid.cli.up import up
from placid.errors import InputError
from placid.version import __version__

__all__ = ["app"]

app = typer.Typer(
    name="placid",
    help="Place AI models on the nodes of a device-edge-cloud network, and show how good the decision is.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
console = Console()

app.add_typer(catalog_app, name="catalog")
app.add_typer(data_app, name="data")
app.add_typer(export_app, name="export")
app.add_typer(splits_app, name="splits")
app.command()(pareto)
app.command()(sweep)
app.command()(up)
app.command()(load)
app.command()(validate)
app.command()(top)
app.command()(trace)

ScenarioFile = Annotated[Path, typer.Argument(help="The scenario, a YAML file.", metavar="FILE")]


def _version(asked: bool) -> None:
    if asked:
        console.print(f"placid {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="Where to write it.", metavar="FILE")] = Path("scenario.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Write a commented scenario to start from."""
    from placid.experiments.scenario import starter_yaml

    if file.exists() and not force:
        raise InputError("exists; choose another name, or --force to overwrite it", where=str(file))
    try:
        file.write_text(starter_yaml())
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(file)) from error
    console.print(
        f"Wrote [bold]{file}[/]. Next: placid check {file}, then placid run {file}", highlight=False
    )


@app.command()
def check(file: ScenarioFile) -> None:
    """Validate a scenario and say what it comes to, without running it."""
    from placid.cli.outline import outline
    from placid.experiments.scenario import build, load_scenario

    console.print(outline(build(load_scenario(file))))


@app.command()
def run(
    file: ScenarioFile,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the run.", show_default="runs/NAME")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the run that is in the folder and start again.")
    ] = False,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            "--policy", "-p", help="A further policy: a name, or module:Class of your own. Repeatable."
        ),
    ] = None,
    processes: Annotated[
        int | None, typer.Option("--processes", "-j", min=1, help="Worker processes.", show_default="cores")
    ] = None,
) -> None:
    """Run a scenario: every policy, every seed, the bounds, and the page. Run it again to go on after an interruption."""
    from placid.cli.progress import Progress
    from placid.experiments.run import run as run_scenario
    from placid.experiments.scenario import load_scenario
    from placid.reports import summary_table, verdict

    scenario = load_scenario(file)
    try:
        with Progress(console) as progress:
            folder = run_scenario(
                scenario,
                out,
                fresh=fresh,
                policies=tuple(policy or ()),
                processes=processes or os.cpu_count() or 1,
                tell=progress.tell,
            )
    except KeyboardInterrupt:
        console.print(
            "\nInterrupted; what was done is saved. The same command, without --fresh, goes on from there."
        )
        raise typer.Exit(130) from None
    console.print(summary_table(folder))
    console.print(verdict(folder), highlight=False)
    console.print(f"The page: [bold]{folder / 'report.html'}[/]", highlight=False, soft_wrap=True)


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs.", metavar="RUN...")],
) -> None:
    """Put several runs side by side, policy by policy."""
    from placid.reports import comparison_table

    console.print(comparison_table(runs))


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a run.", metavar="RUN")],
    figures: Annotated[
        Path | None, typer.Option("--figures", help="Also write every plot as SVG and PNG into this folder.")
    ] = None,
) -> None:
    """Write the page of a run anew, from its tables alone."""
    from placid.reports import summary_table, write_figures, write_report

    page = write_report(folder)
    console.print(summary_table(folder))
    console.print(f"The page: [bold]{page}[/]", highlight=False, soft_wrap=True)
    if figures is not None:
        for written in write_figures(folder, figures):
            console.print(f"Wrote {written}", highlight=False, soft_wrap=True)


@app.command("list")
def list_names(
    family: Annotated[str, typer.Argument(help=f"One of: {', '.join(FAMILIES)}.")],
    filter_: Annotated[str, typer.Option("--filter", "-f", help="Only names that contain this.")] = "",
) -> None:
    """List what scenarios can name."""
    console.print(show(family, filter_))
