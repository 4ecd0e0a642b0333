"""The entropy projection on weights of any size, and its multiplicative step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placid.placement.projections import Entropy, project_entropy, project_entropy_log


def both(
    log_weight: np.ndarray, size: np.ndarray, budget: float, placeable: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The projection from weights (infinite where they overflow) and from their logarithms."""
    n = len(size)
    ptr, limit = np.array([0, n]), np.array([budget])
    plain, logs = np.empty(n), np.empty(n)
    with np.errstate(over="ignore"):
        weight = np.exp(log_weight)
    project_entropy(weight, size, ptr, limit, placeable, plain)
    project_entropy_log(log_weight, size, ptr, limit, placeable, logs)
    return plain, logs


def bisected(log_weight: np.ndarray, size: np.ndarray, budget: float, placeable: np.ndarray) -> np.ndarray:
    """min(1, exp(log_weight + shift)), shift by bisection: slow, simple, another way."""

    def at(shift: float) -> np.ndarray:
        return np.exp(np.minimum(0.0, log_weight + shift)) * placeable

    if size @ at(0.0) <= budget:
        return at(0.0)
    low, high = -np.max(log_weight) - 800.0, 0.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if size @ at(middle) <= budget else (low, middle)
    return at(low)


@given(
    seed=st.integers(0, 2**32 - 1),
    spread=st.sampled_from([0.0, 0.1, 1.0, 5.0, 30.0, 150.0]),
    shift=st.sampled_from([-300.0, -3.0, 0.0, 3.0, 300.0]),
    n=st.integers(1, 60),
    # no subnormal budgets: a budget counts bytes
    share=st.just(0.0) | st.floats(1e-9, 1.2),
)
@settings(max_examples=300, deadline=None)
def test_matches_bisection(seed: int, spread: float, shift: float, n: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    log_weight = np.clip(spread * rng.normal(size=n) + shift, -700, 700)
    size = np.exp(rng.normal(size=n))
    placeable = rng.random(n) < 0.9
    budget = share * size.sum()
    slow = bisected(log_weight, size, budget, placeable)
    # a shift known to an ulp of its own size is what bisection gives
    close = 1e-12 * (10 + np.max(np.abs(log_weight)))
    for y in both(log_weight, size, budget, placeable):
        np.testing.assert_allclose(y, slow, rtol=close, atol=1e-14)
        assert size @ y <= budget * (1 + 1e-12)
        if size @ placeable > budget and size @ (np.exp(np.minimum(0.0, log_weight)) * placeable) > budget:
            assert size @ y >= budget * (1 - 1e-12)


@pytest.mark.parametrize("n", [40, 200])
def test_steep_weights_cap_one_item_after_another(n: int) -> None:
    """Weights falling by factors: Newton would cap one item a sweep, so sorting must take over."""
    log_weight = -0.7 * np.arange(n) * np.log(10)
    for budget in (0.5, 7.3, 0.9 * n):
        for y in both(log_weight + 5, np.ones(n), budget, np.ones(n, bool)):
            assert y.sum() <= budget * (1 + 1e-12)
            np.testing.assert_allclose(
                y, bisected(log_weight + 5, np.ones(n), budget, np.ones(n, bool)), rtol=1e-10
            )


def test_no_weight_is_too_large_or_too_small() -> None:
    ones = np.ones(4, bool)
    size = np.array([1.0, 2.0, 3.0, 4.0])
    huge = both(np.array([1e6, 1e6, -1e6, 0.0]), size, 2.0, ones)[1]
    np.testing.assert_allclose(huge, [2 / 3, 2 / 3, 0.0, 0.0], atol=1e-15)
    # infinite weights count as equal and largest
    infinite = np.empty(4)
    project_entropy(
        np.array([np.inf, np.inf, 1.0, 0.0]), size, np.array([0, 4]), np.array([2.0]), ones, infinite
    )
    np.testing.assert_allclose(infinite, [2 / 3, 2 / 3, 0.0, 0.0], atol=1e-15)
    tiny = np.empty(4)
    project_entropy(np.full(4, 5e-324), size, np.array([0, 4]), np.array([2.0]), ones, tiny)
    np.testing.assert_array_equal(tiny, np.full(4, 5e-324))
    nothing = both(np.full(4, -np.inf), size, 2.0, ones)
    assert not np.any(nothing)
    # what the heaviest leave is shared by the others even where their weights are 1000 orders smaller
    left_over = both(np.array([3000.0, 1.0, 1.0, 1.0]), np.ones(4), 2.5, ones)[1]
    np.testing.assert_allclose(left_over, [1.0, 0.5, 0.5, 0.5], rtol=1e-14)


def test_a_huge_step_goes_to_the_best_item_per_byte() -> None:
    y = Entropy().ascend(
        np.full(3, 0.3),
        np.array([1.0, 3.0, 1.0]),
        1e9,
        np.array([1.0, 2.0, 1.0]),
        np.array([0, 3]),
        np.array([1.0]),
        np.ones(3, bool),
    )
    np.testing.assert_allclose(y, [0.0, 0.5, 0.0], atol=1e-15)


def test_ascend_is_the_projected_multiplicative_step() -> None:
    rng = np.random.default_rng(5)
    size, gradient = rng.random(20) + 0.1, rng.normal(size=20)
    rest = size, np.array([0, 8, 20]), np.array([1.0, 2.0]), np.ones(20, bool)
    y = Entropy().project(rng.random(20), *rest)
    stepped = Entropy().ascend(y, gradient, 0.2, *rest)
    np.testing.assert_allclose(
        stepped, Entropy().project(y * np.exp(0.2 * gradient / size), *rest), rtol=1e-12
    )
