"""The ways under any weights are the options that compiling with these weights gives."""

from __future__ import annotations

import numpy as np
import pytest

from placid.objectives.ways import Ways
from placid.problem.arrays import Problem
from placid.problem.compile import compile_problem
from placid.problem.serving import serve
from placid.testing.instances import random_demand, random_setting


def options(problem: Problem, o: int) -> tuple[object, ...]:
    needs = problem.needs
    own = slice(needs.ptr[o], needs.ptr[o + 1])
    return (
        int(problem.option_type[o]),
        tuple(needs.item[own].tolist()),
        tuple(np.round(needs.load[own], 9)),
        tuple(np.round(needs.answered[own], 9)),
        tuple(problem.option_vector[o].tolist()),
    )


@pytest.mark.parametrize("plans", [0, 2])
@pytest.mark.parametrize("seed", range(12))
def test_priced_is_what_compiling_gives(seed: int, plans: int) -> None:
    rng = np.random.default_rng([7, seed, plans])
    setting = random_setting(rng, plans=plans)
    ways = Ways.of(*setting)
    for _ in range(4):
        weights = rng.random(4) * rng.choice([0.0, 1.0], 4) + [1e-3, 0, 0, 0]
        got, want = ways.priced(weights), compile_problem(*setting, weights)
        assert np.allclose(got.repository_cost, want.repository_cost, rtol=1e-12)
        assert np.allclose(got.repository_vector, want.repository_vector, rtol=1e-12)
        # ties are broken by round-off, which takes another way here and there
        clear = [np.flatnonzero(p.option_saving > 1e-9) for p in (got, want)]
        found = [{options(p, o) for o in os} for p, os in zip((got, want), clear, strict=True)]
        assert found[0] == found[1]
        assert (got.chains is None) == (want.chains is None)
        demand = random_demand(rng, got)
        placed = rng.random(got.item_count) < 0.5
        assert np.isclose(
            serve(got, placed, demand).gain, serve(want, placed, demand).gain, rtol=1e-9, atol=1e-9
        )
        for name in ("option_ptr", "option_item", "serving_order", "option_type"):
            assert getattr(got, name).dtype == getattr(want, name).dtype


def test_weights_change_what_is_offered_and_who_answers_at_the_top() -> None:
    rng = np.random.default_rng(3)
    ways = Ways.of(*random_setting(rng, nodes=5))
    fast, right = (ways.priced(np.eye(4)[k]) for k in (0, 1))
    assert fast.option_count != right.option_count
    assert (fast.repository_vector[:, 0] <= right.repository_vector[:, 0]).all()
    assert (fast.repository_vector[:, 1] >= right.repository_vector[:, 1]).all()
