"""The network as a map: an SVG drawn here, brought to life by the page with the data that goes beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
import polars as pl

from placid.reports.holdings import Holdings, holdings
from placid.reports.labels import SIDES, place_labels
from placid.reports.map_layout import MapLayout, lay_out
from placid.reports.palette import TIER_RAMP, VARIANT_RAMP, ramp
from placid.reports.run_data import RunData
from placid.reports.wording import quantity

__all__ = ["NetworkMap", "frame_readings", "network_map"]

#: a label for every node only where there is room for it
_MOST_LABELS = 60


@dataclass(frozen=True)
class NetworkMap:
    """A run's network and what its nodes held.

    Attributes:
        tiers: as the network names them.
        fill: float64 [models]; what a model takes of a full ring, in the unit of `full`.
        full: float64 [V]; what fills a node's ring: its memory, or the most models any node held if sizes are not known.
    """

    run: RunData
    layout: MapLayout
    held: Holdings
    tiers: tuple[str, ...]
    fill: np.ndarray
    full: np.ndarray

    @cached_property
    def sides(self) -> list[str]:
        """On which side of each node its name goes; "" where there is no room."""
        nodes = self.run.network["nodes"]
        if len(nodes) > _MOST_LABELS:
            return [""] * len(nodes)
        return place_labels(
            list(zip(self.layout.x.tolist(), self.layout.y.tolist(), strict=True)),
            [_short(n["name"]) for n in nodes],
            radius=self.layout.radius + 2,
            letter=5.3,
            line=11,
            width=self.layout.width,
            height=self.layout.height,
            sides=("below", "above", "right", "left"),
        )

    @property
    def sized(self) -> bool:
        """True if rings show bytes of memory, false if they count models."""
        return bool(self.held.models) and all(m[3] is not None for m in self.held.models)

    @property
    def variant_colours(self) -> list[str]:
        return ramp(VARIANT_RAMP, len(self.held.variants)) if self.held.variants else []

    @property
    def tier_colours(self) -> list[str]:
        return ramp(TIER_RAMP, len(self.tiers)) if self.tiers else []

    def svg(self, policy: str | None, frame: int = -1, *, legend: bool = False) -> str:
        """The map as `policy` left it at `frame`; with `policy` None the rings are empty."""
        nodes = self.run.network["nodes"]
        lay = self.layout
        index = {n["name"]: k for k, n in enumerate(nodes)}
        held = None
        if policy is not None and self.held.models:
            held = self.held.held(policy, frame % len(self.held.frames), len(nodes))
        keys, extra = self._legend(lay.height + 14) if legend else ([], 0.0)
        parts = [
            f'<svg id="map-drawing" viewBox="0 0 {lay.width:g} {lay.height + extra:g}" xmlns="http://www.w3.org/2000/svg" '
            'font-family="system-ui, -apple-system, Segoe UI, Liberation Sans, Arial, sans-serif" role="group" '
            f'aria-label="Map of the network {escape(str(self.run.network.get("name", "")))}">'
        ]
        if legend:  # a drawing on its own needs paper
            parts.append('<rect width="100%" height="100%" fill="white"/>')
        for link in self.run.network["links"]:
            a, b = index[link["a"]], index[link["b"]]
            parts.append(
                f'<line x1="{lay.x[a]:.1f}" y1="{lay.y[a]:.1f}" x2="{lay.x[b]:.1f}" y2="{lay.y[b]:.1f}" '
                f'stroke="#c3c8ce" stroke-width="1.4"><title>{escape(link["a"])} – {escape(link["b"])}: '
                f"{quantity(link['rtt_s'], 'time')} there and back</title></line>"
            )
        parts += [self._node(k, None if held is None else held[k]) for k in range(len(nodes))]
        return "".join([*parts, *keys]) + "</svg>"

    def payload(
        self, gains: dict[str, list[float | None]], loaded: dict[str, list[float | None]]
    ) -> dict[str, Any]:
        """What the page needs to move the map through time; changes as differences of rising numbers."""
        nodes = self.run.network["nodes"]
        return {
            "nodes": [
                {
                    "name": n["name"],
                    "tier": n["tier"],
                    "memory": n["memory_bytes"],
                    "processor": n["processor"],
                    "repository": n["repository"],
                    "full": float(self.full[k]),
                }
                for k, n in enumerate(nodes)
            ],
            "radius": self.layout.radius,
            "sized": self.sized,
            "variants": self.held.variants,
            "colours": self.variant_colours,
            "models": [[name, variant, task, size] for name, variant, task, size in self.held.models],
            "frames": self.held.frames.tolist(),
            "slot_s": self.run.slot_s,
            "changes": {
                policy: [np.diff(c, prepend=0).tolist() for c in changes]
                for policy, changes in self.held.changes.items()
            },
            "gain": gains,
            "loaded": loaded,
        }

    def _node(self, k: int, held: np.ndarray | None) -> str:
        node = self.run.network["nodes"][k]
        x, y, r = self.layout.x[k], self.layout.y[k], self.layout.radius
        tier = self.tiers.index(node["tier"])
        inner = self.tier_colours[tier]
        ink = "#ffffff" if tier >= len(self.tiers) / 2 and len(self.tiers) > 1 else "#222222"
        described = f"{node['name']}, {node['tier']}" + (
            ", repository: holds every model" if node["repository"] else ""
        )
        parts = [
            f'<g class="node" data-node="{k}" tabindex="0" role="button" transform="translate({x:.1f} {y:.1f})" '
            f'aria-label="{escape(described, quote=True)}"><title>{escape(described)}</title>'
        ]
        if node["repository"]:
            side = 1.7 * r
            parts.append(
                f'<rect x="{-side / 2:.1f}" y="{-side / 2:.1f}" width="{side:.1f}" height="{side:.1f}" rx="3" '
                f'fill="{inner}" stroke="#222222" stroke-width="1"/>'
            )
        else:
            parts.append(
                f'<circle r="{r:g}" fill="white"/><circle class="inner" r="{0.6 * r:.2f}" fill="{inner}"/>'
                f'<circle r="{0.82 * r:.2f}" fill="none" stroke="#dfe3e7" stroke-width="{0.36 * r:.2f}"/>'
                f'<g class="ring">{self._ring(k, held)}</g>'
                f'<circle r="{r:g}" fill="none" stroke="#80868b" stroke-width="0.8"/>'
            )
        if r >= 8:
            number = "all" if node["repository"] else "" if held is None else str(int(held.sum()))
            parts.append(
                f'<text class="count" text-anchor="middle" dy="0.35em" font-size="{0.68 * r:.1f}" '
                f'fill="{ink}">{number}</text>'
            )
        where = self.sides[k]
        if where:
            right, down = SIDES[where]
            shown = escape(_short(node["name"]))
            anchor = "middle" if right == 0 else "start" if right > 0 else "end"
            parts.append(
                f'<text class="label" text-anchor="{anchor}" x="{right * (r + 3):.1f}" '
                f'y="{3.3 if down == 0 else r + 9.5 if down > 0 else -r - 3.5:.1f}" font-size="9.5" fill="#3c4043" '
                f'stroke="white" stroke-width="2.4" paint-order="stroke">{shown}</text>'
            )
        return "".join(parts) + "</g>"

    def _ring(self, k: int, held: np.ndarray | None) -> str:
        """An arc per variant, as long as its models' part of what the node can hold."""
        if held is None or self.full[k] <= 0:
            return ""
        radius = 0.82 * self.layout.radius
        around = 2 * math.pi * radius
        variant = np.array([m[1] for m in self.held.models], dtype=np.int64)
        amount = np.bincount(variant[held], weights=self.fill[held], minlength=len(self.held.variants))
        parts, start = [], 0.0
        for v, colour in enumerate(self.variant_colours):
            length = min(around * amount[v] / self.full[k], around - start)  # budgets may grow in mid-run
            if length > 0:
                parts.append(
                    f'<circle r="{radius:.2f}" fill="none" stroke="{colour}" '
                    f'stroke-width="{0.36 * self.layout.radius:.2f}" '
                    f'stroke-dasharray="{length:.2f} {around:.2f}" stroke-dashoffset="{-start:.2f}" '
                    'transform="rotate(-90)"/>'
                )
            start += length
        return "".join(parts)

    def _legend(self, top: float) -> tuple[list[str], float]:
        """Names of variants and tiers below the map, in as many lines as they need, and the height of all."""
        parts, line = [], 0
        for names, colours in (
            (self.held.variants, self.variant_colours),
            (list(self.tiers), self.tier_colours),
        ):
            x = 16.0
            for name, colour in zip(names, colours, strict=True):
                wide = 26 + 5.8 * len(name)
                if x + wide > self.layout.width and x > 16:
                    x, line = 16.0, line + 1
                y = top + 16 * line
                parts.append(
                    f'<rect x="{x:.0f}" y="{y - 8:.0f}" width="10" height="10" fill="{colour}"/>'
                    f'<text x="{x + 14:.0f}" y="{y:.0f}" font-size="10" dy="0.1em" fill="#222222">{escape(name)}</text>'
                )
                x += wide
            line += 1
        return parts, 16.0 * line + 10


def _short(name: str) -> str:
    return name if len(name) <= 14 else name[:13] + "…"


def network_map(run: RunData) -> NetworkMap | None:
    """The map of a run; None if ``network.json`` names no nodes."""
    nodes = run.network["nodes"]
    if not nodes:
        return None
    held = holdings(run)
    tiers = tuple(dict.fromkeys([*run.tiers, *(n["tier"] for n in nodes)]))
    present = {n["tier"] for n in nodes}
    sized = bool(held.models) and all(m[3] is not None for m in held.models)
    if sized:
        fill = np.array([float(m[3] or 0) for m in held.models])
        full = np.array([0.0 if n["repository"] else float(n["memory_bytes"]) for n in nodes])
    else:
        fill = np.ones(len(held.models))
        full = np.full(len(nodes), float(_most_models(held, len(nodes))))
    return NetworkMap(run, lay_out(run.network), held, tuple(t for t in tiers if t in present), fill, full)


def _most_models(held: Holdings, nodes: int) -> int:
    """The most models that any node holds at any frame under any policy, at least 1."""
    most = 1
    for changes in held.changes.values():
        now = np.zeros(nodes * max(1, len(held.models)), dtype=np.int64)
        for changed in changes:
            now[changed] ^= 1
            most = max(most, int(now.reshape(nodes, -1).sum(axis=1).max()))
    return most


def frame_readings(
    run: RunData, frames: np.ndarray
) -> tuple[dict[str, list[float | None]], dict[str, list[float | None]]]:
    """Per policy and frame, under the first seed: gain per request and bytes loaded per slot since the frame before."""
    at = pl.Series("frame", np.searchsorted(frames, np.arange(run.slots)), pl.Int64)
    own = run.rows.filter(
        pl.col("seed") == run.seeds[0], (pl.col("trace") == "") | (pl.col("trace") == pl.col("policy"))
    )
    read = (
        own.join(pl.DataFrame({"slot": np.arange(run.slots), "frame": at}), on="slot")
        .group_by("policy", "frame")
        .agg(
            gain=pl.when(pl.col("requests").sum() > 0).then(pl.col("gain").sum() / pl.col("requests").sum()),
            loaded=pl.col("bytes_loaded").mean(),
        )
        .sort("policy", "frame")
    )
    gains: dict[str, list[float | None]] = {p: [None] * len(frames) for p in run.kinds}
    loaded: dict[str, list[float | None]] = {p: [None] * len(frames) for p in run.kinds}
    for policy, frame, gain, size in read.iter_rows():
        gains[policy][frame] = None if gain is None else float(f"{gain:.5g}")
        loaded[policy][frame] = None if size is None else float(f"{size:.5g}")
    return gains, loaded
