"""The figures of the study: what each set of techniques changes, with 95 % intervals."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import polars as pl
from cases import GROUPS, TECHNIQUES, UNSPLIT, with_cost
from tables import change

mpl.use("Agg")
import matplotlib.pyplot as plt

__all__ = ["write_plots"]

#: changes in % beyond which an axis is logarithmic, so that the small ones can be seen beside the large
_WIDE = 150
_COLOURS = ("#999999", "#E69F00", "#0072B2", "#009E73", "#CC79A7", "#D55E00", "black")


def write_plots(rows: pl.DataFrame, folder: Path) -> None:
    """cost.svg, latency.svg and traffic.svg into `folder`: the change against unsplit, a panel for each group of cases."""
    folder.mkdir(exist_ok=True)
    rows = with_cost(rows)
    split = [t for t in TECHNIQUES if t != UNSPLIT]
    for figure, name, label in (
        ("cost_s", "cost", "cost of a request"),
        ("latency_s", "latency", "latency of a request"),
        ("traffic_byte_hops", "traffic", "bytes times hops of a request"),
    ):
        page, axes = plt.subplots(2, 2, figsize=(10, 6.4), layout="constrained")
        for one, (group, cases) in zip(axes.flat, GROUPS.items(), strict=True):
            one.axhline(0, color="0.7", linewidth=0.8)
            for place, (t, colour) in enumerate(zip(split, _COLOURS, strict=True)):
                told = [change(rows, case, t, figure) for case in cases]
                at = [i + (place - (len(split) - 1) / 2) * 0.11 for i in range(len(cases))]
                one.errorbar(
                    at, [100 * m for m, _ in told], [100 * h for _, h in told],
                    fmt="o", markersize=4, linewidth=1, color=colour, label=t,
                )  # fmt: skip
            one.set_xticks(range(len(cases)), [_broken(c) for c in cases], fontsize=8)
            if max(abs(end) for end in one.get_ylim()) > _WIDE:
                one.set_yscale("symlog", linthresh=20, linscale=0.6)
                one.yaxis.set_major_formatter("{x:g}")
            one.set_title(group, loc="left", fontsize=10)
            one.spines[["top", "right"]].set_visible(False)
            one.set_ylabel(f"{label}, change in %", fontsize=8)
        handles, labels = axes.flat[0].get_legend_handles_labels()
        page.legend(handles, labels, loc="outside right center", frameon=False, fontsize=8)
        page.savefig(folder / f"{name}.svg")
        plt.close(page)


def _broken(case: str) -> str:
    """Over two lines, at the first space or else behind the first hyphen."""
    return case.replace(" ", "\n", 1) if " " in case else case.replace("-", "-\n", 1)
