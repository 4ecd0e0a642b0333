"""The point chosen for a wish: as it serves it keeps what it says it keeps, and no known point grants the wish better."""

from __future__ import annotations

import numpy as np
import pytest
from judge import least_of_all, tiny

from placid.errors import InputError
from placid.objectives import latency_quantile
from placid.placement.offline.front import choose, sweep
from placid.placement.offline.front.chosen import in_order
from placid.placement.offline.front.sweep import mean_vector
from placid.problem.arrays import COMPONENTS
from placid.problem.placement import check_feasible

THREE = ("latency_s", "error", "energy_j")
P95 = "latency_p95_s"


@pytest.mark.parametrize(("seed", "plans"), [(0, 0), (1, 0), (2, 0), (1, 2)])
def test_a_choice_keeps_the_limits_when_it_serves(seed: int, plans: int) -> None:
    ways, demand = tiny(seed, plans)
    known = sweep(ways, demand, THREE, points=6)
    p95 = np.array(
        [latency_quantile(ways.priced(known.weights[i]), known.placed(i), demand) for i in range(len(known))]
    )
    for share in (0.3, 0.7):
        limits = {
            "error": float(np.quantile(known.points[:, 1], share)),
            P95: float(np.quantile(p95, share)),
        }
        allowed = (known.points[:, 1] <= limits["error"]) & (p95 <= limits[P95])
        choice = choose(ways, demand, ("energy_j", "latency_s"), limits, known, trials=12)
        check_feasible(ways.frame, choice.point.placed)
        served = mean_vector(ways, demand, choice.point.weights, choice.point.placed)
        assert np.allclose(served, choice.point.vector)
        own = latency_quantile(ways.priced(choice.point.weights), choice.point.placed, demand)
        assert choice.values[P95] == own
        assert choice.kept == (own <= limits[P95] * (1 + 2e-6) and served[1] <= limits["error"] * (1 + 2e-6))
        if allowed.any():
            assert choice.kept
            assert served[2] <= known.points[allowed, 2].min() * (1 + 2e-6)
        if choice.kept:  # nor can the serving rule do what no routing can
            loose = {name: most * (1 + 4e-6) + 1e-9 for name, most in limits.items()}
            best = least_of_all(ways, demand, np.eye(4)[COMPONENTS.index("energy_j")], loose)
            assert served[2] >= best * (1 - 1e-5)


def test_what_cannot_be_kept_is_not_said_to_be() -> None:
    ways, demand = tiny(0)
    known = sweep(ways, demand, THREE, points=6)
    choice = choose(ways, demand, ("energy_j",), {"latency_s": -1.0}, known, trials=2)
    assert not choice.kept
    assert choice.values["latency_s"] == pytest.approx(known.points[:, 0].min())
    with pytest.raises(InputError, match="needs an order"):
        choose(ways, demand, (), {}, known)
    with pytest.raises(InputError, match="unknown objective 'speed'"):
        choose(ways, demand, ("speed",), {}, known)


def test_one_after_the_other_with_slack() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        table = rng.integers(1, 6, (12, 3)).astype(float)
        rows = [dict(zip("abc", row, strict=True)) for row in table.tolist()]
        chosen = rows[in_order(rows, ("b", "a", "c"))]
        assert (chosen["b"], chosen["a"], chosen["c"]) == min((r["b"], r["a"], r["c"]) for r in rows)
        loose = rows[in_order(rows, ("b", "c"), slack=1.0)]
        near = [r for r in rows if r["b"] <= 2 * table[:, 1].min() * (1 + 1e-5)]
        assert loose["c"] <= 2 * min(r["c"] for r in near) * (1 + 1e-5)
        assert loose in near
