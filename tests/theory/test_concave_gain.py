"""The gain that is climbed: concave, rising, with a true supergradient, and exact at placements."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, relaxed_gain, supergradient
from placid.testing.instances import random_demand, random_problem


def by_definition(problem: Problem, demand: np.ndarray, y: np.ndarray) -> float:
    """``sum_r d_r sum_k (s_k - s_{k+1}) min(1, sum_{j <= k} share_j y_j)``, term by term as it is written."""
    share = potential_share(problem, demand)
    total = 0.0
    for r in range(problem.type_count):
        options = slice(int(problem.option_ptr[r]), int(problem.option_ptr[r + 1]))
        saving = np.append(problem.option_saving[options], 0.0)
        met = 0.0
        for k, e in enumerate(problem.option_item[options]):
            met += share[e] * y[e]
            total += float(demand[r]) * (saving[k] - saving[k + 1]) * min(1.0, met)
    return total


@given(seed=st.integers(0, 2**32 - 1), t=st.floats(0, 1), corner=st.booleans())
@settings(max_examples=300, deadline=None)
def test_concave_rising_and_below_every_tangent(seed: int, t: float, corner: bool) -> None:
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, nodes=int(rng.integers(2, 6)))
    demand = random_demand(rng, problem)
    share = potential_share(problem, demand)
    y, z = rng.random((2, problem.item_count))
    if corner:  # kinks sit where the demand is just met: round numbers hit them
        y, z = np.round(y * 2) / 2, np.round(z)

    def gain(at: np.ndarray) -> float:
        return relaxed_gain(problem, demand, share, at)

    slack = 1e-9 * (1 + gain(np.ones(problem.item_count)))
    np.testing.assert_allclose(gain(y), by_definition(problem, demand, y), rtol=1e-9, atol=1e-9)
    assert gain(t * y + (1 - t) * z) >= t * gain(y) + (1 - t) * gain(z) - slack
    assert gain(np.maximum(y, z)) >= gain(y) - slack
    value, g = supergradient(problem, demand, share, y)
    assert (g >= -1e-12).all()
    assert gain(z) <= value + g @ (z - y) + slack
    # submodular at placements: what z adds to y and x it adds less to than to y alone
    a, b, c = (rng.random((3, problem.item_count)) < 0.5).astype(float)
    big = np.maximum(a, b)
    assert gain(np.maximum(big, c)) - gain(big) <= gain(np.maximum(a, c)) - gain(a) + slack
