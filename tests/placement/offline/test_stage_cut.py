"""The shortest slowest stage, against trying all heads; its bound holds; the rate decides between latency and throughput."""

from __future__ import annotations

import numpy as np
import pytest

from placid.errors import InputError
from placid.placement.offline.graph_cut import best_graph_cut
from placid.placement.offline.stage_cut import best_stage_cut, cut_for_rate


def drawn(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 10))
    reads = [int(rng.integers(0, max(1, w))) for w in range(n)]
    arcs = np.array([(v, w) for w in range(1, n) for v in range(w) if rng.random() < 0.2 or v == reads[w]])
    first, second = rng.random(n) * rng.uniform(0.2, 3), rng.random(n) * rng.uniform(0.2, 3)
    first[0], second[0] = 0, np.inf
    return {
        "first_work": first,
        "second_work": second,
        "crossing_bytes": rng.random(n) * rng.uniform(0.2, 3),
        "arcs": arcs,
    }


def stages_of(head: np.ndarray, given: dict[str, np.ndarray], per_byte: float) -> tuple[float, float, float]:
    link = sum(
        given["crossing_bytes"][v] * per_byte
        for v in range(len(head))
        if head[v] and any(not head[w] for a, w in given["arcs"] if a == v)
    )
    return float(given["first_work"][head].sum()), float(link), float(given["second_work"][~head].sum())


def all_heads(given: dict[str, np.ndarray]) -> list[np.ndarray]:
    n = len(given["first_work"])
    heads = [np.array([bool(i >> v & 1) for v in range(n)]) for i in range(1 << n)]
    return [h for h in heads if h[0] and not any(h[w] and not h[v] for v, w in given["arcs"])]


def test_the_bound_holds_and_the_answer_is_within_three() -> None:
    exact, ratios, weighted, better = 0, [], [], 0
    for seed in range(100):
        given, per_byte = drawn(seed), 0.7
        least = min(max(stages_of(h, given, per_byte)) for h in all_heads(given))
        found = best_stage_cut(**given, per_byte=per_byte, tolerance=0.0)
        assert found.stages == pytest.approx(stages_of(found.head, given, per_byte), rel=1e-12)
        assert any((found.head == h).all() for h in all_heads(given))
        assert found.bound <= least * (1 + 1e-9)
        assert least <= found.slowest * (1 + 1e-9)
        ratios.append(found.slowest / least)
        exact += found.slowest <= least * (1 + 1e-9)
        alone = best_stage_cut(**given, per_byte=per_byte, tolerance=0.0, between=False)
        weighted.append(alone.slowest / least)
        assert alone.bound == found.bound
        latency = best_graph_cut(**given, per_byte=per_byte)
        better += found.slowest < max(stages_of(latency.head, given, per_byte)) - 1e-9
    assert max(weighted) <= 3
    # far better than the guarantee, and than taking the head of least latency
    assert np.mean(ratios) < 1.03
    assert np.mean(weighted) > 1.04, "weights alone leave more"
    assert exact > 75
    assert better > 40


def test_of_a_chain_it_is_the_best_cut() -> None:
    for seed in range(100):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(2, 15))
        first, second = rng.random(n), np.concatenate(([np.inf], rng.random(n - 1)))
        sent, arcs = rng.random(n), np.array([(i, i + 1) for i in range(n - 1)])
        sent[rng.random(n) < 0.2] = np.inf
        least = min(
            max(first[:c].sum(), sent[c - 1] if c < n else 0, second[c:].sum()) for c in range(1, n + 1)
        )
        assert best_stage_cut(first, second, sent, arcs).slowest <= least * (1 + 1e-3)


def test_a_chain_is_balanced() -> None:
    first, second = np.array([0.0, 1, 1, 1, 1]), np.array([np.inf, 1, 1, 1, 1])
    arcs = np.array([(0, 1), (1, 2), (2, 3), (3, 4)])
    found = best_stage_cut(first, second, np.full(5, 0.1), arcs)
    assert found.head.tolist() == [True, True, True, False, False]
    assert found.bound == pytest.approx(2.0, rel=2e-3)
    # a slow link is the slowest stage of all, so that nothing is sent
    assert best_stage_cut(first, second, np.full(5, 9.0), arcs).stages == (4.0, 0.0, 0.0)


def test_the_rate_chooses_between_latency_and_throughput() -> None:
    """A quick server, half as quick a device: one request alone goes up whole, many are shared."""
    first, second = np.array([0.0, 2, 2]), np.array([np.inf, 1.5, 1.5])
    given = (first, second, np.array([0.1, 0.1, 0.0]), np.array([(0, 1), (1, 2)]))
    light = cut_for_rate(*given, rate_per_s=0.3, fixed=0.5)
    assert light.stages == (0.0, 0.1, 3.0)
    assert light.keeps_up(0.3)
    assert light.bound <= 2.0
    heavy = cut_for_rate(*given, rate_per_s=0.45, fixed=0.5)
    assert heavy.stages == (2.0, 0.1, 1.5)
    assert heavy.keeps_up(0.45)
    assert heavy.latency > light.latency
    beyond = cut_for_rate(*given, rate_per_s=0.6)
    assert not beyond.keeps_up(0.6)
    assert 1 / beyond.bound < 0.6


def test_a_light_bound_holds() -> None:
    for seed in range(60):
        given = drawn(seed)
        least = min(max(stages_of(h, given, 0.7)) for h in all_heads(given))
        assert cut_for_rate(**given, rate_per_s=0.0, fixed=0.3, per_byte=0.7).bound <= least * (1 + 1e-9)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"rate_per_s": -1.0}, "a rate is a number of at least 0"),
        ({"per_byte": -1.0}, "what a byte takes, and a tolerance"),
        ({"arcs": np.array([(0, 1), (1, 0)])}, "in a circle"),
    ],
)
def test_mistakes_are_named(wrong: dict[str, object], says: str) -> None:
    right = {**drawn(0), "rate_per_s": 1.0}
    with pytest.raises(InputError, match=says):
        cut_for_rate(**{**right, **wrong})  # type: ignore[arg-type]
