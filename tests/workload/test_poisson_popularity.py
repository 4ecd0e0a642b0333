from __future__ import annotations

import numpy as np
import pytest

from placid.errors import InputError, UnknownNameError
from placid.workload import Poisson, RequestTypes, SlidingPopularity, zipf

GRID = RequestTypes.grid(["a", "b", "c"], [f"t{j}" for j in range(8)])


def sample_mean(workload: Poisson | SlidingPopularity, slots: range, seed: int = 11) -> np.ndarray:
    return np.mean([workload.demand(slot, seed) for slot in slots], axis=0)


def test_zipf_follows_its_law() -> None:
    law = zipf(5, 1.5)
    assert law.sum() == pytest.approx(1)
    np.testing.assert_allclose(law / law[0], [k**-1.5 for k in (1, 2, 3, 4, 5)])
    np.testing.assert_allclose(zipf(4, 0), 0.25)


def test_expected_is_rate_times_weight_times_zipf() -> None:
    load = Poisson(GRID, rate_per_s=6.0, exponent=1.0, slot_s=20.0, weights=(3, 2, 1))
    harmonic = sum(1 / k for k in range(1, 9))
    for r, (node, task) in enumerate(zip(GRID.ingress, GRID.task, strict=True)):
        rank = int(task[1:]) + 1
        weight = {"a": 3, "b": 2, "c": 1}[node] / 6
        assert load.expected(4)[r] == pytest.approx(6.0 * 20.0 * weight / rank / harmonic)


def test_counts_are_poisson_around_the_expected_ones() -> None:
    load = Poisson(GRID, rate_per_s=30.0, slot_s=2.0, weights={"c": 1.0, "a": 5.0, "b": 0.0})
    slots = 3000
    drawn = np.array([load.demand(slot, seed=5) for slot in range(slots)])
    expected = load.expected(0)
    # 5 standard errors: 24 types pass by chance but once in some 100,000 seeds, and the seed is fixed
    assert (np.abs(drawn.mean(axis=0) - expected) <= 5 * np.sqrt(expected / slots)).all()
    asked = expected > 0
    np.testing.assert_allclose(drawn.var(axis=0)[asked] / expected[asked], 1, atol=0.2)
    assert not drawn[:, GRID.node_of == 1].any()


def test_weights_by_name_and_by_order_agree() -> None:
    by_name = Poisson(GRID, 6.0, weights={"c": 1, "b": 2, "a": 3})
    by_order = Poisson(GRID, 6.0, weights=(3, 2, 1))
    assert by_name == by_order
    assert by_name.weights == pytest.approx((1 / 2, 1 / 3, 1 / 6))


def test_ranks_per_ingress_permute_each_node_alone() -> None:
    shared = Poisson(GRID, 6.0).expected(0).reshape(3, 8)
    own = Poisson(GRID, 6.0, ranks="per ingress", ranks_seed=1).expected(0).reshape(3, 8)
    np.testing.assert_allclose(np.sort(own, axis=1), np.sort(shared, axis=1))
    assert len({tuple(np.argsort(-row)) for row in own}) == 3
    other = Poisson(GRID, 6.0, ranks="per ingress", ranks_seed=2).expected(0)
    assert (other != own.ravel()).any()
    # a node keeps its taste when others come or go
    fewer = RequestTypes.grid(["c"], GRID.tasks)
    alone = Poisson(fewer, 2.0, ranks="per ingress", ranks_seed=1).expected(0)
    np.testing.assert_allclose(alone, own[2])


def test_an_ingress_with_fewer_tasks_keeps_its_weight() -> None:
    ragged = RequestTypes(("a", "a", "a", "b"), ("x", "y", "z", "z"))
    load = Poisson(ragged, rate_per_s=1.0, exponent=1.0, slot_s=12.0)
    expected = load.expected(0)
    assert expected[:3].sum() == pytest.approx(6)
    assert expected[3] == pytest.approx(6)


def test_sliding_shifts_exactly() -> None:
    load = SlidingPopularity(GRID, 9.0, shift=3, every_slots=4)
    start = load.expected(0).reshape(3, 8)
    for slot in (0, 3, 4, 7, 8, 31, 32, 1000):
        # the task of rank k has fallen to rank k + 3 per step: the row moves to the left by as much
        steps = slot // 4
        np.testing.assert_allclose(load.expected(slot).reshape(3, 8), np.roll(start, -3 * steps, axis=1))
    top = [int(load.expected(slot)[:8].argmax()) for slot in range(0, 16, 4)]
    assert top == [0, 5, 2, 7]


def test_sliding_comes_back_after_a_full_turn() -> None:
    load = SlidingPopularity(GRID, 9.0, shift=3, every_slots=1, ranks="per ingress")
    np.testing.assert_array_equal(load.expected(0), load.expected(8))
    assert (load.expected(0) != load.expected(1)).any()


def test_sliding_counts_follow_the_expected_ones() -> None:
    load = SlidingPopularity(GRID, 40.0, shift=1, every_slots=500, slot_s=1.0)
    for start in (0, 500, 1500):
        expected = load.expected(start)
        error = np.abs(sample_mean(load, range(start, start + 500)) - expected)
        assert (error <= 5 * np.sqrt(expected / 500)).all()


def test_infida_slides_by_five_tasks_an_hour() -> None:
    load = SlidingPopularity(RequestTypes.grid(["a"], [f"t{j}" for j in range(20)]), 1.0)
    assert [int(load.expected(slot).argmax()) for slot in (0, 59, 60, 120)] == [0, 0, 15, 10]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rate_per_s": -1.0}, "field 'rate_per_s': expected a number of at least 0, got -1.0"),
        ({"rate_per_s": float("nan")}, "field 'rate_per_s': expected a number of at least 0, got nan"),
        ({"rate_per_s": float("inf")}, "field 'rate_per_s': expected a finite number, got inf"),
        ({"rate_per_s": "fast"}, "field 'rate_per_s': expected a number of at least 0, got 'fast'"),
        ({"exponent": -0.1}, "field 'exponent': expected a number of at least 0, got -0.1"),
        ({"slot_s": 0}, "field 'slot_s': expected a finite number above 0, got 0"),
        ({"slot_s": True}, "field 'slot_s': expected a finite number above 0, got True"),
        ({"weights": (1, 2)}, "field 'weights': expected 3 numbers, one per ingress node, got 2"),
        ({"weights": (0, 0, 0)}, "field 'weights': at least one weight must be above 0"),
        ({"weights": (1, -1, 1)}, r"field 'weights\[b\]': expected a number of at least 0, got -1"),
        ({"weights": {"a": 1, "b": 1}}, "field 'weights': has no number for ingress node 'c'"),
        ({"weights": 3}, "field 'weights': expected one number per ingress node, got 3"),
        ({"ranks_seed": 1.5}, "field 'ranks_seed': expected a whole number, got 1.5"),
        ({"requests": RequestTypes((), ())}, "field 'requests': there is no request type"),
        ({"requests": ["a"]}, "field 'requests': expected RequestTypes"),
    ],
)
def test_wrong_settings_are_told(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=f"^workload 'poisson', {message}"):
        Poisson(**({"requests": GRID, "rate_per_s": 1.0} | wrong))  # type: ignore[arg-type]


def test_unknown_names_are_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'per ingress'"):
        Poisson(GRID, 1.0, ranks="per-ingress")
    with pytest.raises(UnknownNameError, match="unknown ingress node 'd'"):
        Poisson(GRID, 1.0, weights={"a": 1, "b": 1, "c": 1, "d": 1})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shift": 0.5}, "field 'shift': expected a whole number, got 0.5"),
        ({"every_slots": 0}, "field 'every_slots': expected a whole number of at least 1, got 0"),
    ],
)
def test_wrong_slides_are_told(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=f"^workload 'sliding', {message}"):
        SlidingPopularity(GRID, 1.0, **wrong)  # type: ignore[arg-type]
