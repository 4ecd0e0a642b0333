"""Limits, quantiles among them, what contradicts what, and orders: against every placement, routed by scipy."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from judge import least_of_all, lowest_of_all, placements, tiny

from placid.errors import InputError
from placid.objectives import Ways, latency_quantile
from placid.placement.offline.front import Contradiction, Flows, contradiction, least, lexicographic, lowest
from placid.problem.arrays import COMPONENTS
from placid.problem.placement import check_feasible

P95 = "latency_p95_s"


def unit(name: str) -> np.ndarray:
    return np.array([float(c == name) for c in COMPONENTS])


def quantiles(ways: Ways, demand: np.ndarray) -> np.ndarray:
    """Every value that a quantile of latency can take."""
    used = np.concatenate((ways.vector[demand[ways.type] > 0, 0], ways.repository_vector[:, 0]))
    return np.unique(used)


@pytest.mark.parametrize(("seed", "plans"), [(0, 0), (1, 0), (2, 0), (0, 2), (2, 2)])
def test_least_with_a_quantile_below_a_limit(seed: int, plans: int) -> None:
    ways, demand = tiny(seed, plans)
    flows = Flows.of(ways, demand)
    steps = quantiles(ways, demand)
    possible = 0
    for most in steps[:: max(1, len(steps) // 4)]:
        want = least_of_all(ways, demand, unit("energy_j"), {P95: most})
        if not np.isfinite(want):
            with pytest.raises(Contradiction, match="p95 latency"):
                least(flows, "energy_j", {P95: float(most)})
            continue
        possible += 1
        found = least(flows, "energy_j", {P95: float(most)})
        assert found.placed is not None
        check_feasible(ways.frame, found.placed)
        assert found.proven
        assert found.value == pytest.approx(want, abs=1e-5 * flows.unit[2])
    assert possible


@pytest.mark.parametrize(("seed", "plans"), [(0, 0), (3, 0), (1, 2)])
def test_the_lowest_quantile(seed: int, plans: int) -> None:
    ways, demand = tiny(seed, plans)
    flows = Flows.of(ways, demand)
    for name in (P95, "latency_p50_s", "latency_p100_s"):
        found = lowest(flows, name, {})
        assert found is not None
        assert found[0] == pytest.approx(lowest_of_all(ways, demand, name, {}), rel=1e-9)
        # and among what has it, the least mean
        want = least_of_all(ways, demand, unit("latency_s"), {name: found[0]})
        assert found[1].vector[0] == pytest.approx(want, abs=1e-5 * flows.unit[0])
    assert lowest(flows, P95, {"latency_s": -1.0}) is None


@pytest.mark.parametrize("seed", range(4))
def test_the_fewest_limits_that_contradict_each_other(seed: int) -> None:
    ways, demand = tiny(seed)
    flows = Flows.of(ways, demand)
    names = ("latency_s", "error", "energy_j", P95)
    low = {n: lowest_of_all(ways, demand, n, {}) for n in names}
    rng = np.random.default_rng(seed)
    for share in (0.02, 0.15, 0.5):
        high = {n: lowest_of_all(ways, demand, n, {"error": low["error"] + 1e-9}) for n in names}
        limits = {n: float(low[n] + share * rng.random() * abs(high[n] - low[n]) + 1e-7) for n in names}

        def allowed(some: dict[str, float]) -> bool:
            return bool(np.isfinite(least_of_all(ways, demand, np.zeros(4), some)))

        sizes = [
            size
            for size in range(1, 5)
            if not all(allowed({n: limits[n] for n in some}) for some in combinations(names, size))
        ]
        why = contradiction(flows, limits)
        assert (why is None) == (not sizes)
        if why is None:
            continue
        assert len(why.limits) == sizes[0]
        assert not allowed(why.limits)
        for name in why.limits:
            others = {n: v for n, v in why.limits.items() if n != name}
            want = lowest_of_all(ways, demand, name, others)
            if np.isfinite(want):
                assert why.beside[name] == pytest.approx(want, rel=1e-4, abs=1e-7)
            assert why.alone[name] == pytest.approx(low[name], rel=1e-4, abs=1e-7)
            # with what is told to be possible, all are kept
            again = contradiction(flows, why.limits | {name: why.beside[name] * (1 + 1e-5) + 1e-9})
            assert again is None


def test_a_contradiction_is_told_in_words() -> None:
    ways, demand = tiny(0)
    flows = Flows.of(ways, demand)
    right = least(flows, "error", {}).value
    fast = least(flows, "latency_s", {"error": right + 1e-6}).value
    quick = least(flows, "latency_s", {}).value
    assert fast > quick * 1.01
    with pytest.raises(InputError) as told:
        least(flows, "energy_j", {"error": right + 1e-6, "energy_j": 1e9, "latency_s": (fast + quick) / 2})
    said = str(told.value)
    assert "contradict each other: error at most" in said
    assert "accuracy at least" in said
    assert "latency to" in said
    assert "without any limit" in said
    assert "energy" not in said
    with pytest.raises(InputError, match="knows of error, energy_j only"):
        Flows.of(ways, demand, ("error", "energy_j")).least(unit("error"), {P95: 1.0})


@pytest.mark.parametrize("seed", range(3))
def test_an_order_that_begins_with_a_quantile(seed: int) -> None:
    ways, demand = tiny(seed)
    flows = Flows.of(ways, demand)
    found = lexicographic(flows, (P95, "error"))
    first = lowest_of_all(ways, demand, P95, {})
    want = least_of_all(ways, demand, unit("error"), {P95: first})
    assert found.vector[1] == pytest.approx(want, abs=1e-5)
    limits = {"error": float(found.vector[1]) * 1.1 + 1e-6}
    kept = lexicographic(flows, ("energy_j", P95), at_most=limits)
    energy = least_of_all(ways, demand, unit("energy_j"), limits)
    assert kept.vector[2] == pytest.approx(energy, abs=1e-5 * flows.unit[2])
    assert kept.vector[1] <= limits["error"] + 1e-6


def test_a_quantile_of_what_is_served_is_never_below_the_lowest() -> None:
    ways, demand = tiny(1)
    problem = ways.priced(unit("latency_s"))
    low = lowest_of_all(ways, demand, P95, {})
    served = [latency_quantile(problem, placed, demand) for placed in placements(ways)]
    assert min(served) >= low * (1 - 1e-6)
