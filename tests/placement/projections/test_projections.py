"""Every projection lands in the set, and no other point of the set is nearer."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import rel_entr

import placid.placement.projections as room
from placid.errors import InputError
from placid.placement.projections import PROJECTIONS, Projection


def distance(name: str, y: np.ndarray, point: np.ndarray, size: np.ndarray) -> float:
    """What the projection of that name minimises, up to a constant."""
    if name == "entropy":
        return float(np.sum(size * (rel_entr(y, point) - y)))
    return float(0.5 * np.sum((y - point) ** 2))


@st.composite
def nodes(draw: st.DrawFn, most_items: int = 12) -> tuple[np.ndarray, ...]:
    """(point, size, node_ptr, budget, placeable), all points positive."""
    counts = draw(st.lists(st.integers(0, most_items), min_size=1, max_size=4))
    seed = draw(st.integers(0, 2**32 - 1))
    spread = draw(st.sampled_from([0.0, 0.3, 2.0, 10.0]))
    rng = np.random.default_rng(seed)
    total = sum(counts)
    node_ptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    size = np.where(rng.random(total) < 0.5, 1.0, np.exp(2 * rng.normal(size=total)))
    point = np.exp(spread * rng.normal(size=total))
    budget = np.array(
        [size[a:b].sum() * rng.choice([0.0, 0.1, 0.5, 1.0, 2.0]) for a, b in pairwise(node_ptr)]
    )
    node = np.repeat(np.arange(len(counts)), counts)
    return point, size, node_ptr, budget, size <= budget[node]


def check_member(
    y: np.ndarray, size: np.ndarray, node_ptr: np.ndarray, budget: np.ndarray, placeable: np.ndarray
) -> None:
    assert np.isfinite(y).all()
    assert y.min(initial=0.0) >= 0.0
    assert y.max(initial=0.0) <= 1.0
    assert (y[~placeable] == 0.0).all()
    for v in range(len(budget)):
        span = slice(node_ptr[v], node_ptr[v + 1])
        assert size[span] @ y[span] <= budget[v] * (1 + 1e-12)


@pytest.mark.parametrize("name", PROJECTIONS)
@given(case=nodes(), seed=st.integers(0, 1000))
@settings(max_examples=150, deadline=None)
def test_lands_in_the_set_and_is_nearer_than_random_points(
    name: str, case: tuple[np.ndarray, ...], seed: int
) -> None:
    point, size, node_ptr, budget, placeable = case
    y = PROJECTIONS[name]().project(*case)
    check_member(y, size, node_ptr, budget, placeable)
    rng = np.random.default_rng(seed)
    for v in range(len(budget)):
        span = slice(node_ptr[v], node_ptr[v + 1])
        for scale in (1.0, 0.1, 1e-3):
            # a random neighbour of the answer, pulled back into the set
            other = np.clip(y[span] + scale * rng.normal(size=len(y[span])), 0.0, 1.0) * placeable[span]
            load = size[span] @ other
            if load > budget[v]:
                other *= budget[v] / load
            ours = distance(name, y[span], point[span], size[span])
            assert ours <= distance(name, other, point[span], size[span]) + 1e-9 * (1 + abs(ours))


@pytest.mark.parametrize("name", PROJECTIONS)
@given(case=nodes(most_items=5))
@settings(max_examples=25, deadline=None)
def test_a_generic_solver_finds_no_nearer_point(name: str, case: tuple[np.ndarray, ...]) -> None:
    point, size, node_ptr, budget, placeable = case
    point = np.clip(point, 1e-3, 1e3)  # SLSQP's own limits, not ours
    y = PROJECTIONS[name]().project(point, size, node_ptr, budget, placeable)
    for v in range(len(budget)):
        mine = np.flatnonzero(placeable[node_ptr[v] : node_ptr[v + 1]]) + node_ptr[v]
        if len(mine) == 0:
            continue
        found = minimize(
            lambda z, mine=mine: distance(name, np.clip(z, 1e-12, 1), point[mine], size[mine]),
            np.full(len(mine), min(0.9, 0.9 * budget[v] / size[mine].sum())),
            method="SLSQP",
            bounds=[(1e-9, 1.0)] * len(mine),
            constraints={"type": "ineq", "fun": lambda z, v=v, mine=mine: budget[v] - size[mine] @ z},
        )
        z = np.clip(found.x, 0.0, 1.0)
        z *= min(1.0, budget[v] / (size[mine] @ z))
        ours, theirs = (distance(name, a, point[mine], size[mine]) for a in (y[mine], z))
        assert ours <= theirs + 1e-7 * (1 + abs(ours))


@pytest.mark.parametrize("name", PROJECTIONS)
@given(case=nodes())
@settings(max_examples=100, deadline=None)
def test_a_point_of_the_set_is_its_own_projection_and_a_full_node_is_filled(
    name: str, case: tuple[np.ndarray, ...]
) -> None:
    point, size, node_ptr, budget, placeable = case
    projection = PROJECTIONS[name]()
    y = projection.project(*case)
    again = projection.project(y, size, node_ptr, budget, placeable)
    np.testing.assert_allclose(again, y, rtol=1e-11, atol=1e-13)
    for v in range(len(budget)):
        span = slice(node_ptr[v], node_ptr[v + 1])
        loose = size[span] @ (np.minimum(point[span], 1.0) * placeable[span])
        if loose > budget[v]:
            assert size[span] @ y[span] >= budget[v] * (1 - 1e-11)
        else:
            np.testing.assert_array_equal(y[span], np.minimum(point[span], 1.0) * placeable[span])


@pytest.mark.parametrize("name", PROJECTIONS)
def test_in_place_gives_the_same(name: str) -> None:
    rng = np.random.default_rng(3)
    point, size = rng.random(30) * 3, rng.random(30) + 0.1
    rest = size, np.array([0, 10, 30]), np.array([2.0, 3.0]), rng.random(30) < 0.8
    apart = PROJECTIONS[name]().project(point, *rest)
    inside = PROJECTIONS[name]().project(point, *rest, out=point)
    assert inside is point
    np.testing.assert_array_equal(apart, inside)


@pytest.mark.parametrize("name", PROJECTIONS)
def test_wrong_arrays_are_refused(name: str) -> None:
    good = {
        "point": np.ones(2),
        "size": np.ones(2),
        "node_ptr": np.array([0, 2]),
        "budget": np.ones(1),
        "placeable": np.ones(2, bool),
    }
    projection = PROJECTIONS[name]()
    projection.project(**good)
    for field, bad, said in (
        ("point", np.array([1.0, np.nan]), "point"),
        ("size", np.ones(3), "size"),
        ("budget", np.ones(1, np.int64), "budget"),
        ("placeable", np.ones(2), "placeable"),
    ):
        with pytest.raises(InputError, match=said):
            projection.project(**{**good, field: bad})


def test_every_projection_is_in_the_table() -> None:
    found = {
        c
        for module in pkgutil.iter_modules(room.__path__)
        for c in vars(import_module(f"{room.__name__}.{module.name}")).values()
        if inspect.isclass(c) and issubclass(c, Projection) and not inspect.isabstract(c)
    }
    assert found == set(PROJECTIONS.values())
    assert all(name == c.name for name, c in PROJECTIONS.items())
