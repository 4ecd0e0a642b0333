"""Gain over time: what a run's rows say before they are summed over slots."""

from __future__ import annotations

import os

import polars as pl

from placid.reports.intervals import over_seeds
from placid.reports.run_data import read_run

__all__ = ["gain_late", "gain_over_time"]


def gain_late(folder: str | os.PathLike[str]) -> pl.DataFrame:
    """Gain per request in the last third of the slots: columns policy, seed, gain_late."""
    rows = read_run(folder).rows
    slots = int(rows["slot"].n_unique())
    return (
        rows.filter(pl.col("slot") >= slots - slots // 3)
        .group_by("policy", "seed", maintain_order=True)
        .agg(gain_late=pl.col("gain").sum() / pl.col("requests").sum())
    )


def gain_over_time(folder: str | os.PathLike[str]) -> pl.DataFrame:
    """Gain per request from the start up to each slot (NTAG), over seeds.

    Columns policy, slot, n, gain, gain_low, gain_high; the interval is that of Student's t.
    """
    so_far = (
        read_run(folder)
        .rows.sort("policy", "seed", "slot")
        .select(
            "policy",
            "slot",
            gain=(pl.col("gain").cum_sum() / pl.col("requests").cum_sum()).over("policy", "seed"),
        )
    )
    return over_seeds(so_far, ("policy", "slot"), ["gain"])
