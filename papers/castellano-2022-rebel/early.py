"""The label that REBEL gives on the latent: how many inputs it answers, how well, and what is sent on then."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import polars as pl

from placid.reports.chart_tools import INK, MUTED, VEGA_CONFIG, rounded
from placid.reports.splits.costs import Cost, risk_coverage
from placid.reports.studies import markdown_table

__all__ = ["early_chart", "early_frame", "early_table"]

#: shares answered early that the table shows
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


def early_frame(way: Cost) -> pl.DataFrame:
    """As many are answered early as the threshold lets: a row for each point of the manifest's curve, and one as used.

    Columns: share_early, early_accuracy (of those), bytes_mean (what is sent on, over all inputs), used (the row of
    the threshold in use). Empty if the early label is not in use: then the manifest has no curve.
    """
    variant = way.variant
    schema = {
        "share_early": pl.Float64,
        "early_accuracy": pl.Float64,
        "bytes_mean": pl.Float64,
        "used": pl.Boolean,
    }
    if not variant.exits:
        return pl.DataFrame(schema=schema)
    full = variant.crossings[0].mean_bytes
    (used,) = variant.exits
    curves = risk_coverage(variant)
    rows = [(c, 1 - r, (1 - c) * full, False) for c, r in (curves[0] if curves else [])]
    rows.append((used.share, used.accuracy, (1 - used.share) * full, True))
    return pl.DataFrame(rows, schema=schema, orient="row").sort("share_early", "used")


def early_table(found: pl.DataFrame) -> str:
    """The curve at `SHARES`, between its points on straight lines, and the threshold in use."""
    curve = found.filter(~pl.col("used"))
    (used,) = found.filter(pl.col("used")).to_dicts()
    rows = [(used["share_early"], used["early_accuracy"], used["bytes_mean"], " (**in use**)")]
    if len(curve):
        x = curve["share_early"].to_numpy()
        for share in (s for s in SHARES if x[0] <= s <= x[-1]):
            accuracy, sent = (
                float(np.interp(share, x, curve[c].to_numpy())) for c in ("early_accuracy", "bytes_mean")
            )
            rows.append((share, accuracy, sent, ""))
    head = ("answered early", "of those right, %", "bytes sent on, mean over all")
    cells = [(f"{100 * s:.1f} %{note}", f"{100 * a:.2f}", f"{b:.1f}") for s, a, b, note in sorted(rows)]
    return markdown_table(head, cells)


def early_chart(found: pl.DataFrame, rivals: list[tuple[str, float]]) -> dict[str, Any]:
    """Two charts over the share answered early: how many of those are right, and bytes sent on; lines where `rivals` are.

    Args:
        rivals: (name, bytes).
    """
    points = [
        {"share": rounded(r["share_early"]), "accuracy": rounded(100 * r["early_accuracy"]),
         "bytes": rounded(r["bytes_mean"]), "used": r["used"], "said": "in use"}
        for r in found.iter_rows(named=True)
    ]  # fmt: skip
    x = alt.X(
        "share:Q",
        title="share of the inputs that are answered early, surest first",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=10),
    )
    bare = alt.X(
        "share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=10)
    )
    base = alt.Chart(alt.NamedData("points"))

    def panel(y: alt.Y, at: alt.X, down: int) -> list[Any]:
        used = base.transform_filter("datum.used")
        return [
            base.transform_filter("!datum.used").mark_line(strokeWidth=2, color="#0072B2").encode(x=at, y=y),
            used.mark_point(filled=True, size=110, color="#D55E00", opacity=1).encode(x=at, y=y),
            used.mark_text(dx=-7, dy=down, align="right", fontSize=11, color=INK).encode(
                x=at, y=y, text="said:N"
            ),
        ]

    low = min(p["accuracy"] for p in points)
    right = alt.Y(
        "accuracy:Q", title="of those right, %", scale=alt.Scale(domain=[low - 1, 100.5], nice=False)
    )
    above = alt.layer(*panel(right, bare, 12)).properties(width=520, height=170)
    top = 1.1 * max([p["bytes"] for p in points] + [b for _, b in rivals])
    y = alt.Y("bytes:Q", title="bytes sent on, mean", scale=alt.Scale(domain=[0, top], nice=False))
    line = alt.Chart(alt.NamedData("rivals"))
    below = alt.layer(
        line.mark_rule(color=MUTED, strokeDash=[4, 3]).encode(y=y),
        line.mark_text(align="right", baseline="bottom", dx=-4, dy=-2, fontSize=11, color=MUTED).encode(
            x=alt.value(520), y=y, text="name:N"
        ),
        *panel(y, x, 12),
    ).properties(width=520, height=170)
    spec: dict[str, Any] = alt.vconcat(above, below, spacing=14).to_dict(validate=False)
    spec["datasets"] = {
        "points": points,
        "rivals": [{"name": f"{n}, {b:.0f} bytes", "bytes": b} for n, b in rivals],
    }
    spec["config"] = VEGA_CONFIG
    return spec
