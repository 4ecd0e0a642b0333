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
from placid.placement.offline.front.flows import Flows, NothingFound, Routed
from placid.placement.offline.front.gaps import Box, look_into
from placid.placement.offline.front.wishes import lexicographic
from placid.placement.offline.greedy import complete
from placid.problem.placement import trim_to_budgets

__all__ = ["Relaxed", "exact_front", "relaxed_front"]

#: what a whole range of the second objective may cost of the first: makes ties end on the front, not beside it
_NUDGE = 1e-4

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Relaxed:
    """What the linear relaxation says of a front.

    Attributes:
        line: float64 [L, 2]; a falling line of straight pieces in the two objectives, below which no placement lies under
            any routing. It is made of tangents to the relaxation's front, so it holds between what was solved for too.
        front: placements rounded from the relaxation, under the best routing.
    """

    line: np.ndarray
    front: Front


def exact_front(
    flows: Flows, points: int = 20, *, time_limit_s: float = 60.0, tell: Tell = lambda step, steps: None
) -> Front:
    """Points of the exact front of the two objectives of `flows`, both ends among them, under the best routing.

    At most `points`, one MILP for each and four for the ends, always where the widest gap is.

    When to use it: small instances, for the truth and to judge other methods by. Where the time limit strikes, the point
    says that it is not proven, or is left out if nothing was found.

    Exact means: no placement, however its requests are routed, is better than a proven point in one objective and as good
    in the other, but for HiGHS' tolerances (1e-6 of the largest coefficient). Between the points the front is not known.
    A point is called supported if it lies on the lower hull of those found.

    Raises:
        InputError: `flows` has another number of objectives than two, or fewer than two points are asked for.
        SolverError: as `Flows.least`.
    """
    a, b = _two(flows, points)
    axes = axes_of((a, b))
    ends = [lexicographic(flows, order, time_limit_s=time_limit_s) for order in ((a, b), (b, a))]
    box, toward = _box(ends, axes), _toward(ends, axes)
    found = list(zip(ends, toward, strict=True))

    def solve(limited_b: bool, limit: float) -> tuple[float, float] | None:
        weights = toward[0] if limited_b else toward[1]
        try:
            one = flows.least(weights, {b if limited_b else a: limit}, time_limit_s=time_limit_s)
        except NothingFound:
            return None
        if one is None:
            return None
        found.append((one, weights + one.prices))
        return float(one.vector[axes[0]]), float(one.vector[axes[1]])

    look_into(box, points - 2, solve, tell)
    found.sort(key=lambda pair: tuple(pair[0].vector[axes]))
    held = _on_hull(np.array([r.vector[axes] for r, _ in found]))
    made = [
        Point(r.vector, w, _whole(r), "epsilon-constraint", bool(s), r.proven)
        for (r, w), s in zip(found, held, strict=True)
    ]
    return Front.of(made, flows.objectives, flows.ways.frame.item_count, "best").efficient()


def relaxed_front(
    flows: Flows, points: int = 20, *, time_limit_s: float = 60.0, tell: Tell = lambda step, steps: None
) -> Relaxed:
    """The front of the linear relaxation, which bounds the exact one from below, and placements rounded from it.

    When to use it: where MILPs take too long; one linear program for each point and four for the ends. The placements keep
    what is whole, and greedy fills what memory is left, under the weights that the limit is worth (its price). Limits are
    set where the widest gap is, so some placements lie where no weights lead; how far each is from the best, the line says.

    Raises:
        InputError, SolverError: as `exact_front`.
    """
    a, b = _two(flows, points)
    axes = axes_of((a, b))
    ends = [lexicographic(flows, order, whole=False, time_limit_s=time_limit_s) for order in ((a, b), (b, a))]
    box, toward = _box(ends, axes), _toward(ends, axes)
    made = [_rounded(flows, end, weights, {}) for end, weights in zip(ends, toward, strict=True)]
    # (weights of the two, their least): of each end its own objective alone
    tangents = [(np.eye(2)[k], float(ends[k].vector[axes[k]])) for k in (0, 1)]

    def solve(limited_b: bool, limit: float) -> tuple[float, float] | None:
        weights, most = toward[0] if limited_b else toward[1], {b if limited_b else a: limit}
        try:
            low = flows.least(weights, most, whole=False, time_limit_s=time_limit_s)
        except NothingFound:
            return None
        if low is None or not low.proven:
            return None
        weights = weights + low.prices
        made.append(_rounded(flows, low, weights, most))
        tangents.append((weights[axes], float(weights[axes] @ low.vector[axes])))
        return float(low.vector[axes[0]]), float(low.vector[axes[1]])

    look_into(box, points - 2, solve, tell)
    line = _below_all(tangents, *(end.vector[axes] for end in ends))
    return Relaxed(line, Front.of(made, flows.objectives, flows.ways.frame.item_count, "best").efficient())


def _two(flows: Flows, points: int) -> tuple[str, str]:
    if len(flows.objectives) != 2:
        raise InputError(f"this front is of two objectives, not of {', '.join(flows.objectives)}")
    if points < 2:
        raise InputError(f"a front has two ends: ask for at least 2 points, not {points}")
    return flows.objectives[0], flows.objectives[1]


def _box(ends: list[Routed], axes: list[int]) -> Box:
    (low_a, high_b), (high_a, low_b) = (end.vector[axes].tolist() for end in ends)
    return Box(low_a, max(low_a, high_a), low_b, max(low_b, high_b))


def _toward(ends: list[Routed], axes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Weights [4] for either objective, of 1, and next to nothing for the other."""
    span = np.abs(ends[1].vector[axes] - ends[0].vector[axes])
    found = []
    for mine, other in ((0, 1), (1, 0)):
        weights = np.zeros(4)
        weights[axes[mine]] = 1.0
        weights[axes[other]] = _NUDGE * span[mine] / span[other] if span.min() > 0 else _NUDGE
        found.append(weights)
    return found[0], found[1]


def _below_all(tangents: list[tuple[np.ndarray, float]], first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """float64 [L, 2]: from `first` to `last` along the highest of the lines ``w @ f = c``; O(lines^3)."""
    span = last - first
    if not (np.abs(span) > 0).all():
        return np.array([first, last])
    w = np.array([w for w, _ in tangents]) * np.abs(span)  # both objectives from 0 to 1
    c = np.array([c - w @ np.minimum(first, last) for w, c in tangents])
    length = np.linalg.norm(w, axis=1)
    w, c = w / length[:, None], c / length
    i, j = np.triu_indices(len(w), 1)
    across = w[i, 0] * w[j, 1] - w[i, 1] * w[j, 0]
    i, j, across = (v[np.abs(across) > 1e-9] for v in (i, j, across))
    met = (
        np.column_stack((c[i] * w[j, 1] - c[j] * w[i, 1], w[i, 0] * c[j] - w[j, 0] * c[i])) / across[:, None]
    )
    met = met[(met @ w.T >= c - 1e-9).all(axis=1)]
    met = met[np.lexsort((-met[:, 1], met[:, 0]))]
    inner = np.clip(met, 0.0, 1.0) * np.abs(span) + np.minimum(first, last)
    return np.vstack((first, inner, last))


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
