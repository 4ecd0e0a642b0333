"""Curves over time: means over windows of slots and over seeds, with intervals; never more than a chart can show."""

from __future__ import annotations

import polars as pl

from placid.reports.intervals import over_seeds
from placid.reports.run_data import RunData

__all__ = ["WINDOWS", "ceiling_curve", "gain_curves", "loaded_curves", "regret_curves", "window_slots"]

#: most points of a curve
WINDOWS = 100

_KEYS = ("trace", "policy", "kind")


def window_slots(run: RunData) -> int:
    """How many slots one point of a curve stands for."""
    return -(-run.slots // WINDOWS)


def gain_curves(run: RunData) -> pl.DataFrame:
    """Gain per request in each window: trace, policy, kind, slot (the window's first), value, value_low, value_high."""
    return _curves(_windows(run, "gain", "requests"), pl.col("gain") / _positive("requests"))


def ceiling_curve(run: RunData) -> pl.DataFrame:
    """The clairvoyant ceiling per request in each window, for the trace that all policies share; empty if there is none."""
    common = run.rows.filter(pl.col("trace") == "", pl.col("ceiling").is_not_null())
    if common.is_empty():
        return pl.DataFrame(schema={"slot": pl.Int64, "value": pl.Float64})
    one = common.unique(("seed", "slot"), keep="first", maintain_order=True)
    width = window_slots(run)
    per_seed = (
        one.group_by("seed", (pl.col("slot") // width * width).alias("slot"))
        .agg(value=pl.col("ceiling").sum() / pl.col("requests").sum())
        .filter(pl.col("value").is_finite())
    )
    return per_seed.group_by("slot").agg(pl.col("value").mean()).sort("slot")


def loaded_curves(run: RunData) -> pl.DataFrame:
    """Bytes loaded per slot in each window, shaped like `gain_curves`; intervals end at 0, as bytes do."""
    curves = _curves(_windows(run, "bytes_loaded", "slots"), pl.col("bytes_loaded") / pl.col("slots"))
    return curves.with_columns(pl.col("value_low").clip(0))


def regret_curves(run: RunData) -> pl.DataFrame:
    """Regret up to each window's end, over the requests up to there, for the online policies.

    Columns: trace, policy, kind, slot (the window's last), then each with ``_low`` and ``_high``:
    `regret`: against the best static placement found in hindsight, gains as they were;
    `fractional`: best static gain minus the policy's gain at its fractional placement, types kept to their own part of
    shared capacity: what the theorem bounds; null for a policy that has none;
    `bound`: what its theorem allows `fractional` to be, null if it has none;
    `everything`: the best static placement's whole gain, beyond which a bound says nothing.

    Empty if hindsight was not asked.
    """
    width = window_slots(run)
    columns = ("gain", "gain_partitioned", "relaxed_gain")
    sums = (
        run.rows.group_by(*_KEYS, "seed", (pl.col("slot") // width).alias("window"), maintain_order=True)
        .agg(
            pl.col("slot").max(),
            pl.col("requests").sum(),
            pl.col("gain", "gain_partitioned").sum(),
            pl.when(pl.col("relaxed_gain").null_count() == 0)
            .then(pl.col("relaxed_gain").sum())
            .alias("relaxed_gain"),
            pl.col("regret_bound").sort_by("slot").last(),
        )
        .sort(*_KEYS, "seed", "window")
        .with_columns(pl.col("requests", *columns).cum_sum().over(*_KEYS, "seed"))
    )
    looked_back = pl.col("kind").eq("hindsight").any().over("trace", "seed")
    still = sums.filter(looked_back).filter(pl.col("kind") != "online")
    best = still.select("trace", "seed").unique()
    for column in columns[:2]:
        # the placement that is best over the whole run, at every time
        total = (
            pl.col(column)
            .filter(pl.col("window") == pl.col("window").max())
            .max()
            .over("trace", "seed", "policy")
        )
        first = (
            still.with_columns(total.alias("total"))
            .filter(pl.col("total") == pl.col("total").max().over("trace", "seed"))
            .unique(("trace", "seed", "window"), keep="first", maintain_order=True)
            .select("trace", "seed", "window", pl.col(column).alias(f"best_{column}"))
        )
        best = best.join(
            first, on=["trace", "seed", "window"] if "window" in best.columns else ["trace", "seed"]
        )
    requests = _positive("requests")
    per_seed = (
        sums.filter(pl.col("kind") == "online")
        .join(best, on=["trace", "seed", "window"], how="inner")
        .select(
            *_KEYS,
            "seed",
            "slot",
            regret=(pl.col("best_gain") - pl.col("gain")) / requests,
            fractional=(pl.col("best_gain_partitioned") - pl.col("relaxed_gain")) / requests,
            bound=pl.col("regret_bound") / requests,
            everything=pl.col("best_gain_partitioned") / requests,
        )
    )
    return over_seeds(per_seed, (*_KEYS, "slot"), ("regret", "fractional", "bound", "everything")).sort(
        *_KEYS, "slot"
    )


def _windows(run: RunData, *columns: str) -> pl.DataFrame:
    """Sums per (trace, policy, seed, window)."""
    width = window_slots(run)
    frame = run.rows.with_columns(pl.lit(1.0).alias("slots"))
    return frame.group_by(
        *_KEYS, "seed", (pl.col("slot") // width * width).alias("slot"), maintain_order=True
    ).agg(pl.col(columns).sum())


def _curves(windows: pl.DataFrame, value: pl.Expr) -> pl.DataFrame:
    per_seed = windows.select(*_KEYS, "seed", "slot", value=value).filter(pl.col("value").is_not_null())
    return over_seeds(per_seed, (*_KEYS, "slot"), ("value",)).sort(*_KEYS, "slot")


def _positive(column: str) -> pl.Expr:
    return pl.when(pl.col(column) > 0).then(pl.col(column))
