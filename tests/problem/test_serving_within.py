"""Serving within limits: nothing is exceeded, slack limits change nothing, prices learn from slot to slot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from placid.problem.arrays import Problem
from placid.problem.limits import Terms
from placid.problem.placement import trim_to_budgets
from placid.problem.pricing import priced
from placid.problem.serving import serve
from placid.problem.within import reference_worth, serve_within
from placid.testing.instances import random_demand
from placid.testing.limited import limited_problem


def some(seed: int, *, wide: float = 1.0, tight: bool = True) -> tuple[Problem, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    problem = limited_problem(rng, plans=2 * (seed % 2), wide=wide, tight=tight)
    order = rng.random(problem.item_count)
    placed = trim_to_budgets(problem, rng.random(problem.item_count) < 0.6, order)
    return problem, placed, 3 * random_demand(rng, problem)


@pytest.mark.parametrize("seed", range(60))
def test_no_limit_item_or_demand_is_exceeded_and_everything_adds_up(seed: int) -> None:
    problem, placed, demand = some(seed)
    limits = problem.limits
    assert limits is not None
    found = serve_within(problem, placed, demand)
    count = problem.option_count
    assert found.load[limits.hard].max() <= 1.0
    uses = np.bincount(
        limits.limit, weights=np.repeat(found.flow, np.diff(limits.ptr)) * limits.share, minlength=len(limits)
    )
    np.testing.assert_allclose(uses, found.load, rtol=1e-9, atol=1e-9)
    assert (found.outcome.item_load <= problem.item_capacity * (1 + 1e-9) * placed).all()
    by_type = found.outcome.repository_load + np.bincount(
        problem.option_type, weights=found.flow[:count], minlength=problem.type_count
    )
    np.testing.assert_allclose(by_type + found.refused, demand, rtol=1e-9, atol=1e-9)
    assert found.outcome.served + found.refused.sum() == pytest.approx(demand.sum())
    # worth is what it says: refusing everything costs so much more than this
    cost = problem.repository_cost @ found.outcome.repository_load + limits.refusal_cost @ found.refused
    cost += (problem.repository_cost[problem.option_type] - problem.option_saving) @ found.flow[:count]
    assert limits.refusal_cost @ demand - cost == pytest.approx(found.worth, rel=1e-9, abs=1e-9)
    assert found.outcome.gain == pytest.approx(found.worth - reference_worth(problem, demand))


@pytest.mark.parametrize("seed", range(40))
def test_limits_that_do_not_bind_change_nothing(seed: int) -> None:
    problem, placed, demand = some(seed, wide=1e9)
    found = serve_within(problem, placed, demand)
    plain = serve(priced(problem, problem.limits.unpriced).problem, placed, demand)  # type: ignore[union-attr]
    assert found.outcome.gain == pytest.approx(plain.gain, rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(found.outcome.vector, plain.vector, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.outcome.item_load, plain.item_load, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.outcome.served_by_node, plain.served_by_node, rtol=1e-9, atol=1e-9)
    assert not found.refused.any()
    assert not found.prices.any()


def test_gain_of_an_empty_network_is_zero_though_requests_are_refused() -> None:
    refused = 0.0
    for seed in range(20):
        problem, placed, demand = some(seed)
        found = serve_within(problem, np.zeros_like(placed), demand)
        assert found.outcome.gain == pytest.approx(0.0, abs=1e-9)
        refused += float(found.refused.sum())
    assert refused > 0


def test_prices_carried_over_make_up_for_few_rounds() -> None:
    first, later = [], []
    for seed in range(40):
        problem, placed, demand = some(seed)
        limits = problem.limits
        assert limits is not None
        quick = replace(problem, limits=replace(limits, rounds=2))
        slot = serve_within(quick, placed, demand)
        first.append(slot.worth)
        for _ in range(30):
            slot = serve_within(quick, placed, demand, slot.prices)
        later.append(slot.worth)
    assert sum(later) > 1.03 * sum(first)


def test_the_priced_problem_is_plain_ranked_and_of_the_same_items() -> None:
    for seed in range(20):
        problem, placed, demand = some(seed)
        limits = problem.limits
        assert limits is not None
        rng = np.random.default_rng(seed)
        prices = rng.random(len(limits)) * limits.scale
        seen = priced(problem, prices)
        plain = seen.problem
        assert plain.limits is None
        assert (plain.option_saving > 0).all()
        for r in range(plain.type_count):
            mine = plain.option_saving[plain.option_ptr[r] : plain.option_ptr[r + 1]]
            assert (np.diff(mine) <= 0).all()
        np.testing.assert_array_equal(plain.item_node, problem.item_node)
        paid = limits.paid(prices)[seen.option]
        want = limits.worth[seen.option] - paid - seen.floor[plain.option_type]
        np.testing.assert_allclose(plain.option_saving, want, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(
            np.concatenate(
                [problem.needs.item[problem.needs.ptr[o] : problem.needs.ptr[o + 1]] for o in seen.option]
            ),
            plain.needs.item,
        )
        # what it bounds: nothing within the limits is worth more
        everything = float(plain.option_saving @ demand[plain.option_type])
        bound = seen.worth_bound(demand, lambda _, most=everything: most)  # type: ignore[misc]
        assert serve_within(problem, placed, demand).worth <= bound + 1e-9


def test_terms_are_checked() -> None:
    with pytest.raises(Exception, match="'rounds' must be at least 2"):
        Terms(rounds=1)
    with pytest.raises(Exception, match="'patience_slots' must be above 0"):
        Terms(patience_slots=0)
