"""Means over seeds with 95 % intervals by Student's t."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from scipy.special import stdtrit

__all__ = ["CONFIDENCE", "mean_interval", "over_seeds"]

CONFIDENCE = 0.95


def _quantile(n: int) -> float:
    return float(stdtrit(n - 1, 0.5 + CONFIDENCE / 2))


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, lower and upper end of its interval; the ends are NaN for fewer than two values.

    Example:
        >>> [round(v, 3) for v in mean_interval([1.0, 2.0, 3.0])]
        [2.0, -0.484, 4.484]
    """
    n = len(values)
    mean = float(np.mean(values)) if n else float("nan")
    if n < 2:
        return mean, float("nan"), float("nan")
    half = _quantile(n) * float(np.std(values, ddof=1)) / np.sqrt(n)
    return mean, mean - half, mean + half


def over_seeds(frame: pl.DataFrame, by: Sequence[str], columns: Iterable[str]) -> pl.DataFrame:
    """One row per group of `by`, in order of appearance: for each column its mean, `<column>_low`, `<column>_high`.

    Nulls are left out; with fewer than two values the ends are null. `n` is how many rows the group has.
    """
    names = list(columns)
    grouped = frame.group_by(by, maintain_order=True).agg(
        pl.len().alias("n"),
        *(pl.col(c).mean().alias(c) for c in names),
        *(pl.col(c).std(ddof=1).alias(f"{c}_sd") for c in names),
        *(pl.col(c).count().alias(f"{c}_count") for c in names),
    )
    counts = {int(n) for c in names for n in grouped[f"{c}_count"].unique()}
    quantile = {n: _quantile(n) for n in counts if n >= 2}

    def half(column: str) -> pl.Expr:
        count = pl.col(f"{column}_count")
        factor = count.cast(pl.Int64).replace_strict(quantile, default=None, return_dtype=pl.Float64)
        return factor * pl.col(f"{column}_sd") / count.sqrt()

    return grouped.select(
        *by,
        "n",
        *(
            e
            for c in names
            for e in (
                pl.col(c),
                (pl.col(c) - half(c)).alias(f"{c}_low"),
                (pl.col(c) + half(c)).alias(f"{c}_high"),
            )
        ),
    )
