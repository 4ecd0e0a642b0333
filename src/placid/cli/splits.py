"""`placid splits`: what splitting a network buys."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["splits_app"]

splits_app = typer.Typer(
    no_args_is_help=True, help="What splitting a network buys: cuts, bottlenecks, exits."
)
console = Console()

LabFile = Annotated[Path, typer.Argument(help="The lab: data, network, variants (labs/cifar10.yaml).")]


@splits_app.command()
def train(
    lab: LabFile,
    out: Annotated[Path, typer.Option("--out", help="Where weights and checkpoints go.")],
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Train this variant alone; may be repeated.")
    ] = None,
    threads: Annotated[int, typer.Option(help="Processor cores to use; 0 for all.", min=0)] = 0,
) -> None:
    """Train every variant of a lab. Interrupt it as you like: the same command goes on from the last epoch."""
    import torch

    from placid.experiments.provenance import commit
    from placid.splitting.lab.spec import read_lab
    from placid.splitting.lab.train import train_lab

    if threads:
        torch.set_num_threads(threads)
    made = {"command": f"placid splits {' '.join(sys.argv[2:])}", "commit": commit()}
    train_lab(
        read_lab(lab),
        out,
        only=only or (),
        made=made,
        told=lambda name, line: console.print(f"[bold]{name}[/]  {line}", highlight=False),
    )
