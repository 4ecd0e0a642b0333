"""The numbers of a run: per policy and seed, per policy over seeds, and several runs side by side."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import polars as pl

from placid.reports.intervals import over_seeds
from placid.reports.run_data import RunData, read_run

__all__ = ["QUANTITIES", "RATIO", "compare", "per_seed", "quantities", "summary"]

#: what the theorem promises of the best static placement
RATIO = 1 - 1 / math.e

#: column -> what it is; the shares per tier come on top
QUANTITIES = {
    "gain": "gain per request, in the objective's unit (normalised time-averaged gain)",
    "share_of_bound": "total gain / LP bound on any static placement's; above 1 if moving models beats every static choice",
    "share_of_ceiling": "total gain / the clairvoyant per-slot bound on any placement's",
    "regret": "per request: gain of the best static placement found in hindsight, minus gain",
    "regret_discounted": "per request, types kept to their own part of shared capacity: "
    "(1 - 1/e) x the best static gain found, minus gain; what the theorem bounds",
    "regret_bound": "per request: what the policy's theorem allows `regret_discounted` to be in expectation",
    "latency_s": "per request served",
    "error": "per request served (1 - quality)",
    "energy_j": "per request served",
    "traffic_byte_hops": "per request served",
    "waiting_s": "per request served, at busy copies, not in `latency_s`; null unless the scenario asks for `waiting`",
    "unserved_share": "of all requests: cut off from every repository, or refused where links or processors have limits",
    "bytes_loaded": "per slot",
    "models_loaded": "per slot",
    "bytes_placed": "in place, mean over slots",
    "messages": "control messages per slot",
    "message_bytes": "per slot",
}

_KEYS = ("trace", "policy", "kind")


def quantities(run: RunData) -> list[str]:
    """The columns of `summary` that have a mean and an interval."""
    return [*QUANTITIES, *(f"share_{tier}" for tier in run.tiers)]


def per_seed(run_dir: str | os.PathLike[str] | RunData) -> pl.DataFrame:
    """One row per (trace, policy, seed) with every quantity of `quantities`, policies in the order of the scenario."""
    run = read_run(run_dir)
    per_slot = ("bytes_loaded", "models_loaded", "bytes_placed", "messages", "message_bytes")
    per_served = ("latency_s", "error", "energy_j", "traffic_byte_hops")
    drawn_share = pl.lit(RATIO).first().alias("drawn_share")
    waiting = pl.col("waiting_s") if "waiting_s" in run.rows.columns else pl.lit(None, pl.Float64)
    refused = pl.col("refused").fill_null(0.0) if "refused" in run.rows.columns else pl.lit(0.0)
    total = (
        run.rows.with_columns(pl.col("unserved") + refused, waiting_s=waiting)
        .group_by((*_KEYS, "seed"), maintain_order=True)
        .agg(
            pl.col("requests", "served", "unserved", "gain", "gain_partitioned", *per_served).sum(),
            *(pl.col(f"served_{t}").sum() for t in run.tiers),
            pl.col(*per_slot).mean(),
            _known_sum("ceiling"),
            _known_sum("waiting_s"),
            pl.col("regret_bound").sort_by("slot").last(),
            # runs of before it was written were of ascents that promise the ratio
            pl.col("drawn_share").sort_by("slot").last()
            if "drawn_share" in run.rows.columns
            else drawn_share,
        )
    )
    total = total.join(_hindsight(run, total), on=("trace", "seed"), how="left", nulls_equal=True)
    requests = _positive("requests")
    served = _positive("served")
    best, best_partitioned = pl.col("best_static"), pl.col("best_static_partitioned")
    order = {policy: i for i, policy in enumerate(run.kinds)}
    return (
        total.select(
            *_KEYS,
            "seed",
            pl.col("gain") / requests,
            share_of_bound=pl.col("gain") / _positive("bound"),
            share_of_ceiling=pl.col("gain") / _positive("ceiling"),
            regret=(best - pl.col("gain")) / requests,
            regret_discounted=(RATIO * best_partitioned - pl.col("gain_partitioned")) / requests,
            # sum gain(z) - sum gain(y_t) <= B and E gain(x_t) >= RATIO gain(y_t) give RATIO B for the discounted regret
            regret_bound=pl.when(pl.col("drawn_share") >= RATIO).then(
                RATIO * pl.col("regret_bound") / requests
            ),
            **{c: pl.col(c) / served for c in per_served},
            waiting_s=pl.col("waiting_s") / served,
            unserved_share=pl.col("unserved") / requests,
            **{c: pl.col(c) for c in per_slot},
            **{f"share_{t}": pl.col(f"served_{t}") / requests for t in run.tiers},
            bound=pl.col("bound") / requests,
            ceiling=pl.col("ceiling") / requests,
            best_static=best / requests,
        )
        .sort(
            pl.col("policy").replace_strict(order, return_dtype=pl.Int64),
            "trace",
            "seed",
            maintain_order=True,
        )
        .with_columns(pl.selectors.float().fill_nan(None))
    )


def summary(run_dir: str | os.PathLike[str] | RunData) -> pl.DataFrame:
    """One row per (trace, policy): every quantity as mean over seeds, `<quantity>_low` and `<quantity>_high`.

    The ends are those of the 95 % interval by Student's t, null with a single seed; `n` is the number of seeds. `bound`,
    `ceiling` and `best_static` are the yardsticks per request, for the same requests.
    """
    run = read_run(run_dir)
    return over_seeds(per_seed(run), _KEYS, [*quantities(run), "bound", "ceiling", "best_static"])


def compare(run_dirs: Sequence[str | os.PathLike[str] | RunData]) -> pl.DataFrame:
    """The summaries of several runs in one table, with the run's name and what its objective weighs.

    Runs of one name are told apart by their folders; a tier that a run lacks is null there.
    """
    runs = [read_run(d) for d in run_dirs]
    names = [r.name for r in runs]
    frames = []
    for run in runs:
        label = run.name if names.count(run.name) == 1 else str(run.path)
        weights = run.meta.get("objective")
        weighed = weights if isinstance(weights, dict) else {}
        frames.append(
            summary(run).select(
                pl.lit(label).alias("run"),
                *(
                    pl.lit(float(weighed[c]) if c in weighed else None, pl.Float64).alias(f"weight_{c}")
                    for c in ("latency", "error", "energy", "traffic")
                ),
                pl.all(),
            )
        )
    return pl.concat(frames, how="diagonal")


def _hindsight(run: RunData, total: pl.DataFrame) -> pl.DataFrame:
    """Per (trace, seed): the LP bound, and the best that a placement which never moves was found to earn.

    Null where hindsight was not asked: the static policies of the scenario alone are no yardstick.
    """
    looked_back = pl.col("kind").eq("hindsight").any()
    fixed = (
        total.filter(pl.col("kind") != "online")
        .group_by("trace", "seed")
        .agg(
            pl.when(looked_back).then(pl.col("gain").max()).alias("best_static"),
            pl.when(looked_back).then(pl.col("gain_partitioned").max()).alias("best_static_partitioned"),
        )
    )
    solved = run.bounds.group_by("trace", "seed").agg(
        pl.col("value").max(),
        pl.col("bound").filter(pl.col("method") == "lp").min(),
    )
    return (
        total.select("trace", "seed")
        .unique()
        .join(fixed, on=("trace", "seed"), how="left")
        .join(solved, on=("trace", "seed"), how="left")
        .select(
            "trace",
            "seed",
            "bound",
            "best_static_partitioned",
            best_static=pl.max_horizontal("best_static", "value"),
        )
    )


def _rank(column: str, order: dict[str, int]) -> pl.Expr:
    """The place of each name in `order`; "" comes first."""
    return pl.col(column).replace_strict({"": -1} | order, default=len(order), return_dtype=pl.Int64)


def _positive(column: str) -> pl.Expr:
    """The column where it is above 0, else null: what one may divide by."""
    return pl.when(pl.col(column) > 0).then(pl.col(column))


def _known_sum(column: str) -> pl.Expr:
    """The sum, or null if any value is: a bound that lacks a slot bounds nothing."""
    return pl.when(pl.col(column).null_count() == 0).then(pl.col(column).sum()).alias(column)
