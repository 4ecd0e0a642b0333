"""Dominance, hypervolume and the epsilon-indicator, on cases made by hand and against slow, plain versions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from placid.errors import InputError
from placid.objectives import epsilon_indicator, grid_of, hypervolume, nondominated, simplex_grid
from placid.objectives.quantiles import weighted_quantile


def test_nondominated_by_hand() -> None:
    points = np.array([[1, 3], [2, 2], [2, 3], [3, 1], [1, 3], [4, 4]], float)
    assert nondominated(points).tolist() == [True, True, False, True, True, False]
    assert nondominated(np.zeros((0, 3))).tolist() == []


@pytest.mark.parametrize("axes", [1, 2, 3, 4])
def test_nondominated_is_what_the_definition_says(axes: int) -> None:
    rng = np.random.default_rng(axes)
    for _ in range(20):
        points = rng.integers(0, 5, (30, axes)) / 10  # many ties
        plain = [
            not any((q <= p).all() and (q < p).any() for q in points)
            for p in points
        ]  # fmt: skip
        assert nondominated(points).tolist() == plain


def test_hypervolume_by_hand() -> None:
    assert hypervolume(np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([3.0, 3.0])) == 3.0
    # two cubes of side 2 and 1 x 1 x 3 that share a 1 x 1 x 2 corner
    points = np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 0.0]])
    assert hypervolume(points, np.array([3.0, 3.0, 3.0])) == pytest.approx(8 + 3 - 2)
    assert hypervolume(np.array([[4.0, 0.0]]), np.array([3.0, 3.0])) == 0.0  # not below the reference
    assert hypervolume(np.zeros((0, 2)), np.ones(2)) == 0.0
    assert hypervolume(np.zeros((1, 4)), np.full(4, 2.0)) == 16.0
    with pytest.raises(InputError, match="finite"):
        hypervolume(np.array([[np.nan, 0.0]]), np.ones(2))
    with pytest.raises(InputError, match="reference"):
        hypervolume(np.ones((2, 3)), np.ones(2))


@pytest.mark.parametrize("axes", [1, 2, 3, 4])
def test_hypervolume_is_the_volume_of_the_union_of_boxes(axes: int) -> None:
    rng = np.random.default_rng(axes)
    for _ in range(10):
        points, worst = rng.random((7, axes)), np.full(axes, 0.9)
        volume = 0.0
        for size in range(1, len(points) + 1):  # inclusion and exclusion
            for some in combinations(range(len(points)), size):
                side = np.maximum(worst - points[list(some)].max(axis=0), 0)
                volume += (-1) ** (size + 1) * side.prod()
        assert hypervolume(points, worst) == pytest.approx(volume, abs=1e-12)


def test_hypervolume_is_what_pymoo_says() -> None:
    hv = pytest.importorskip("pymoo.indicators.hv")
    rng = np.random.default_rng(0)
    for axes in (2, 3, 4):
        points, worst = rng.random((60, axes)), np.full(axes, 0.95)
        assert hypervolume(points, worst) == pytest.approx(float(hv.HV(ref_point=worst)(points)), rel=1e-12)


def test_epsilon_indicator_by_hand() -> None:
    ours, theirs = np.array([[1.0, 3.0]]), np.array([[1.0, 2.0], [0.5, 4.0]])
    assert epsilon_indicator(ours, theirs) == 1.0
    assert epsilon_indicator(theirs, ours) == 0.0
    assert epsilon_indicator(theirs - 0.25, theirs) == -0.25
    with pytest.raises(InputError, match="at least one point"):
        epsilon_indicator(np.zeros((0, 2)), theirs)


def test_grids_of_shares() -> None:
    grid = simplex_grid(3, 4)
    assert grid.shape == (15, 3)
    assert np.allclose(grid.sum(axis=1), 1)
    assert grid.min() == 0
    assert {tuple(row) for row in np.eye(3)} <= {tuple(row) for row in grid}
    assert len(grid_of(3, 66)) == 66
    assert len(grid_of(2, 10)) == 10
    assert len(grid_of(4, 1)) == 10
    assert grid_of(1, 5).tolist() == [[1.0]]
    with pytest.raises(InputError, match="at least one"):
        simplex_grid(0, 3)


def test_a_quantile_counts_requests() -> None:
    values, amounts = np.array([3.0, 1.0, 2.0]), np.array([1.0, 90.0, 9.0])
    assert weighted_quantile(values, amounts, 0.9) == 1.0
    assert weighted_quantile(values, amounts, 0.95) == 2.0
    assert weighted_quantile(values, amounts, 1.0) == 3.0
    assert np.isnan(weighted_quantile(np.zeros(0), np.zeros(0), 0.5))
    with pytest.raises(InputError, match="share"):
        weighted_quantile(values, amounts, 0.0)
