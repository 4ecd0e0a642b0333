"""Sweeps and evolution: feasible, as good as they say, never better than the truth, never worse than their seeds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from judge import least_of_all, placements, tiny, with_a_node_down

from placid.errors import InputError
from placid.objectives import Front, Point, Ways, epsilon_indicator, latency_quantile
from placid.placement.offline.front import Evolution, Flows, exact_front, quick_solvers, solve_at, sweep
from placid.placement.offline.front.sweep import mean_vector
from placid.problem.arrays import COMPONENTS
from placid.problem.placement import check_feasible
from placid.problem.serving import serve

THREE = ("latency_s", "error", "energy_j")


def check(front: Front, ways: Ways, demand: np.ndarray) -> None:
    """Every point is what the serving rule makes of its weights and placement, which fits to the byte."""
    for i in range(len(front)):
        placed = front.placed(i)
        check_feasible(ways.frame, placed)
        assert np.allclose(front.points[i], mean_vector(ways, demand, front.weights[i], placed), rtol=1e-9)


@pytest.mark.parametrize(("seed", "plans"), [(0, 0), (1, 0), (2, 0), (0, 2), (1, 2)])
def test_no_point_is_better_than_the_exact_front(seed: int, plans: int) -> None:
    ways, demand = tiny(seed, plans)
    two = ("latency_s", "energy_j") if seed % 2 else ("latency_s", "error")
    flows = Flows.of(ways, demand, two)
    exact = exact_front(flows, 6)
    slack = 1e-5 * flows.unit[[COMPONENTS.index(n) for n in two]]
    by_weights = sweep(ways, demand, two, points=6, solvers=quick_solvers(ways, 5.0))
    evolved = Evolution(population=8, generations=4, weights=4).improve(ways, demand, by_weights.efficient())
    for front in (by_weights, evolved):
        check(front, ways, demand)
        for x, y in front.axes:
            best = least_of_all(ways, demand, np.eye(4)[COMPONENTS.index(two[0])], {two[1]: y + slack[1]})
            assert x >= best - slack[0]
        # the exact front has the best there is of each
        assert (front.axes.min(axis=0) >= exact.axes.min(axis=0) - slack).all()


@pytest.mark.parametrize(("seed", "plans"), [(3, 0), (4, 0), (2, 2)])
def test_a_proven_point_is_the_best_for_its_weights(seed: int, plans: int) -> None:
    ways, demand = tiny(seed, plans)
    front = sweep(ways, demand, THREE, points=10, solvers=quick_solvers(ways, 5.0))
    assert len(front) >= 13  # ten preferences, three for the ranges
    if not plans:  # the MILP closes its gap where an option needs one item
        assert front.proven[:13].all()
    for i in np.flatnonzero(front.proven):
        w = front.weights[i]
        best = min(w @ mean_vector(ways, demand, w, placed) for placed in placements(ways))
        assert w @ front.points[i] <= best * (1 + 1e-5) + 1e-12
    # nothing is lost by looking at what is efficient, and the cheapest is found again
    few = front.efficient()
    assert epsilon_indicator(few.axes, front.axes) <= 2e-6 * front.axes.max()
    assert 0 <= few.hypervolume(2 * front.points.max(axis=0) + 1e-9) <= 1
    w = np.array([1.0, 1.0, 1.0, 0.0])
    assert few.points[few.best(w)] @ w == pytest.approx((front.points @ w).min(), rel=1e-5)


def test_with_a_node_down_nothing_is_placed_there() -> None:
    ways, demand = tiny(0)
    node = int(np.argmax(ways.frame.budget_bytes))
    down = with_a_node_down(ways, node)
    front = sweep(down, demand, THREE, points=6)
    check(front, down, demand)
    assert not any(front.placed(i)[ways.frame.item_node == node].any() for i in range(len(front)))


def test_evolution_keeps_its_seeds_and_repeats_itself() -> None:
    ways, demand = tiny(5)
    seeds = sweep(ways, demand, THREE, points=6).efficient()
    method = Evolution(population=12, generations=6, weights=5)
    one, two = (method.improve(ways, demand, seeds, seed=3) for _ in range(2))
    assert np.array_equal(one.points, two.points)
    assert epsilon_indicator(one.axes, seeds.axes) <= 2e-6 * seeds.axes.max()
    check(one, ways, demand)
    worst = seeds.points.max(axis=0) * 1.1 + 1e-9
    assert one.hypervolume(worst) >= seeds.hypervolume(worst) - 1e-5
    with pytest.raises(InputError, match="at least one point"):
        method.improve(ways, demand, seeds.taken(np.zeros(len(seeds), bool)))


def test_a_sweep_goes_on_from_what_it_remembers() -> None:
    ways, demand = tiny(1)
    kept: dict[bytes, Point] = {}
    calls = []

    def remember(weights: np.ndarray, solve: Callable[[], Point]) -> Point:
        if weights.tobytes() not in kept:
            calls.append(weights)
            kept[weights.tobytes()] = solve()
        return kept[weights.tobytes()]

    told: list[tuple[int, int]] = []
    first = sweep(ways, demand, THREE, points=6, remember=remember, tell=lambda *s: told.append(s))
    solved = len(calls)
    again = sweep(ways, demand, THREE, points=6, remember=remember)
    assert len(calls) == solved
    assert told[-1] == (9, 9)
    assert np.array_equal(first.points, again.points)


def test_quantiles_of_latency_are_those_of_a_list_of_requests() -> None:
    for seed in range(6):
        ways, demand = tiny(seed)
        point = solve_at(ways, demand, np.ones(4), quick_solvers(ways))
        problem = ways.priced(point.weights)
        outcome = serve(problem, point.placed, demand, flows=True)
        single = np.repeat(problem.option_vector[:, 0], np.rint(outcome.flow).astype(int))
        single = np.append(
            single, np.repeat(problem.repository_vector[:, 0], np.rint(outcome.repository_load).astype(int))
        )
        for share in (0.5, 0.95, 1.0):
            want = np.quantile(single, share, method="inverted_cdf")
            assert latency_quantile(problem, point.placed, demand, share) == pytest.approx(want, rel=1e-6)


def test_a_front_says_what_does_not_fit() -> None:
    ways, demand = tiny(0)
    front = sweep(ways, demand, ("latency_s", "error"), points=3)
    with pytest.raises(InputError, match="one set of objectives"):
        front.joined(sweep(ways, demand, ("latency_s", "energy_j"), points=3))
    with pytest.raises(InputError, match="unknown objective 'latency'"):
        sweep(ways, demand, ("latency", "error"))
    with pytest.raises(InputError, match="each once"):
        sweep(ways, demand, ("error", "error"))
    with pytest.raises(InputError, match="empty front"):
        front.taken(np.zeros(len(front), bool)).best(np.ones(4))
    same = front.taken(np.array([0, 0, 1]))
    assert len(same.efficient()) <= 2
