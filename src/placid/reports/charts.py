"""The charts of a run, as Vega-Lite specifications. The page embeds them; `figures` draws them to files.

On the page a chart reads the parameters `shown` (policies to draw) and `hot` (the one pointed at), which the legends set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from placid.reports.labels import SIDES, place_labels
from placid.reports.palette import TIER_RAMP, UNSERVED, PolicyStyle, ramp
from placid.reports.wording import column_decimals, pick_unit, quantity

__all__ = ["ChartSet", "Look", "quantity_of_time"]

_INK, _MUTED, _GRID = "#222222", "#5f6368", "#e6e8eb"
_FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"


@dataclass(frozen=True)
class Look:
    """How charts are drawn.

    Attributes:
        page: for the page: as wide as their container, no legend and no title (the page has them), policies switchable.
        width: in pixels, if not for the page.
    """

    page: bool = False
    width: int = 640


@dataclass(frozen=True)
class ChartSet:
    """Makes the charts of one run.

    Attributes:
        styles: policy -> how it is drawn, in the order of the legend.
        shown: the policies drawn at first.
        unit, per_unit: what gains are shown in, and the factor to it.
        slot_s: the length of a slot.
        changes: (slot, what happens to the network then), marked on the time axes.
    """

    styles: Mapping[str, PolicyStyle]
    shown: Sequence[str]
    unit: str
    per_unit: float
    slot_s: float
    look: Look
    changes: Sequence[tuple[int, str]] = ()

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
                layers.append(ticks.mark_tick(thickness=2, color=_INK, size=20).encode(y=y, x="bound:Q"))
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
        layers.append(values.mark_text(align="left", dx=10, fontSize=12, color=_INK))
        chart = alt.layer(*layers).properties(height=26 * len(order))
        chart = chart.properties(padding={"left": 5, "top": 5, "bottom": 5, "right": 8})
        return self._finish(chart, datasets, "Gain per request by policy, with the bounds", switch=False)

    def gain_over_time(self, curves: pl.DataFrame, ceiling: pl.DataFrame) -> dict[str, Any]:
        """Gain per request over time: lines with bands over seeds; the clairvoyant ceiling as a dotted line."""
        datasets = {"gain": self._points(curves, ("value",), self.per_unit)}
        layers = self._band_and_line(
            "gain", "value", f"gain per request, {self.unit}", banded=_has(curves, "value_low")
        )
        if not ceiling.is_empty():
            datasets["top"] = [{"t": s, "value": _round(v * self.per_unit)} for s, v in ceiling.rows()]
            layers.insert(
                0,
                alt.Chart(alt.NamedData("top"))
                .mark_line(strokeDash=[2, 3], color="#888888", strokeWidth=1.5)
                .encode(x=self._x(), y="value:Q"),
            )
        layers.extend(self._change_marks(datasets))
        return self._finish(alt.layer(*layers).properties(height=300), datasets, "Gain per request over time")

    def loaded_over_time(self, curves: pl.DataFrame) -> dict[str, Any]:
        """Bytes loaded per slot over time."""
        top = float(curves["value"].max() or 0.0)  # type: ignore[arg-type]
        middle = curves.filter(pl.col("value") > 0)["value"].median()
        size, unit = pick_unit(float(middle or 0.0), "size")  # type: ignore[arg-type]
        datasets = {"loaded": self._points(curves, ("value",), 1 / size)}
        wide = top > 50 * float(middle or size)  # type: ignore[arg-type]
        layers = self._band_and_line(
            "loaded",
            "value",
            f"loaded per slot, {unit}",
            banded=_has(curves, "value_low"),
            symlog=(1.0, 0.0, top / size) if wide else None,
            zero=True,
        )
        layers.extend(self._change_marks(datasets))
        return self._finish(
            alt.layer(*layers).properties(height=240), datasets, "Bytes loaded per slot over time"
        )

    def regret_over_time(self, curves: pl.DataFrame) -> dict[str, Any]:
        """Regret so far per request, against the best static placement found in hindsight."""
        datasets = {"regret": self._points(curves, ("regret",), self.per_unit)}
        zero = alt.Chart(alt.NamedData("zero")).mark_rule(color=_INK).encode(y="zero:Q")
        datasets["zero"] = [{"zero": 0}]
        layers = [
            zero,
            *self._band_and_line(
                "regret",
                "regret",
                f"regret so far per request, {self.unit}",
                banded=_has(curves, "regret_low"),
            ),
        ]
        return self._finish(
            alt.layer(*layers).properties(height=260), datasets, "Regret per request over time"
        )

    def regret_against_bound(self, curves: pl.DataFrame) -> dict[str, Any] | None:
        """What the theorem speaks of beside what it allows, on a scale that shows both; None if no policy has a bound."""
        known = curves.filter(
            pl.col("bound").is_not_null(), pl.col("fractional").is_not_null(), pl.col("everything") > 0
        )
        if known.is_empty():
            return None
        datasets = {"bound": self._points(known, ("fractional", "bound"), self.per_unit)}
        whole = float(known["everything"].mean()) * self.per_unit  # type: ignore[arg-type]
        datasets["whole"] = [{"whole": _round(whole)}]
        small = known.select(pl.col("fractional").abs().median()).item() * self.per_unit
        constant = max(float(small), whole * 1e-3)
        most = max(whole, float(known["bound"].max()) * self.per_unit)  # type: ignore[arg-type]
        least = float(known["fractional"].min()) * self.per_unit  # type: ignore[arg-type]
        line = alt.Chart(alt.NamedData("whole"))
        layers: list[Any] = [
            line.mark_rule(color=_INK, strokeDash=[2, 3]).encode(y="whole:Q"),
            line.mark_text(align="right", baseline="bottom", dy=-3, color=_MUTED, fontSize=11)
            .encode(y="whole:Q", x=alt.value("width"), text=alt.value("all that the best static placement gains")),
            *self._band_and_line(
                "bound", "fractional", f"fractional regret per request, {self.unit}", symlog=(constant, least, most),
                banded=_has(known, "fractional_low"),
            ),
            self._line("bound", "bound", dashed=True).encode(y="bound:Q"),
        ]  # fmt: skip
        return self._finish(
            alt.layer(*layers).properties(height=260),
            datasets,
            "Fractional regret beside the theorem's bound",
        )

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
        for name, (right, down) in SIDES.items():
            # every layer has all points, so that the axes span them whichever sides are in use
            named = base.transform_calculate(name=f"datum.side === '{name}' ? datum.policy : ''")
            beside: dict[str, Any] = {
                "align": "center" if right == 0 else "left" if right > 0 else "right",
                "baseline": "middle" if down == 0 else "bottom" if down < 0 else "top",
                "dx": (9 if down == 0 else 6) * right,
                "dy": (9 if right == 0 else 4) * down,
                "fontSize": 11,
            }
            # first a white edge, so that a name can be read where an interval crosses it
            for mark in (
                named.mark_text(stroke="white", strokeWidth=3, **beside),
                named.mark_text(color=_INK, **beside),
            ):
                layers.append(mark.encode(x=x, y=y, text="name:N"))
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
                point[name] = _round(r[column] / scale)
                for end in ("low", "high"):
                    value = r[f"{column}_{end}"]
                    point[f"{name}_{end}"] = point[name] if value is None else _round(value / scale)
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
                {"policy": r["policy"], "tier": t, "place": k, "share": _round(v)}
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

    def _change_marks(self, datasets: dict[str, Any]) -> list[Any]:
        """A thin line and a few words wherever the network changes."""
        if not self.changes:
            return []
        datasets["changes"] = [{"t": slot, "what": what} for slot, what in self.changes]
        base = alt.Chart(alt.NamedData("changes")).encode(x=self._x())
        words = base.mark_text(
            align="left", baseline="top", dx=4, dy=2, fontSize=10, color="#666666", limit=150
        )
        return [
            base.mark_rule(color="#999999", strokeWidth=1, strokeDash=[6, 3]).encode(tooltip="what:N"),
            words.encode(text="what:N", y=alt.value(0)),
        ]

    def _x(self) -> alt.X:
        return alt.X(
            "t:Q",
            title=f"slot (of {quantity_of_time(self.slot_s)})",
            axis=alt.Axis(grid=False, tickCount=10),
            scale=alt.Scale(nice=False),
        )

    def _points(self, curves: pl.DataFrame, columns: Sequence[str], factor: float) -> list[dict[str, Any]]:
        """Rows for a chart, rounded to what can be seen; bands only where there are intervals."""
        own = curves.filter((pl.col("trace") == "") | (pl.col("trace") == pl.col("policy")))
        points = []
        for r in own.to_dicts():
            point: dict[str, Any] = {"policy": r["policy"], "t": r["slot"]}
            for c in columns:
                point[c] = None if r[c] is None else _round(r[c] * factor)
                if r[f"{c}_low"] is not None:
                    point[f"{c}_low"] = _round(r[f"{c}_low"] * factor)
                    point[f"{c}_high"] = _round(r[f"{c}_high"] * factor)
            points.append(point)
        return points

    def _band_and_line(
        self,
        data: str,
        column: str,
        title: str,
        symlog: tuple[float, float, float] | None = None,
        *,
        banded: bool,
        zero: bool = False,
    ) -> list[Any]:
        """Band over seeds, line, and on the page points to hover over.

        Args:
            banded: false with a single seed.
            symlog: (constant, smallest, largest value) of a scale that is linear near 0 and logarithmic beyond.
        """
        if symlog is None:
            scale, axis = alt.Scale(zero=zero, nice=True), alt.Axis()
        else:
            scale = alt.Scale(type="symlog", constant=symlog[0])
            axis = alt.Axis(values=_powers(*symlog), format=",~f")
        band = (
            alt.Chart(alt.NamedData(data))
            .transform_filter(self._filter())
            .transform_filter(f"isValid(datum.{column}_low)")
            .mark_area(line=False)
            .encode(
                x=self._x(),
                y=alt.Y(f"{column}_low:Q", title=title, scale=scale, axis=axis),
                y2=f"{column}_high:Q",
                color=self._colour(lines=True),
                opacity=self._heat(0.16, 0.04),
            )
        )
        line = self._line(data, column).encode(y=alt.Y(f"{column}:Q", title=title, scale=scale, axis=axis))
        hover = (
            alt.Chart(alt.NamedData(data))
            .transform_filter(self._filter())
            .mark_point(size=70, opacity=0, filled=True)
            .encode(
                x=self._x(),
                y=alt.Y(f"{column}:Q", title=title, scale=scale, axis=axis),
                tooltip=[
                    "policy:N",
                    alt.Tooltip("t:Q", title="slot"),
                    alt.Tooltip(f"{column}:Q", format=".4g", title=title),
                ],
            )
        )
        return [*([band] if banded else []), line, *([hover] if self.look.page else [])]

    def _line(self, data: str, column: str, *, dashed: bool = False) -> Any:
        mark = (
            alt.Chart(alt.NamedData(data))
            .transform_filter(self._filter())
            .transform_filter(f"isValid(datum.{column})")
        )
        if dashed:
            return mark.mark_line(strokeWidth=1.6, strokeDash=[5, 4]).encode(
                x=self._x(), color=self._colour(lines=True), opacity=self._heat(0.9, 0.15)
            )
        return mark.mark_line(strokeWidth=2).encode(
            x=self._x(),
            color=self._colour(lines=True),
            strokeDash=self._dash(),
            opacity=self._heat(1.0, 0.15),
        )

    def _filter(self) -> str:
        return "indexof(shown, datum.policy) >= 0"

    def _heat(self, on: float, off: float) -> Any:
        if not self.look.page:
            return alt.value(on)
        return alt.condition("hot === '' || datum.policy === hot", alt.value(on), alt.value(off))

    def _domain(self) -> list[str]:
        """Policies of the legend: all on the page, where they can be switched; in files only those drawn."""
        return list(self.styles) if self.look.page else [p for p in self.styles if p in set(self.shown)]

    def _legend(self, *, lines: bool = False) -> Any:
        if self.look.page:
            return None
        symbol: dict[str, Any] = {"symbolType": "stroke", "symbolSize": 250} if lines else {}
        return alt.Legend(title=None, orient="right", symbolStrokeWidth=2, symbolOpacity=1, **symbol)

    def _colour(self, *, lines: bool = False) -> alt.Color:
        names = self._domain()
        return alt.Color(
            "policy:N",
            scale=alt.Scale(domain=names, range=[self.styles[p].colour for p in names]),
            legend=self._legend(lines=lines),
        )

    def _dash(self) -> alt.StrokeDash:
        names = self._domain()
        return alt.StrokeDash(
            "policy:N",
            scale=alt.Scale(domain=names, range=[list(self.styles[p].dash) for p in names]),
            legend=self._legend(lines=True),
        )

    def _shape(self) -> alt.Shape:
        names = self._domain()
        return alt.Shape(
            "policy:N",
            scale=alt.Scale(domain=names, range=[self.styles[p].shape for p in names]),
            legend=self._legend(),
        )

    def _lines(self, marks: list[dict[str, Any]], datasets: dict[str, Any]) -> list[Any]:
        """The LP bound and the ceiling as lines with names on top, the lower one named to its left."""
        lines = []
        for column, name in (("bound", "LP bound"), ("ceiling", "ceiling")):
            known = [m[column] for m in marks if m[column] is not None]
            if known:
                lines.append({"at": sum(known) / len(known), "name": name, "column": column})
        lines.sort(key=lambda line: line["at"])
        layers: list[Any] = []
        for k, line in enumerate(lines):
            data = f"line_{line['column']}"
            datasets[data] = [line]
            base = alt.Chart(alt.NamedData(data)).encode(x="at:Q")
            left = k == 0 and len(lines) > 1
            dash = [1, 0] if line["column"] == "bound" else [4, 3]
            layers += [
                base.mark_rule(color=_INK, strokeWidth=1.5, strokeDash=dash),
                base.mark_text(
                    align="right" if left or len(lines) == 1 else "left", baseline="bottom",
                    dx=-3 if left or len(lines) == 1 else 3, dy=-4, fontSize=11, color=_MUTED,
                ).encode(y=alt.value(0), text="name:N"),
            ]  # fmt: skip
        return layers

    def _finish(
        self, chart: Any, datasets: Mapping[str, Any], title: str, *, switch: bool = True
    ) -> dict[str, Any]:
        params = []
        if switch:
            params = [alt.param(name="shown", value=list(self.shown)), alt.param(name="hot", value="")]
        chart = chart.properties(width="container" if self.look.page else self.look.width, description=title)
        if not self.look.page:
            chart = chart.properties(title=title)
        if params:
            chart = chart.add_params(*params)
        spec: dict[str, Any] = chart.to_dict(validate=False)
        # altair names a parameter for one view of a layer; here every layer reads it
        for param in spec.get("params", ()):
            param.pop("views", None)
        spec["datasets"] = dict(datasets)
        spec["config"] = _CONFIG
        spec["autosize"] = {"type": "fit-x" if self.look.page else "pad", "contains": "padding"}
        return spec


_CONFIG: dict[str, Any] = {
    "font": _FONT,
    "background": "white",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "titleColor": _INK, "labelColor": _INK,
        "gridColor": _GRID, "domainColor": "#9aa0a6", "tickColor": "#9aa0a6", "titlePadding": 8,
    },
    "legend": {"labelFontSize": 12, "labelLimit": 220, "symbolSize": 90},
    "title": {"fontSize": 14, "anchor": "start", "fontWeight": 600},
}  # fmt: skip


def quantity_of_time(seconds: float) -> str:
    """A slot's length in words: minutes and hours where they are whole."""
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return quantity(seconds, "time")


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


def _powers(constant: float, smallest: float, largest: float) -> list[float]:
    """0 and the powers of ten from about `constant` to the ends, thinned to at most six on a side."""

    def side(end: float) -> list[float]:
        first, last = math.ceil(math.log10(constant)), math.floor(math.log10(max(end, constant)))
        powers = list(range(first, max(last, first) + 1))
        return [10.0**k for k in powers[:: -(-len(powers) // 6)]]

    below = [-p for p in side(-smallest)] if smallest < -constant else []
    return [*reversed(below), 0.0, *side(largest)]


def _has(frame: pl.DataFrame, column: str) -> bool:
    """True if any value of the column is known."""
    return frame[column].null_count() < len(frame)


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _round(value: float) -> float:
    """Five digits: more than can be seen, less than makes a page heavy."""
    return float(f"{value:.5g}")
