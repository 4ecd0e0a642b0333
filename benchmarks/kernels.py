"""Kernels against what a careful user would reach for: a generic solver, a plain loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np
from scipy.optimize import minimize_scalar

from benchmarks.instances import infida_36
from benchmarks.table import Row
from placid.placement.offline import Greedy, LinearProgram, LocalSearch
from placid.placement.projections import Entropy
from placid.problem.arrays import Problem
from placid.problem.placement import trim_to_budgets
from placid.problem.serving import serve

__all__ = ["run"]


def run(quick: bool) -> Iterator[Row]:
    """Projection, serving rule, bound."""
    problem, workload = infida_36()
    rng = np.random.default_rng(0)
    y = rng.random(problem.item_count)
    budget = problem.budget_bytes.astype(float)
    placeable = problem.placeable
    entropy = Entropy()

    def ours() -> np.ndarray:
        return entropy.project(y, problem.item_size, problem.node_ptr, budget, placeable)

    def scalar() -> np.ndarray:
        return _project_scipy(problem, y, budget)

    np.testing.assert_allclose(ours(), scalar(), atol=1e-5)
    a, b = _best(ours, 20), _best(scalar, 2)
    yield Row(
        f"entropy projection of {problem.item_count:,} items on {problem.node_count} nodes",
        f"{1e3 * a:.2f} ms",
        f"{1e3 * b:.0f} ms",
        "scipy: a root search per node",
        b / a,
    )
    demand = workload.demand(0, 0)
    placed = trim_to_budgets(problem, rng.random(problem.item_count) < 0.3, rng.random(problem.item_count))
    gain = serve(problem, placed, demand).gain
    np.testing.assert_allclose(_serve_python(problem, placed, demand), gain)
    a, b = (
        _best(lambda: serve(problem, placed, demand), 20),
        _best(lambda: _serve_python(problem, placed, demand), 2),
    )
    yield Row(
        f"serving {int(demand.sum()):,} requests of {problem.type_count} types by {int(placed.sum())} copies",
        f"{1e3 * a:.2f} ms",
        f"{1e3 * b:.0f} ms",
        "the same rule as a Python loop",
        b / a,
    )
    expected = workload.expected(0)
    assert expected is not None
    for solver in (Greedy(), LocalSearch(), LinearProgram()):
        t0 = perf_counter()
        solution = solver.solve(problem, expected)
        took = perf_counter() - t0
        yield Row(
            f"{solver.name}: {problem.option_count:,} options",
            f"{took:.2f} s, gain {1e3 * solution.value / expected.sum():.2f} ms a request, "
            f"at most {100 * solution.gap:.2f} % below the best",
        )


def _project_scipy(problem: Problem, y: np.ndarray, budget: np.ndarray) -> np.ndarray:
    out = np.zeros(len(y))
    for v in range(problem.node_count):
        mine = slice(int(problem.node_ptr[v]), int(problem.node_ptr[v + 1]))
        w, s = np.where(problem.placeable[mine], y[mine], 0.0), problem.item_size[mine]
        if not len(w) or (s * np.minimum(1, w)).sum() <= budget[v]:
            out[mine] = np.minimum(1, w)
            continue
        found = minimize_scalar(
            lambda c, w=w, s=s, b=budget[v]: ((s * np.minimum(1, c * w)).sum() / b - 1) ** 2,
            bounds=(0, 1),
            method="bounded",
            options={"xatol": 1e-14},
        )
        out[mine] = np.minimum(1, found.x * w)
    return out


def _serve_python(problem: Problem, placed: np.ndarray, demand: np.ndarray) -> float:
    left, room = demand.astype(float).tolist(), problem.item_capacity.tolist()
    here = placed.tolist()
    gain = 0.0
    for o in problem.serving_order.tolist():
        e = int(problem.option_item[o])
        if here[e]:
            r = int(problem.option_type[o])
            take = min(left[r], room[e])
            if take > 0:
                left[r] -= take
                room[e] -= take
                gain += take * float(problem.option_saving[o])
    return gain


def _best(work: Callable[[], object], times: int) -> float:
    work()
    took = []
    for _ in range(times):
        t0 = perf_counter()
        work()
        took.append(perf_counter() - t0)
    return min(took)
