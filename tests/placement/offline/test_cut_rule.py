"""The best cuts of a chain over a path, against trying all of them."""

from __future__ import annotations

from itertools import combinations_with_replacement, pairwise

import numpy as np
import pytest

from placid.errors import InputError
from placid.placement.offline.cut_rule import BestCuts, best_cuts


def all_cuts(
    work: np.ndarray,
    crossing: np.ndarray,
    fixed: np.ndarray,
    per_byte: np.ndarray,
    sizes: np.ndarray,
    memory: np.ndarray,
) -> float:
    nodes, layers = work.shape
    least = np.inf
    for cuts in combinations_with_replacement(range(layers + 1), nodes - 1):
        edges = (0, *cuts, layers)
        if any(sizes[a:b].sum() > memory[j] for j, (a, b) in enumerate(pairwise(edges))):
            continue
        cost = sum(work[j, a:b].sum() for j, (a, b) in enumerate(pairwise(edges)))
        cost += sum(fixed[j] + per_byte[j] * crossing[c] for j, c in enumerate(cuts) if c < layers)
        least = min(least, cost)
    return least


@pytest.mark.parametrize("block", range(4))
def test_no_cuts_are_cheaper(block: int) -> None:
    cut, impossible = 0, 0
    for seed in range(block * 100, block * 100 + 100):
        rng = np.random.default_rng(seed)
        nodes, layers = int(rng.integers(1, 5)), int(rng.integers(1, 9))
        work = rng.random((nodes, layers)) * rng.uniform(0.2, 3, (nodes, 1))
        work[rng.random(work.shape) < 0.1] = np.inf
        crossing, fixed, per_byte = rng.random(layers) * 3, rng.random(nodes - 1), rng.random(nodes - 1)
        sizes = rng.integers(0, 5, layers).astype(float)
        memory = rng.integers(2, 20, nodes).astype(float)
        if seed % 3 == 0:
            memory[:] = np.inf
        least = all_cuts(work, crossing, fixed, per_byte, sizes, memory)
        if np.isinf(least):
            impossible += 1
            with pytest.raises(InputError, match="no cut fits"):
                best_cuts(work, crossing, fixed, per_byte, size_bytes=sizes, memory_bytes=memory)
            continue
        found = best_cuts(work, crossing, fixed, per_byte, size_bytes=sizes, memory_bytes=memory)
        assert found.cost == pytest.approx(least, rel=1e-9)
        assert list(found.cuts) == sorted(found.cuts)
        edges = (0, *found.cuts, layers)
        told = sum(work[j, a:b].sum() for j, (a, b) in enumerate(pairwise(edges)))
        told += sum(fixed[j] + per_byte[j] * crossing[c] for j, c in enumerate(found.cuts) if c < layers)
        assert told == pytest.approx(found.cost, rel=1e-9), "the cuts are those that cost it"
        cut += any(0 < c < layers for c in found.cuts)
    assert cut > 10
    assert impossible > 0


def test_a_case_done_by_hand() -> None:
    work, crossing = np.array([[4.0, 4, 4], [1, 1, 1]]), np.array([8.0, 2, 2])
    assert best_cuts(work, crossing, np.zeros(1), np.ones(1)) == BestCuts((1,), 4 + 2 + 2)
    # a dear link is not worth it, a cheap one takes everything
    assert best_cuts(work, crossing, np.array([9.0]), np.ones(1)) == BestCuts((3,), 12.0)
    assert best_cuts(work, crossing, np.zeros(1), np.array([0.1])) == BestCuts((0,), 0.8 + 3)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"crossing_bytes": np.ones(4)}, "as many sizes of what crosses as layers"),
        ({"fixed": np.zeros(2), "per_byte": np.zeros(2)}, "one link fewer than nodes"),
        ({"work": -np.ones((2, 3))}, "work of cuts must be numbers of at least 0"),
        ({"size_bytes": np.ones(2)}, "as many sizes and memories"),
        ({"crossing_bytes": np.array([np.nan, 1, 1])}, "bytes of cuts must be numbers"),
    ],
)
def test_mistakes_are_named(wrong: dict[str, np.ndarray], says: str) -> None:
    right = {
        "work": np.ones((2, 3)),
        "crossing_bytes": np.ones(3),
        "fixed": np.zeros(1),
        "per_byte": np.zeros(1),
    }
    with pytest.raises(InputError, match=says):
        best_cuts(**{**right, **wrong})
