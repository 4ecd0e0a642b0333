"""Fronts of three objectives from both sides: what is said to be reached is, what is said to be out of reach is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from judge import least_by_linprog, least_of_all, tiny

from placid.errors import InputError
from placid.objectives.front import axes_of
from placid.objectives.local_bounds import corners_above, corners_below
from placid.placement.offline.front import Enclosure, Flows, enclosed_front
from placid.placement.offline.front.enclosure import read_enclosure, write_enclosure
from placid.problem.placement import check_feasible

THREE = ("latency_s", "error", "energy_j")


@pytest.mark.parametrize(("seed", "plans"), [(0, 0), (2, 0), (2, 2)])
def test_every_claim_holds_for_all_placements(seed: int, plans: int) -> None:
    ways, demand = tiny(seed, plans)
    flows = Flows.of(ways, demand, THREE)
    known = enclosed_front(flows, 8, enough=1.0)
    slack = 2e-5
    points = known.points
    assert 0 <= known.reached <= known.reachable <= 1 + 1e-9
    for i in range(0, len(points), max(1, len(points) // 6)):
        placed = known.front.placed(i)
        check_feasible(ways.frame, placed)
        most = dict(zip(THREE[1:], known.front.points[i, 1:3] + slack * known.span[1:], strict=True))
        own = least_by_linprog(ways, demand, placed, np.eye(4)[0], most)
        assert own <= known.front.points[i, 0] + slack * known.span[0]
    # points anywhere in the box: those above a known point can be kept as limits, those in an empty part cannot
    rng, decided = np.random.default_rng(seed), 0
    for at in rng.random((14, 3)):
        reached = (points <= at).all(axis=1).any()
        empty = (known.empty > at).all(axis=1).any() or (known.planes[:, :3] @ at < known.planes[:, 3]).any()
        assert not (reached and empty)
        most = dict(zip(THREE, known.ideal + at * known.span, strict=True))
        near = {name: value + slack * s for (name, value), s in zip(most.items(), known.span, strict=True)}
        if reached:
            assert np.isfinite(least_of_all(ways, demand, np.zeros(4), near))
        if empty:
            far = {n: v - slack * s for (n, v), s in zip(most.items(), known.span, strict=True)}
            assert not np.isfinite(least_of_all(ways, demand, np.zeros(4), far))
        decided += reached or empty
    assert decided > 7


def test_it_comes_nearer_and_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    ways, demand = tiny(1)
    flows = Flows.of(ways, demand, THREE)
    told: list[tuple[int, int]] = []
    begun = Enclosure.begin(flows)
    some = enclosed_front(flows, 4, enough=1.0, keep=lambda known: write_enclosure(tmp_path / "e.npz", known))
    again = read_enclosure(tmp_path / "e.npz")
    assert again.looked == some.looked
    assert np.array_equal(again.front.points, some.front.points)
    whole = enclosed_front(flows, 9, enough=1.0, tell=lambda *steps: told.append(steps))
    resumed = enclosed_front(flows, 9, enough=1.0, known=again)
    assert np.allclose(resumed.front.points, whole.front.points)
    assert whole.reachable - whole.reached < begun.reachable - begun.reached
    assert told[-1] == (9, 9)
    # no time: what is known is given back
    assert len(enclosed_front(flows, 9, at_most_s=0.0).front) == len(begun.front)


def test_two_objectives_are_enclosed_too() -> None:
    ways, demand = tiny(3)
    flows = Flows.of(ways, demand, ("latency_s", "error"))
    known = enclosed_front(flows, 12, enough=1.0)
    axes = axes_of(flows.objectives)
    assert known.front.axes.shape[1] == len(axes) == 2
    assert 0.8 < known.reached / known.reachable <= 1
    with pytest.raises(InputError, match="two or three"):
        enclosed_front(Flows.of(ways, demand))


@pytest.mark.parametrize("axes", [2, 3, 4])
def test_corners_are_where_points_may_still_be(axes: int) -> None:
    rng = np.random.default_rng(axes)
    points = rng.integers(0, 6, (9, axes)) / 6
    above, below = np.ones((1, axes)), np.zeros((1, axes))
    for point in points:
        above, below = corners_above(above, point), corners_below(below, point)
    for at in rng.random((300, axes)):
        assert (at < above).all(axis=1).any() == (not (points <= at).all(axis=1).any())
        assert (at > below).all(axis=1).any() == (not (points >= at).all(axis=1).any())
    for corners in (above, -below):
        for i, corner in enumerate(corners):
            assert not (corner <= np.delete(corners, i, axis=0)).all(axis=1).any()
