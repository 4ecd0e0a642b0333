"""Charts over time: gain, bytes loaded, regret, regret beside its theorem."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from placid.reports.chart_tools import INK, MUTED, ChartTools, has_values, rounded
from placid.reports.wording import pick_unit

__all__ = ["TimeCharts"]


class TimeCharts(ChartTools):
    """Every chart with slots along its axis."""

    def gain_over_time(self, curves: pl.DataFrame, ceiling: pl.DataFrame) -> dict[str, Any]:
        """Gain per request over time: lines with bands over seeds; the clairvoyant ceiling as a dotted line."""
        datasets = {"gain": self._points(curves, ("value",), self.per_unit)}
        layers = self._band_and_line(
            "gain", "value", f"gain per request, {self.unit}", banded=has_values(curves, "value_low")
        )
        if not ceiling.is_empty():
            datasets["top"] = [{"t": s, "value": rounded(v * self.per_unit)} for s, v in ceiling.rows()]
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
            banded=has_values(curves, "value_low"),
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
        zero = alt.Chart(alt.NamedData("zero")).mark_rule(color=INK).encode(y="zero:Q")
        datasets["zero"] = [{"zero": 0}]
        layers = [
            zero,
            *self._band_and_line(
                "regret",
                "regret",
                f"regret so far per request, {self.unit}",
                banded=has_values(curves, "regret_low"),
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
        datasets["whole"] = [{"whole": rounded(whole)}]
        small = known.select(pl.col("fractional").abs().median()).item() * self.per_unit
        constant = max(float(small), whole * 1e-3)
        most = max(whole, float(known["bound"].max()) * self.per_unit)  # type: ignore[arg-type]
        least = float(known["fractional"].min()) * self.per_unit  # type: ignore[arg-type]
        line = alt.Chart(alt.NamedData("whole"))
        layers: list[Any] = [
            line.mark_rule(color=INK, strokeDash=[2, 3]).encode(y="whole:Q"),
            line.mark_text(align="right", baseline="bottom", dy=-3, color=MUTED, fontSize=11)
            .encode(y="whole:Q", x=alt.value("width"), text=alt.value("all that the best static placement gains")),
            *self._band_and_line(
                "bound", "fractional", f"fractional regret per request, {self.unit}", symlog=(constant, least, most),
                banded=has_values(known, "fractional_low"),
            ),
            self._line("bound", "bound", dashed=True).encode(y="bound:Q"),
        ]  # fmt: skip
        return self._finish(
            alt.layer(*layers).properties(height=260),
            datasets,
            "Fractional regret beside the theorem's bound",
        )
