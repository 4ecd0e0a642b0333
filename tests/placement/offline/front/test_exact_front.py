"""Exact fronts against all placements, each routed by scipy's linear programming; and wishes with limits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from judge import least_by_linprog, least_of_all, placements, tiny

from placid.errors import InputError
from placid.objectives.ways import Ways
from placid.placement.offline.front import (
    LOADING,
    Flows,
    NothingFound,
    exact_front,
    least,
    lexicographic,
    relaxed_front,
)
from placid.problem.arrays import COMPONENTS
from placid.problem.placement import check_feasible
from placid.testing.instances import random_setting

PAIRS = [("latency_s", "error"), ("latency_s", "energy_j"), ("error", "energy_j")]


def unit(name: str) -> np.ndarray:
    return np.array([float(c == name) for c in COMPONENTS])


@pytest.mark.parametrize(("seed", "plans"), [(0, 0), (1, 0), (2, 0), (3, 0), (0, 2), (1, 2)])
def test_the_exact_front_is_the_lowest_of_all_placements(seed: int, plans: int) -> None:
    ways, demand = tiny(seed, plans)
    a, b = PAIRS[seed % 3]
    flows = Flows.of(ways, demand, (a, b))
    front = exact_front(flows, 6)
    x, y = front.axes.T
    slack = 1e-5 * flows.unit[[COMPONENTS.index(a), COMPONENTS.index(b)]]
    assert front.routing == "best"
    assert front.proven.all()
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) < 0).all()
    # both ends
    assert x[0] == pytest.approx(least_of_all(ways, demand, unit(a), {}), abs=slack[0])
    assert y[-1] == pytest.approx(least_of_all(ways, demand, unit(b), {}), abs=slack[1])
    for i in range(len(front)):
        placed = front.placed(i)
        check_feasible(ways.frame, placed)
        # the point is what its placement reaches, and nothing is better in a and as good in b
        own = least_by_linprog(ways, demand, placed, unit(a), {b: y[i] + slack[1]})
        assert own <= x[i] + slack[0]
        # near a step of the front a limit that is wider by the tolerance may lead far below it
        assert least_of_all(ways, demand, unit(a), {b: y[i] - slack[1]}) >= x[i] - slack[0]


@pytest.mark.parametrize("seed", range(3))
def test_the_relaxed_front_lies_below_and_its_placements_above(seed: int) -> None:
    ways, demand = tiny(seed)
    a, b = PAIRS[seed % 3]
    flows = Flows.of(ways, demand, (a, b))
    relaxed = relaxed_front(flows, 5)
    slack = 1e-5 * flows.unit[[COMPONENTS.index(a), COMPONENTS.index(b)]]
    line, span = relaxed.line, np.maximum(np.ptp(relaxed.line, axis=0), 1e-300)
    assert (np.diff(line[:, 0]) >= -slack[0]).all()
    assert (np.diff(line[:, 1]) <= slack[1]).all()
    # below the line, the extension of each of its pieces, there is nothing: also between what was solved for
    for y in np.linspace(line[-1, 1], line[0, 1], 12):
        x = least_of_all(ways, demand, unit(a), {b: y + slack[1]})
        for p, q in pairwise(line):
            way, there = (q - p) / span, (np.array([x, y]) - p) / span
            assert way[0] * there[1] - way[1] * there[0] >= -1e-4
    for i, (x, y) in enumerate(relaxed.front.axes):
        check_feasible(ways.frame, relaxed.front.placed(i))
        assert x >= least_of_all(ways, demand, unit(a), {b: y + slack[1]}) - slack[0]


@pytest.mark.parametrize(("seed", "plans"), [(4, 0), (5, 0), (2, 2)])
def test_least_energy_within_limits(seed: int, plans: int) -> None:
    ways, demand = tiny(seed, plans)
    flows = Flows.of(ways, demand)
    names = ("latency_s", "error")
    low = [least_of_all(ways, demand, unit(n), {}) for n in names]
    high = [flows.least(unit("energy_j")).vector[COMPONENTS.index(n)] for n in names]  # type: ignore[union-attr]
    limits = {n: lo + 0.6 * max(0.0, hi - lo) + 1e-6 for n, lo, hi in zip(names, low, high, strict=True)}
    want = least_of_all(ways, demand, unit("energy_j"), limits)
    if not np.isfinite(want):
        with pytest.raises(InputError, match=r"at least|contradict"):
            least(flows, "energy_j", limits)
        return
    found = least(flows, "energy_j", limits)
    assert found.placed is not None
    check_feasible(ways.frame, found.placed)
    assert found.proven
    assert found.value == pytest.approx(want, abs=1e-5 * flows.unit[2])
    assert found.bound <= found.value
    for name, most in limits.items():
        k = COMPONENTS.index(name)
        assert found.vector[k] <= most + 2e-6 * flows.unit[k]


def test_what_cannot_be_had_is_told_with_what_can() -> None:
    ways, demand = tiny(0)
    flows = Flows.of(ways, demand)
    fastest = least(flows, "latency_s", {}).value
    with pytest.raises(InputError, match=r"latency at most .*: latency to .* at least"):
        least(flows, "error", {"latency_s": fastest / 2 - 1e-3})
    with pytest.raises(InputError, match="knows of latency_s, error only"):
        Flows.of(ways, demand, ("latency_s", "error")).least(unit("energy_j"))
    with pytest.raises(InputError, match="no front to speak of"):
        Flows.of(ways, 0 * demand)
    with pytest.raises(InputError, match="two objectives"):
        exact_front(flows)
    with pytest.raises(InputError, match="unknown objective"):
        least(flows, "speed", {})


def test_where_no_time_is_given_nothing_is_claimed() -> None:
    ways, demand = tiny(0)
    flows = Flows.of(ways, demand)
    found = flows.least(unit("latency_s"), time_limit_s=1e-9)
    assert found is not None
    assert found.placed is not None
    assert not found.proven
    with pytest.raises(NothingFound, match="allow more time"):
        flows.least(unit("latency_s"), {"error": 1.0}, time_limit_s=1e-9)
    assert not lexicographic(flows, ("latency_s", "error"), time_limit_s=1e-9).proven


@pytest.mark.parametrize("seed", range(3))
def test_one_after_the_other(seed: int) -> None:
    ways, demand = tiny(seed)
    flows = Flows.of(ways, demand)
    found = lexicographic(flows, ("error", "latency_s", "energy_j"))
    slack = 1e-5 * flows.unit
    error = least_of_all(ways, demand, unit("error"), {})
    assert found.vector[1] == pytest.approx(error, abs=slack[1])
    first = least_of_all(ways, demand, unit("latency_s"), {"error": error + 1e-8})
    assert found.vector[0] == pytest.approx(first, abs=slack[0])
    loose = lexicographic(flows, ("error", "latency_s"), slack=0.2)
    assert loose.vector[0] <= found.vector[0] + slack[0]
    assert loose.vector[1] <= 1.2 * error + slack[1]


def test_bytes_to_load_are_an_objective_too() -> None:
    ways, demand = tiny(1)
    before = placements(ways)[0]
    flows = Flows.of(ways, demand, before=before)
    nothing = least(flows, LOADING, {})
    assert nothing.load_bytes == 0
    assert nothing.placed is not None
    assert not (nothing.placed & ~before).any()
    some = lexicographic(flows, ("latency_s", LOADING))
    assert some.placed is not None
    assert some.load_bytes == pytest.approx(ways.frame.item_size_bytes[some.placed & ~before].sum())
    want = least_of_all(ways, demand, unit("latency_s"), {})
    assert some.vector[0] == pytest.approx(want, abs=1e-5 * flows.unit[0])


def test_requests_that_nobody_can_answer_do_not_count() -> None:
    network, catalog, requests = random_setting(np.random.default_rng(2), nodes=4)
    cut = requests.ingress[0]
    down = type(network)(
        tuple(type(n)(n.name, n.tier, n.memory_bytes, n.processor, n.repository, up=n.name != cut) for n in network.nodes),
        network.links,
        network.name,
    )  # fmt: skip
    ways = Ways.of(down, catalog, requests)
    lost = ways.frame.repository_node < 0
    assert lost.any()
    if not lost.all():
        demand = np.ones(len(lost))
        flows = Flows.of(ways, demand)
        assert flows.demand[lost].sum() == 0
        assert np.isfinite(least(flows, "latency_s", {}).vector).all()
