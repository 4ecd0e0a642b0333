"""Where a preference is dragged: the map, the control, what the point comes to, and all points as a chart."""

from __future__ import annotations

from html import escape
from typing import Any

from placid.reports.network_map import NetworkMap
from placid.reports.pareto.data import FrontData
from placid.reports.pareto.words import FOUND, TOLD
from placid.reports.wording import count, pick_unit, quantity

__all__ = ["choose_section", "front_payload"]


def choose_section(told: FrontData, drawn: NetworkMap) -> str:
    """The section's markup; `pareto.js` brings it to life."""
    last = len(told.shown) - 1
    left_out = len(told.front) - len(told.shown)
    some = (
        f" {count(len(told.shown), 'point')} of {len(told.front):,} are on this page, chosen to show all of the range; "
        "the others are in front.csv."
        if left_out
        else ""
    )
    how = {
        2: "Drag the slider between the two objectives",
        3: "Drag the dot in the triangle: each corner stands for one objective alone",
    }.get(len(told.objectives), "Move the sliders: how much each objective counts")
    sliders = "".join(
        f'<label><span style="color:{TOLD[n].colour}">{TOLD[n].short}</span><input type="range" class="share" min="0" '
        f'max="100" value="50" data-k="{k}"></label>'
        for k, n in enumerate(told.objectives)
    )
    control = {
        2: '<div class="between"><input type="range" id="between" min="0" max="1000" value="500" '
        f'aria-label="from {TOLD[told.objectives[0]].short} alone to {TOLD[told.objectives[1]].short} alone">'
        f'<div><span style="color:{TOLD[told.objectives[0]].colour}">{TOLD[told.objectives[0]].best}</span>'
        f'<span style="color:{TOLD[told.objectives[1]].colour}">{TOLD[told.objectives[1]].best}</span></div></div>',
        3: '<div class="triangle"><canvas id="regions" width="300" height="262" aria-hidden="true"></canvas>'
        '<svg id="triangle" viewBox="-46 -24 392 316"></svg></div>',
    }.get(len(told.objectives), f'<div class="shares">{sliders}</div>')
    variants = "".join(
        f'<li><i style="background:{c}"></i>{escape(v)}</li>'
        for v, c in zip(drawn.held.variants, drawn.variant_colours, strict=True)
    )
    tiers = "".join(
        f'<li><i style="background:{c}"></i>{escape(t)}</li>'
        for t, c in zip(drawn.tiers, drawn.tier_colours, strict=True)
    )
    axes = "".join(f'<option value="{k}">{TOLD[n].short}</option>' for k, n in enumerate(told.objectives))
    lines = [
        *(["dashed: no placement lies below (linear relaxation)"] if told.bound is not None else []),
        *(["diamonds: the exact front, if requests are routed at best"] if _drawn(told) else []),
        *(["grey ones: not proven in the time given"] if _unproven(told) else []),
    ]
    note = f"<figcaption>{'; '.join(lines).capitalize()}.</figcaption>" if lines else ""
    return (
        f"<h2>Choose a preference</h2><p>{how}. The page shows the point of the front that is best for it, and the network "
        f"as it would be. Points that no preference leads to are in the chart: click one.{some}</p>"
        f'<div class="chooser"><figure>{drawn.svg("front", 0)}'
        f'<ul class="keys"><li>Rings: memory filled, by variant, small to large:</li>{variants}</ul>'
        f'<ul class="keys"><li>Centres: tiers; number: models held; square: repository.</li>{tiers}</ul></figure>'
        f'<div><h3>What matters</h3>{control}<p class="note" id="shares"></p>'
        '<h3>What it comes to</h3><div id="bars" aria-live="polite"></div><p class="note" id="about"></p></div></div>'
        '<div class="map-controls no-print"><select id="map-policy" hidden><option selected>front</option></select>'
        '<button type="button" id="map-play" hidden>Play</button>'
        '<label class="walk">along the front <input type="range" id="map-slot" min="0" '
        f'max="{last}" value="0" step="1"></label><output id="map-now" for="map-slot"></output></div>'
        '<div class="chooser"><div><h3>All points</h3><div class="axes no-print"><label>up <select id="axis-y">'
        f'{axes}</select></label><label>across <select id="axis-x">{axes}</select></label></div>'
        f'<svg id="scatter" viewBox="0 0 640 330" role="img" aria-label="All points of the front"></svg>{note}</div>'
        '<div id="held" aria-live="polite"></div></div>'
    )


def _unproven(told: FrontData) -> bool:
    return _drawn(told) and told.exact is not None and not told.exact["proven"].all()


def _drawn(told: FrontData) -> bool:
    """Whether the chart shows the exact front: of three objectives it would be a cloud."""
    return told.exact is not None and len(told.objectives) == 2


def front_payload(told: FrontData) -> dict[str, Any]:
    """What `pareto.js` reads."""
    axes = told.front.axes[told.shown]
    rows = told.table[told.shown.tolist()].to_dicts()
    spoken = []
    for k, n in enumerate(told.objectives):
        size, unit = pick_unit(
            float(axes[:, k].max()), "size" if n == "traffic_byte_hops" else TOLD[n].dimension
        )
        spoken.append(
            {
                "short": TOLD[n].short,
                "best": TOLD[n].best,
                "colour": TOLD[n].colour,
                "size": size,
                "unit": f"{unit}·hop" if n == "traffic_byte_hops" else unit,
            }
        )
    lines: dict[str, Any] = {}
    for name, table in (("bound", told.bound), ("exact", told.exact)):
        if table is not None:
            lines[name] = [list(r) for r in table.select(told.objectives).iter_rows()]
    if told.exact is not None:
        lines["proven"] = told.exact["proven"].to_list()
    return {
        "objectives": spoken,
        "points": axes.tolist(),
        "about": [
            f"Point {r['point']}: {count(r['models_placed'], 'model')} in {quantity(r['bytes_placed'], 'size')}; "
            f"{quantity(r['latency_p95_s'], 'time')} at most for 95 % of the requests. Found by "
            f"{FOUND.get(r['found_by'], r['found_by'])}"
            + ("; no placement is better for its weights." if r["proven"] else ".")
            for r in rows
        ],
        **lines,
    }  # fmt: skip
