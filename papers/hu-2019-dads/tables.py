"""The generated section of README.md, from the two tables alone."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from settings import DEVICES, PAPER_HEAVY, PAPER_LIGHT, PAPER_LINKS, PAPER_OVER_CHAIN, SERVER

from placid.reports.studies import markdown_table

__all__ = ["results"]

COMMAND = "python papers/hu-2019-dads/study.py"


def results(folder: Path) -> str:
    """Markdown of the tables in `folder`."""
    rates, decisions = (
        pl.read_csv(folder / f"{n}.csv", schema_overrides={"link": pl.String}) for n in ("rates", "decisions")
    )
    theirs = rates.filter((pl.col("device") == DEVICES[0].name) & pl.col("link").is_in(list(PAPER_LINKS)))
    sections = [
        f"Made by `{COMMAND}`. Times of stages and latencies are **modelled** (rooflines of declared processors, the cloud "
        f"a core of {SERVER.name} for each request; declared links); times of decisions are measured by the clock, on a "
        "machine whose cores were busy with trainings: the long ones are mostly waiting.",
        _beside(theirs, rates),
        _light(theirs),
        _shape(rates),
        _heavy(rates),
        _decisions(decisions),
    ]
    return "\n\n".join(sections)


def _beside(theirs: pl.DataFrame, rates: pl.DataFrame) -> str:
    large = pl.col("network").is_in(["alexnet-224", "resnet18", "googlenet"])
    shown = theirs.filter(large) if theirs.filter(large).height else theirs

    def ours(over: str, under: str) -> str:
        return _range(shown[over] / shown[under])

    rows = [
        ("light load: latency, all on the device over DADS", _span(PAPER_LIGHT[0]), ours("device_s", "light_s")),
        ("light load: latency, all in the cloud over DADS", _span(PAPER_LIGHT[1]), ours("cloud_s", "light_s")),
        ("heavy load: throughput, DADS over all on the device", _span(PAPER_HEAVY[0]),
         ours("device_stage_s", "heavy_stage_s")),
        ("heavy load: throughput, DADS over all in the cloud", _span(PAPER_HEAVY[1]),
         ours("cloud_stage_s", "heavy_stage_s")),
        ("light load: latency gained on Neurosurgeon in the network's order",
         f"{100 * PAPER_OVER_CHAIN[0]:.0f} to {100 * PAPER_OVER_CHAIN[1]:.0f} % for their two graphs",
         f"at most {abs(100 * (rates['chain_s'] / rates['light_s'] - 1).max()):.2f} %, in any case of the study"),
    ]  # fmt: skip
    names = ", ".join(shown["network"].unique(maintain_order=True))
    return (
        f"**Beside the paper** (theirs: NiN, YOLOv2-tiny, VGG16, AlexNet, ResNet-18, a Raspberry Pi 3 and 8 cores of a "
        f"cloud; ours: {names}, {DEVICES[0].name}, the four links of their Table I)\n\n"
        f"{markdown_table(('least to most', 'paper', 'ours'), rows)}"
    )


def _light(theirs: pl.DataFrame) -> str:
    rows = [
        (r["network"], f"{r['link']}, {r['bits_per_s'] / 1e6:g} Mbit/s", _ms(r["device_s"]), _ms(r["cloud_s"]),
         _ms(r["chain_s"]), _ms(r["light_s"]), r["after"])
        for r in theirs.iter_rows(named=True)
    ]  # fmt: skip
    head = (
        "network",
        "link",
        "on the device, ms",
        "in the cloud, ms",
        "Neurosurgeon, ms",
        "DADS, ms",
        "cut after",
    )
    return f"**Light load** ({DEVICES[0].name})\n\n{markdown_table(head, rows)}"


def _shape(rates: pl.DataFrame) -> str:
    rows = []
    for (name,), group in rates.group_by("network", maintain_order=True):
        inside = group.filter("interior")
        gain = 100 * (group["chain_s"] / group["light_s"] - 1)
        better = inside.select(pl.min_horizontal("cloud_s", "device_s") / pl.col("light_s")).to_series()
        rows.append(
            (
                name, str(len(group)), str(len(inside)), str(int((~inside["in_order"]).sum())),
                str(int((inside["tensors"] > 1).sum())), f"{gain.max():.2f} %",
                f"{better.mean():.2f}x, {better.max():.2f}x" if len(better) else "–",
            )
        )  # fmt: skip
    head = (
        "network", "cases", "cut inside", "of those on no line", "several tensors cross",
        "most gained on the chain", "cut inside over the better end: mean, most",
    )  # fmt: skip
    return (
        "**What the shape of the graph is worth** (devices x rates, light load; on no line: no place in the network's own "
        f"order makes that head)\n\n{markdown_table(head, rows)}"
    )


def _heavy(rates: pl.DataFrame) -> str:
    rows = []
    for (name,), group in rates.group_by("network", maintain_order=True):
        gap = 100 * (group["heavy_stage_s"] / group["heavy_bound_s"] - 1)
        rows.append(
            (
                name,
                _mean_most(group["light_stage_s"] / group["heavy_stage_s"]),
                _mean_most(group["weights_stage_s"] / group["heavy_stage_s"]),
                _mean_most(group["in_order_stage_s"] / group["heavy_stage_s"]),
                f"{gap.median():.1f} %, {gap.mean():.1f} %, {gap.max():.0f} %",
                _mean_most(group["heavy_s"] / group["light_s"]),
            )
        )
    head = (
        "network", "over the head of least latency", "over weights alone (the paper's search at best)",
        "over the best cut in order", "above the bound: median, mean, most", "latency paid",
    )  # fmt: skip
    return f"**Heavy load** (throughput, as times; mean, most)\n\n{markdown_table(head, rows)}"


def _decisions(decisions: pl.DataFrame) -> str:
    rows = [
        (r["network"], str(r["operations"]), str(r["arcs"]), f"{1e3 * r['chain_s']:.2f}", f"{1e3 * r['light_s']:.2f}",
         f"{1e3 * r['heavy_s']:.1f}", str(r["cuts"]), f"{r['grid_cuts']:,}")
        for r in decisions.iter_rows(named=True)
    ]  # fmt: skip
    head = (
        "network", "operations", "arcs", "chain, ms", "light, ms", "heavy, ms", "least cuts of heavy",
        "… of the first pass over the paper's grid",
    )  # fmt: skip
    return f"**A decision** (least of many, 1.1 Mbit/s, {DEVICES[0].name})\n\n{markdown_table(head, rows)}"


def _mean_most(values: pl.Series) -> str:
    return f"{values.mean():.2f}x, {values.max():.2f}x"


def _range(values: pl.Series) -> str:
    return f"{values.min():.2f} to {values.max():.2f} times"


def _span(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.2f} to {ends[1]:.2f} times"


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:,.0f}" if seconds >= 0.1 else f"{1e3 * seconds:.3g}"
