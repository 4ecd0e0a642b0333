"""`placid export kubernetes`: a live network for a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["export_app"]

export_app = typer.Typer(
    help="Write a scenario's live network for machines that others run.", no_args_is_help=True
)
console = Console()


@export_app.callback()
def _only_by_name() -> None:
    """Write a scenario's live network for machines that others run."""


@export_app.command()
def kubernetes(
    file: Annotated[Path, typer.Argument(help="The scenario, a YAML file.", metavar="SCENARIO")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the manifests.")],
    image: Annotated[str, typer.Option(help="With placid and its extra 'serve'.")] = "placid:latest",
    namespace: Annotated[str, typer.Option(help="That everything goes into.")] = "placid",
    select: Annotated[
        list[str] | None,
        typer.Option(
            help="Machines for a tier's nodes, by label: tier=label=value. May be repeated.", metavar="T=L=V"
        ),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option("--policy", "-p", help="Of the scenario's policies.", show_default="the first"),
    ] = None,
    slot: Annotated[
        str | None, typer.Option(help="How long a slot lasts, such as '10 s'.", show_default="the scenario's")
    ] = None,
    grpc: Annotated[bool, typer.Option("--grpc", help="Speak gRPC to clients too.")] = False,
    zoo: Annotated[
        str,
        typer.Option(help="Where the zoo lies in the image.", show_default="the one that comes with placid"),
    ] = "",
    repository: Annotated[str, typer.Option(help="Memory for what a repository holds.")] = "512 MiB",
) -> None:
    """Write manifests for Kubernetes: a Deployment for every node, services, policies, a controller."""
    from placid.cli.extras import need
    from placid.experiments.export import export_kubernetes, selection_of
    from placid.experiments.scenario import load_scenario
    from placid.runtime.kubernetes.manifests import Cluster
    from placid.units import parse_quantity

    need("serve", "export")
    cluster = Cluster(
        image,
        namespace,
        selection_of(select or []),
        int(parse_quantity(repository, "size")),
        policy or "",
        slot or "",
    )
    if slot is not None:
        parse_quantity(slot, "time")
    written = export_kubernetes(load_scenario(file), out, cluster, zoo=zoo, grpc=grpc)
    console.print(
        f"{len(written)} files in [bold]{out}[/]. The secret is in {out / 'token'}, for you alone to read.\n"
        f"  docker build -f {out / 'Dockerfile'} -t {image} .      # in placid's sources\n"
        f"  kubectl apply -k {out}",
        highlight=False,
        soft_wrap=True,
    )
