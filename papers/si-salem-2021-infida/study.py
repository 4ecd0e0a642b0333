"""Si Salem et al. (MedComNet 2021, IEEE/ACM ToN 2024) redone on placid's re-implementation.

    python papers/si-salem-2021-infida/study.py             the study: 10 seeds, resumes if interrupted
    python papers/si-salem-2021-infida/study.py --quick     2 seeds, 12 slots: does it run?

Writes one run folder per setting under runs/si-salem-2021, and there results.csv, results.md and figures/. A full study (all
parts, at least 10 seeds) also puts results.csv and figures/ beside this file and rewrites the section of README.md between
its markers.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from time import perf_counter

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from claims import Judged, judge  # noqa: E402
from plots import write_over_time, write_plots  # noqa: E402
from settings import PARTS, Setting, settings  # noqa: E402
from timecourse import gain_late, gain_over_time  # noqa: E402

from placid.experiments.run import run  # noqa: E402
from placid.reports import per_seed  # noqa: E402
from placid.reports.intervals import mean_interval  # noqa: E402
from placid.reports.studies import with_results  # noqa: E402

QUANTITIES = ("gain", "gain_late", "share_of_bound", "latency_s", "error", "bytes_loaded", "messages")
SEEDS = 10


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="2 seeds, 12 slots, small topology; README.md stays"
    )
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; repeatable")
    parser.add_argument("--out", type=Path, default=None, help="default runs/si-salem-2021, or -quick")
    asked = parser.parse_args()
    chosen = [
        s
        for s in settings(2 if asked.quick else asked.seeds, 12 if asked.quick else None)
        if (not asked.only or s.part in asked.only) and (not asked.quick or s.topology == "small")
    ]
    out = asked.out or Path("runs/si-salem-2021-quick" if asked.quick else "runs/si-salem-2021")
    seeds = measure(chosen, out, 1 if asked.quick else asked.processes)
    judged = judge(seeds)
    print(as_text(judged))
    table = summarised(seeds)
    write_results(table, chosen, out, out)
    (out / "results.md").write_text(results(table, judged) + "\n")
    if asked.quick or asked.only or asked.seeds < SEEDS:
        return
    write_results(table, chosen, out, HERE)
    readme = HERE / "README.md"
    readme.write_text(with_results(readme.read_text(), results(table, judged)))


def write_results(table: pl.DataFrame, chosen: list[Setting], runs: Path, to: Path) -> None:
    """results.csv and figures/ into `to`, from the runs of `chosen` under `runs`."""
    table.write_csv(to / "results.csv")
    write_plots(table, to / "figures")
    courses = {(s.topology, s.value): gain_over_time(runs / s.name) for s in chosen if s.part == "popularity"}
    if courses:
        write_over_time(courses, to / "figures")


def measure(chosen: list[Setting], out: Path, processes: int) -> pl.DataFrame:
    """Run every setting (or go on with it) and collect: one row per setting, policy and seed."""
    frames = []
    begun = perf_counter()
    for i, setting in enumerate(chosen):
        folder = run(setting.scenario, out / setting.name, processes=processes, report=False)
        frames.append(
            per_seed(folder)
            .join(gain_late(folder), on=("policy", "seed"), how="left")
            .select(
                pl.lit(setting.part).alias("part"),
                pl.lit(setting.topology).alias("topology"),
                pl.lit(setting.value).alias("setting"),
                "policy",
                "seed",
                *QUANTITIES,
            )
        )
        took = perf_counter() - begun
        left = took / (i + 1) * (len(chosen) - i - 1)
        print(
            f"{i + 1}/{len(chosen)} {setting.name}: {took / 60:.1f} min, about {left / 60:.0f} min left",
            flush=True,
        )
    return pl.concat(frames)


def summarised(seeds: pl.DataFrame) -> pl.DataFrame:
    """Tidy: part, topology, setting, policy, quantity, mean, low, high, n."""
    rows = []
    for (part, topology, setting, policy), group in seeds.group_by(
        ("part", "topology", "setting", "policy"), maintain_order=True
    ):
        for quantity in QUANTITIES:
            values = [v for v in group[quantity].to_list() if v is not None]
            if values:
                mean, low, high = mean_interval(values)
                rows.append((part, topology, setting, policy, quantity, mean, low, high, len(values)))
    names = ("part", "topology", "setting", "policy", "quantity", "mean", "low", "high", "n")
    return pl.DataFrame(rows, schema=names, orient="row")


def as_text(judged: list[Judged]) -> str:
    """One line per claim."""
    lines = []
    for j in judged:
        ratio = "" if j.ratio is None else f" {j.ratio[0]:.3f} [{j.ratio[1]:.3f}, {j.ratio[2]:.3f}]"
        lines.append(f"{j.verdict:>14} | {j.topology:6} | {j.words} ({j.asked}):{ratio}")
    return "\n".join(lines)


def results(table: pl.DataFrame, judged: list[Judged]) -> str:
    """The generated section of the README."""
    n = table["n"].max()
    lines = [
        f"Means over {n} seeds with 95 % intervals (Student's t); ratios seed by seed.",
        "",
        "| claim, as we read it | topology | compared | measured ratio | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for j in judged:
        ratio = "" if j.ratio is None else f"{j.ratio[0]:.3f} [{j.ratio[1]:.3f}, {j.ratio[2]:.3f}]"
        verdict = f"**{j.verdict}**" if j.verdict != "holds" else j.verdict
        lines.append(f"| {j.words} | {j.topology} | {j.asked} | {ratio} | {verdict} |")
    for topology in table["topology"].unique(maintain_order=True):
        for popularity in ("fixed", "sliding"):
            here = table.filter(
                (pl.col("part") == "popularity")
                & (pl.col("topology") == topology)
                & (pl.col("setting") == popularity)
            )
            if here.is_empty():
                continue
            lines += [
                "",
                f"**{topology}, {popularity} popularity**",
                "",
                "| policy | gain per request, ms | of the LP bound, % | latency, ms | error | MB loaded a slot |",
                "| --- | --- | --- | --- | --- | --- |",
            ]
            scales = {"gain": 1e3, "share_of_bound": 100, "latency_s": 1e3, "error": 1, "bytes_loaded": 1e-6}
            for policy in here["policy"].unique(maintain_order=True):
                cells = [_cell(here, policy, q, scale) for q, scale in scales.items()]
                lines.append(f"| `{policy}` | " + " | ".join(cells) + " |")
    figures = ("popularity", "alpha", "refresh", "rate")
    lines += ["", *(f"![{name}](figures/{name}.svg)" for name in figures if _measured(table, name))]
    return "\n".join(lines)


def _measured(table: pl.DataFrame, part: str) -> bool:
    return part in table["part"].unique()


def _cell(table: pl.DataFrame, policy: str, quantity: str, scale: float) -> str:
    row = table.filter((pl.col("policy") == policy) & (pl.col("quantity") == quantity)).row(0, named=True)
    half = (row["high"] - row["low"]) / 2 * scale
    digits = 3 if quantity == "error" else 1 if scale != 1e-6 else 0
    return f"{row['mean'] * scale:.{digits}f} ± {half:.{digits}f}"


if __name__ == "__main__":
    main()
