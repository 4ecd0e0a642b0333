"""`placid splits`: what splitting a network buys."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from placid.errors import InputError

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


@splits_app.command()
def cuts(
    network: Annotated[
        str, typer.Argument(help="A network of placid's (airbench), my_module:make, or a lab file.")
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="An argument of its function: width=24; may be repeated."),
    ] = None,
    shape: Annotated[str, typer.Option(help="Of one input: channels, height, width.")] = "3,32,32",
    every: Annotated[bool, typer.Option("--all", help="Also cuts inside of modules.")] = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Write all cuts and figures into this file.")
    ] = None,
) -> None:
    """Where a network can be cut: what crosses there, and what each side computes and keeps."""
    import torch

    from placid.reports.cuts import cuts_csv, cuts_table
    from placid.splitting.cutting import trace
    from placid.splitting.lab.spec import read_lab
    from placid.splitting.nets import network_named

    if network.endswith((".yaml", ".yml")):
        told = read_lab(Path(network)).teacher
        name, arguments = told.name, told.settings
    else:
        name, arguments = network, _arguments(settings or [])
    traced = trace(network_named(name, arguments, 0), torch.zeros(2, *_shape(shape)))
    if csv is not None:
        csv.write_text(cuts_csv(traced.cuts), encoding="utf-8")
    shown = [c for c in traced.cuts if every or ":" not in c.name]
    console.print(cuts_table(shown, f"{name}: {traced.multiply_adds / 1e6:.1f} million multiply-adds"))
    if len(shown) < len(traced.cuts):
        console.print(f"{len(traced.cuts) - len(shown)} more inside of modules: --all", highlight=False)


def _arguments(settings: list[str]) -> dict[str, object]:
    """Arguments from ``name=value``: numbers as numbers."""
    found: dict[str, object] = {}
    for told in settings:
        name, equals, value = told.partition("=")
        if not equals or not name.isidentifier():
            raise InputError(f"is written name=value, got '{told}'", where="--set")
        try:
            found[name] = json.loads(value)
        except json.JSONDecodeError:
            found[name] = value
    return found


def _shape(told: str) -> list[int]:
    try:
        sizes = [int(s) for s in told.split(",")]
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 1:
        raise InputError(f"is written as whole numbers with commas (3,32,32), got '{told}'", where="--shape")
    return sizes
