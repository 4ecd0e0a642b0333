"""The figures of the study, with 95 % intervals."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import polars as pl

mpl.use("Agg")
import matplotlib.pyplot as plt

__all__ = ["write_over_time", "write_plots"]

_COLOURS = {
    "infida": "#D55E00",
    "infida-adaptive": "#0072B2",
    "olag": "#009E73",
    "lfu": "#CC79A7",
    "lru": "#E69F00",
    "hindsight-greedy": "black",
    "hindsight-averaged": "0.5",
    "hindsight-local-search": "#56B4E9",
}
_MARKS = dict(zip(_COLOURS, "os^vDxP*", strict=True))


def write_plots(table: pl.DataFrame, folder: Path) -> None:
    """alpha.svg, refresh.svg and rate.svg into `folder`."""
    folder.mkdir(exist_ok=True)
    topologies = table["topology"].unique(maintain_order=True).to_list()
    measured = table["part"].unique()
    for name, draw in (("alpha", _alpha), ("refresh", _refresh), ("rate", _rate)):
        if name not in measured:
            continue
        figure, axes = plt.subplots(1, len(topologies), figsize=(9, 3.4), layout="constrained", squeeze=False)
        for one, topology in zip(axes[0], topologies, strict=True):
            draw(one, table.filter((pl.col("part") == name) & (pl.col("topology") == topology)))
            one.set_title(topology, loc="left", fontsize=10)
            one.spines[["top", "right"]].set_visible(False)
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize=8)
        figure.savefig(folder / f"{name}.svg")
        plt.close(figure)


def write_over_time(courses: dict[tuple[str, str], pl.DataFrame], folder: Path) -> None:
    """popularity.svg into `folder`: NTAG from the start up to each slot.

    Args:
        courses: (topology, popularity) -> columns policy, slot, gain, gain_low, gain_high.
    """
    folder.mkdir(exist_ok=True)
    rows = list(dict.fromkeys(topology for topology, _ in courses))
    columns = list(dict.fromkeys(popularity for _, popularity in courses))
    figure, axes = plt.subplots(
        len(rows),
        len(columns),
        figsize=(9, 2.9 * len(rows)),
        layout="constrained",
        squeeze=False,
        sharey=True,
    )
    for (topology, popularity), course in courses.items():
        one = axes[rows.index(topology)][columns.index(popularity)]
        for policy, colour in _COLOURS.items():
            mine = course.filter(pl.col("policy") == policy).sort("slot")
            if mine.height:
                dashes = "--" if policy.startswith("hindsight") else "-"
                one.plot(
                    mine["slot"], 1e3 * mine["gain"],
                    color=colour, linestyle=dashes, linewidth=1.2, label=policy,
                    marker=_MARKS[policy], markersize=4, markevery=max(1, mine.height // 6),
                )  # fmt: skip
                one.fill_between(
                    mine["slot"], 1e3 * mine["gain_low"], 1e3 * mine["gain_high"],
                    color=colour, alpha=0.25, linewidth=0,
                )  # fmt: skip
        one.set_title(f"{topology}, {popularity}", loc="left", fontsize=10)
        one.spines[["top", "right"]].set_visible(False)
        one.set(xlabel="slot (minutes)", ylabel="gain per request so far, ms")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize=8)
    figure.savefig(folder / "popularity.svg")
    plt.close(figure)


def _alpha(axes: plt.Axes, table: pl.DataFrame) -> None:
    """Latency against error, one point an alpha."""
    for policy in _COLOURS:
        x, y = (
            _of(table, policy, q).sort(pl.col("setting").cast(pl.Float64)) for q in ("latency_s", "error")
        )
        if x.height:
            axes.errorbar(
                1e3 * x["mean"], y["mean"],
                xerr=1e3 * (x["high"] - x["mean"]), yerr=y["high"] - y["mean"],
                marker=_MARKS[policy], color=_COLOURS[policy], label=policy, markersize=4, linewidth=1,
            )  # fmt: skip
    axes.set(xlabel="latency, ms", ylabel="error (1 - AP50)")


def _refresh(axes: plt.Axes, table: pl.DataFrame) -> None:
    """Gain against bytes loaded, one point a refresh period."""
    for policy in ("infida", "infida-adaptive"):
        for suffix, line in ((" B=", "-"), (" stretched", "")):
            mine = table.filter(pl.col("policy").str.starts_with(policy + suffix))
            x, y = (mine.filter(pl.col("quantity") == q) for q in ("bytes_loaded", "gain"))
            axes.errorbar(
                x["mean"] / 1e6, 1e3 * y["mean"], yerr=1e3 * (y["high"] - y["mean"]),
                linestyle=line, color=_COLOURS[policy], label=f"{policy}{', stretched' if line == '' else ''}",
                marker="o" if line else "*", markersize=4 if line else 10, linewidth=1,
            )  # fmt: skip
            if line:
                for at, gain, name in zip(x["mean"] / 1e6, 1e3 * y["mean"], x["policy"], strict=True):
                    axes.annotate(
                        name.split()[-1], (at, gain), fontsize=7, xytext=(3, -9), textcoords="offset points"
                    )
    axes.set(xlabel="MB loaded a slot", ylabel="gain per request, ms", xscale="log")


def _rate(axes: plt.Axes, table: pl.DataFrame) -> None:
    """Gain against the request rate."""
    for policy in _COLOURS:
        y = _of(table, policy, "gain").sort(pl.col("setting").cast(pl.Float64))
        if y.height:
            axes.errorbar(
                y["setting"].cast(pl.Float64), 1e3 * y["mean"], yerr=1e3 * (y["high"] - y["mean"]),
                marker=_MARKS[policy], color=_COLOURS[policy], label=policy, markersize=4, linewidth=1,
            )  # fmt: skip
    axes.set(xlabel="request rate, times the base rate", ylabel="gain per request, ms", xscale="log")
    rates = sorted({float(s) for s in table["setting"]})
    axes.set_xticks(rates, [f"{r:g}" for r in rates])
    axes.minorticks_off()


def _of(table: pl.DataFrame, policy: str, quantity: str) -> pl.DataFrame:
    return table.filter((pl.col("policy") == policy) & (pl.col("quantity") == quantity))
