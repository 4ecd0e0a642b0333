"""Intervals against figures of others, and whether they cover what they say."""

from __future__ import annotations

import numpy as np
import pytest

from placid.errors import InputError
from placid.splitting.measuring import accuracy_interval, over_images, over_seeds


def test_wilson_as_in_the_literature() -> None:
    """81 of 263: Newcombe (1998), table I."""
    found = over_images(81 / 263, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    found = over_images(0.0, 20)
    assert found.low == 0.0
    assert round(found.high, 4) == 0.1611
    assert over_images(1.0, 20).high == 1.0


def test_student_by_hand() -> None:
    found = over_seeds([0.90, 0.91, 0.92])
    assert found.value == pytest.approx(0.91)
    assert found.high - found.value == pytest.approx(4.30265 * 0.01 / 3**0.5, rel=1e-5)


def test_both_together_are_wider_than_each() -> None:
    seeds = [0.90, 0.91, 0.92]
    both, images, trained = accuracy_interval(seeds, 10_000), over_images(0.91, 10_000), over_seeds(seeds)
    assert both.low < min(images.low, trained.low)
    assert both.high > max(images.high, trained.high)
    assert accuracy_interval([0.91], 500) == over_images(0.91, 500)
    same = accuracy_interval([0.91, 0.91, 0.91], 500)
    assert same.low == pytest.approx(over_images(0.91, 500).low)
    assert accuracy_interval([0.999, 1.0], 100).high <= 1.0


@pytest.mark.parametrize("seeds", [1, 3])
def test_what_is_covered(seeds: int) -> None:
    """Networks of random skill on images of random difficulty: the true mean lies inside as often as promised."""
    rng = np.random.default_rng(0)
    spread = 0.0 if seeds == 1 else 0.3
    truth = 1 / (1 + np.exp(-(2 + rng.normal(0, 1.5, 400_000) + spread * rng.normal(0, 1, 400_000))))
    inside = 0
    for _ in range(800):
        ease = rng.normal(0, 1.5, 400)
        skill = 2 + spread * rng.normal(0, 1, seeds)
        right = rng.random((seeds, 400)) < 1 / (1 + np.exp(-(skill[:, None] + ease)))
        found = accuracy_interval(list(right.mean(1)), 400)
        inside += found.low <= truth.mean() <= found.high
    assert inside / 800 > 0.93


def test_nothing_to_go_by() -> None:
    with pytest.raises(InputError, match="at least one seed"):
        accuracy_interval([], 10)
    with pytest.raises(InputError, match="at least two"):
        over_seeds([0.9])
    with pytest.raises(InputError, match="at least one image"):
        over_images(0.9, 0)
    with pytest.raises(InputError, match="in"):
        over_images(91.0, 10)
