from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from placid.errors import InputError, UnknownNameError
from placid.workload import RequestTypes, TrafficMatrices, zipf

GRID = RequestTypes.grid(["a", "b"], ["x", "y", "z"])
#: c is no ingress: what it sends does not count, what it is sent does
DAY = {("a", "b"): 10.0, ("a", "c"): 20.0, ("b", "a"): 10.0, ("c", "a"): 500.0}
NIGHT = {("a", "b"): 5.0, ("b", "c"): 15.0}


def test_row_sums_give_the_weights_and_the_rate_is_kept() -> None:
    load = TrafficMatrices(GRID, DAY, rate_per_s=8.0, slot_s=5.0, exponent=1.0)
    np.testing.assert_allclose(load.rate_of, [[6.0, 2.0]])
    np.testing.assert_allclose(load.expected(3).reshape(2, 3), np.outer([30.0, 10.0], zipf(3, 1.0)))


def test_several_matrices_follow_each_other_and_keep_the_mean_rate() -> None:
    load = TrafficMatrices(GRID, [DAY, NIGHT], rate_per_s=6.0, slot_s=1.0, every_slots=2)
    totals = [load.expected(slot).sum() for slot in range(8)]
    assert totals == pytest.approx([8, 8, 4, 4, 8, 8, 4, 4])
    at_b = [load.expected(slot)[3:].sum() for slot in (0, 2)]
    assert at_b == pytest.approx([2.0, 3.0])


def test_mappings_and_arrays_agree() -> None:
    names = ("c", "a", "b")
    array = np.zeros((2, 3, 3))
    for t, matrix in enumerate((DAY, NIGHT)):
        for (source, destination), value in matrix.items():
            array[t, names.index(source), names.index(destination)] = value
    from_array = TrafficMatrices(GRID, array, 6.0, nodes=names)
    from_mapping = TrafficMatrices(GRID, (DAY, NIGHT), 6.0)
    np.testing.assert_allclose(from_array.rate_of, from_mapping.rate_of)
    single = TrafficMatrices(GRID, array[0], 6.0, nodes=names)
    np.testing.assert_allclose(single.rate_of, [[4.5, 1.5]])


def test_counts_follow_the_expected_ones() -> None:
    load = TrafficMatrices(GRID, [DAY, NIGHT], rate_per_s=30.0, slot_s=1.0, ranks="per ingress")
    for first in (0, 1):
        drawn = np.mean([load.demand(slot, 2) for slot in range(first, 2000, 2)], axis=0)
        expected = load.expected(first)
        assert (np.abs(drawn - expected) <= 5 * np.sqrt(expected / 1000)).all()


@pytest.mark.parametrize(
    ("matrices", "nodes", "message"),
    [
        ([], (), r"expected an array of shape \[V, V\] or \[T, V, V\], got \(0,\)"),
        ({}, (), "matrix 0: unknown ingress node 'a'"),
        (
            {("a", "b"): -1.0},
            (),
            "matrix 0: traffic from 'a' to 'b' must be a finite number of at least 0, got -1.0",
        ),
        ([DAY, {("a", "b"): float("nan")}], (), "matrix 1: traffic from 'a' to 'b' must be .* got nan"),
        (
            {("a", "b"): "much"},
            (),
            "traffic from 'a' to 'b' must be a finite number of at least 0, got 'much'",
        ),
        ({"a-b": 1.0}, (), r"matrix 0: expected \(source, destination\) as key, got 'a-b'"),
        ({("a", "c"): 1.0}, (), "unknown ingress node 'b'"),
        ({("c", "a"): 1.0, ("c", "b"): 1.0}, (), "no ingress node sends any traffic"),
        (np.ones((2, 3)), ("a", "b"), r"expected an array of shape .* got \(2, 3\)"),
        (np.ones((2, 2)), ("a",), "'nodes' must name the 2 rows of the array, got 1 names"),
        (np.ones((2, 2)), ("a", "c"), "unknown ingress node 'b'"),
        ([[0, 1], [-2, 0]], ("a", "b"), "matrix 0: traffic from 'b' to 'a' must be .* got -2.0"),
        ("SNDlib", (), "expected one or several mappings"),
    ],
)
def test_wrong_matrices_are_told(matrices: Any, nodes: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=rf"^workload 'traffic-matrices', field 'matrices'.*{message}"):
        TrafficMatrices(GRID, matrices, 1.0, nodes=nodes)


def test_wrong_settings_are_told() -> None:
    with pytest.raises(InputError, match="field 'every_slots': expected a whole number of at least 1, got 0"):
        TrafficMatrices(GRID, DAY, 1.0, every_slots=0)
    with pytest.raises(UnknownNameError, match="did you mean 'shared'"):
        TrafficMatrices(GRID, DAY, 1.0, ranks="share")
