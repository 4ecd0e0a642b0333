"""`placid load` and `placid validate`: asking a live network, and holding it against what was predicted."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from placid.experiments.validate import Validated
    from placid.runtime.load.loadgen import LoadGen, Result
    from placid.runtime.load.over_http import OverHttp

__all__ = ["load", "validate"]

console = Console()

ScenarioFile = Annotated[Path, typer.Argument(help="The scenario, a YAML file.", metavar="SCENARIO")]
Folder = Annotated[
    Path | None, typer.Option("--out", "-o", help="Folder of the network.", show_default="runs/live-NAME")
]
Pictures = Annotated[
    Path | None,
    typer.Option(help="An .npz of pictures and labels to send.", show_default="those beside the zoo"),
]
Share = Annotated[
    float,
    typer.Option(help="Of the scenario's requests: below 1 some are left out, above 1 some sent again."),
]


def load(
    file: ScenarioFile,
    out: Folder = None,
    slots: Annotated[int, typer.Option(min=1, help="For how many slots.")] = 10,
    first: Annotated[int, typer.Option(min=0, help="The workload's slot to begin with.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the requests.")] = 0,
    share: Share = 1.0,
    deadline: Annotated[str | None, typer.Option(help="Refuse what takes longer, such as '200 ms'.")] = None,
    clients: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Closed loop: so many clients, each of which waits for its answer before it sends the next request.",
            show_default="open loop",
        ),
    ] = None,
    pictures: Pictures = None,
    loadgen: Annotated[
        str | None,
        typer.Option(
            help="Instead, ask one node as MLPerf's LoadGen does: SingleStream, MultiStream, Server or Offline."
        ),
    ] = None,
    node: Annotated[
        str | None, typer.Option(help="With --loadgen: the node that is asked.", show_default="the first")
    ] = None,
    rate: Annotated[
        float,
        typer.Option(help="With --loadgen: of Server, queries a second; of Offline, samples to expect."),
    ] = 10.0,
    bound: Annotated[str, typer.Option(help="With --loadgen Server: 99 of 100 answers within.")] = "100 ms",
    lasts: Annotated[
        str | None,
        typer.Option(
            help="With --loadgen: for how long at least.", show_default="10 s; 10 min if --official"
        ),
    ] = None,
    official: Annotated[
        bool,
        typer.Option(
            "--official",
            help="With --loadgen: MLPerf's least duration and counts, and percentiles that hold with 99 % confidence.",
        ),
    ] = False,
) -> None:
    """Play a scenario's requests against its live network (`placid up`), open loop unless there are --clients, and say what
    came back."""
    from placid.cli.extras import need

    need("serve", "load")
    import polars as pl

    from placid.experiments.live import LiveFolder
    from placid.experiments.run import slug
    from placid.experiments.scenario import build, load_scenario
    from placid.experiments.validate import samples_of, share_in
    from placid.runtime.certificates import Certificates
    from placid.runtime.event_loop import run
    from placid.runtime.load.loadgen import LoadGen
    from placid.runtime.load.over_http import OverHttp
    from placid.runtime.load.play import play
    from placid.runtime.load.records import Records, summary, write_rows
    from placid.runtime.load.schedule import schedule_of
    from placid.runtime.spec import Address
    from placid.units import parse_quantity

    scenario = load_scenario(file)
    built = build(scenario)
    folder = LiveFolder(out if out is not None else Path("runs") / f"live-{slug(scenario.name)}")
    told = _where(folder.nodes, file)
    samples = samples_of(built, pictures)
    requests = built.requests
    nodes = {n["name"]: Address(n["host"], n["port"]) for n in told["nodes"]}
    tls = Certificates(Path(told["tls"])).asking if told["tls"] else None
    if loadgen is not None:
        asked = node or requests.ingress[0]
        ask = partial(OverHttp, [asked], [requests.task[0]], nodes, samples.pictures, tls=tls)
        settings: dict[str, Any] = {
            "rate_per_s": rate,
            "bound_s": parse_quantity(bound, "time"),
            "seed": seed,
        }
        if lasts is not None:
            settings["least_s"] = parse_quantity(lasts, "time")
        made = LoadGen.official if official else LoadGen
        setting = made(loadgen, **settings)  # type: ignore[arg-type]
        console.print(_loadgen_table(run(_loadgen(setting, ask, len(samples))), asked))
        return
    schedule = schedule_of(
        built.workload,
        range(first, first + slots),
        told["slot_s"],
        seed,
        pictures=len(samples),
        share=share * share_in(told["slot_s"], built),
    )
    deadline_s = None if deadline is None else parse_quantity(deadline, "time")

    async def all_of_it() -> Records:
        ask = OverHttp(
            requests.ingress, requests.task, nodes, samples.pictures, deadline_s=deadline_s, tls=tls
        )
        try:
            with console.status(f"sending {len(schedule):,} requests") as status:
                return await play(
                    schedule,
                    ask,
                    clients=clients,
                    tell=lambda done, of: status.update(f"{done:,} of {of:,} requests answered"),
                )
        except asyncio.CancelledError as cancelled:
            if not hasattr(cancelled, "records"):
                raise
            console.print("Interrupted: what follows is of the requests so far.")
            so_far: Records = cancelled.records
            return so_far
        finally:
            await ask.close()

    records = run(all_of_it())
    frame = records.to_frame(requests.ingress, requests.task, samples.labels)
    rows = folder.path / "requests.parquet"
    write_rows(frame, rows)
    tiers = {n["name"]: n["tier"] for n in told["nodes"]}
    console.print(_summary_table(summary(frame, tiers)))
    lost = frame.filter(pl.col("status") < 0).height
    if lost:
        console.print(f"[red]{lost:,} requests came to nothing[/]", highlight=False)
    console.print(f"A row for every request: [bold]{rows}[/]", highlight=False, soft_wrap=True)


def validate(
    file: ScenarioFile,
    out: Folder = None,
    slots: Annotated[int, typer.Option(min=1, help="Slots that count.")] = 3,
    warm_up: Annotated[int, typer.Option(min=0, help="Slots before, in which the policy learns.")] = 2,
    slot: Annotated[
        str | None, typer.Option(help="How long a slot lasts, such as '10 s'.", show_default="the scenario's")
    ] = None,
    share: Share = 1.0,
    policy: Annotated[
        str | None,
        typer.Option("--policy", "-p", help="Of the scenario's policies.", show_default="the first"),
    ] = None,
    pictures: Pictures = None,
) -> None:
    """Predict what live nodes will do, have them do it, and say how far apart both are."""
    from placid.cli.extras import need

    need("serve", "validate")
    from placid.experiments.scenario import load_scenario
    from placid.experiments.validate import validate as held_against
    from placid.runtime.event_loop import run
    from placid.units import parse_quantity

    scenario = load_scenario(file)
    validated = run(
        held_against(
            scenario,
            out,
            slots=slots,
            warm_up=warm_up,
            slot_s=None if slot is None else parse_quantity(slot, "time"),
            share=share,
            policy=policy,
            pictures=pictures,
            hears=lambda line: console.print(line, highlight=False),
        )
    )
    console.print(_comparison_table(validated))
    console.print(
        f"{validated.rows.height:,} requests, {validated.refused:,} not answered. Latency is the network's, as the node "
        "saw it where a request entered; 'by chance' is what both may differ by in 95 of 100 such runs.",
        highlight=False,
    )


async def _loadgen(setting: LoadGen, asker: Callable[[], OverHttp], pictures: int) -> Result:
    ask = asker()
    try:
        with console.status(f"{setting.scenario}") as status:
            return await setting.run(
                lambda number: ask(0, number % pictures),
                lambda done: status.update(f"{setting.scenario}: {done:,} queries"),
            )
    finally:
        await ask.close()


def _loadgen_table(result: Result, node: str) -> Table:
    table = Table(box=None, show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    figure = f"{1e3 * result.figure:.2f} ms" if result.unit == "s" else f"{result.figure:,.1f} {result.unit}"
    table.add_row(f"{result.scenario} at {node}, {result.what}", f"[bold]{figure}[/]")
    table.add_row("result", "valid" if result.valid else f"[red]invalid[/]: {'; '.join(result.reasons)}")
    table.add_row("queries", f"{result.queries:,} in {result.duration_s:.1f} s")
    if result.sure_s == result.sure_s:
        table.add_row("with 99 % confidence", f"{1e3 * result.sure_s:.2f} ms")
    for q in (0.5, 0.9, 0.99):
        table.add_row(f"latency, p{100 * q:.0f}", f"{1e3 * result.quantile_s(q):.2f} ms")
    return table


def _where(nodes: Path, scenario: Path) -> dict[str, Any]:
    from placid.errors import RunError

    try:
        told: dict[str, Any] = json.loads(nodes.read_text())
    except FileNotFoundError:
        raise RunError(
            f"no network is up in {nodes.parent}: start it with 'placid up {scenario}' in another terminal"
        ) from None
    return told


def _summary_table(told: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_row("requests", f"{told['requests']:,}")
    table.add_row("answered", f"{told['answered']:,}")
    for status, count in told["refused"].items():
        table.add_row(f"refused ({status})" if status != "0" else "not sent", f"{count:,}")
    if "latency_s" in told:
        for name, value in told["latency_s"].items():
            table.add_row(f"latency, {name}", f"{1e3 * value:.1f} ms")
        table.add_row("sent late, 99th percentile", f"{1e3 * told['sent_late_s']['p99']:.2f} ms")
        table.add_row("offered", f"{told['rate_per_s']:.1f} /s")
    if "accuracy" in told:
        a = told["accuracy"]
        table.add_row("accuracy", f"{a['share']:.1%} ({a['low']:.1%} to {a['high']:.1%})")
    for tier, share in told.get("tiers", {}).items():
        table.add_row(f"answered by {tier}", f"{share:.1%}")
    return table


def _comparison_table(validated: Validated) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("figure", "of", "predicted", "measured", "difference", "by chance"):
        table.add_column(name, justify="left" if name in ("figure", "of") else "right")
    for c in validated.comparisons:
        unit = "points" if c.unit == "share" else "%"
        apart = f"{100 * c.difference:+.1f} {unit}" if isfinite(c.difference) and c.predicted else ""
        chance = f"± {100 * c.chance:.1f}" if isfinite(c.chance) else ""
        table.add_row(c.what, c.of, _shown(c.predicted, c.unit), _shown(c.measured, c.unit), apart, chance)
    return table


def _shown(value: float, unit: str) -> str:
    if unit == "s":
        return f"{1e3 * value:.2f} ms"
    return f"{value:.1%}" if unit == "share" else f"{value:,.0f} B"
