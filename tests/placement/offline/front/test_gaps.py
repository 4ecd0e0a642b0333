"""Looking into the widest gap: on fronts that are known, none is missed and no look is wasted."""

from __future__ import annotations

import numpy as np

from placid.placement.offline.front.gaps import Box, look_into


def looked(points: np.ndarray, solves: int) -> list[tuple[float, float]]:
    """What is found of `points` ([P, 2], by rising a and falling b) between its ends."""
    found: list[tuple[float, float]] = []

    def solve(limited_b: bool, limit: float) -> tuple[float, float]:
        allowed = points[points[:, 1 if limited_b else 0] <= limit]
        best = allowed[0] if limited_b else allowed[-1]
        found.append((float(best[0]), float(best[1])))
        return found[-1]

    (low_a, high_b), (high_a, low_b) = points[0], points[-1]
    look_into(Box(low_a, high_a, low_b, high_b), solves, solve)
    return found


def test_every_step_of_a_stair_is_found() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = np.sort(rng.random(9)), -np.sort(-rng.random(9))
        points = np.column_stack((a, b))
        found = looked(points, 400)
        assert {tuple(p) for p in points[1:-1].tolist()} <= set(found)


def test_a_curve_is_covered_evenly() -> None:
    a = np.linspace(0.001, 1, 100_000)
    points = np.column_stack((a, 0.001 / a))  # steep at one end, flat at the other
    found = np.array(sorted([*looked(points, 20), tuple(points[0]), tuple(points[-1])]))
    assert np.abs(np.diff(found, axis=0)).max() < 0.15


def test_it_ends_where_there_is_nothing_more() -> None:
    told: list[tuple[int, int]] = []
    look_into(Box(0, 1, 0, 1), 5, lambda limited_b, limit: None, lambda *steps: told.append(steps))
    assert told == [(k, 5) for k in range(1, 6)]
    look_into(Box(0, 0, 0, 1), 5, lambda limited_b, limit: (1 / 0, 0.0))
