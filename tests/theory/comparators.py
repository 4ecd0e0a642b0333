"""What policies are held against, computed another way: the best in hindsight, and the exact law of a rounding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, relaxed_gain


def best_fractional(problem: Problem, demands: Sequence[np.ndarray], budget: np.ndarray) -> float:
    """The most that fixed fractions within `budget` gain over `demands`: one linear program, HiGHS.

    Variables: the fractions, and for every slot and type the part of its demand that each option takes, at most
    share * fraction each and 1 together; the cheapest fill is optimal, so its value is the concave gain.
    """
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    limit: list[float] = []
    cost = [0.0] * problem.item_count

    def add(entries: list[tuple[int, float]], at_most: float) -> None:
        for column, value in entries:
            rows.append(len(limit))
            columns.append(column)
            values.append(value)
        limit.append(at_most)

    for demand in demands:
        share = potential_share(problem, demand)
        for r in range(problem.type_count):
            options = range(int(problem.option_ptr[r]), int(problem.option_ptr[r + 1]))
            if demand[r] <= 0 or not options:
                continue
            first = len(cost)
            for k, o in enumerate(options):
                e = int(problem.option_item[o])
                cost.append(-float(demand[r] * problem.option_saving[o]))
                add([(first + k, 1.0), (e, -float(share[e]))], 0.0)
            add([(first + k, 1.0) for k in range(len(options))], 1.0)
    for v in range(problem.node_count):
        items = range(int(problem.node_ptr[v]), int(problem.node_ptr[v + 1]))
        add([(e, float(problem.item_size_bytes[e])) for e in items], float(budget[v]))
    upper = np.ones(len(cost))
    upper[: problem.item_count] = problem.placeable
    matrix = coo_matrix((values, (rows, columns)), shape=(len(limit), len(cost))).tocsr()
    found = linprog(cost, matrix, limit, bounds=np.column_stack((np.zeros(len(cost)), upper)), method="highs")
    assert found.status == 0, found.message
    return -float(found.fun)


def best_static(problem: Problem, demands: Sequence[np.ndarray], budget: np.ndarray) -> float:
    """The most that one placement within `budget` gains over `demands`, by trying them all."""
    best = 0.0
    for bits in product((False, True), repeat=problem.item_count):
        placed = np.array(bits)
        used = np.bincount(
            problem.item_node[placed], problem.item_size_bytes[placed], minlength=problem.node_count
        )
        if (used <= budget).all():
            best = max(best, total_gain(problem, demands, [placed.astype(np.float64)] * len(demands)))
    return best


def total_gain(problem: Problem, demands: Sequence[np.ndarray], ys: Sequence[np.ndarray]) -> float:
    """The concave gain of `ys` over `demands`, slot by slot."""
    return sum(
        relaxed_gain(problem, demand, potential_share(problem, demand), y)
        for demand, y in zip(demands, ys, strict=True)
    )


def pivotal_law(y: np.ndarray, size: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
    """Linear-order pivotal rounding of one node, every outcome with its probability; at most one entry stays fractional.

    Written from the definition, sharing no code with the package: two fractional items trade bytes until one of them is
    whole, either way with the probability that keeps both means.
    """
    open_ = [i for i in range(len(y)) if 1e-12 < y[i] < 1 - 1e-12]
    if len(open_) < 2:
        yield 1.0, y
        return
    a, b = open_[:2]
    up = min((1 - y[a]) * size[a], y[b] * size[b])
    down = min(y[a] * size[a], (1 - y[b]) * size[b])
    for moved, probability in ((up, down / (up + down)), (-down, up / (up + down))):
        after = y.copy()
        after[a] += moved / size[a]
        after[b] -= moved / size[b]
        after[np.abs(after) < 1e-12] = 0.0
        after[np.abs(after - 1) < 1e-12] = 1.0
        for rest, x in pivotal_law(after, size):
            yield probability * rest, x


def rounded_law(
    y: np.ndarray, size: np.ndarray, budget: float, *, reserve: bool
) -> Iterator[tuple[float, np.ndarray]]:
    """The law of `DepRound` at one node: pivotal rounding, then what its mode makes of the item left over."""
    for probability, x in pivotal_law(y, size):
        left = np.flatnonzero((x > 0) & (x < 1))
        if not len(left):
            yield probability, x
            continue
        j = int(left[0])
        phi = float(x[j])
        rest = x.copy()
        rest[j] = 0.0
        both = rest.copy()
        both[j] = 1.0
        if reserve or size @ both <= budget:
            yield probability * phi, both
            yield probability * (1 - phi), rest
        else:
            yield probability * phi / (1 + phi), made_room(both, j, size, budget)
            yield probability / (1 + phi), rest


def made_room(x: np.ndarray, keep: int, size: np.ndarray, budget: float) -> np.ndarray:
    """`x` less the smallest item that makes it fit, or, while none does alone, the largest; `keep` stays."""
    x = x.copy()
    while size @ x > budget:
        there = [i for i in np.flatnonzero(x) if i != keep]
        enough = [i for i in there if size[i] >= size @ x - budget]
        x[min(enough, key=lambda i: size[i]) if enough else max(there, key=lambda i: size[i])] = 0.0
    return x


def placement_law(problem: Problem, y: np.ndarray, *, reserve: bool) -> Iterator[tuple[float, np.ndarray]]:
    """The law of a whole placement drawn from `y` by `DepRound`: nodes are independent."""
    spans = [slice(problem.node_ptr[v], problem.node_ptr[v + 1]) for v in range(problem.node_count)]
    laws = [
        list(rounded_law(y[s], problem.item_size[s], float(problem.budget_bytes[v]), reserve=reserve))
        for v, s in enumerate(spans)
    ]
    for outcome in product(*laws):
        yield float(np.prod([p for p, _ in outcome])), np.concatenate([x for _, x in outcome])


def expected_gain(problem: Problem, demand: np.ndarray, y: np.ndarray, *, reserve: bool) -> float:
    """The expected gain of a placement drawn from `y` by `DepRound`, exactly."""
    share = potential_share(problem, demand)
    return sum(
        p * relaxed_gain(problem, demand, share, x) for p, x in placement_law(problem, y, reserve=reserve)
    )
