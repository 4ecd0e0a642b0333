"""The front of two objectives, by keeping one below a limit and moving the limit.

With fractions of requests free to go where they like, the front of one placement is a convex line of straight pieces, and
the front of all placements the lowest of these lines: a curve with infinitely many points, in parts of which no weights
lead to it. At every limit e the program ``min F_a : F_b <= e`` gives a point of it, wherever it lies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from placid.errors import InputError, SolverError
from placid.objectives.front import Front, Point, axes_of
from placid.placement.offline.front.flows import Flows, Routed
from placid.placement.offline.front.wishes import lexicographic
from placid.placement.offline.greedy import complete
from placid.problem.arrays import COMPONENTS
from placid.problem.placement import trim_to_budgets

__all__ = ["Relaxed", "exact_front", "relaxed_front"]

#: what a whole range of the second objective may cost of the first: makes ties end on the front, not beside it
_NUDGE = 1e-4

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Relaxed:
    """What the linear relaxation says of a front.

    Attributes:
        bound: float64 [L, 4]; points of the relaxation's front, which no placement beats under any routing. The front is
            convex: between two of them it may hang below the straight line.
        front: placements rounded from them, under the best routing.
    """

    bound: np.ndarray
    front: Front


def exact_front(
    flows: Flows, points: int = 20, *, time_limit_s: float = 60.0, tell: Tell = lambda step, steps: None
) -> Front:
    """Points of the exact front of the two objectives of `flows`, both ends among them, under the best routing.

    At most `points`: where a limit leads below the next one, the next one is passed over.

    When to use it: small instances, for the truth and to judge other methods by; one MILP for each point and four for the
    ends. Where the time limit strikes, the point says that it is not proven.

    Exact means: no placement, however its requests are routed, is better than a proven point in one objective and as good
    in the other, but for HiGHS' tolerances (1e-6 of the largest coefficient). Between the points the front is not known.
    A point is called supported if it lies on the lower hull of those found.

    Raises:
        InputError: `flows` has another number of objectives than two, or fewer than two points are asked for.
        SolverError: as `Flows.least`.
    """
    a, b = _two(flows, points)
    ends = [lexicographic(flows, order, time_limit_s=time_limit_s) for order in ((a, b), (b, a))]
    range_a, range_b = (abs(ends[1].vector[k] - ends[0].vector[k]) for k in axes_of((a, b)))
    toward_a, toward_b = _weights(a, b, range_a, range_b), _weights(b, a, range_b, range_a)
    at_b = COMPONENTS.index(b)
    found, weights = [ends[0]], [toward_a]
    levels = np.linspace(ends[0].vector[at_b], ends[1].vector[at_b], points)[1:-1]
    for step, level in enumerate(levels, 1):
        # a looser limit may have led below this one already
        if level < found[-1].vector[at_b] - 1e-9 * flows.unit[at_b]:
            next_one = flows.least(toward_a, {b: float(level)}, time_limit_s=time_limit_s)
            if next_one is not None:
                found.append(next_one)
                weights.append(toward_a + next_one.prices)
        tell(step, len(levels))
    found.append(ends[1])
    weights.append(toward_b)
    held = _on_hull(np.array([r.vector[axes_of((a, b))] for r in found]))
    made = [
        Point(r.vector, w, _whole(r), "epsilon-constraint", bool(s), r.proven)
        for r, w, s in zip(found, weights, held, strict=True)
    ]
    return Front.of(made, flows.objectives, flows.ways.frame.item_count, "best").efficient()


def relaxed_front(
    flows: Flows, points: int = 20, *, time_limit_s: float = 60.0, tell: Tell = lambda step, steps: None
) -> Relaxed:
    """The front of the linear relaxation, which bounds the exact one from below, and placements rounded from it.

    When to use it: where MILPs take too long; one linear program for each point. The placements keep what is whole, and
    greedy fills what memory is left, under the weights that the limit is worth (its price). Limits are spread evenly, so
    some placements lie where no weights lead; how far each is from the best, the bound says.

    Raises:
        InputError, SolverError: as `exact_front`.
    """
    a, b = _two(flows, points)
    ends = [lexicographic(flows, order, whole=False, time_limit_s=time_limit_s) for order in ((a, b), (b, a))]
    range_a, range_b = (abs(ends[1].vector[k] - ends[0].vector[k]) for k in axes_of((a, b)))
    toward_a, at_b = _weights(a, b, range_a, range_b), COMPONENTS.index(b)
    bound, made = [], []
    levels = np.linspace(ends[0].vector[at_b], ends[1].vector[at_b], points)
    for step, level in enumerate(levels, 1):
        limit = {b: float(level + 1e-9 * flows.unit[at_b])}
        low = flows.least(toward_a, limit, whole=False, time_limit_s=time_limit_s)
        if low is not None and low.proven:
            bound.append(low.vector)
            made.append(_rounded(flows, low, toward_a + low.prices, limit))
        tell(step, len(levels))
    front = Front.of(made, flows.objectives, flows.ways.frame.item_count, "best").efficient()
    return Relaxed(np.array(bound).reshape(-1, 4), front)


def _two(flows: Flows, points: int) -> tuple[str, str]:
    if len(flows.objectives) != 2:
        raise InputError(f"this front is of two objectives, not of {', '.join(flows.objectives)}")
    if points < 2:
        raise InputError(f"a front has two ends: ask for at least 2 points, not {points}")
    return flows.objectives[0], flows.objectives[1]


def _weights(first: str, second: str, range_first: float, range_second: float) -> np.ndarray:
    """float64 [4]: 1 for `first`, next to nothing for `second`."""
    weights = np.zeros(4)
    weights[COMPONENTS.index(first)] = 1.0
    weights[COMPONENTS.index(second)] = _NUDGE * range_first / range_second if range_second > 0 else _NUDGE
    return weights


def _rounded(flows: Flows, low: Routed, weights: np.ndarray, limit: dict[str, float]) -> Point:
    """The placement that a relaxed solution leads to, routed within `limit` if it can be."""
    frame = flows.ways.frame
    placed = trim_to_budgets(frame, low.y > 1 - 1e-6, np.ones(frame.item_count))
    placed = complete(flows.ways.priced(weights), flows.demand, placed)
    routed = flows.least(weights, limit, placed=placed) or flows.least(weights, placed=placed)
    if routed is None:
        raise SolverError(
            "a placement without limits could not be routed, though the repository answers everything"
        )
    return Point(routed.vector, weights, placed, "lp-rounded")


def _whole(routed: Routed) -> np.ndarray:
    assert routed.placed is not None
    return routed.placed


def _on_hull(points: np.ndarray) -> np.ndarray:
    """bool [P]: whether a point of a falling line ([P, 2], by rising first axis) lies on its lower convex hull."""
    span = np.maximum(np.ptp(points, axis=0), 1e-300)
    x, y = ((points - points.min(axis=0)) / span).T
    hull: list[int] = []
    for i in range(len(points)):
        while len(hull) > 1:
            p, q = hull[-2:]
            # q lies above the straight line from p to i
            if (y[q] - y[p]) * (x[i] - x[p]) > (y[i] - y[p]) * (x[q] - x[p]) + 1e-9:
                hull.pop()
            else:
                break
        hull.append(i)
    held = np.zeros(len(points), bool)
    held[hull] = True
    return held
