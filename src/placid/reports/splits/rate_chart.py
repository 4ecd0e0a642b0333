"""Accuracy against bytes: curves of what is sent, for a paper's folder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from placid.reports.chart_tools import MUTED, VEGA_CONFIG, rounded
from placid.reports.labels import SIDES, names_beside, place_labels
from placid.reports.splits.costs import Cost

__all__ = ["Curve", "rate_chart"]

_WIDTH, _HEIGHT = 640, 380


@dataclass(frozen=True)
class Curve:
    """Ways of one kind.

    Attributes:
        labels: beside the points; "" for none.
        joined: by a line, in the order of bytes; its dashes are `dash`.
    """

    name: str
    colour: str
    shape: str
    ways: Sequence[Cost]
    labels: Sequence[str]
    joined: bool = True
    dash: tuple[int, ...] = (1, 0)


def rate_chart(curves: Sequence[Curve], whole: Cost, *, floor: float = 0.12) -> dict[str, Any]:
    """Vega-Lite: accuracy with 95 % intervals over mean bytes, logarithmic; a line where `whole`, the network itself, is.

    Args:
        floor: accuracy below `whole` at which the chart ends; what is worse lies outside, and lines lead out of it.
    """
    curves = [c for c in curves if c.ways]
    low = 100 * (whole.accuracy - floor)
    points: list[dict[str, Any]] = [
        {
            "curve": c.name, "bytes": rounded(w.bytes_mean), "accuracy": rounded(100 * w.accuracy),
            "low": max(low, 100 * w.accuracy_low), "high": 100 * w.accuracy_high, "label": label, "joined": c.joined,
        }
        for c in curves
        for w, label in sorted(zip(c.ways, c.labels, strict=True), key=lambda p: p[0].bytes_mean)
    ]  # fmt: skip
    sizes = [float(p["bytes"]) for p in points]
    first, last = 2 ** math.floor(math.log2(min(sizes))), 1.25 * max(sizes)
    high = max([100 * whole.accuracy_high, *(float(p["high"]) for p in points)]) + 0.05 * (100 * floor)
    _place(points, (first, last), (low, high))
    x = alt.X(
        "bytes:Q",
        title="bytes sent for an input, mean, header included",
        scale=alt.Scale(type="log", base=2, domain=[first, last], nice=False),
        axis=alt.Axis(values=[2**k for k in range(40) if first <= 2**k <= last], format=",d"),
    )
    scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    y = alt.Y("accuracy:Q", title="accuracy on the test images, %", scale=scale)
    names = [c.name for c in curves]
    legend = alt.Legend(title=None, orient="right", symbolOpacity=1, labelLimit=240)
    colour = alt.Color(
        "curve:N", scale=alt.Scale(domain=names, range=[c.colour for c in curves]), legend=legend
    )
    shape = alt.Shape(
        "curve:N", scale=alt.Scale(domain=names, range=[c.shape for c in curves]), legend=legend
    )
    dash = alt.StrokeDash(
        "curve:N", scale=alt.Scale(domain=names, range=[list(c.dash) for c in curves]), legend=None
    )
    base = alt.Chart(alt.NamedData("points"))
    inside = base.transform_filter(f"datum.accuracy >= {low!r}")
    layers: list[Any] = [
        alt.Chart(alt.NamedData("whole")).mark_rule(color=MUTED, strokeDash=[4, 3]).encode(
            y=alt.Y("accuracy:Q", scale=scale)
        ),
        alt.Chart(alt.NamedData("whole"))
        .mark_text(align="left", baseline="bottom", dx=4, dy=-3, fontSize=11, color=MUTED)
        .encode(x=alt.value(0), y=alt.Y("accuracy:Q", scale=scale), text="said:N"),
        base.transform_filter("datum.joined").mark_line(clip=True, strokeWidth=1.6, opacity=0.8).encode(
            x=x, y=y, color=colour, strokeDash=dash
        ),
        inside.mark_rule(strokeWidth=1.2, opacity=0.6).encode(
            x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q", color=colour
        ),
        inside.mark_point(filled=True, size=75, opacity=1, stroke="white", strokeWidth=0.5).encode(
            x=x, y=y, color=colour, shape=shape
        ),
    ]  # fmt: skip
    for side in SIDES:
        named = inside.transform_filter(f"datum.side === '{side}'")
        layers += names_beside(named, side, x, y, "label:N")
    spec: dict[str, Any] = (
        alt.layer(*layers).resolve_scale(color="shared").properties(width=_WIDTH, height=_HEIGHT)
    ).to_dict(validate=False)
    said = f"the whole network, {100 * whole.accuracy:.1f} %"
    spec["datasets"] = {"points": points, "whole": [{"accuracy": 100 * whole.accuracy, "said": said}]}
    spec["config"] = VEGA_CONFIG
    return spec


def _place(points: list[dict[str, Any]], x: tuple[float, float], y: tuple[float, float]) -> None:
    """Give every point the side on which its label stands, those without room none."""
    spots = [
        (
            _WIDTH * math.log(p["bytes"] / x[0]) / math.log(x[1] / x[0]),
            _HEIGHT * (1 - (p["accuracy"] - y[0]) / (y[1] - y[0])),
        )
        for p in points
    ]
    labels = [str(p["label"]) for p in points]
    sides = place_labels(spots, labels, radius=6, letter=6.0, line=12, width=_WIDTH, height=_HEIGHT)
    for p, side in zip(points, sides, strict=True):
        p["side"] = side
