"""Where to look next on a falling front: in the widest of the boxes in which points may still be.

Between two points of a front, what else is on it lies in the box that has them as corners. The point of least a with b at
most the middle of the box cuts it into two smaller ones, and so does the point of least b with a at most the middle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Box", "look_into"]

#: boxes that are this much smaller than the first are empty, for all that solvers can tell
_EMPTY = 1e-6


@dataclass(frozen=True)
class Box:
    """The part of a front with a in ``(low_a, high_a)`` and b in ``(low_b, high_b)``."""

    low_a: float
    high_a: float
    low_b: float
    high_b: float

    def sides(self, whole: Box) -> tuple[float, float]:
        """Its sides, as shares of those of `whole`."""
        a, b = whole.high_a - whole.low_a, whole.high_b - whole.low_b
        return (self.high_a - self.low_a) / a, (self.high_b - self.low_b) / b

    def after(self, a: float, b: float, limited_b: bool) -> tuple[Box, Box]:
        """What is left of it once ``(a, b)`` is known to be the least with b, or a, at most the middle."""
        if limited_b:
            middle = (self.low_b + self.high_b) / 2
            return Box(self.low_a, min(a, self.high_a), middle, self.high_b), Box(
                a, self.high_a, self.low_b, b
            )
        middle = (self.low_a + self.high_a) / 2
        return Box(self.low_a, a, b, self.high_b), Box(middle, self.high_a, self.low_b, min(b, self.high_b))


def look_into(
    whole: Box,
    solves: int,
    solve: Callable[[bool, float], tuple[float, float] | None],
    tell: Callable[[int, int], None] = lambda step, steps: None,
) -> None:
    """Look into the widest box, at most `solves` times; ends when all are empty.

    Args:
        solve: gets whether b is limited (or a), and the limit; gives back the point (a, b), None if there is none.
    """
    boxes = [whole] if min(whole.high_a - whole.low_a, whole.high_b - whole.low_b) > 0 else []
    for step in range(1, solves + 1):
        boxes = [box for box in boxes if min(box.sides(whole)) > _EMPTY]
        if boxes:
            box = max(boxes, key=lambda box: max(box.sides(whole)))
            boxes.remove(box)
            a, b = box.sides(whole)
            limited_b = b >= a
            limit = (box.low_b + box.high_b) / 2 if limited_b else (box.low_a + box.high_a) / 2
            found = solve(limited_b, limit)
            if found is not None:
                boxes += box.after(*found, limited_b)
        tell(step, solves)
