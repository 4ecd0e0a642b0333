"""The conformance check of projections: what every projection must do, ours and yours.

    from placid.testing import check_projection
    check_projection(MyProjection())

raises AssertionError with the reason at the first thing that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from placid.placement.projections.base import Projection

__all__ = ["check_projection"]

#: steps times gradients between these must be survived
SCALES = (1e-12, 1e-6, 1e-2, 1.0, 1e2, 1e6, 1e12)
#: how far a total may exceed its budget, relative to it: float round-off
ROUND_OFF = 1e-12


@dataclass(frozen=True)
class _Case:
    """A few nodes with random items."""

    size: np.ndarray
    node_ptr: np.ndarray
    budget: np.ndarray
    placeable: np.ndarray

    @property
    def rest(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        return self.size, self.node_ptr, self.budget, self.placeable

    def spans(self) -> list[tuple[int, slice]]:
        return [(v, slice(self.node_ptr[v], self.node_ptr[v + 1])) for v in range(len(self.budget))]


def check_projection(projection: Projection, *, instances: int = 40, seed: int = 0) -> None:
    """Project random points onto random small sets, and check that the answer

    - lies in the set: within [0, 1], within every budget, 0 where nothing may be placed;
    - is nearest: in the projection's own divergence neither any trade of bytes between two items, nor a change
      of one, nor a generic solver (SLSQP) comes nearer, which for a convex problem of this form is a proof;
    - stays where it is when projected again, and is the same when computed in place;
    - and that an ascent of any scale from 1e-12 to 1e12 ends in the set, at the point it promises.

    Raises:
        AssertionError: says what is wrong.
    """
    who = type(projection).__name__
    assert getattr(type(projection), "name", ""), f"{who} has no name"
    for i in range(instances):
        rng = np.random.default_rng([seed, i])
        case = _random_case(rng)
        point = np.exp(rng.choice([0.0, 0.3, 2.0]) * rng.normal(size=len(case.size)))
        before = point.copy()
        y = projection.project(point, *case.rest)
        assert np.array_equal(point, before), f"{who}: project changed the point it was given"
        _check_member(who, case, y)

        def nearness(z: np.ndarray, point: np.ndarray = point, case: _Case = case) -> np.ndarray:
            return -projection.divergence(z, point, case.size)

        _check_best(f"{who}.project", case, y, nearness, rng)
        _check_against_solver(f"{who}.project", projection, case, y, point)
        again = projection.project(y, *case.rest)
        assert np.allclose(again, y, rtol=1e-11, atol=1e-13), (
            f"{who}: a point of the set moves when projected"
        )
        inside = projection.project(before, *case.rest, out=before)
        assert inside is before, f"{who}: project must write to `out` and return it"
        assert np.array_equal(inside, y), f"{who}: in place the answer is another"
        start = projection.project(rng.random(len(point)), *case.rest)
        gradient = rng.random(len(point)) * rng.random() * case.size
        for scale in SCALES:
            z = projection.ascend(start, gradient, scale, *case.rest)
            _check_member(who, case, z)

            def climbed(
                z: np.ndarray,
                start: np.ndarray = start,
                direction: np.ndarray = scale * gradient,
                case: _Case = case,
            ) -> np.ndarray:
                return direction * (z - start) - projection.divergence(z, start, case.size)

            _check_best(f"{who}.ascend at scale {scale:g}", case, z, climbed, rng)


def _random_case(rng: np.random.Generator) -> _Case:
    counts = rng.integers(0, 9, size=rng.integers(1, 5))
    node_ptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    total = int(node_ptr[-1])
    size = np.ones(total) if rng.random() < 0.3 else np.exp(1.5 * rng.normal(size=total))
    full = np.array([size[node_ptr[v] : node_ptr[v + 1]].sum() for v in range(len(counts))])
    budget = full * rng.choice([0.0, 0.1, 0.5, 0.9, 1.0, 2.0], size=len(counts))
    placeable = size <= budget[np.repeat(np.arange(len(counts)), counts)]
    return _Case(size, node_ptr, budget, placeable)


def _check_member(who: str, case: _Case, y: np.ndarray) -> None:
    assert y.shape == case.size.shape, f"{who}: answer has shape {y.shape}, not {case.size.shape}"
    assert np.isfinite(y).all(), f"{who}: answer is not finite"
    assert y.min(initial=0.0) >= 0.0, f"{who}: a fraction below 0"
    assert y.max(initial=0.0) <= 1.0, f"{who}: a fraction above 1"
    assert not y[~case.placeable].any(), f"{who}: an item that may not be placed has a fraction"
    for v, span in case.spans():
        load = float(case.size[span] @ y[span])
        assert load <= case.budget[v] * (1 + ROUND_OFF), (
            f"{who}: node {v} holds {load!r}, more than its budget {case.budget[v]!r}"
        )


def _check_best(
    what: str,
    case: _Case,
    y: np.ndarray,
    value: Callable[[np.ndarray], np.ndarray],
    rng: np.random.Generator,
) -> None:
    """No feasible change of one item or trade between two raises the concave, separable sum of `value`."""
    now = value(y)
    for v, span in case.spans():
        mine = np.flatnonzero(case.placeable[span]) + span.start
        room = case.budget[v] - float(case.size[mine] @ y[mine])
        for a in mine:
            for b in (-1, *rng.permutation(mine)[:4]):
                for wanted in (0.3, 1e-2, 1e-4):
                    # item a gains `moved` bytes from b, or from the room that is left (b = -1)
                    left = room if b < 0 else case.size[b] * y[b]
                    moved = min(wanted * case.size[a], case.size[a] * (1 - y[a]), left)
                    if b == a or moved <= 0:
                        continue
                    z = y.copy()
                    z[a] = min(1.0, z[a] + moved / case.size[a])
                    touched = [a]
                    if b >= 0:
                        z[b] = max(0.0, z[b] - moved / case.size[b])
                        touched.append(b)
                    _check_no_better(what, value(z)[touched], now[touched])
            z = y.copy()
            z[a] *= 0.99  # and giving memory back is no better either
            _check_no_better(what, value(z)[[a]], now[[a]])


def _check_no_better(what: str, theirs: np.ndarray, ours: np.ndarray) -> None:
    if not np.isfinite(theirs).all():
        return
    slack = 1e-9 * max(1e-6, float(np.abs(theirs).max()), float(np.abs(ours).max()))
    assert theirs.sum() <= ours.sum() + slack, (
        f"{what}: a feasible neighbour is better by {theirs.sum() - ours.sum():.3g}"
    )


def _check_against_solver(
    what: str, projection: Projection, case: _Case, y: np.ndarray, point: np.ndarray
) -> None:
    for v, span in case.spans():
        mine = np.flatnonzero(case.placeable[span]) + span.start
        if not len(mine):
            continue
        size, target = case.size[mine], point[mine]
        z = _nearest_by_slsqp(projection, target, size, float(case.budget[v]))
        ours, theirs = (float(projection.divergence(a, target, size).sum()) for a in (y[mine], z))
        assert ours <= theirs + 1e-7 * (1 + abs(ours)), (
            f"{what}: a generic solver found a point nearer by {ours - theirs:.3g}"
        )


def _nearest_by_slsqp(
    projection: Projection, target: np.ndarray, size: np.ndarray, budget: float
) -> np.ndarray:
    def distance(z: np.ndarray) -> float:
        return float(projection.divergence(np.clip(z, 1e-12, 1.0), target, size).sum())

    def room(z: np.ndarray) -> float:
        return budget - float(size @ z)

    start = np.full(len(size), min(0.9, 0.9 * budget / size.sum()))
    found = minimize(
        distance,
        start,
        method="SLSQP",
        bounds=[(1e-9, 1.0)] * len(size),
        constraints={"type": "ineq", "fun": room},
    )
    z = np.clip(found.x, 0.0, 1.0)
    return z * min(1.0, budget / float(size @ z))
