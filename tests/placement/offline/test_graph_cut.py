"""The cheapest head of a graph, against trying all of them, and against the rule for chains."""

from __future__ import annotations

import numpy as np
import pytest

from placid.errors import InputError
from placid.placement.offline.cut_rule import best_cuts
from placid.placement.offline.graph_cut import best_graph_cut


def drawn(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """A random graph whose operations may be numbered against their order."""
    renumbered = rng.permutation(n)
    arcs = np.array(
        [(renumbered[v], renumbered[w]) for w in range(n) for v in range(w) if rng.random() < 0.4]
    )
    first, second = rng.random(n) * rng.uniform(0.2, 3), rng.random(n) * rng.uniform(0.2, 3)
    first[rng.random(n) < 0.08], second[rng.random(n) < 0.12] = np.inf, np.inf
    crossing = rng.random(n) * 10.0 ** rng.integers(-3, 3)
    crossing[rng.random(n) < 0.1] = np.inf
    return {
        "first_work": first,
        "second_work": second,
        "crossing_bytes": crossing,
        "arcs": arcs.reshape(-1, 2).astype(np.int64),
    }


def cost_of(head: np.ndarray, given: dict[str, np.ndarray], fixed: float, per_byte: float) -> float:
    """By the words of the module, one operation after another."""
    first, second, crossing = (given[k] for k in ("first_work", "second_work", "crossing_bytes"))
    cost = 0.0 if head.all() else fixed
    for v in range(len(head)):
        readers = [w for a, w in given["arcs"] if a == v]
        if not head[v] and any(head[w] for w in readers):
            return np.inf
        cost += first[v] if head[v] else second[v]
        if head[v] and any(not head[w] for w in readers):
            cost += crossing[v] * per_byte
    return float(cost)


@pytest.mark.parametrize("block", range(4))
def test_no_head_is_cheaper(block: int) -> None:
    cut, impossible, on_no_line = 0, 0, 0
    for seed in range(block * 100, block * 100 + 100):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 9))
        given, fixed, per_byte = drawn(rng, n), float(rng.random() * rng.integers(0, 2)), float(rng.random())
        heads = [np.array([bool(i >> v & 1) for v in range(n)]) for i in range(1 << n)]
        least = min(cost_of(h, given, fixed, per_byte) for h in heads)
        if np.isinf(least):
            impossible += 1
            with pytest.raises(InputError, match="no cut is possible"):
                best_graph_cut(**given, fixed=fixed, per_byte=per_byte)
            continue
        found = best_graph_cut(**given, fixed=fixed, per_byte=per_byte)
        assert found.cost == pytest.approx(least, rel=1e-6)
        assert found.cost == pytest.approx(cost_of(found.head, given, fixed, per_byte), rel=1e-12)
        assert found.bound <= least * (1 + 1e-12)
        assert found.bound == pytest.approx(least, rel=1e-6)
        cut += 0 < found.head.sum() < n
        # two operations side by side of which one is in the head: no place in one fixed order says so
        on_no_line += len({int(v) for v, w in given["arcs"] if found.head[v] and not found.head[w]}) > 1
    assert cut > 20
    assert impossible > 3
    assert on_no_line > 2


def test_of_a_chain_it_is_the_cut_rule() -> None:
    interior = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        layers = int(rng.integers(1, 12))
        work, crossing = rng.random((2, layers)) * [[1], [0.3]], rng.random(layers) * 3
        fixed, per_byte = rng.random(), 10.0 ** rng.integers(-6, 1)
        chain = best_cuts(work, crossing, np.array([fixed]), np.array([per_byte]))
        graph = best_graph_cut(
            np.concatenate(([0.0], work[0])),
            np.concatenate(([np.inf], work[1])),
            np.concatenate((crossing, [0.0])),
            np.array([(i, i + 1) for i in range(layers)]),
            fixed=fixed,
            per_byte=per_byte,
        )
        assert graph.cost == pytest.approx(chain.cost, rel=1e-6)
        assert graph.head.sum() - 1 == chain.cuts[0]
        interior += 0 < chain.cuts[0] < layers
    assert interior > 20


def test_branches_are_cut_where_each_is_thin() -> None:
    """Input -> two branches of two operations -> join: each branch's first makes little, its second much."""
    arcs = np.array([(0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 5)])
    first, second = np.array([0, 1, 1, 5, 5, 5.0]), np.array([np.inf, 0.1, 0.1, 0.1, 0.1, 0.1])
    crossing = np.array([10, 1, 1, 10, 10, 0.0])
    found = best_graph_cut(first, second, crossing, arcs)
    assert found.head.tolist() == [True, True, True, False, False, False]
    assert found.cost == pytest.approx(2 + 2 + 0.3)
    # 0 is read by both branches and crosses once
    cheap = best_graph_cut(first * 20, second, crossing, arcs)
    assert cheap.head.tolist() == [True] + 5 * [False]
    assert cheap.cost == pytest.approx(10 + 0.5)


def test_what_has_gone_up_does_not_come_down() -> None:
    """The second node is far better at 1, the first at 2, which reads from 1 and nothing else."""
    found = best_graph_cut(
        np.array([0, 9, 1.0]), np.array([np.inf, 1, 8.0]), np.array([1, 1, 0.0]), np.array([(0, 1), (1, 2)])
    )
    assert found.head.tolist() in ([True, True, True], [True, False, False])
    assert found.cost == pytest.approx(10)


def test_orders_hold_though_nothing_is_read() -> None:
    first, second = np.array([0, 1, 9.0]), np.array([np.inf, 9, 1.0])
    arcs, crossing = np.array([(0, 1), (0, 2)]), np.array([1, 0, 0.0])
    free = best_graph_cut(first, second, crossing, arcs)
    assert free.head.tolist() == [True, True, False]
    held = best_graph_cut(first, second, crossing, arcs, orders=np.array([(2, 1)]))
    assert held.cost == pytest.approx(10)
    assert not held.head[1] or held.head[2]


def test_a_cheap_cut_beside_dear_ones_is_found_to_the_end() -> None:
    """Whole numbers of 32 bits, costs over twelve orders of magnitude."""
    n = 12
    arcs = np.array([(i, i + 1) for i in range(n - 1)])
    first, second = np.full(n, 1e6), np.full(n, 1e-6)
    first[0], second[0] = 0, np.inf
    first[1] = 3e-6
    crossing = np.full(n, 1e6)
    crossing[1] = 1e-6
    second[-1] = 2.5e-6
    found = best_graph_cut(first, second, crossing, arcs)
    assert found.head.sum() == 2
    assert found.cost == pytest.approx(3e-6 + 1e-6 + 9e-6 + 2.5e-6, rel=1e-9)
    assert found.bound == pytest.approx(found.cost, rel=1e-6)


def test_nothing_costs_anything() -> None:
    found = best_graph_cut(np.zeros(3), np.array([np.inf, 0, 0]), np.zeros(3), np.array([(0, 1), (1, 2)]))
    assert (found.cost, found.bound, found.head.tolist()) == (0, 0, [True, False, False])
    second = np.array([np.inf, 1e-12, 1e-12])
    found = best_graph_cut(np.zeros(3), second, np.zeros(3), np.array([(0, 1), (1, 2)]))
    assert (found.cost, found.bound, found.head.tolist()) == (0, 0, [True, True, True])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"second_work": np.ones(2)}, "as many figures of work"),
        ({"first_work": -np.ones(3)}, "work of a graph to part must be numbers"),
        ({"crossing_bytes": np.array([np.nan, 1, 1])}, "bytes of a graph to part must be numbers"),
        ({"arcs": np.array([(0, 3)])}, "go between operations 0 to 2, got 3"),
        ({"arcs": np.array([0.5, 1.0])}, r"pairs of whole numbers \[m, 2\]"),
        ({"arcs": np.array([(0, 1), (1, 2), (2, 1)])}, "in a circle at operation 1"),
        ({"per_byte": np.inf}, "costs of a link must be numbers of at least 0"),
    ],
)
def test_mistakes_are_named(wrong: dict[str, np.ndarray], says: str) -> None:
    right = {
        "first_work": np.ones(3),
        "second_work": np.ones(3),
        "crossing_bytes": np.ones(3),
        "arcs": np.array([(0, 1), (1, 2)]),
    }
    with pytest.raises(InputError, match=says):
        best_graph_cut(**{**right, **wrong})
