"""The sections of the winner maps: a map for each required accuracy, who wins how much of it, classes of device and link."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import Any

import numpy as np

from placid.catalog.processors import PROCESSORS
from placid.catalog.radios import RADIOS
from placid.reports.splits.amounts import amount, bit_rate, joule, points
from placid.reports.splits.map_drawing import Axis, draw_map, ranking
from placid.reports.splits.story import Comparison
from placid.reports.splits.tables import family_swatch
from placid.reports.splits.winners import WinnerMap, answer_s, energy_terms, latency_terms
from placid.reports.wording import count, quantity

__all__ = ["map_section", "read_under_pointer"]

_DEVICES = ("cortex-m7", "raspberry-pi-4", "phone", "x86-core", "jetson-nano", "jetson-orin-nano", "t4")


def map_section(told: Comparison, kind: str) -> str:
    latency = kind == "latency"
    maps = told.latency if latency else told.energy
    x, y = _latency_axes() if latency else _energy_axes()
    chooser = "".join(
        f'<option value="{k}"{" selected" if loss == told.loss else ""}>at most {points(loss)} lost</option>'
        for k, loss in enumerate(maps)
    )
    panels = "".join(_panel(told, maps[loss], k, loss, kind, x, y) for k, loss in enumerate(maps))
    if latency:
        title = "Who answers first"
        text = (
            "Time until the answer, mean over inputs: the device's operations at its speed, the bytes at the link's "
            f"bandwidth with a round trip of {quantity(told.setting.round_trip_s, 'time')}, the server's operations at "
            f"{amount(told.setting.server_multiply_adds_per_s)} multiply-adds a second. Modelled from measured bytes and "
            "counted operations, not timed."
        )
    else:
        title = "Who takes the device least energy"
        text = (
            "Energy of the device for an input, mean: its operations and the bytes it sends. The server's energy, and what "
            "a radio takes while it waits, are not in it. Modelled from measured bytes and counted operations, not measured."
        )
    return (
        f'<h2>{title} <span class="modelled">modelled</span></h2><p>{text}</p>'
        f'<div class="map-controls no-print"><label>required accuracy <select class="required" data-kind="{kind}">{chooser}'
        f"</select></label></div>{panels}"
    )


def _panel(told: Comparison, found: WinnerMap, level: int, loss: float, kind: str, x: Axis, y: Axis) -> str:
    ranks = ranking(found)
    rows = "".join(
        f"<tr><td>{n}</td><td>{family_swatch(told.ways[k].family)}{escape(told.ways[k].name)}</td>"
        f"<td>{round(100 * told.lost[k], 2) + 0.0:.2f}</td><td>{100 * share:.1f} %</td></tr>"
        for n, (k, share) in enumerate(ranks, 1)
    )
    out = int((~found.reaching).sum())
    held_against = "whole network" if told.whole else "best variant"
    title = f"At most {points(loss)} below the {held_against} ({100 * told.reference:.2f} %)"
    drawing = draw_map(found, told.ways, x, y, f"{title}; {kind}", f"{kind}-{level}")
    near = 100 * float(found.close().mean())
    devices = _devices(told, found) if kind == "latency" else ""
    return (
        f'<div class="panel" data-kind="{kind}" data-level="{level}"><h3>{title}</h3>'
        f'<div class="map-body"><figure><div class="scroll">{drawing}</div>'
        "<figcaption>Each region: the way that wins there. Hatched: one of another "
        f"family costs at most 5 % more ({near:.0f} % of the map), too near to call. "
        f"{out} of {count(len(told.ways), 'way')} miss this accuracy and are left out.</figcaption></figure>"
        f'<div class="beside"><table class="ranks"><thead><tr><th></th><th class="text">wins</th><th>lost,<br>points</th>'
        f'<th>of the<br>map</th></tr></thead><tbody>{rows}</tbody></table><div class="reading no-print" '
        'aria-live="polite">Point at the map to read what wins there.</div></div></div>'
        f"{devices}</div>"
    )


def _devices(told: Comparison, found: WinnerMap) -> str:
    """Declared classes of device and of link: who answers first, and when."""
    links = sorted(RADIOS.values(), key=lambda r: r.bytes_per_s)
    devices = [PROCESSORS[d] for d in _DEVICES]
    rates = 8 * np.array([r.bytes_per_s for r in links])
    reaching = [w for w, r in zip(told.ways, found.reaching, strict=True) if r]
    if not reaching:
        return ""
    body = []
    for device in devices:
        cost = answer_s(reaching, device.multiply_adds_per_s(), rates, told.setting)
        wins = cost.argmin(axis=0).tolist()
        cells = []
        # one cell where the same way wins on several links in a row
        for k, run in groupby(range(len(links)), key=wins.__getitem__):
            on = list(run)
            took = dict.fromkeys(quantity(float(cost[k, link]), "time") for link in (on[0], on[-1]))
            cells.append(
                f'<td colspan="{len(on)}">{family_swatch(reaching[k].family)}{escape(reaching[k].name)}'
                f"<small>{' to '.join(took)}</small></td>"
            )
        body.append(
            f'<tr><th scope="row">{escape(device.name)}<small>{amount(device.multiply_adds_per_s())}/s</small></th>'
            f"{''.join(cells)}</tr>"
        )
    head = "".join(
        f'<th scope="col">{escape(r.name)}<small>{bit_rate(8 * r.bytes_per_s)}</small></th>' for r in links
    )
    return (
        "<h4>On declared devices and links</h4>"
        f'<div class="scroll"><table class="classes"><thead><tr><th></th>{head}</tr></thead><tbody>{"".join(body)}</tbody>'
        '</table></div><p class="note">Bandwidth and speed of each class as declared (32-bit floats); round trip and '
        "server as above. From one time to another: over those links from left to right.</p>"
    )


def _latency_axes() -> tuple[Axis, Axis]:
    rates = [(10.0**k, bit_rate(10.0**k)) for k in range(4, 10)]
    speeds = [(10.0**k, amount(10.0**k)) for k in range(7, 13)]
    return (
        Axis("bandwidth of the uplink", rates, _links("bytes_per_s", 8)),
        Axis("speed of the device, multiply-adds a second", speeds,
             [(PROCESSORS[d].multiply_adds_per_s(), d) for d in _DEVICES]),
    )  # fmt: skip


def _energy_axes() -> tuple[Axis, Axis]:
    devices = [
        (p.busy_w / p.multiply_adds_per_s(arithmetic), f"{name}{said}")
        for name, arithmetic, said in (
            ("cortex-m7", "float32", ""), ("raspberry-pi-4", "float32", ""), ("phone", "float32", ""),
            ("phone", "int8", ", 8 bit"), ("ethos-u55", "int8", ", 8 bit"),
        )
        for p in (PROCESSORS[name],)
    ]  # fmt: skip
    return (
        Axis("energy for a byte sent", [(10.0**k, joule(10.0**k)) for k in range(-8, -1)], _links("sent_j_per_byte", 1)),
        Axis("energy for a multiply-add", [(10.0**k, joule(10.0**k)) for k in range(-12, -7)], devices),
    )  # fmt: skip


def _links(attribute: str, factor: float) -> list[tuple[float, str]]:
    return [(factor * float(getattr(r, attribute)), r.name) for r in RADIOS.values()]


def read_under_pointer(told: Comparison) -> dict[str, Any]:
    """What the page needs to read off a map under the pointer: cost = fixed + operations x price + sent x price."""
    any_map = told.latency[told.loss], told.energy[told.loss]
    return {
        "names": [w.name for w in told.ways],
        "latency": {
            "terms": [[float(f"{t:.6g}") for t in row] for row in latency_terms(told.ways, told.setting)],
            "x": [float(any_map[0].x[0]), float(any_map[0].x[-1]), len(any_map[0].x)],
            "y": [float(any_map[0].y[0]), float(any_map[0].y[-1]), len(any_map[0].y)],
        },
        "energy": {
            "terms": [[float(f"{t:.6g}") for t in row] for row in energy_terms(told.ways, told.setting)],
            "x": [float(any_map[1].x[0]), float(any_map[1].x[-1]), len(any_map[1].x)],
            "y": [float(any_map[1].y[0]), float(any_map[1].y[-1]), len(any_map[1].y)],
        },
        "reaching": [[int(r) for r in found.reaching] for found in told.latency.values()],
    }
