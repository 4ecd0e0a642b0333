"""Local, offloaded and split, over devices and links: modelled times, and their chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from placid.reports.chart_tools import VEGA_CONFIG
from placid.reports.splits.costs import Cost
from placid.reports.splits.end_to_end import Journey, journey, stations
from placid.reports.splits.rivals import pictures
from placid.reports.splits.seedwise import difference

__all__ = ["DEVICES", "LINKS", "SERVER", "Compared", "compared", "latency_chart"]

#: declared classes, from slow to fast; every device is shown with every link, also those that few would build
DEVICES = ("cortex-m7", "raspberry-pi-4", "phone", "jetson-nano")
LINKS = ("ble", "lte", "wifi")
SERVER = "x86-server"
_WORDS = {
    "local": "on the device",
    "raw": "raw picture",
    "picture": "fastest picture",
    "bottlefit": "BottleFit",
}


@dataclass(frozen=True)
class Compared:
    """Four ways from one device over one link; None where the device cannot hold its part.

    Attributes:
        picture: the fastest picture that loses no more than is allowed, `picture_name`; it may be the raw one.
    """

    device: str
    link: str
    local: Journey | None
    raw: Journey | None
    picture: Journey | None
    picture_name: str
    bottlefit: Journey | None

    def seconds(self, way: str) -> float | None:
        """Of one of "local", "raw", "picture", "bottlefit"."""
        found: Journey | None = getattr(self, way)
        return None if found is None else found.total_s

    def against(self, way: str) -> float | None:
        """BottleFit's time less another's, as a share of the other's; None if either does not fit."""
        ours, theirs = self.seconds("bottlefit"), self.seconds(way)
        return None if ours is None or theirs is None else ours / theirs - 1

    def row(self) -> dict[str, object]:
        """In seconds."""
        told: dict[str, object] = {"device": self.device, "link": self.link, "picture": self.picture_name}
        for way in _WORDS:
            found: Journey | None = getattr(self, way)
            told |= {
                f"{way}_{part}_s": None if found is None else getattr(found, f"{part}_s")
                for part in ("device", "link", "server", "total")
            }
        return told


def compared(
    device: str, link: str, chosen: Cost, home: Cost, whole: Cost, ways: Sequence[Cost], lost: float
) -> Compared:
    """`chosen` against the network at `home`, the raw picture to the `whole` one, and the pictures among `ways`."""
    between = stations(device, link, SERVER)
    good = [w for w in pictures(ways) if difference(whole.variant, w.variant).mean <= lost + 1e-9]
    times = [(w, j) for w in good if (j := journey(w, between)) is not None]
    picture, travelled = min(times, key=lambda p: p[1].total_s)
    return Compared(
        device, link, journey(home, between), journey(whole, between), travelled, picture.name, journey(chosen, between)
    )  # fmt: skip


def latency_chart(travels: Sequence[Compared]) -> dict[str, Any]:
    """Bars of device, link and server time: a row of charts a device, a column a link; every row has its own scale."""
    rows: list[dict[str, Any]] = []
    for t in travels:
        for way, words in _WORDS.items():
            found: Journey | None = getattr(t, way)
            shown = "does not fit" if found is None else f"{1e3 * found.total_s:.3g} ms"
            start = 0.0
            for place, part in enumerate(("device", "link", "server")):
                ms = 0.0 if found is None else 1e3 * getattr(found, f"{part}_s")
                rows.append(
                    {"device": t.device, "link": t.link, "way": words, "part": part, "place": place,
                     "from": start, "to": start + ms, "said": shown if place == 2 else ""}
                )  # fmt: skip
                start += ms
    panels = []
    for device in dict.fromkeys(t.device for t in travels):
        own = [r for r in rows if r["device"] == device]
        top = 1.42 * max(r["to"] for r in own)
        columns = []
        for k, link in enumerate(dict.fromkeys(t.link for t in travels)):
            base = alt.Chart(alt.Data(values=[r for r in own if r["link"] == link]))
            y = alt.Y(
                "way:N",
                sort=list(_WORDS.values()),
                title=None,
                axis=alt.Axis(labels=k == 0, ticks=False, domain=False, labelLimit=160),
            )
            x = alt.X(
                "from:Q", title=None, scale=alt.Scale(domain=[0, top], nice=False), axis=alt.Axis(tickCount=4)
            )
            colour = alt.Color(
                "part:N",
                scale=alt.Scale(domain=["device", "link", "server"], range=["#0072B2", "#E69F00", "#7a7a7a"]),
                legend=alt.Legend(title=None, orient="top"),
            )
            bars = base.mark_bar(height={"band": 0.7}).encode(y=y, x=x, x2="to:Q", color=colour)
            words = base.mark_text(align="left", dx=4, fontSize=10, color="#222222").encode(
                y=y, x=alt.X("to:Q"), text="said:N"
            )
            title = alt.TitleParams(f"{device}, {link}: ms, modelled", fontSize=11, fontWeight="normal")
            columns.append(alt.layer(bars, words).properties(width=205, height=84, title=title))
        panels.append(alt.hconcat(*columns, spacing=12))
    spec: dict[str, Any] = alt.vconcat(*panels, spacing=10).to_dict(validate=False)
    spec["config"] = VEGA_CONFIG
    return spec
