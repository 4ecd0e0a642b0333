"""Entropic Student: a learned entropy code against evenly spaced levels, on the same cut and encoder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from placid.reports.splits.costs import Cost
from placid.reports.splits.seedwise import accuracies_by_seed
from placid.reports.studies import markdown_table

__all__ = ["entropy_frame", "entropy_table", "interpolated", "uniform_ways"]

_SIZES = ("-tiny", "-small", "-large", "-int8")


def uniform_ways(ways: Sequence[Cost]) -> list[Cost]:
    """Bottlenecks of fixed bits with the encoder that the entropic ones have; of equal bytes the most accurate, by bytes."""
    own = [
        w for w in ways
        if w.variant.technique == "bottlefit-free" and w.device_segments == 1 and not w.name.endswith(_SIZES)
    ]  # fmt: skip
    best: dict[float, Cost] = {}
    for w in own:
        if w.bytes_mean not in best or _first(w) > _first(best[w.bytes_mean]):
            best[w.bytes_mean] = w
    return [best[b] for b in sorted(best)]


def entropy_frame(ways: Sequence[Cost]) -> pl.DataFrame:
    """A row for every entropic way: beside it the uniform curve at its bytes, and the bytes of that curve at its accuracy.

    Accuracies are those of the first seed. Columns that the curve does not reach are null.
    """
    curve = [(math.log(w.bytes_mean), _first(w)) for w in uniform_ways(ways)]
    frozen = {w.name: w for w in ways if w.variant.technique == "bottlefit" and w.device_segments == 1}
    rows: list[dict[str, object]] = []
    for w in ways:
        if w.variant.technique != "entropic" or w.device_segments != 1:
            continue
        level = interpolated(curve, math.log(w.bytes_mean))
        log_bytes = interpolated(sorted((a, b) for b, a in _rising(curve)), _first(w))
        # the method that differs by its code alone: it freezes its encoder too
        alike = min(frozen.values(), key=lambda f: abs(math.log(f.bytes_mean / w.bytes_mean)), default=None)
        rows.append(
            {
                "way": w.name,
                "bytes_mean": w.bytes_mean,
                "bytes_p95": w.bytes_p95,
                "bytes_max": w.variant.crossings[0].max_bytes,
                "accuracy": _first(w),
                "uniform_accuracy": level,
                "ahead": None if level is None else _first(w) - level,
                "uniform_bytes": None if log_bytes is None else math.exp(log_bytes),
                "frozen": alike.name if alike else None,
                "frozen_bytes": alike.bytes_mean if alike else None,
                "frozen_accuracy": _first(alike) if alike else None,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def interpolated(curve: Sequence[tuple[float, float]], at: float) -> float | None:
    """On straight lines between points of rising abscissae; None outside them."""
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x0 <= at <= x1:
            return y0 if x1 == x0 else y0 + (y1 - y0) * (at - x0) / (x1 - x0)
    return None


def entropy_table(found: pl.DataFrame) -> str:
    rows = []
    for r in found.iter_rows(named=True):
        level = "the curve does not reach so far"
        if r["uniform_accuracy"] is not None:
            level = f"{100 * r['uniform_accuracy']:.2f} ({100 * r['ahead']:+.2f} for the code)".replace(
                "-", "−"
            )
        needs = "the curve does not reach so far"
        if r["uniform_bytes"] is not None:
            saved = f"{100 * (r['bytes_mean'] / r['uniform_bytes'] - 1):+.0f} %".replace("-", "−")
            needs = f"{r['uniform_bytes']:.0f} ({saved} with the code)"
        frozen = "none"
        if r["frozen"]:
            frozen = f"`{r['frozen']}`: {r['frozen_bytes']:.0f} bytes, {100 * r['frozen_accuracy']:.2f}"
        rows.append(
            (
                f"`{r['way']}`",
                f"{r['bytes_mean']:.0f}",
                f"{r['bytes_p95']:.0f}",
                f"{r['bytes_max']:.0f}",
                f"{100 * r['accuracy']:.2f}",
                level,
                needs,
                frozen,
            )
        )
    head = (
        "entropic", "bytes, mean", "p95", "most", "accuracy, %", "uniform at the same mean bytes, %",
        "uniform bytes for the same accuracy", "nearest uniform with its encoder frozen too",
    )  # fmt: skip
    return markdown_table(head, rows)


def _first(way: Cost) -> float:
    """Accuracy of the first seed."""
    return next(iter(accuracies_by_seed(way.variant).values()))


def _rising(curve: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points that are more accurate than all with fewer bytes: what more bytes buy."""
    kept: list[tuple[float, float]] = []
    for x, y in curve:
        if not kept or y > kept[-1][1]:
            kept.append((x, y))
    return kept
