"""What every chart is made with: axes, lines with bands, colours, the finish. Vega-Lite through altair."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from placid.reports.palette import PolicyStyle
from placid.reports.wording import quantity

__all__ = ["INK", "MUTED", "VEGA_CONFIG", "ChartTools", "Look", "has_values", "quantity_of_time", "rounded"]

INK, MUTED, GRID = "#222222", "#5f6368", "#e6e8eb"
FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"


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
class ChartTools:
    """What the charts of one run share.

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
                point[c] = None if r[c] is None else rounded(r[c] * factor)
                if r[f"{c}_low"] is not None:
                    point[f"{c}_low"] = rounded(r[f"{c}_low"] * factor)
                    point[f"{c}_high"] = rounded(r[f"{c}_high"] * factor)
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
                base.mark_rule(color=INK, strokeWidth=1.5, strokeDash=dash),
                base.mark_text(
                    align="right" if left or len(lines) == 1 else "left", baseline="bottom",
                    dx=-3 if left or len(lines) == 1 else 3, dy=-4, fontSize=11, color=MUTED,
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
        spec["config"] = VEGA_CONFIG
        spec["autosize"] = {"type": "fit-x" if self.look.page else "pad", "contains": "padding"}
        return spec


#: how every chart of the house looks
VEGA_CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "white",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "titleColor": INK, "labelColor": INK,
        "gridColor": GRID, "domainColor": "#9aa0a6", "tickColor": "#9aa0a6", "titlePadding": 8,
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


def _powers(constant: float, smallest: float, largest: float) -> list[float]:
    """0 and the powers of ten from about `constant` to the ends, thinned to at most six on a side."""

    def side(end: float) -> list[float]:
        first, last = math.ceil(math.log10(constant)), math.floor(math.log10(max(end, constant)))
        powers = list(range(first, max(last, first) + 1))
        return [10.0**k for k in powers[:: -(-len(powers) // 6)]]

    below = [-p for p in side(-smallest)] if smallest < -constant else []
    return [*reversed(below), 0.0, *side(largest)]


def has_values(frame: pl.DataFrame, column: str) -> bool:
    """True if any value of the column is known."""
    return frame[column].null_count() < len(frame)


def rounded(value: float) -> float:
    """Five digits: more than can be seen, less than makes a page heavy."""
    return float(f"{value:.5g}")
