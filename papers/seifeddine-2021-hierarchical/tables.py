"""What README.md says of the runs: tables, and claims judged."""

from __future__ import annotations

import tomllib
from math import sqrt
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats

from placid.reports.studies import markdown_table

__all__ = ["live_rows", "live_summary", "results", "verdict"]

HERE = Path(__file__).resolve().parent
_TIERS = ("device", "edge", "cloud")


def results(folder: Path) -> str:
    """The section between the markers of README.md."""
    rows = pl.read_csv(folder / "simulated.csv", schema_overrides={"thresholds": pl.String})
    parts = ["Made by `python papers/seifeddine-2021-hierarchical/study.py`. Times of stages are **modelled** (declared "
             "processors); confidences are those of the networks on the 10,000 test images."]  # fmt: skip
    for case, mine in rows.group_by("case", maintain_order=True):
        parts.append(
            f"**Simulated: {case[0]}** ({mine['seed'].n_unique()} seeds, mean ± 95 %)\n\n{_cases(mine)}"
        )
    parts.append(f"**Who answers, phase by phase** (simulated, main, dynamic)\n\n{_phases(rows)}")
    parts.append(f"**Claims** (`expected.toml`)\n\n{_claims(rows)}")
    if (folder / "live.csv").is_file():
        live = live_rows(folder / "live.csv")
        parts.append(
            "**Live beside simulated** (main; the same requests and pictures in both, all phases; difference: live "
            f"less simulated)\n\n{_live(live)}"
        )
        parts.append(f"**Dynamic, live beside simulated, phase by phase**\n\n{_live_phases(live)}")
    return "\n\n".join(parts)


def _spread(values: np.ndarray) -> float:
    """Half of the 95 % interval of the mean."""
    if len(values) < 2:
        return float("nan")
    return float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / sqrt(len(values)))


def _cases(rows: pl.DataFrame) -> str:
    lines = []
    base = rows.filter(pl.col("policy") == "dynamic").sort("seed")["objective_s"].to_numpy()
    for (policy, thresholds), mine in rows.group_by("policy", "thresholds", maintain_order=True):
        good = mine.sort("seed")["objective_s"].to_numpy()
        worse = 1e3 * (base - good)
        shares = " / ".join(f"{100 * float(mine[f'share_{k}'].to_numpy().mean()):.1f}" for k in range(3))
        lines.append(
            (
                f"{policy} ({thresholds})" if thresholds and str(policy).startswith("fixed") else str(policy),
                f"{100 * float(mine['accuracy'].to_numpy().mean()):.2f} %",
                f"{1e3 * float(mine['mean_s'].to_numpy().mean()):,.1f}",
                f"{1e3 * float(mine['p95_s'].to_numpy().mean()):,.1f}",
                shares,
                f"{1e3 * good.mean():,.1f} ± {1e3 * _spread(good):,.1f}",
                "–" if policy == "dynamic" else f"{worse.mean():,.2f} ± {_spread(worse):,.2f}",
            )
        )
    return markdown_table(
        (
            "who decides how",
            "accuracy",
            "mean, ms",
            "p95, ms",
            "answered by device / edge / cloud, %",
            "objective, ms",
            "dynamic better by, ms",
        ),
        lines,
    )


def _phases(rows: pl.DataFrame) -> str:
    mine = rows.filter((pl.col("case") == "main") & (pl.col("policy") == "dynamic"))
    names = tomllib.loads((HERE / "config.toml").read_text())["phases"]["names"]
    return markdown_table(
        ("phase", *(f"{t}, %" for t in _TIERS), "objective, ms"),
        [
            (
                name,
                *(f"{100 * float(mine[f'share_{k}_{p}'].to_numpy().mean()):.1f}" for k in range(3)),
                f"{1e3 * float(mine[f'objective_s_{p}'].to_numpy().mean()):.1f}",
            )
            for p, name in enumerate(names)
        ],
    )


def verdict(better: np.ndarray, at_least: float) -> str:
    """Whether the mean of `better` is at least that, by its 95 % interval."""
    half = _spread(better)
    if better.mean() - half >= at_least:
        return "holds"
    return "does not hold" if better.mean() + half < at_least else "cannot be told"


def _claims(rows: pl.DataFrame) -> str:
    lines = []
    for claim in tomllib.loads((HERE / "expected.toml").read_text())["claim"]:
        good = {
            side: rows.filter((pl.col("case") == claim["case"]) & (pl.col("policy") == claim[side]))
            .sort("seed")["objective_s"]
            .to_numpy()
            for side in ("left", "right")
        }
        better = good["left"] - good["right"]
        lines.append(
            (
                claim["words"],
                f"{claim['case']}: {claim['left']} – {claim['right']}",
                f"{1e3 * better.mean():,.2f} ± {1e3 * _spread(better):,.2f} ms",
                verdict(better, claim["at_least"]),
            )
        )
    return markdown_table(("claim", "of", "difference of objectives", "verdict"), lines)


def live_rows(file: Path) -> pl.DataFrame:
    """What live.csv holds."""
    return pl.read_csv(file, schema_overrides={"thresholds": pl.String})


def live_summary(frame: pl.DataFrame, value_s: float, phase_s: float) -> pl.DataFrame:
    """A row for every policy, repeat, phase (-1: all) and where, from a row for every request."""
    good = value_s * pl.col("right") - pl.col("latency_s")
    told = (
        pl.len().alias("requests"),
        pl.col("right").mean().alias("accuracy"),
        pl.col("latency_s").mean().alias("mean_s"),
        pl.col("latency_s").quantile(0.95, "linear").alias("p95_s"),
        good.mean().alias("objective_s"),
        *((pl.col("level") == k).mean().alias(f"share_{k}") for k in range(3)),
    )
    phased = frame.with_columns((pl.col("time_s") // phase_s).cast(pl.Int64).alias("phase"))
    keys = ("policy", "repeat", "where", "phase")
    whole = phased.with_columns(pl.lit(-1, pl.Int64).alias("phase"))
    return pl.concat([f.group_by(keys, maintain_order=True).agg(told) for f in (whole, phased)])


def _live(rows: pl.DataFrame) -> str:
    lines = []
    for (policy, repeat), mine in rows.filter(pl.col("phase") == -1).group_by(
        "policy", "repeat", maintain_order=True
    ):
        live, told = (mine.filter(pl.col("where") == w).row(0, named=True) for w in ("live", "simulated"))
        lines.append(
            (
                f"{policy} ({live['thresholds']})" if str(policy).startswith("fixed") else str(policy),
                str(repeat),
                *(f"{100 * live['accuracy']:.2f} / {100 * told['accuracy']:.2f}",),
                *(f"{1e3 * live[c]:,.1f} / {1e3 * told[c]:,.1f}" for c in ("mean_s", "p95_s", "objective_s")),
                f"{1e3 * (live['objective_s'] - told['objective_s']):+,.1f}",
                " / ".join(f"{100 * live[f'share_{k}']:.1f}" for k in range(3)),
                " / ".join(f"{100 * told[f'share_{k}']:.1f}" for k in range(3)),
            )
        )
    head = ("policy", "run", "accuracy, %", "mean, ms", "p95, ms", "objective, ms", "difference, ms")
    head += ("answered live, %", "simulated, %")
    return markdown_table(head, lines)


def _live_phases(rows: pl.DataFrame) -> str:
    names = tomllib.loads((HERE / "config.toml").read_text())["phases"]["names"]
    lines = []
    mine = rows.filter((pl.col("policy") == "dynamic") & (pl.col("phase") >= 0))
    for p, name in enumerate(names):
        live, told = (
            mine.filter((pl.col("where") == w) & (pl.col("phase") == p)) for w in ("live", "simulated")
        )
        pairs = [
            (float(live[c].to_numpy().mean()), float(told[c].to_numpy().mean()))
            for c in ("mean_s", "objective_s")
        ]
        shares = [[float(f[f"share_{k}"].to_numpy().mean()) for k in range(3)] for f in (live, told)]
        lines.append(
            (
                name,
                *(f"{1e3 * a:.1f} / {1e3 * b:.1f}" for a, b in pairs),
                *(" / ".join(f"{100 * s:.1f}" for s in one) for one in shares),
            )
        )
    return markdown_table(("phase", "mean, ms", "objective, ms", "answered live, %", "simulated, %"), lines)
