"""Percentiles with confidence, held against the binomial distribution summed up term by term."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from placid.runtime.load.early_stopping import bound_holds, sure_quantile_s


def so_few(over: int, count: int, p: float) -> float:
    """Probability of `over` or fewer of `count`, each with 1 - p."""
    return sum(comb(count, k) * (1 - p) ** k * p ** (count - k) for k in range(over + 1))


@pytest.mark.parametrize("p", [0.9, 0.99])
def test_a_bound_holds_where_so_few_beyond_it_are_unlikely(p: float) -> None:
    for count in (30, 44, 100, 459, 662, 1000):
        for over in range(12):
            assert bound_holds(over, count, p) == (so_few(over, count, p) < 0.01), (count, over)


@pytest.mark.parametrize(("p", "least"), [(0.9, 64), (0.99, 662)])
def test_mlperfs_least_counts(p: float, least: int) -> None:
    latency = np.arange(1.0, least + 1)
    assert np.isnan(sure_quantile_s(latency[:-1], p))
    # the slowest of them, and no less
    assert sure_quantile_s(latency, p) == least


def test_with_many_queries_it_comes_close_to_the_percentile_from_above() -> None:
    latency = np.random.default_rng(0).permutation(np.arange(100_000.0))
    found = sure_quantile_s(latency, 0.9)
    assert 90_000 < found < 90_300


def test_so_many_are_left_out_that_the_bound_still_holds() -> None:
    latency = np.arange(500.0)
    bound = sure_quantile_s(latency, 0.9)
    over = int((latency >= bound).sum())
    assert bound_holds(over, 500, 0.9)
    assert not bound_holds(over + 1, 500, 0.9)
