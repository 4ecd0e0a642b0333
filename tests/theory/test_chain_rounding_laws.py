"""What roundings of columns keep, exactly: every outcome of a draw with its probability, by a plain version of each.

That the compiled roundings have these laws is tested too.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
import pytest
from comparators import rounded_law

from placid.placement.rounding import CHAIN_ROUNDINGS, ChainRounding, SharedDraws, TopDown
from placid.placement.rounding.shared import coverage, overflow
from placid.randomness import stream
from placid.testing.gadgets import Gadget, random_gadget

Law = Iterator[tuple[float, frozenset[int]]]


def small(seed: int, most: int = 7) -> Gadget:
    """A random gadget of a few columns."""
    for k in range(1000):
        gadget = random_gadget(np.random.default_rng([seed, k]), roomy=False, tiers=seed % 5 == 4)
        if len(gadget.columns) <= most:
            return gadget
    raise AssertionError


def ancestors(gadget: Gadget, n: int) -> list[int]:
    found = [n]
    while gadget.columns.parent[found[-1]] >= 0:
        found.append(int(gadget.columns.parent[found[-1]]))
    return found


def shared_law(gadget: Gadget) -> Law:
    """`SharedDraws`: which columns are wanted, and in which order their trees come, each order as likely as another."""
    columns = gadget.columns
    m = columns.least(gadget.z)
    up = [ancestors(gadget, n) for n in range(len(columns))]
    chance = np.array(
        [m[n] / m[up[n][1]] if len(up[n]) > 1 and m[up[n][1]] > 0 else m[n] for n in range(len(m))]
    )
    for bits in product((False, True), repeat=len(m)):
        p = float(np.prod(np.where(bits, chance, 1 - chance)))
        if p == 0.0:
            continue
        wanted = [n for n in range(len(m)) if all(bits[a] for a in up[n])]
        roots = [n for n in wanted if len(up[n]) == 1]
        orders = list(permutations(roots))
        for order in orders:
            yield p / len(orders), _repaired(gadget, wanted, order, up)


def _repaired(
    gadget: Gadget, wanted: list[int], order: tuple[int, ...], up: list[list[int]]
) -> frozenset[int]:
    columns, problem = gadget.columns, gadget.problem
    kept: set[int] = set()

    def fits(more: set[int]) -> bool:
        items = {int(columns.item[n]) for n in more}
        used = np.zeros(problem.node_count, np.int64)
        for e in items:
            used[problem.item_node[e]] += problem.item_size_bytes[e]
        return bool((used <= problem.budget_bytes).all())

    for root in order:
        mine = sorted((n for n in wanted if up[n][-1] == root), key=lambda n: (len(up[n]), n))
        for n in mine:
            if (len(up[n]) == 1 or up[n][1] in kept) and fits(kept | {n}):
                kept.add(n)
        useful = {a for n in kept & set(mine) if n in columns.leaf for a in up[n]}
        kept -= set(mine) - useful
    return frozenset(kept)


def top_down_law(gadget: Gadget) -> Law:
    """`TopDown`: node after node, the parts of a plan on one node one after the other."""
    columns, problem = gadget.columns, gadget.problem
    node = columns.lifted.item_node
    m = columns.least(gadget.z)
    up = [ancestors(gadget, n) for n in range(len(columns))]
    level = [sum(1 for _ in _while_at(node, up[n])) - 1 for n in range(len(m))]
    weight = {n: _weight(gadget, n, m, up, node) for n in range(len(m))}
    groups = sorted({(int(problem.node_hops[node[n]]), int(node[n]), level[n]) for n in range(len(m))})

    def draw(at: int, kept: frozenset[int]) -> Law:
        if at == len(groups):
            yield 1.0, kept
            return
        _, v, floor = groups[at]
        mine = [n for n in range(len(m)) if node[n] == v and level[n] == floor]
        room = int(
            problem.budget_bytes[v] - sum(columns.lifted.item_size_bytes[n] for n in kept if node[n] == v)
        )
        q = np.zeros(len(mine))
        for i, n in enumerate(mine):
            if columns.lifted.item_size_bytes[n] <= room and m[n] > 0:
                if len(up[n]) == 1:
                    q[i] = m[n]
                elif up[n][1] in kept:
                    q[i] = m[n] / m[up[n][1]]
        size = np.array([min(weight[n], float(room)) if q[i] > 0 else 1.0 for i, n in enumerate(mine)])
        q = q * min(1.0, room / max(float(size @ q), 1e-300))
        for p, x in rounded_law(q, size, room * (1 + 1e-9), reserve=False):
            for rest, done in draw(
                at + 1, kept | {n for n, there in zip(mine, x, strict=True) if there > 0.5}
            ):
                yield p * rest, done

    return draw(0, frozenset())


def _while_at(node: np.ndarray, chain: list[int]) -> Iterator[int]:
    for n in chain:
        if node[n] != node[chain[0]]:
            return
        yield n


def _weight(gadget: Gadget, n: int, m: np.ndarray, up: list[list[int]], node: np.ndarray) -> float:
    """Expected bytes on the node of n once it is there."""
    size = gadget.columns.lifted.item_size_bytes
    below = [c for c in range(len(m)) if n in _while_at(node, up[c]) and m[c] > 0 and c != n]
    return float(size[n]) + sum(float(size[c]) * m[c] / m[n] for c in below)


LAWS = {TopDown: top_down_law, SharedDraws: shared_law}


def expected(gadget: Gadget, law: Law) -> float:
    total = mean = 0.0
    for p, kept in law:
        drawn = np.zeros((1, len(gadget.columns)), bool)
        drawn[0, list(kept)] = True
        total += p
        mean += p * float(gadget.columns.gains(gadget.demand, gadget.share, drawn)[0])
    assert total == pytest.approx(1.0)
    return mean


def check_exactly(make: type[ChainRounding], seeds: range, draws: int, most: int) -> list[float]:
    """Expectations against the promise, exactly, and the compiled draws against the law."""
    ratios = []
    for seed in seeds:
        gadget = small(seed, most)
        rounding = make(gadget.columns, gadget.problem.node_hops)
        mean = expected(gadget, LAWS[make](gadget))
        promised = rounding.least_ratio(gadget.z, gadget.problem.budget_bytes, gadget.share)
        assert mean >= promised * gadget.gain - 1e-12, (seed, gadget.kind, mean / gadget.gain, promised)
        ratios.append(mean / gadget.gain)
        drawn = rounding.sample(gadget.z, gadget.problem.budget_bytes, stream(seed), draws)
        gains = gadget.columns.gains(gadget.demand, gadget.share, drawn)
        most_gain = gadget.columns.gain(gadget.demand, gadget.share, np.ones(len(gadget.columns)))
        error = 5.5 * np.sqrt(max(gains.var(), mean * most_gain / draws) / draws) + 1e-9
        assert abs(gains.mean() - mean) <= error + 20 * most_gain / draws * (mean < most_gain / draws), seed
    return ratios


@pytest.mark.parametrize("make", LAWS, ids=lambda make: make.name)
def test_expectations_keep_the_promise_exactly(make: type[ChainRounding]) -> None:
    ratios = check_exactly(make, range(25), 20_000, most=5)
    assert min(ratios) < 0.95


@pytest.mark.slow
@pytest.mark.parametrize("make", LAWS, ids=lambda make: make.name)
def test_expectations_keep_the_promise_exactly_on_many(make: type[ChainRounding]) -> None:
    check_exactly(make, range(1000, 1400), 5000, most=6)


def test_every_rounding_of_columns_has_its_law_here() -> None:
    assert set(LAWS) == set(CHAIN_ROUNDINGS.values())


def test_chance_covers_what_is_said() -> None:
    np.testing.assert_allclose([coverage(k) for k in range(4)], [1.0, 0.632, 0.469, 0.374], atol=5e-4)


def test_sums_overflow_no_more_often_than_the_bound_says() -> None:
    """Sums of a few numbers in [0, 1], each 0 or something of its own, by every outcome."""
    rng = np.random.default_rng(0)
    near = 0.0
    for _ in range(200):
        n = int(rng.integers(1, 9))
        size, p = rng.random(n) ** rng.choice([0.1, 1.0]), rng.random(n) * rng.choice([0.2, 1.0])
        room = float(rng.uniform(0.0, 1.2) * size.sum()) + 1e-6
        bits = np.array(list(product((0, 1), repeat=n)))
        chance = np.where(bits == 1, p, 1 - p).prod(axis=1)
        exact = float(chance[bits @ size > room].sum())
        bound = float(overflow(np.array([p @ size]), room)[0])
        assert exact <= bound + 1e-12
        near = max(near, exact / bound if bound else 0.0)
    assert near > 0.5
    # Poisson's own tail, with mean and room large enough for round-off to show
    for mean, room in ((900.0, 1000.0), (5000.0, 5200.5)):
        tail = (rng.poisson(mean, 100_000) > room).mean()
        assert tail <= overflow(np.array([mean]), room)[0] <= 0.2
