"""Charts that set policies side by side: gain with its bounds, latency against error, tier shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from placid.reports.chart_tools import INK, ChartTools, rounded
from placid.reports.labels import SIDES, names_beside, place_labels
from placid.reports.palette import TIER_RAMP, UNSERVED, ramp
from placid.reports.wording import column_decimals, pick_unit

__all__ = ["PolicyCharts"]


class PolicyCharts(ChartTools):
    """Every chart with one mark a policy."""

    def comparison(self, summary: pl.DataFrame, *, adaptive: bool) -> dict[str, Any]:
        """Gain per request of every policy with its interval; the LP bound, the ceiling as lines (ticks if each differs)."""
        scale = self.per_unit
        known = summary.filter(pl.col("gain").is_not_null()).to_dicts()
        decimals = column_decimals(
            [r["gain"] * scale for r in known],
            [None if r["gain_low"] is None else (r["gain_high"] - r["gain_low"]) / 2 * scale for r in known],
        )
        rows = [
            {
                "policy": r["policy"],
                "row": r["trace"] or r["policy"],
                "gain": r["gain"] * scale,
                "low": (r["gain"] if r["gain_low"] is None else r["gain_low"]) * scale,
                "high": (r["gain"] if r["gain_high"] is None else r["gain_high"]) * scale,
                "share": r["share_of_bound"],
                "label": f"{r['gain'] * scale:.{decimals}f}"
                + ("" if r["share_of_bound"] is None else f"  ({100 * r['share_of_bound']:.1f} %)"),
            }
            for r in known
        ]
        own = [r for r in rows if r["policy"] == r["row"]]
        own.sort(key=lambda r: -r["gain"])
        order = list(dict.fromkeys(r["row"] for r in own))
        marks = [
            {
                "row": r["trace"] or r["policy"],
                "bound": _times(r["bound"], scale),
                "ceiling": _times(r["ceiling"], scale),
            }
            for r in summary.to_dicts()
        ]
        y = alt.Y(
            "row:N",
            sort=order,
            title=None,
            axis=alt.Axis(labelLimit=260, ticks=False, domain=False, grid=True, labelPadding=12),
        )
        title = f"gain per request, {self.unit}"
        ends = [v for r in rows for v in (r["low"], r["high"])]
        ends += [m[k] for m in marks for k in ("bound", "ceiling") if m[k] is not None]
        span = (
            alt.Scale(domain=[min(0.0, *ends), max(ends) * 1.02 or 1.0], nice=False) if ends else alt.Scale()
        )
        x = alt.X("gain:Q", title=title, scale=span, axis=alt.Axis(tickCount=8))
        base = alt.Chart(alt.NamedData("comparison"))
        layers: list[Any] = []
        datasets: dict[str, Any] = {"comparison": rows}
        if adaptive:
            datasets["marks"] = marks
            ticks = alt.Chart(alt.NamedData("marks"))
            if any(m["bound"] is not None for m in marks):
                layers.append(ticks.mark_tick(thickness=2, color=INK, size=20).encode(y=y, x="bound:Q"))
            if any(m["ceiling"] is not None for m in marks):
                layers.append(
                    ticks.mark_tick(thickness=2, color="#999999", size=20).encode(y=y, x="ceiling:Q")
                )
        else:
            layers += self._lines(marks, datasets)
        names = list(self.styles)
        colour = alt.Color(
            "policy:N",
            scale=alt.Scale(domain=names, range=[self.styles[p].colour for p in names]),
            legend=None,
        )
        shape = alt.Shape(
            "policy:N",
            scale=alt.Scale(domain=names, range=[self.styles[p].shape for p in names]),
            legend=None,
        )
        layers += [
            base.mark_rule(strokeWidth=2.5).encode(
                y=y,
                x=alt.X("low:Q", title=title, scale=span, axis=alt.Axis(tickCount=8)),
                x2="high:Q",
                color=colour,
            ),
            base.mark_point(filled=True, size=95, opacity=1).encode(
                y=y,
                x=x,
                color=colour,
                shape=shape,
                tooltip=[
                    alt.Tooltip("policy:N"),
                    alt.Tooltip("gain:Q", format=".4g", title=f"gain, {self.unit}"),
                    alt.Tooltip("low:Q", format=".4g", title="95 % from"),
                    alt.Tooltip("high:Q", format=".4g", title="to"),
                    alt.Tooltip("share:Q", format=".1%", title="of LP bound"),
                ],
            ),
        ]
        values = base.transform_filter("datum.policy === datum.row")
        values = values.encode(y=y, x=alt.value("width"), text="label:N")
        layers.append(values.mark_text(align="left", dx=10, fontSize=12, color=INK))
        chart = alt.layer(*layers).properties(height=26 * len(order))
        chart = chart.properties(padding={"left": 18, "top": 5, "bottom": 5, "right": 20})
        return self._finish(chart, datasets, "Gain per request by policy, with the bounds", switch=False)

    def latency_against_error(self, summary: pl.DataFrame) -> dict[str, Any]:
        """A point per policy with intervals both ways; the lower left is better."""
        rows = summary.filter(pl.col("latency_s").is_not_null(), pl.col("error").is_not_null()).to_dicts()
        if not self.look.page:
            rows = [r for r in rows if r["policy"] in self.shown]
        if len({r["policy"] for r in rows}) < len(rows):
            rows = [r for r in rows if r["trace"] == r["policy"]]  # hindsight has a point for every adversary
        size, unit = pick_unit(max((r["latency_s"] for r in rows), default=1.0), "time")
        data = [
            {"policy": r["policy"], "latency": r["latency_s"] / size, "error": r["error"]}
            | {
                f"{name}_{end}": (r[f"{column}_{end}"] if r[f"{column}_{end}"] is not None else r[column])
                / scale
                for name, column, scale in (("latency", "latency_s", size), ("error", "error", 1.0))
                for end in ("low", "high")
            }
            for r in rows
        ]
        x_title = f"mean latency of a request, {unit}"
        y_title = "mean error (1 − quality)"
        free = alt.Scale(zero=False, padding=18)
        base = alt.Chart(alt.NamedData("points")).transform_filter(self._filter())
        colour = self._colour()
        rule = base.mark_rule(strokeWidth=1.5)
        x = alt.X("latency:Q", title=x_title, scale=free, axis=alt.Axis(tickCount=8))
        y = alt.Y("error:Q", title=y_title, scale=free)
        layers: list[Any] = [
            rule.encode(x=alt.X("latency_low:Q", title=x_title), x2="latency_high:Q", y=y, color=colour),
            rule.encode(x=x, y=alt.Y("error_low:Q", title=y_title), y2="error_high:Q", color=colour),
            base.mark_point(filled=True, size=85, opacity=1).encode(
                x=x, y=y, color=self._colour(), shape=self._shape(),
                tooltip=["policy:N", alt.Tooltip("latency:Q", format=".4g", title=f"latency, {unit}"),
                         alt.Tooltip("error:Q", format=".4g")],
            ),
        ]  # fmt: skip
        # those that are seen at first get the best places, and do not make room for those that are not
        for wanted in (True, False):
            around = [d for d in data if d["policy"] in self.shown] if wanted else data
            sides = _sides([(d["latency"], d["error"]) for d in around], [d["policy"] for d in around])
            for d, side in zip(around, sides, strict=True):
                d.setdefault("side", side)
        for name in SIDES:
            # every layer has all points, so that the axes span them whichever sides are in use
            named = base.transform_calculate(name=f"datum.side === '{name}' ? datum.policy : ''")
            layers += names_beside(named, name, x, y, "name:N")
        return self._finish(
            alt.layer(*layers).properties(height=340), {"points": data}, "Latency against error by policy"
        )

    def over_weights(self, compared: pl.DataFrame) -> dict[str, Any] | None:
        """Latency against error as the weight of an error changes, a curve per policy; None with fewer than two weights."""
        known = compared.filter(
            pl.col("weight_error").is_not_null(),
            pl.col("latency_s").is_not_null(),
            pl.col("error").is_not_null(),
        )
        if known["weight_error"].n_unique() < 2:
            return None
        size, unit = pick_unit(float(known["latency_s"].max()), "time")  # type: ignore[arg-type]
        data = []
        for r in known.to_dicts():
            point = {"policy": r["policy"], "alpha": r["weight_error"]}
            for name, column, scale in (("latency", "latency_s", size), ("error", "error", 1.0)):
                point[name] = rounded(r[column] / scale)
                for end in ("low", "high"):
                    value = r[f"{column}_{end}"]
                    point[f"{name}_{end}"] = point[name] if value is None else rounded(value / scale)
            data.append(point)
        free = alt.Scale(zero=False, padding=12)
        base = alt.Chart(alt.NamedData("weights")).transform_filter(self._filter())
        x_title, y_title = f"mean latency of a request, {unit}", "mean error (1 − quality)"
        x, y = alt.X("latency:Q", title=x_title, scale=free), alt.Y("error:Q", title=y_title, scale=free)
        colour = self._colour()
        chart = alt.layer(
            base.mark_line(strokeWidth=1.6).encode(
                x=x, y=y, color=colour, strokeDash=self._dash(), order="alpha:Q", opacity=self._heat(1.0, 0.15)
            ),
            base.mark_rule().encode(x=alt.X("latency_low:Q", title=x_title), x2="latency_high:Q", y=y, color=colour),
            base.mark_rule().encode(x=x, y=alt.Y("error_low:Q", title=y_title), y2="error_high:Q", color=colour),
            base.mark_point(filled=True, size=55, opacity=1).encode(
                x=x, y=y, color=colour, shape=self._shape(),
                tooltip=["policy:N", alt.Tooltip("alpha:Q", title="weight of an error, s"), "latency:Q", "error:Q"],
            ),
        )  # fmt: skip
        return self._finish(
            chart.properties(height=340),
            {"weights": data},
            "Latency against error as the weight of an error changes",
        )

    def tier_shares(self, summary: pl.DataFrame, tiers: Sequence[str], *, adaptive: bool) -> dict[str, Any]:
        """Who answers: the share of requests served on each tier, one stacked bar per policy."""
        unserved = "not served"
        rows = summary.to_dicts()
        if adaptive:
            rows = [r for r in rows if r["trace"] == r["policy"]]
        rows.sort(key=lambda r: -(r["gain"] or 0.0))
        data = []
        for r in rows:
            shares = {t: r[f"share_{t}"] or 0.0 for t in tiers} | {unserved: r["unserved_share"] or 0.0}
            data += [
                {"policy": r["policy"], "tier": t, "place": k, "share": rounded(v)}
                for k, (t, v) in enumerate(shares.items())
                if v > 0 or t != unserved
            ]
        names = [*tiers, *([unserved] if any(d["tier"] == unserved for d in data) else [])]
        colours = [*ramp(TIER_RAMP, len(tiers)), UNSERVED][: len(names)]
        legend = (
            None if self.look.page else alt.Legend(orient="top", title=None, columns=0, symbolType="square")
        )
        chart = (
            alt.Chart(alt.NamedData("tiers"))
            .mark_bar(stroke="white", strokeWidth=0.5)
            .encode(
                y=alt.Y("policy:N", sort=[r["policy"] for r in rows], title=None,
                        axis=alt.Axis(labelLimit=220, ticks=False, domain=False)),
                x=alt.X("share:Q", title="share of requests", scale=alt.Scale(domain=[0, 1]),
                        axis=alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1])),
                color=alt.Color("tier:N", scale=alt.Scale(domain=names, range=colours), sort=names,
                                legend=legend),
                order="place:Q",
                tooltip=["policy:N", "tier:N", alt.Tooltip("share:Q", format=".1%")],
            )
            .properties(height=22 * len(rows))
        )  # fmt: skip
        return self._finish(chart, {"tiers": data}, "Share of requests served per tier", switch=False)

    # -- parts that charts share --


def _sides(points: Sequence[tuple[float, float]], names: Sequence[str]) -> list[str]:
    """The side for each point's name, in a plot of nominal size."""
    if not points:
        return []
    width, height = 460.0, 300.0
    (x0, x1), (y0, y1) = ((min(c), max(c)) for c in zip(*points, strict=True))
    at = [
        (
            30 + (width - 60) * (x - x0) / ((x1 - x0) or 1),
            height - 30 - (height - 60) * (y - y0) / ((y1 - y0) or 1),
        )
        for x, y in points
    ]
    return place_labels(at, names, radius=7, letter=6.3, line=13, width=width, height=height)


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
