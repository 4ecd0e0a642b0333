"""Names beside points so that they cover nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from placid.reports.chart_tools import INK

__all__ = ["SIDES", "names_beside", "place_labels"]

#: side -> (direction to the right, direction downwards) from the point to its name
SIDES: dict[str, tuple[int, int]] = {
    "right": (1, 0),
    "left": (-1, 0),
    "above": (0, -1),
    "below": (0, 1),
    "upper right": (1, -1),
    "lower right": (1, 1),
    "upper left": (-1, -1),
    "lower left": (-1, 1),
}

Box = tuple[float, float, float, float]


def place_labels(
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    *,
    radius: float,
    letter: float,
    line: float,
    width: float,
    height: float,
    sides: Sequence[str] = tuple(SIDES),
) -> list[str]:
    """For each point the first of `sides` where its name meets no point, no earlier name and no edge; "" if there is none.

    Args:
        points: in pixels, y downwards; earlier ones get the better places.
        radius: of a point, with the room around it.
        letter, line: the width of a letter and the height of a line.
        width, height: of the plot.
    """
    taken: list[Box] = [(x - radius, y - radius, x + radius, y + radius) for x, y in points]
    chosen = []
    for own, ((x, y), name) in enumerate(zip(points, names, strict=True)):
        found = ""
        for side in sides:
            box = _box(x, y, letter * len(name), line, radius, *SIDES[side])
            inside = box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height
            if inside and not any(_meet(box, other) for k, other in enumerate(taken) if k != own):
                found = side
                taken.append(box)
                break
        chosen.append(found)
    return chosen


def _box(x: float, y: float, wide: float, line: float, radius: float, right: int, down: int) -> Box:
    """Where a name lies that hangs on one side of a point."""
    gap = radius if right == 0 or down == 0 else 0.7 * radius
    left = x - wide / 2 if right == 0 else x + gap if right > 0 else x - gap - wide
    top = y - line / 2 if down == 0 else y + gap if down > 0 else y - gap - line
    return left, top, left + wide, top + line


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def names_beside(named: Any, side: str, x: Any, y: Any, text: str, colour: Any = INK) -> list[Any]:
    """Two layers of `named`, an altair chart: its names on one `side` of their points, over a white edge.

    The edge comes first, so that a name can be read where an interval crosses it.
    """
    right, down = SIDES[side]
    beside: dict[str, Any] = {
        "align": "center" if right == 0 else "left" if right > 0 else "right",
        "baseline": "middle" if down == 0 else "bottom" if down < 0 else "top",
        "dx": (9 if down == 0 else 6) * right,
        "dy": (9 if right == 0 else 4) * down,
        "fontSize": 11,
    }
    marks = (
        named.mark_text(stroke="white", strokeWidth=3, **beside),
        named.mark_text(color=colour, **beside),
    )
    return [mark.encode(x=x, y=y, text=text) for mark in marks]
