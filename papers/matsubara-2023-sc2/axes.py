"""The three axes of SC2: what the device keeps, what is sent, how accurate the answer is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from placid.reports.chart_tools import INK, MUTED, VEGA_CONFIG, rounded
from placid.reports.labels import SIDES, names_beside, place_labels
from placid.reports.splits.costs import Cost
from placid.reports.splits.families import FAMILIES
from placid.reports.splits.pareto import efficient, efficient_ways
from placid.reports.studies import markdown_table

__all__ = ["axes_chart", "axes_frame", "axes_table", "on_the_front"]

_WIDTH, _HEIGHT = 680, 400
_RAMP = ["#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#c5d91b"]


def on_the_front(ways: Sequence[Cost]) -> list[bool]:
    """Whether no other keeps at most as much on the device, sends at most as much and is at least as accurate."""
    table = np.array([[w.encoder_bytes, w.bytes_mean, -w.accuracy] for w in ways], float).reshape(-1, 3)
    return [bool(e) for e in efficient(table)]


def axes_frame(ways: Sequence[Cost]) -> pl.DataFrame:
    """A row for every way; bytes, shares, and the marks of both fronts."""
    return pl.DataFrame(
        [
            {
                "way": w.name,
                "technique": w.variant.technique,
                "family": w.family.name,
                "encoder_bytes": w.encoder_bytes,
                "bytes_mean": w.bytes_mean,
                "bytes_p95": w.bytes_p95,
                "accuracy": w.accuracy,
                "accuracy_low": w.accuracy_low,
                "accuracy_high": w.accuracy_high,
                "seeds": len(w.variant.seed_accuracies),
                "device_operations": w.device_operations,
                "front": front,
                "front_by_operations": by_operations,
            }
            for w, front, by_operations in zip(ways, on_the_front(ways), efficient_ways(ways), strict=True)
        ]
    )


def axes_table(axes: pl.DataFrame) -> str:
    """Family by family, as the zoo has them."""
    rows = []
    for r in axes.iter_rows(named=True):
        rows.append(
            (
                f"`{r['way']}`",
                r["family"],
                f"{r['encoder_bytes'] / 1e3:,.1f}",
                f"{r['bytes_mean']:,.0f}",
                f"{r['bytes_p95']:,.0f}",
                f"{100 * r['accuracy']:.2f} ± {50 * (r['accuracy_high'] - r['accuracy_low']):.2f}",
                str(r["seeds"]),
                f"{r['device_operations'] / 1e6:,.2f}",
                ("●" if r["front"] else "") + ("○" if r["front_by_operations"] else ""),
            )
        )
    head = (
        "way", "kind", "encoder, kB", "bytes, mean", "bytes, p95", "accuracy, %", "seeds", "device, M operations", "",
    )  # fmt: skip
    return markdown_table(head, rows)


def axes_chart(ways: Sequence[Cost]) -> dict[str, Any]:
    """Bytes across, encoder size upwards, accuracy as colour; ringed and named: on the front.

    What sends or keeps nothing stands on the left or lower edge.
    """
    x_low, x_high = _ends([w.bytes_mean for w in ways])
    y_low, y_high = _ends([w.encoder_bytes / 1e3 for w in ways])
    points: list[dict[str, Any]] = []
    for w, front in zip(ways, on_the_front(ways), strict=True):
        points.append(
            {
                "name": w.name if front else "",
                "x": rounded(max(w.bytes_mean, x_low)),
                "y": rounded(max(w.encoder_bytes / 1e3, y_low)),
                "accuracy": 100 * w.accuracy,
                "family": w.family.name,
                "front": front,
            }
        )
    spots = [
        (
            _WIDTH * math.log(p["x"] / x_low) / math.log(x_high / x_low),
            _HEIGHT * (1 - math.log(p["y"] / y_low) / math.log(y_high / y_low)),
        )
        for p in points
    ]
    sides = place_labels(
        spots, [p["name"] for p in points], radius=7, letter=6.0, line=12, width=_WIDTH, height=_HEIGHT
    )
    for p, side in zip(points, sides, strict=True):
        p["side"] = side
    best = max(p["accuracy"] for p in points)
    stops = [best - 8 * (1 - k / 5) ** 2 for k in range(6)]
    families = [f for f in FAMILIES if f.name in {p["family"] for p in points}]
    base = alt.Chart(alt.NamedData("points"))
    x = _axis("x:Q", "bytes sent for an input, mean", x_low, x_high)
    y = _axis("y:Q", "what the device keeps, kB", y_low, y_high)
    marks = base.mark_point(filled=True, size=110, opacity=1, clip=False).encode(
        x=x,
        y=y,
        color=alt.Color(
            "accuracy:Q",
            scale=alt.Scale(domain=stops, range=_RAMP, clamp=True),
            legend=alt.Legend(
                title="accuracy, %", format=".0f", gradientLength=140, titleFontWeight="normal"
            ),
        ),
        shape=alt.Shape(
            "family:N",
            scale=alt.Scale(domain=[f.name for f in families], range=[f.shape for f in families]),
            legend=alt.Legend(title=None, labelLimit=220),
        ),
        stroke=alt.condition("datum.front", alt.value(INK), alt.value("white")),
        strokeWidth=alt.condition("datum.front", alt.value(1.8), alt.value(0.5)),
    )
    layers: list[Any] = [marks]
    for side in SIDES:
        named = base.transform_filter(f"datum.side === '{side}'")
        layers += names_beside(named, side, x, y, "name:N")
    spec: dict[str, Any] = (
        alt.layer(*layers)
        .properties(
            width=_WIDTH,
            height=_HEIGHT,
            title=alt.TitleParams(
                "ringed and named where there is room: no other beats it on all three",
                fontSize=11,
                fontWeight="normal",
                color=MUTED,
            ),
        )
        .to_dict(validate=False)
    )
    spec["datasets"] = {"points": points}
    spec["config"] = VEGA_CONFIG
    return spec


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """Of a logarithmic axis; what is 0 stands on its lower end."""
    known = [v for v in values if v > 0] or [1.0]
    return min(known) / (3.0 if any(v <= 0 for v in values) else 1.4), 1.6 * max(known)


def _axis(field: str, title: str, low: float, high: float) -> Any:
    ticks = [
        m * 10.0**k
        for k in range(-3, 12)
        for m in ((1, 3) if high / low < 1e5 else (1,))
        if low <= m * 10.0**k <= high
    ]
    channel = alt.X if field.startswith("x") else alt.Y
    return channel(
        field,
        title=title,
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
        axis=alt.Axis(
            values=[low, *ticks],
            labelExpr=f"datum.value <= {1.001 * low!r} ? '0' : format(datum.value, ',~f')",
        ),
    )
