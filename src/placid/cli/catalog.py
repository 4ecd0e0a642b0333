"""`placid catalog`: what can be placed, measured."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["catalog_app"]

catalog_app = typer.Typer(no_args_is_help=True, help="Catalogs of measured models.")
console = Console()


@catalog_app.command()
def build(
    lab: Annotated[Path, typer.Argument(help="The lab: data, network, variants (labs/cifar10.yaml).")],
    trained: Annotated[Path, typer.Option("--trained", help="Where 'placid splits train' put the weights.")],
    out: Annotated[Path, typer.Option("--out", help="The zoo's folder: ONNX files and manifest.json.")],
    processor: Annotated[str, typer.Option(help="What to call this machine in the manifest.")] = "",
) -> None:
    """Export, check, time and test trained variants. Interrupt it as you like: what is measured already stays."""
    import torch

    from placid.experiments.provenance import commit
    from placid.splitting.lab.build import build_zoo
    from placid.splitting.lab.spec import read_lab

    torch.set_num_threads(1)
    made = {"command": f"placid catalog {' '.join(sys.argv[2:])}", "commit": commit()}
    zoo = build_zoo(
        read_lab(lab),
        trained,
        out,
        made=made,
        told=lambda name, line: console.print(f"[bold]{name}[/]  {line}", highlight=False, soft_wrap=True),
        processor=processor,
    )
    size = sum(f.stat().st_size for f in out.iterdir() if f.is_file())
    console.print(
        f"{len(zoo.variants)} variants, {size / 1e6:.1f} MB: {out / 'manifest.json'}",
        highlight=False,
        soft_wrap=True,
    )


@catalog_app.command("time")
def time_zoo(
    out: Annotated[Path, typer.Option("--out", help="Where the zoo with your latencies goes.")],
    zoo: Annotated[
        Path | None,
        typer.Argument(
            help="A zoo's folder, or cifar10 or cifar10-long, which come with placid.", show_default="cifar10"
        ),
    ] = None,
    processor: Annotated[str, typer.Option(help="What to call this machine in the manifest.")] = "",
) -> None:
    """Time a zoo's parts on this machine: accuracies and bytes stay as they are, latencies become yours.

    A scenario then takes them with ``zoo: OUT`` and ``measured_on: CLASS``, the processor class that this machine is.
    """
    import torch

    from placid.catalog.variants import read_zoo, zoo_folder
    from placid.splitting.data import load_dataset
    from placid.splitting.lab.again import time_again
    from placid.splitting.lab.build import processor_name

    torch.set_num_threads(1)
    given = read_zoo(zoo and zoo_folder(zoo))
    found = time_again(
        given,
        load_dataset(given.dataset).calibration.images,
        out,
        processor=processor or processor_name(),
        told=lambda name, line: console.print(f"[bold]{name}[/]  {line}", highlight=False, soft_wrap=True),
    )
    console.print(f"{found.processor}: {out / 'manifest.json'}", highlight=False, soft_wrap=True)
