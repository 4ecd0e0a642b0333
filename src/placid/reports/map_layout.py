"""Where the nodes of a network lie on the map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["MapLayout", "lay_out"]

_WIDTH = 760.0


@dataclass(frozen=True)
class MapLayout:
    """A drawing of a network, in the units of its view box.

    Attributes:
        width, height: of the view box.
        radius: of a node.
        x, y: float64 [V]; the nodes' centres.
    """

    width: float
    height: float
    radius: float
    x: np.ndarray
    y: np.ndarray


def lay_out(network: dict[str, Any]) -> MapLayout:
    """Lay out the nodes of ``network.json``: by their positions if they have any, else tier by tier.

    Nodes without a position in a network that has some, a cloud as a rule, lie along the top above their neighbours.
    Nodes that would cover each other are moved apart. O(V^2).
    """
    nodes = network["nodes"]
    count = len(nodes)
    radius = 14.0 if count <= 30 else 11.5 if count <= 60 else 8.0 if count <= 120 else 5.0
    index = {n["name"]: k for k, n in enumerate(nodes)}
    neighbours: list[list[int]] = [[] for _ in nodes]
    for link in network["links"]:
        a, b = index[link["a"]], index[link["b"]]
        neighbours[a].append(b)
        neighbours[b].append(a)
    placed = [k for k, n in enumerate(nodes) if n.get("position")]
    if len(placed) >= 2 and 2 * len(placed) >= count:
        x, y, height = _by_position(nodes, placed, neighbours, radius)
    else:
        x, y, height = _by_tier(nodes, neighbours, radius)
    x, y = _apart(x, y, 2 * radius + 7)
    margin = radius + 12
    x = np.clip(x, margin, _WIDTH - margin)
    y = np.clip(y, margin, height - margin)
    return MapLayout(_WIDTH, height, radius, x, y)


def _by_position(
    nodes: list[dict[str, Any]], placed: list[int], neighbours: list[list[int]], radius: float
) -> tuple[np.ndarray, np.ndarray, float]:
    at = np.array([nodes[k]["position"] for k in placed], dtype=float)
    if (np.abs(at[:, 0]) <= 180).all() and (np.abs(at[:, 1]) <= 90).all():
        at[:, 0] *= math.cos(
            math.radians(float(at[:, 1].mean()))
        )  # degrees of longitude shrink towards the poles
    low, span = at.min(axis=0), np.maximum(np.ptp(at, axis=0), 1e-9)
    margin = radius + 26
    floating = [k for k in range(len(nodes)) if k not in set(placed)]
    top = 3.5 * radius if floating else 0.0
    height = float(np.clip((_WIDTH - 2 * margin) * span[1] / span[0], 260, 520)) + 2 * margin + top
    at = _unclumped(at, radius, (_WIDTH - 2 * margin) / span[0])
    low, span = at.min(axis=0), np.maximum(np.ptp(at, axis=0), 1e-9)
    scale = min((_WIDTH - 2 * margin) / span[0], (height - 2 * margin - top) / span[1])
    x, y = np.empty(len(nodes)), np.empty(len(nodes))
    x[placed] = _WIDTH / 2 + (at[:, 0] - low[0] - span[0] / 2) * scale
    y[placed] = top + (height - top) / 2 - (at[:, 1] - low[1] - span[1] / 2) * scale
    for k in floating:
        near = [n for n in neighbours[k] if n not in floating]
        x[k] = x[near].mean() if near else _WIDTH / 2
        y[k] = margin
    return x, y, height


def _unclumped(at: np.ndarray, radius: float, scale: float) -> np.ndarray:
    """Bring places part of the way to even spacing in either direction, as little as lets most nodes stand free.

    Else one node overseas squeezes a continent into a corner.
    """
    order = np.argsort(np.argsort(at, axis=0, kind="stable"), axis=0) / max(1, len(at) - 1)
    even = at.min(axis=0) + order * np.ptp(at, axis=0)
    mixed = at
    for part in (0.0, 0.2, 0.4, 0.6):
        mixed = (1 - part) * at + part * even
        distance = scale * np.hypot(*(mixed[:, None, k] - mixed[None, :, k] for k in (0, 1)))
        np.fill_diagonal(distance, np.inf)
        if np.median(distance.min(axis=1)) >= 3.4 * radius:
            break
    return mixed


def _by_tier(
    nodes: list[dict[str, Any]], neighbours: list[list[int]], radius: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """A row per tier, the first at the bottom; each row in the order of its nodes' neighbours above and below."""
    tiers = list(dict.fromkeys(n["tier"] for n in nodes))
    if (
        any(nodes[k]["repository"] for k in range(len(nodes)) if nodes[k]["tier"] == tiers[0])
        and len(tiers) > 1
    ):
        tiers.reverse()
    rows = [[k for k, n in enumerate(nodes) if n["tier"] == tier] for tier in tiers]
    margin = radius + 24
    x = np.empty(len(nodes))
    for row in rows:
        x[row] = _spread(len(row), margin)
    for _ in range(6):
        for row in rows:
            centre = [float(np.mean(x[neighbours[k]])) if neighbours[k] else float(x[k]) for k in row]
            order = np.argsort(centre, kind="stable")
            x[np.array(row)[order]] = _spread(len(row), margin)
    fit = int((_WIDTH - 2 * margin) // (2 * radius + 7)) + 1
    lines = [-(-len(row) // fit) for row in rows]
    gap = 92.0
    height = 2 * margin + gap * (len(rows) - 1) + 3 * radius * sum(n - 1 for n in lines)
    y = np.empty(len(nodes))
    level = height - margin
    for row, n in zip(rows, lines, strict=True):
        order = np.argsort(x[row], kind="stable")
        y[np.array(row)[order]] = level - 3 * radius * (np.arange(len(row)) % n)
        level -= gap + 3 * radius * (n - 1)
    return x, y, max(height, 200.0)


def _spread(count: int, margin: float) -> np.ndarray:
    return margin + (np.arange(count) + 0.5) * (_WIDTH - 2 * margin) / count


def _apart(x: np.ndarray, y: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Push nodes that are closer than `least` apart, a little at a time."""
    at = np.column_stack((x, y))
    if len(at) > 600:
        return x, y
    # two nodes in one place need a direction to part in
    at = at + 1e-3 * np.column_stack((np.cos(np.arange(len(at))), np.sin(np.arange(len(at)))))
    for _ in range(80):
        between = at[:, None] - at[None]
        distance = np.hypot(between[..., 0], between[..., 1])
        np.fill_diagonal(distance, np.inf)
        lacking = np.clip(least - distance, 0, None)
        if not lacking.any():
            break
        at = at + 0.5 * (between / distance[..., None] * lacking[..., None]).sum(axis=1)
    return at[:, 0], at[:, 1]
