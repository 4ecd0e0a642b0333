"""Filling what a rounding left, and the random numbers that nodes share without sending them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placid.errors import InputError, UnknownNameError
from placid.placement.rounding import Coupled, DepRound, Permanent, fill, reserved_budgets
from placid.placement.rounding.draws import draw_key, expand, renew
from placid.randomness import stream


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_fill_only_adds_what_fits_and_leaves_no_room_for_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 8, size=3)
    node_ptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    n = int(node_ptr[-1])
    size = rng.integers(1, 20, n).astype(np.int64)
    score = np.where(rng.random(n) < 0.3, 0.0, rng.random(n))
    placed = np.zeros(n, bool)
    budget = np.zeros(3, np.int64)
    for v in range(3):
        span = slice(node_ptr[v], node_ptr[v + 1])
        placed[span] = rng.random(counts[v]) < 0.3
        budget[v] = size[span][placed[span]].sum() + rng.integers(0, 30)
    in_place = rng.random(n) < 0.5
    for stickiness in (0.0, 1.0, np.inf):
        full = fill(node_ptr, size, budget, placed, score, in_place=in_place, stickiness=stickiness)
        assert (full[placed]).all()
        assert not full[(score <= 0) & ~placed].any()
        for v in range(3):
            span = slice(node_ptr[v], node_ptr[v + 1])
            room = budget[v] - size[span][full[span]].sum()
            assert room >= 0
            out = ~full[span] & (score[span] > 0)
            assert (size[span][out] > room).all()


def test_fill_prefers_what_is_there_already() -> None:
    ptr, size, budget = np.array([0, 2]), np.array([3, 3]), np.array([3])
    nothing, score = np.zeros(2, bool), np.array([0.5, 0.6])
    there = np.array([True, False])
    assert fill(ptr, size, budget, nothing, score).tolist() == [False, True]
    assert fill(ptr, size, budget, nothing, score, in_place=there, stickiness=1.0).tolist() == [True, False]
    assert fill(ptr, size, budget, nothing, score, in_place=there, stickiness=0.1).tolist() == [False, True]
    for wrong in ({"stickiness": -1.0}, {"score": np.array([np.nan, 1.0])}):
        with pytest.raises(InputError):
            fill(ptr, size, budget, nothing, **{"score": score, **wrong})


def test_numbers_are_uniform_and_independent() -> None:
    ptr = np.arange(0, 200_001, 100)
    draws = expand(draw_key(stream(1)), ptr, np.arange(2000))
    u = draws.item
    assert u.min() >= 0.0
    assert u.max() < 1.0
    counts = np.histogram(u, 50, (0, 1))[0]
    assert ((counts - 4000) ** 2 / 4000).sum() < 95  # chi square, 49 degrees of freedom, 1 in 10,000
    for lag in (1, 100, 101):  # next item, same item of the next node
        assert abs(np.corrcoef(u[:-lag], u[lag:])[0, 1]) < 4 / np.sqrt(len(u))
    assert abs(draws.node.mean() - 0.5) < 5 * np.sqrt(1 / 12 / 2000)
    other = expand(draw_key(stream(2)), ptr, np.arange(2000)).item
    assert abs(np.corrcoef(u, other)[0, 1]) < 4 / np.sqrt(len(u))


def test_a_node_draws_the_same_alone() -> None:
    ptr = np.array([0, 3, 3, 8])
    key = draw_key(stream(3))
    together = expand(key, ptr, np.array([4, 7, 9]))
    alone = expand(key, np.array([0, 5]), np.array([9]))
    np.testing.assert_array_equal(alone.item, together.item[3:])
    np.testing.assert_array_equal(alone.node, together.node[2:])


def test_renewal_replaces_its_part() -> None:
    ptr, nodes = np.array([0, 100_000]), np.array([0])
    draws = expand(draw_key(stream(4)), ptr, nodes)
    assert renew(draws, 0.0, draw_key(stream(5)), ptr, nodes) is draws
    renewed = renew(draws, 0.2, draw_key(stream(5)), ptr, nodes)
    changed = renewed.item != draws.item
    assert abs(changed.mean() - 0.2) < 0.01
    assert abs(renewed.item[changed].mean() - 0.5) < 0.02
    assert abs(np.corrcoef(renewed.item[changed], draws.item[changed])[0, 1]) < 0.04


def test_settings_are_checked() -> None:
    for make in (lambda: DepRound(mode="up"), lambda: Coupled(mode="up"), lambda: Coupled(order="random")):  # type: ignore[arg-type]
        with pytest.raises(UnknownNameError):
            make()
    for make in (lambda: Coupled(renewal=1.5), lambda: Permanent(renewal=-0.1)):
        with pytest.raises(InputError):
            make()


def test_the_reserve_is_the_largest_item_that_fits() -> None:
    ptr, size = np.array([0, 3, 3]), np.array([4, 9, 5], np.int64)
    assert reserved_budgets(ptr, size, np.array([8, 6], np.int64)).tolist() == [3, 6]


@pytest.mark.parametrize("rounding", [DepRound(), Coupled(), Coupled(order="line")], ids=str)
def test_a_node_loses_about_one_item_not_all(rounding: DepRound | Coupled) -> None:
    """The item left over makes room for itself only: a full node of many items stays nearly full in every draw."""
    rng = np.random.default_rng(0)
    size = rng.integers(50, 150, 60).astype(np.int64)
    ptr, budget = np.array([0, 60]), np.array([int(0.4 * size.sum())])
    y = np.full(60, budget[0] / size.sum())
    for k in range(300):
        state = rounding.start(ptr, size, stream(6, k))
        _, placed = rounding.round(state, ptr, size, budget, y, stream(7, k))
        assert budget[0] - size[placed].sum() <= size.max()
