"""The charts of a comparison as Vega-Lite specifications: accuracy against bytes and operations, and what exits do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt

from placid.catalog.variants import Zoo
from placid.reports.chart_tools import INK, MUTED, VEGA_CONFIG, rounded
from placid.reports.labels import SIDES, names_beside, place_labels
from placid.reports.palette import ramp
from placid.reports.splits.amounts import amount
from placid.reports.splits.costs import Cost, risk_coverage
from placid.reports.splits.families import FAMILIES
from placid.reports.splits.pareto import efficient_ways
from placid.reports.wording import quantity

__all__ = ["accuracy_chart", "exits_chart", "risk_chart", "three_axes"]

#: widths of a plot, in pixels, for which names are placed: of a screen's page, and of a phone's
_PLOTS = {"wide": 900.0, "narrow": 290.0}
#: from which width of the plot on the names are those of the wide one
_WIDE_FROM = 800
#: viridis without its palest end: low to high accuracy
_ACCURACY_RAMP = ["#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#c5d91b"]
#: first to last exit, light to dark
_EXIT_RAMP = ("#c6dbef", "#6baed6", "#08519c")
#: likewise for lines, which need more contrast
_RISK_RAMP = ("#6baed6", "#08519c")
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])


def accuracy_chart(ways: Sequence[Cost], of: str) -> dict[str, Any]:
    """Accuracy of every way against what it sends (`of` = "bytes") or computes on the device ("operations")."""
    value: Callable[[Cost], float] = {
        "bytes": lambda w: w.bytes_mean,
        "operations": lambda w: w.device_operations,
    }[of]
    title = {
        "bytes": "bytes sent for an input, mean",
        "operations": "operations of the device for an input",
    }[of]
    domain, scale, axis, at = _from_zero([value(w) for w in ways])
    data = _points(ways)
    low, high = max(min(w.accuracy_low for w in ways), _floor(ways)), max(w.accuracy_high for w in ways)
    room = 0.05 * max(high - low, 0.01)
    edge = low - room
    for d, w in zip(data, ways, strict=True):
        d["x"] = at(value(w))
        if w.accuracy < edge:
            # too far below the others to be drawn to scale: on the edge, with its number
            d["label"] = f"{w.name} ({100 * w.accuracy:.0f} %)"
            d["y"] = d["from"] = d["to"] = 100 * (edge + 0.3 * room)
        else:
            d["y"], d["from"], d["to"] = d["accuracy"], max(d["low"], 100 * edge), d["high"]
    _name(data, "x", "y", domain, (100 * edge, 100 * (high + room)), 400)
    base = alt.Chart(alt.NamedData("ways"))
    x = alt.X("x:Q", title=title, scale=scale, axis=axis)
    of_accuracy: dict[str, Any] = {
        "title": "accuracy on the test images, %",
        "scale": alt.Scale(domain=[100 * edge, 100 * (high + room)], nice=False, zero=False),
    }
    y = alt.Y("y:Q", **of_accuracy)
    layers: list[Any] = [
        base.mark_rule(strokeWidth=1.3, opacity=0.6).encode(
            x=x, y=alt.Y("from:Q", **of_accuracy), y2="to:Q", color=_colour()
        ),
        _marks(base, x, y, _colour()),
        *_labels(base, x, y),
    ]
    return _finish(alt.layer(*layers), {"ways": data}, f"Accuracy against {of} of every variant", 400)


def three_axes(ways: Sequence[Cost]) -> dict[str, Any]:
    """Bytes across, operations of the device upwards, accuracy as colour; ringed: no other beats it on all three."""
    x_domain, x_scale, x_axis, x_at = _from_zero([w.bytes_mean for w in ways])
    y_domain, y_scale, y_axis, y_at = _from_zero([w.device_operations for w in ways])
    data = _points(ways)
    for d, w in zip(data, ways, strict=True):
        d["x"], d["y"] = x_at(w.bytes_mean), y_at(w.device_operations)
    _name(data, "x", "y", x_domain, y_domain, 420, log_y=True)
    base = alt.Chart(alt.NamedData("ways"))
    x = alt.X("x:Q", title="bytes sent for an input, mean", scale=x_scale, axis=x_axis)
    y = alt.Y("y:Q", title="operations of the device for an input", scale=y_scale, axis=y_axis)
    accuracies = [100 * w.accuracy for w in ways]
    low, high = max(min(accuracies), 100 * _floor(ways)), max(accuracies)
    if high == low:  # one accuracy is still a scale
        low = high - 1
    # most of what is told apart lies near the top: colours change faster there
    stops = [high - (high - low) * (1 - k / 5) ** 2 for k in range(6)]
    colour = alt.Color(
        "accuracy:Q",
        scale=alt.Scale(domain=stops, range=_ACCURACY_RAMP, clamp=True),
        legend=alt.Legend(
            title="accuracy, %", orient="top", format=".0f", gradientLength=220, titleFontWeight="normal"
        ),
    )
    layers = [_marks(base, x, y, colour, size=130), *_labels(base, x, y)]
    return _finish(alt.layer(*layers), {"ways": data}, "Bytes, operations and accuracy of every variant", 420)


def exits_chart(zoo: Zoo) -> dict[str, Any] | None:
    """Share of inputs that leave at each exit of each variant that has any, with their accuracy; None if none has."""
    having = [v for v in zoo.variants if v.exits]
    if not having:
        return None
    most = max(len(v.exits) for v in having) + 1
    names = [f"exit {k + 1}" for k in range(most - 1)] + ["the end"]
    rows: list[dict[str, Any]] = []
    for v in having:
        start = 0.0
        for k, e in enumerate(v.exits):
            rows.append(
                {"variant": v.name, "exit": names[k], "place": k, "start": start, "end": start + e.share, "share": e.share,
                 "accuracy": 100 * e.accuracy, "said": f"{100 * e.share:.0f} %, {100 * e.accuracy:.1f} % of it right"}
            )  # fmt: skip
            start += e.share
        rest = max(0.0, 1 - start)
        right = v.accuracy - sum(e.share * e.accuracy for e in v.exits)
        accuracy = min(1.0, max(0.0, right / rest)) if rest > 0 else None
        told = "" if accuracy is None else f", {100 * accuracy:.1f} % of it right"
        rows.append(
            {"variant": v.name, "exit": "the end", "place": most - 1, "start": start, "end": 1.0, "share": rest,
             "accuracy": None if accuracy is None else 100 * accuracy, "said": f"{100 * rest:.0f} %{told}"}
        )  # fmt: skip
    for r in rows:
        r["middle"] = (r["start"] + r["end"]) / 2
        r["ink"] = "#ffffff" if r["exit"] == "the end" else INK
    base = alt.Chart(alt.NamedData("exits"))
    y = alt.Y("variant:N", sort=None, title=None, axis=None)
    x = alt.X(
        "start:Q",
        title="share of the test images",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5),
    )
    bars = base.mark_bar(stroke="white", size=24).encode(
        y=y, x=x, x2="end:Q",
        color=alt.Color("exit:N", scale=alt.Scale(domain=names, range=ramp(_EXIT_RAMP, most)),
                        legend=alt.Legend(title="answered at", orient="top", titleFontWeight="normal")),
        tooltip=["variant:N", "exit:N", alt.Tooltip("share:Q", format=".1%"),
                 alt.Tooltip("accuracy:Q", format=".2f", title="of those right, %")],
    )  # fmt: skip
    # what is too narrow for its words stands in the tooltip alone
    fitting = (
        "(datum.end - datum.start) * width > 6.2 * length(datum.said) ? datum.said : "
        "(datum.end - datum.start) * width > 36 ? format(100 * datum.share, '.0f') + ' %' : ''"
    )
    words = (
        base.transform_calculate(fitting=fitting)
        .mark_text(fontSize=11, color=alt.expr("datum.ink"))
        .encode(y=y, x="middle:Q", text="fitting:N")
    )
    # above its bar a name leaves the whole width to the shares
    names = (
        base.transform_filter("datum.place === 0")
        .mark_text(align="left", baseline="bottom", dy=-15, fontSize=12, color=INK)
        .encode(y=y, x=alt.value(0), text="variant:N")
    )
    return _finish(
        alt.layer(bars, words, names),
        {"exits": rows},
        "Share of inputs answered at each exit",
        58 * len(having),
    )


def risk_chart(zoo: Zoo) -> dict[str, Any] | None:
    """Error rate among the inputs that an exit is surest of, as it is asked to answer more of them; None without data."""
    rows: list[dict[str, Any]] = []
    known: list[tuple[str, int, int]] = []  # name, which exit, which variant
    for v in zoo.variants:
        curves = [(k, curve) for k, curve in enumerate(risk_coverage(v)) if curve]
        variant = known[-1][2] + 1 if known else 0
        for k, curve in curves:
            name = f"{v.name}, exit {k + 1}"
            rows += [
                {"curve": name, "coverage": rounded(c), "risk": rounded(100 * r), "rule": v.exits[k].rule}
                for c, r in curve
            ]
            known.append((name, k, variant))
    if not rows:
        return None
    ends = [name for name, _, _ in known]
    # colours tell exits apart, as in the bars; dashes variants
    shades = ramp(_RISK_RAMP, 1 + max(k for _, k, _ in known))
    picked = [shades[k] for _, k, _ in known]
    dashes = [_DASHES[variant % len(_DASHES)] for _, _, variant in known]
    base = alt.Chart(alt.NamedData("risk"))
    x = alt.X(
        "coverage:Q",
        title="share that it answers, surest first",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5),
    )
    y = alt.Y("risk:Q", title="of those wrong, %")
    legend = alt.Legend(
        title=None, orient="top", columns=1, symbolType="stroke", symbolSize=300, labelLimit=320
    )
    colour = alt.Color(
        "curve:N",
        scale=alt.Scale(domain=ends, range=picked),
        legend=legend,
    )
    dash = alt.StrokeDash("curve:N", scale=alt.Scale(domain=ends, range=dashes), legend=legend)
    chart = base.mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=16)).encode(
        x=x, y=y, color=colour, strokeDash=dash,
        tooltip=["curve:N", "rule:N", alt.Tooltip("coverage:Q", format=".1%"), alt.Tooltip("risk:Q", format=".2f")],
    )  # fmt: skip
    return _finish(chart, {"risk": rows}, "Risk against coverage of every exit", 260)


def _floor(ways: Sequence[Cost]) -> float:
    """The accuracy down to which ways are told apart: what is far worse is drawn as such, not to scale."""
    return max(w.accuracy for w in ways) - 0.06


def _points(ways: Sequence[Cost]) -> list[dict[str, Any]]:
    """What a chart and its tooltips know of every way."""
    return [
        {
            "name": w.name,
            "label": w.name,
            "family": w.family.name,
            "accuracy": rounded(100 * w.accuracy),
            "low": rounded(100 * w.accuracy_low),
            "high": rounded(100 * w.accuracy_high),
            "bytes": quantity(w.bytes_mean, "size"),
            "operations": amount(w.device_operations),
            "efficient": e,
        }
        for w, e in zip(ways, efficient_ways(ways), strict=True)
    ]


def _marks(base: Any, x: alt.X, y: alt.Y, colour: alt.Color, size: int = 95) -> Any:
    shapes = alt.Shape(
        "family:N",
        scale=alt.Scale(domain=[f.name for f in FAMILIES], range=[f.shape for f in FAMILIES]),
        legend=None,
    )
    return base.mark_point(filled=True, size=size, opacity=1).encode(
        x=x, y=y, color=colour, shape=shapes,
        stroke=alt.condition("datum.efficient", alt.value(INK), alt.value("white")),
        strokeWidth=alt.condition("datum.efficient", alt.value(2), alt.value(0.6)),
        tooltip=[
            alt.Tooltip("name:N", title="variant"), "family:N", alt.Tooltip("accuracy:Q", title="accuracy, %"),
            alt.Tooltip("low:Q", title="95 % from"), alt.Tooltip("high:Q", title="to"),
            alt.Tooltip("bytes:N", title="sent"), alt.Tooltip("operations:N", title="device operations"),
            alt.Tooltip("efficient:N", title="no other beats it"),
        ],
    )  # fmt: skip


def _colour() -> alt.Color:
    return alt.Color(
        "family:N",
        scale=alt.Scale(domain=[f.name for f in FAMILIES], range=[f.colour for f in FAMILIES]),
        legend=None,
    )


def _from_zero(
    values: Sequence[float],
) -> tuple[tuple[float, float], alt.Scale, alt.Axis, Callable[[float], float]]:
    """A logarithmic axis that has a place for 0, left of its break, if any value is 0; and where a value lies on it."""
    known = [v for v in values if v > 0] or [1.0]
    low, high = min(known) / 1.5, max(known) * 1.6
    zero = low / 4 if any(v == 0 for v in values) else None
    powers = [10.0**k for k in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
    # few powers need steps between
    ticks = (
        powers
        if len(powers) > 3
        else [m * p for p in [powers[0] / 10 if powers else low, *powers] for m in (1, 2, 5)]
    )
    ticks = [t for t in ticks if low <= t <= high]
    # left of the 0 there is room for half a name
    first = low if zero is None else zero / 2.5
    axis = alt.Axis(
        values=[*([] if zero is None else [zero]), *ticks],
        labelExpr=f"datum.value < {low!r} ? '0' : replace(format(datum.value, '~s'), 'G', ' G')",
    )
    return (
        (first, high),
        alt.Scale(type="log", domain=[first, high], nice=False),
        axis,
        lambda v: rounded(v) if v > 0 or zero is None else zero,
    )


def _name(
    data: list[dict[str, Any]],
    x: str,
    y: str,
    x_domain: tuple[float, float],
    y_domain: tuple[float, float],
    height: float,
    *,
    log_y: bool = False,
) -> None:
    """Give every point of `data` the side on which its name stands, for every width of `_PLOTS`.

    Those that no other beats choose first; a name without room stands nowhere.
    """

    def place(value: float, ends: Sequence[float], log: bool) -> float:
        low, high = (math.log(e) if log else e for e in ends)
        return ((math.log(value) if log else value) - low) / (high - low)

    order = sorted(range(len(data)), key=lambda k: not data[k]["efficient"])
    for plot, wide in _PLOTS.items():
        spots = [
            (place(data[k][x], x_domain, True) * wide, (1 - place(data[k][y], y_domain, log_y)) * height)
            for k in order
        ]
        sides = place_labels(
            spots, [data[k]["label"] for k in order], radius=7, letter=5.9, line=12, width=wide, height=height
        )
        for k, side in zip(order, sides, strict=True):
            data[k][plot] = side


def _labels(base: Any, x: alt.X, y: alt.Y) -> list[Any]:
    layers = []
    for side in SIDES:
        chosen = f"(width >= {_WIDE_FROM} ? datum.wide : datum.narrow) === '{side}'"
        named = base.transform_calculate(said=f"{chosen} ? datum.label : ''")
        layers += names_beside(
            named, side, x, y, "said:N", alt.expr(f"datum.efficient ? '{INK}' : '{MUTED}'")
        )
    return layers


def _finish(chart: Any, datasets: Mapping[str, Any], title: str, height: int) -> dict[str, Any]:
    chart = chart.properties(width="container", height=height, description=title)
    spec: dict[str, Any] = chart.to_dict(validate=False)
    spec["datasets"] = dict(datasets)
    spec["config"] = VEGA_CONFIG
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec
