"""Fronts as values: what is kept, what is packed, what goes through a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from placid.errors import InputError
from placid.objectives import Front, Point
from placid.objectives.front_file import read_front, write_front


def front(vectors: list[list[float]], items: int = 11) -> Front:
    rng = np.random.default_rng(0)
    made = [
        Point(np.array(v), rng.random(4), rng.random(items) < 0.5, f"by {i}") for i, v in enumerate(vectors)
    ]
    return Front.of(made, ("latency_s", "error"), items)


def test_what_counts_decides_what_is_efficient() -> None:
    few = front([[2, 1, 0, 0], [1, 2, 9, 9], [2, 2, 0, 0], [1, 2, 5, 5]]).efficient()
    assert few.found_by == ("by 1", "by 0")
    assert few.axes.tolist() == [[1, 2], [2, 1]]
    assert len(front([]).efficient()) == 0


def test_round_off_makes_no_front() -> None:
    few = front([[1.0, 0.1, 0, 0], [9.0, 0.1 - 1e-9, 0, 0], [9.0, 0.09, 0, 0]]).efficient()
    assert few.found_by == ("by 0", "by 2")


def test_placements_come_back_from_bits_and_files(tmp_path: Path) -> None:
    one = front([[2, 1, 0, 0], [1, 2, 0, 0]])
    assert one.packed.shape == (2, 2)
    write_front(tmp_path / "deep" / "front.npz", one)
    two = read_front(tmp_path / "deep" / "front.npz")
    for name in ("points", "weights", "packed", "supported", "proven"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    assert (one.found_by, one.objectives, one.routing) == (two.found_by, two.objectives, two.routing)
    rng = np.random.default_rng(0)
    rng.random(4)
    assert np.array_equal(two.placed(0), rng.random(11) < 0.5)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["front.npz"]


def test_hypervolume_is_a_share_of_the_box() -> None:
    one = front([[0.5, 0.5, 7, 7]])
    assert one.hypervolume(np.array([1.0, 1.0, 0.0, 0.0])) == 0.25
    with pytest.raises(InputError, match="above 0"):
        one.hypervolume(np.zeros(4))


def test_arrays_that_do_not_fit_are_refused() -> None:
    one = front([[1, 1, 1, 1]])
    with pytest.raises(InputError, match="do not fit together"):
        Front(one.points, one.weights, one.packed, 99, ("x",), one.supported, one.proven, ("error",))
    with pytest.raises(InputError, match="unknown routing"):
        Front.of([], ("error",), 3, routing="worst")
