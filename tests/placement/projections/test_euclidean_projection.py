"""The Euclidean projection against its exact solution by sorted breakpoints."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from placid.placement.projections import Euclidean


def by_breakpoints(point: np.ndarray, size: np.ndarray, budget: float) -> np.ndarray:
    """clip(point - price * size, 0, 1), the price interpolated between the breakpoints around the budget."""

    def load(price: float) -> float:
        return float(size @ np.clip(point - price * size, 0.0, 1.0))

    if load(0.0) <= budget:
        return np.clip(point, 0.0, 1.0)
    prices = np.concatenate(([0.0], np.sort(np.concatenate((point / size, (point - 1) / size)))))
    prices = np.append(prices[prices >= 0], 2 * prices[-1])  # the last one takes all, round-off or not
    loads = np.array([load(p) for p in prices])
    k = int(np.flatnonzero(loads <= budget)[0])
    price = prices[k - 1] + (loads[k - 1] - budget) / (loads[k - 1] - loads[k]) * (prices[k] - prices[k - 1])
    return np.clip(point - price * size, 0.0, 1.0)


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 60),
    scale=st.sampled_from([0.1, 1.0, 30.0]),
    spread=st.sampled_from([0.0, 1.0, 3.0]),
    share=st.just(0.0) | st.floats(1e-9, 1.1),
)
@settings(max_examples=300, deadline=None)
def test_matches_sorted_breakpoints(seed: int, n: int, scale: float, spread: float, share: float) -> None:
    rng = np.random.default_rng(seed)
    point = scale * rng.normal(size=n) + 0.3
    size = np.exp(spread * rng.normal(size=n))
    budget = share * size.sum()
    y = Euclidean().project(point, size, np.array([0, n]), np.array([budget]), np.ones(n, bool))
    np.testing.assert_allclose(y, by_breakpoints(point, size, budget), atol=1e-10 * (1 + scale))
    assert size @ y <= budget * (1 + 1e-12)


def test_bytes_as_units_and_wild_points_stay_feasible() -> None:
    rng = np.random.default_rng(1)
    size = np.exp(rng.normal(size=200) * 2) * 1e8
    for wild in (1.0, 1e6, 1e15):
        y = Euclidean().project(
            wild * rng.normal(size=200), size, np.array([0, 200]), np.array([5e8]), np.ones(200, bool)
        )
        assert np.isfinite(y).all()
        assert size @ y <= 5e8 * (1 + 1e-12)


def test_ascend_is_the_projected_additive_step() -> None:
    rest = np.array([1.0, 1.0]), np.array([0, 2]), np.array([1.0]), np.ones(2, bool)
    y = Euclidean().ascend(np.array([0.5, 0.5]), np.array([1.0, 0.0]), 0.2, *rest)
    np.testing.assert_allclose(y, [0.6, 0.4])
