"""A winner map as SVG: a region for every way that wins somewhere, its name in it, devices and links along the edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from scipy import ndimage

from placid.reports.splits.costs import Cost
from placid.reports.splits.winners import WinnerMap

__all__ = ["Axis", "draw_map", "ranking"]

_WIDTH, _HEIGHT = 600.0, 372.0
_LEFT, _TOP, _RIGHT, _BOTTOM = 66.0, 38.0, 104.0, 48.0
_LETTER, _LINE = 6.3, 15.0


@dataclass(frozen=True)
class Axis:
    """One axis of a map.

    Attributes:
        title: what is along it, and in what.
        ticks: value and how it is written.
        marks: value and name of a device or a link that is there; those too near to an earlier one are left out.
    """

    title: str
    ticks: Sequence[tuple[float, str]]
    marks: Sequence[tuple[float, str]]


def ranking(found: WinnerMap) -> list[tuple[int, float]]:
    """(way, share of the map that it wins), the largest first."""
    ways, cells = np.unique(found.winner[found.winner >= 0], return_counts=True)
    order = np.argsort(-cells, kind="stable")
    return [(int(ways[k]), float(cells[k] / found.winner.size)) for k in order]


def draw_map(found: WinnerMap, ways: Sequence[Cost], x: Axis, y: Axis, title: str, id_: str) -> str:
    """The map; way k of `ranking` carries the number k + 1 where its name does not fit. `id_` is its own on the page."""
    wide, high = _WIDTH + _LEFT + _RIGHT, _HEIGHT + _TOP + _BOTTOM
    parts = [
        f'<svg class="winners" viewBox="0 0 {wide:g} {high:g}" role="img" aria-label="{escape(title, quote=True)}">',
        f'<defs><pattern id="near-{id_}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<line x1="0" y1="0" x2="0" y2="6" stroke="#fff" stroke-width="2.2" stroke-opacity=".5"/></pattern></defs>',
        f'<g transform="translate({_LEFT:g} {_TOP:g})">',
    ]
    ranks = ranking(found)
    if not ranks:
        parts.append(
            f'<rect width="{_WIDTH:g}" height="{_HEIGHT:g}" fill="#eceff1"/><text x="{_WIDTH / 2:g}" y="{_HEIGHT / 2:g}" '
            f'text-anchor="middle" font-size="15" fill="#222">Nothing reaches {100 * found.required:.2f} %.</text>'
        )
    for k, share in ranks:
        told = escape(f"{ways[k].name} ({ways[k].family.name}): {100 * share:.1f} % of the map")
        parts.append(
            f'<path class="region" d="{_cells(found.winner == k)}" fill="{ways[k].family.colour}" '
            f'shape-rendering="crispEdges"><title>{told}</title></path>'
        )
    parts.append(
        f'<path d="{_borders(found.winner)}" fill="none" stroke="#fff" stroke-width="1.4" stroke-linecap="square"/>'
    )
    close = found.close()
    if close.any():
        parts.append(f'<path d="{_cells(close)}" fill="url(#near-{id_})" pointer-events="none"/>')
    for number, (k, _) in enumerate(ranks, 1):
        parts += _names(found.winner == k, ways[k], number)
    parts += _axes(found, x, y)
    parts.append(
        f'<rect class="glass" width="{_WIDTH:g}" height="{_HEIGHT:g}" fill="none" stroke="#80868b" pointer-events="all"/>'
    )
    return "".join(parts) + "</g></svg>"


def _edges(n: int, length: float) -> np.ndarray:
    return np.linspace(0, length, n + 1)


def _cells(mask: np.ndarray) -> str:
    """A path around the cells of `mask`, run by run; row 0 is at the bottom."""
    xs, ys = _edges(mask.shape[1], _WIDTH), _edges(mask.shape[0], _HEIGHT)
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    pieces: list[str] = []
    open_runs: dict[tuple[int, int], int] = {}
    for row in range(mask.shape[0] + 1):
        runs = set()
        if row < mask.shape[0]:
            starts, ends = np.flatnonzero(steps[row] > 0), np.flatnonzero(steps[row] < 0)
            runs = {(int(a), int(b)) for a, b in zip(starts, ends, strict=True)}
        for (a, b), first in list(open_runs.items()):
            if (a, b) not in runs:
                top, bottom = _HEIGHT - ys[row], _HEIGHT - ys[first]
                pieces.append(
                    f"M{xs[a]:.1f} {top:.1f}h{xs[b] - xs[a]:.1f}v{bottom - top:.1f}h{xs[a] - xs[b]:.1f}z"
                )
                del open_runs[(a, b)]
        for run in runs:
            open_runs.setdefault(run, row)
    return "".join(pieces)


def _borders(winner: np.ndarray) -> str:
    """Lines between cells that different ways win."""
    xs, ys = _edges(winner.shape[1], _WIDTH), _edges(winner.shape[0], _HEIGHT)
    pieces = []
    for row, column in np.argwhere(winner[:, 1:] != winner[:, :-1]):
        pieces.append(f"M{xs[column + 1]:.1f} {_HEIGHT - ys[row + 1]:.1f}v{_HEIGHT / winner.shape[0]:.1f}")
    for row, column in np.argwhere(winner[1:] != winner[:-1]):
        pieces.append(f"M{xs[column]:.1f} {_HEIGHT - ys[row + 1]:.1f}h{_WIDTH / winner.shape[1]:.1f}")
    return "".join(pieces)


def _names(mask: np.ndarray, way: Cost, number: int) -> list[str]:
    """The way's name in each of its larger regions; its number where that alone fits."""
    regions, n = ndimage.label(mask)
    parts = []
    for region in range(1, n + 1):
        own = regions == region
        if own.sum() < 0.004 * mask.size:
            continue
        for text in (f"{number} {way.name}", str(number)):
            at = _room(own, _LETTER * len(text) + 6, _LINE + 3)
            if at is not None:
                parts.append(
                    f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" dy=".35em" text-anchor="middle" font-size="12" '
                    f'fill="{way.family.ink}" stroke="{way.family.colour}" stroke-width="4" stroke-linejoin="round" '
                    f'paint-order="stroke" pointer-events="none">{escape(text)}</text>'
                )
                break
    return parts


def _room(mask: np.ndarray, wide: float, high: float) -> tuple[float, float] | None:
    """Centre, in pixels, of a box of that size inside `mask`, the nearest to the middle of `mask`; None if there is none."""
    rows, columns = mask.shape
    across, up = math.ceil(wide / _WIDTH * columns), math.ceil(high / _HEIGHT * rows)
    if across > columns or up > rows:
        return None
    total = np.zeros((rows + 1, columns + 1), dtype=np.int64)
    total[1:, 1:] = mask.cumsum(axis=0).cumsum(axis=1)
    filled = total[up:, across:] - total[:-up, across:] - total[up:, :-across] + total[:-up, :-across]
    spots = np.argwhere(filled == across * up)
    if not len(spots):
        return None
    middle = np.argwhere(mask).mean(axis=0)
    centres = spots + np.array([up, across]) / 2
    row, column = centres[np.argmin((((centres - middle - 0.5) / mask.shape) ** 2).sum(axis=1))]
    return column / columns * _WIDTH, _HEIGHT - row / rows * _HEIGHT


def _axes(found: WinnerMap, x: Axis, y: Axis) -> list[str]:
    def at(value: float, grid: np.ndarray, length: float) -> float | None:
        """Where a value lies on a logarithmic axis whose cells are centred on the grid; None if off it."""
        step = math.log(grid[-1] / grid[0]) / (len(grid) - 1)
        place = (math.log(value / grid[0]) / step + 0.5) / len(grid)
        return place * length if -1e-9 <= place <= 1 + 1e-9 else None

    parts = []
    for value, text in x.ticks:
        if (px := at(value, found.x, _WIDTH)) is not None:
            parts.append(
                f'<path d="M{px:.1f} {_HEIGHT:g}v5" stroke="#80868b"/><text x="{px:.1f}" y="{_HEIGHT + 18:g}" '
                f'text-anchor="middle" font-size="11.5">{escape(text)}</text>'
            )
    for value, text in y.ticks:
        if (py := at(value, found.y, _HEIGHT)) is not None:
            parts.append(
                f'<path d="M0 {_HEIGHT - py:.1f}h-5" stroke="#80868b"/><text x="-8" y="{_HEIGHT - py:.1f}" dy=".35em" '
                f'text-anchor="end" font-size="11.5">{escape(text)}</text>'
            )
    # names in two rows, the upper one for those that meet a name of the lower
    taken: tuple[list[tuple[float, float]], ...] = ([], [])
    for value, text in x.marks:
        px, half = at(value, found.x, _WIDTH), 2.9 * len(text) + 4
        if px is None:
            continue
        row = next(
            (
                r
                for r, others in enumerate(taken)
                if not any(px - half < b and px + half > a for a, b in others)
            ),
            None,
        )
        # a long tick must not run through a name below
        if row is None or (row == 1 and any(a < px < b for a, b in taken[0])):
            continue
        taken[row].append((px - half, px + half))
        parts.append(
            f'<path d="M{px:.1f} 0v{-5 - 13 * row}" stroke="#80868b"/><text x="{px:.1f}" y="{-9 - 13 * row}" '
            f'text-anchor="middle" font-size="11" fill="#5f6368">{escape(text)}</text>'
        )
    heights: list[float] = []
    for value, text in y.marks:
        py = at(value, found.y, _HEIGHT)
        if py is None or any(abs(py - other) < 13 for other in heights):
            continue
        heights.append(py)
        parts.append(
            f'<path d="M{_WIDTH:g} {_HEIGHT - py:.1f}h5" stroke="#80868b"/><text x="{_WIDTH + 8:g}" y="{_HEIGHT - py:.1f}" '
            f'dy=".35em" font-size="11" fill="#5f6368">{escape(text)}</text>'
        )
    parts.append(
        f'<text x="{_WIDTH / 2:g}" y="{_HEIGHT + 40:g}" text-anchor="middle" font-size="12">{escape(x.title)}</text>'
        f'<text transform="translate(-50 {_HEIGHT / 2:g}) rotate(-90)" text-anchor="middle" '
        f'font-size="12">{escape(y.title)}</text>'
    )
    return parts
