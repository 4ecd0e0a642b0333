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
    seed: Annotated[
        list[int] | None, typer.Option("--seed", help="Only this one of the lab's seeds; may be repeated.")
    ] = None,
    device: Annotated[
        str, typer.Option(help="Where to train: cpu, cuda, cuda:1; auto takes a GPU if there is one.")
    ] = "auto",
    threads: Annotated[int, typer.Option(help="Processor cores to use; 0 for all.", min=0)] = 0,
) -> None:
    """Train every variant of a lab. Interrupt it as you like: the same command goes on from the last epoch."""
    import torch

    from placid.experiments.provenance import commit
    from placid.splitting.lab.spec import read_lab
    from placid.splitting.lab.train import train_lab
    from placid.splitting.training.device import device_named

    if threads:
        torch.set_num_threads(threads)
    made = {"command": f"placid splits {' '.join(sys.argv[2:])}", "commit": commit()}
    train_lab(
        read_lab(lab),
        out,
        only=only or (),
        seeds=seed or (),
        made=made,
        device=device_named(device),
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


@splits_app.command()
def compare(
    zoo: Annotated[
        Path | None,
        typer.Argument(
            help="The zoo: a folder with manifest.json, or cifar10 or cifar10-long, which come with placid.",
            show_default="cifar10",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where splits.html and splits.csv go.")] = Path(
        "runs/splits"
    ),
    accuracy_loss: Annotated[
        float,
        typer.Option(
            help="Points of accuracy that may be lost against the whole network: what the sentences are about, and the "
            "maps show first.",
            min=0.0,
            max=99.0,
        ),
    ] = 1.0,
    round_trip: Annotated[
        str, typer.Option(help="Of an input that is sent, beyond its bytes; for the maps.")
    ] = "10 ms",
    server: Annotated[
        float,
        typer.Option(
            help="Multiply-adds a second that the server sustains for one request; for the maps.",
            show_default="4e11",
        ),
    ] = 4e11,
) -> None:
    """Hold every way to answer against every other: table, page, and maps of which one wins where."""
    from placid.catalog.variants import read_zoo, shipped_zoo, zoo_folder
    from placid.reports.splits import Setting, compare_splits, headline, splits_table, write_comparison
    from placid.units import parse_quantity

    folder = shipped_zoo() if zoo is None else zoo_folder(zoo)
    if not (folder / "manifest.json").exists():
        raise InputError(
            "no zoo lies here: there is no manifest.json. To make one from a lab, 'placid splits train labs/cifar10.yaml "
            "--out runs/cifar10', then 'placid catalog build labs/cifar10.yaml --trained runs/cifar10 --out ZOO'",
            where=str(folder),
        )
    told = compare_splits(
        read_zoo(folder),
        Setting(server_multiply_adds_per_s=server, round_trip_s=parse_quantity(round_trip, "time")),
        loss=accuracy_loss / 100,
    )
    try:
        page = write_comparison(told, out)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(error.filename or out)) from error
    console.print(splits_table(told))
    console.print(headline(told), highlight=False, markup=False)
    console.print(f"The numbers: [bold]{page.with_suffix('.csv')}[/]", highlight=False, soft_wrap=True)
    console.print(f"The page: [bold]{page}[/]", highlight=False, soft_wrap=True)


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


@splits_app.command()
def adapt(
    lab: LabFile,
    trained: Annotated[Path, typer.Option("--trained", help="Where `placid splits train` put the weights.")],
    out: Annotated[Path, typer.Option("--out", help="Where rows, tables and figures go.")],
    nodes: Annotated[
        Path | None, typer.Option("--nodes", help="A YAML file of nodes; by default five of ours.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="This way to adapt alone; may be repeated.")
    ] = None,
    labels: Annotated[str, typer.Option(help="Numbers of labelled pictures.")] = "0,10,50,250,1000",
    seeds: Annotated[int, typer.Option(help="How many draws of every node.", min=1)] = 1,
    device: Annotated[
        str, typer.Option(help="Class of device that energy is modelled for.")
    ] = "single-board",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Little of everything: does it run?")] = False,
    threads: Annotated[int, typer.Option(help="Processor cores to use; 0 for all.", min=0)] = 0,
) -> None:
    """Adapt the trained network to nodes with other pictures and few labels. Interrupt it as you like: rows are kept."""
    import polars as pl
    import torch

    from placid.reports.adaptation import adaptation_markdown, adaptation_table, severity_table
    from placid.reports.adaptation_charts import write_adaptation_figures
    from placid.splitting.adaptation.adapt import Effort
    from placid.splitting.adaptation.energy import device_class
    from placid.splitting.adaptation.methods import METHODS
    from placid.splitting.adaptation.nodes_file import NODES, read_nodes
    from placid.splitting.adaptation.rows import records
    from placid.splitting.adaptation.study import Study, adaptation_study
    from placid.splitting.adaptation.study import quick as quickly
    from placid.splitting.data import load_dataset
    from placid.splitting.lab.spec import read_lab
    from placid.splitting.lab.train import load_teacher, weights_file

    if threads:
        torch.set_num_threads(threads)
    spent = device_class(device)
    told = read_lab(lab)
    data = load_dataset(told.data)
    study = Study(
        nodes=read_nodes(nodes, len(data.dataset.classes)) if nodes else NODES,
        methods=tuple(only or METHODS),
        labels=tuple(_counts(labels)),
        seeds=tuple(range(seeds)),
        effort=Effort(flip=told.flip, smoothing=told.teacher.smoothing),
    )
    weights = weights_file(trained, "teacher", told.seeds[0])
    if not weights.exists():
        raise InputError(
            f"there is no trained network; make it: placid splits train {lab} --out {trained}",
            where=str(weights),
        )
    progress = Console(stderr=True, soft_wrap=True)
    rows = adaptation_study(
        *(told, load_teacher(told, trained), data, out, quickly(study) if quick else study),
        lambda what, line: progress.print(f"[bold]{what}[/]  {line}", highlight=False),
    )
    frame = pl.DataFrame(records(rows, spent.joules_per_multiply_add))
    frame.write_csv(out / "adaptation.csv")
    (out / "adaptation.md").write_text(adaptation_markdown(frame), encoding="utf-8")
    written = [out / "adaptation.csv", out / "adaptation.md", *write_adaptation_figures(frame, out)]
    if markdown:
        print(adaptation_markdown(frame), end="")
    else:
        console.print(adaptation_table(frame))
        if (by_severity := severity_table(frame)) is not None:
            console.print(by_severity)
    progress.print(f"written: {', '.join(map(str, written))}", highlight=False)


def _counts(told: str) -> list[int]:
    try:
        return [int(n) for n in told.split(",")]
    except ValueError:
        raise InputError(
            f"is written as whole numbers with commas (0,10,100), got '{told}'", where="--labels"
        ) from None
