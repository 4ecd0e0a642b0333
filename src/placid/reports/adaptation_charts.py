"""Charts of a study of adaptation: accuracy against labels, and against the bytes of the update."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import vl_convert

from placid.reports.adaptation import adaptation_summary
from placid.reports.chart_tools import VEGA_CONFIG, rounded
from placid.reports.figures import VEGA_LITE
from placid.reports.palette import policy_styles

__all__ = ["adaptation_charts", "write_adaptation_figures"]

_WIDTH, _HEIGHT = 560, 320


def adaptation_charts(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Vega-Lite specifications by name; ``none`` is a line across."""
    rows = adaptation_summary(frame).to_dicts()
    ways = list(dict.fromkeys(r["method"] for r in rows))
    styles = policy_styles({w: "static" if w == "none" else "online" for w in ways})
    data = [
        {
            "way": r["method"],
            "labels": str(r["labels"]),
            "bytes": r["update_bytes"],
            "accuracy": rounded(100 * r["accuracy"]),
            "count": r["labels"],
        }
        for r in rows
    ]
    labels = [str(n) for n in sorted({r["labels"] for r in rows})]
    colour = alt.Color(
        "way:N",
        scale=alt.Scale(domain=ways, range=[styles[w].colour for w in ways]),
        legend=alt.Legend(title=None, symbolType="circle", symbolOpacity=1),
    )
    y = alt.Y("accuracy:Q", title="accuracy on the node's test pictures, %", scale=alt.Scale(zero=False))
    base = alt.Chart(alt.NamedData("ways"))
    plain = (
        base.transform_filter("datum.way === 'none'")
        .mark_rule(strokeDash=[4, 3], strokeWidth=1.5)
        .encode(y=y, color=colour)
    )
    adapted = base.transform_filter("datum.way !== 'none'")
    by_labels = alt.X("labels:O", title="labelled pictures", sort=labels, axis=alt.Axis(labelAngle=0))
    by_bytes = alt.X(
        "bytes:Q",
        title="bytes of the update",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format="~s", grid=False, tickCount=5),
    )
    return {
        "accuracy-labels": _finished(
            alt.layer(
                plain,
                adapted.mark_line(point=True, strokeWidth=2).encode(x=by_labels, y=y, color=colour),
            ),
            data,
            "Accuracy against labels, mean over nodes and seeds",
        ),
        "accuracy-bytes": _finished(
            alt.layer(
                plain,
                adapted.mark_line(strokeWidth=1, opacity=0.5).encode(
                    x=by_bytes, y=y, color=colour, order="count:Q"
                ),
                adapted.mark_point(filled=True, size=70, opacity=1).encode(x=by_bytes, y=y, color=colour),
                adapted.mark_text(align="left", dx=7, fontSize=10).encode(
                    x=by_bytes, y=y, color=colour, text="labels:N"
                ),
            ),
            data,
            "Accuracy against bytes of the update; numbers are labelled pictures",
        ),
    }


def write_adaptation_figures(frame: pl.DataFrame, folder: Path) -> list[Path]:
    """The charts as SVG in `folder`; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, spec in adaptation_charts(frame).items():
        opening, _, rest = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE).partition(">")
        file = folder / f"{name}.svg"
        file.write_text(f"{opening}><title>{escape(spec['description'])}</title>{rest}", encoding="utf-8")
        written.append(file)
    return written


def _finished(chart: Any, data: list[dict[str, Any]], title: str) -> dict[str, Any]:
    chart = chart.properties(width=_WIDTH, height=_HEIGHT, title=title, description=title)
    spec: dict[str, Any] = chart.to_dict(validate=False)
    spec["datasets"] = {"ways": data}
    spec["config"] = VEGA_CONFIG
    return spec
