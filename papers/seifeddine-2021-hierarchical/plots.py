"""The figure of the study: what changes, who answers, what it is worth; simulated and live."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import polars as pl

mpl.use("Agg")
import matplotlib.pyplot as plt
from setting import Case
from simulated import BEST, CALM

__all__ = ["write_figure"]

_COLOURS = {
    "dynamic": "#D55E00",
    "oracle": "black",
    BEST: "#009E73",
    CALM: "#0072B2",
    "fixed, manifest": "#CC79A7",
    "always local": "0.6",
}


def write_figure(
    rows: pl.DataFrame, live: pl.DataFrame | None, case: Case, names: list[str], file: Path
) -> None:
    """Two panels beside each other: objective by phase, shares of answers by phase."""
    mine = rows.filter(pl.col("case") == case.name)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained")
    phases = np.arange(len(names))
    for policy, colour in _COLOURS.items():
        one = mine.filter(pl.col("policy") == policy)
        good = [1e3 * float(one[f"objective_s_{p}"].to_numpy().mean()) for p in phases]
        style = {"ls": "--"} if policy == "oracle" else {}
        left.plot(phases, good, color=colour, label=policy, lw=2.2 if policy == "dynamic" else 1.4, **style)
    low = [
        1e3 * float(mine.filter(pl.col("policy") == "always local")[f"objective_s_{p}"].to_numpy().mean())
        for p in phases
    ]
    left.set_ylim(min(low) - 25, 455)
    left.set_ylabel("value x accuracy - latency, ms a request")
    left.set_title("what it is worth (below: queues without end)", loc="left", fontsize=10)
    dynamic = mine.filter(pl.col("policy") == "dynamic")
    for k, (tier, colour) in enumerate((("device", "#56B4E9"), ("edge", "#E69F00"), ("cloud", "#CC79A7"))):
        share = [100 * float(dynamic[f"share_{k}_{p}"].to_numpy().mean()) for p in phases]
        right.plot(phases, share, color=colour, lw=2, label=f"{tier}, simulated")
        if live is not None:
            told = live.filter(
                (pl.col("policy") == "dynamic") & (pl.col("where") == "live") & (pl.col("phase") >= 0)
            )
            right.plot(
                told["phase"],
                100 * told[f"share_{k}"],
                "o",
                color=colour,
                mec="black",
                ms=6,
                label=f"{tier}, live",
            )
    if live is not None:
        told = live.filter(
            (pl.col("policy") == "dynamic") & (pl.col("where") == "live") & (pl.col("phase") >= 0)
        )
        left.plot(
            told["phase"],
            1e3 * told["objective_s"],
            "o",
            color=_COLOURS["dynamic"],
            mec="black",
            ms=6,
            label="dynamic, live",
        )
    right.set_ylim(0, 100)
    right.set_ylabel("% of answers, dynamic rule")
    right.set_title("who answers", loc="left", fontsize=10)
    for axes in (left, right):
        axes.set_xticks(phases, [n.replace(", ", ",\n") for n in names])
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8, ncols=2)
    file.parent.mkdir(exist_ok=True)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    plt.close(figure)
