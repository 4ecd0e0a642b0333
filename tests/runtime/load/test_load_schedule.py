"""Schedules: every slot by itself, thinned and multiplied exactly again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from placid.errors import InputError
from placid.runtime.load.schedule import Schedule, schedule_of
from placid.workload import Poisson, RequestTypes

TYPES = RequestTypes.grid(["a", "b"], ["t"])
WORKLOAD = Poisson(TYPES, rate_per_s=100.0, slot_s=2.0)


def of(slots: range, share: float = 1.0, seed: int = 1) -> Schedule:
    return schedule_of(WORKLOAD, slots, 2.0, seed, pictures=10, share=share)


def rows(schedule: Schedule) -> set[tuple[float, int, int, int]]:
    columns = (schedule.time_s, schedule.type, schedule.slot, schedule.picture)
    return set(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("share", [0.4, 1.0, 2.5])
def test_a_slot_is_the_same_in_whatever_range_it_is_played(share: float) -> None:
    whole, alone = of(range(2, 6), share), of(range(4, 5), share)
    mine = whole.slot == 4
    np.testing.assert_allclose(whole.time_s[mine] - 2 * 2.0, alone.time_s, atol=1e-12)
    np.testing.assert_array_equal(whole.type[mine], alone.type)
    np.testing.assert_array_equal(whole.picture[mine], alone.picture)
    assert (np.diff(whole.time_s) >= 0).all()
    assert (np.diff(whole.slot) >= 0).all()


def test_a_smaller_share_is_among_a_larger_one() -> None:
    shares = (0.2, 0.5, 1.0, 1.5, 2.0, 2.7)
    found = [rows(of(range(3), share)) for share in shares]
    for smaller, larger in pairwise(found):
        assert smaller < larger


def test_counts_are_thinned_binomially_and_multiplied() -> None:
    slots = range(40)
    demand = np.array([WORKLOAD.demand(slot, 1) for slot in slots])
    for share in (0.3, 2.3):
        found = of(slots, share)
        counts = np.zeros_like(demand)
        np.add.at(counts, (found.slot, found.type), 1)
        whole, part = int(share), share % 1
        extra = counts - whole * demand
        assert ((extra >= 0) & (extra <= demand)).all()
        # each of the n is kept by chance: mean n p, variance n p (1 - p)
        scores = (extra - part * demand) / np.sqrt(demand * part * (1 - part))
        assert abs(scores.mean()) < 4 / np.sqrt(scores.size)
        assert scores.var() == pytest.approx(1.0, abs=0.6)
    twice = of(slots, 2.0)
    np.testing.assert_array_equal(np.bincount(twice.slot), 2 * demand.sum(axis=1))


def test_moments_are_even_within_a_slot_and_pictures_independent_of_them() -> None:
    found = of(range(20), 1.5)
    within = (found.time_s % 2.0) / 2.0
    np.testing.assert_allclose(np.quantile(within, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.03)
    assert abs(np.corrcoef(within, found.picture)[0, 1]) < 0.06
    assert rows(of(range(3), seed=1)) != rows(of(range(3), seed=2))


def test_what_cannot_be_scheduled_is_refused() -> None:
    for wrong in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(InputError, match="a share lies above 0"):
            of(range(1), wrong)
    with pytest.raises(InputError, match="no picture"):
        schedule_of(WORKLOAD, range(1), 0.5, 1, pictures=0)
    with pytest.raises(InputError, match="no slot"):
        of(range(0))


def test_a_slot_in_which_nobody_asks_is_empty() -> None:
    nobody = Poisson(TYPES, rate_per_s=0.0, slot_s=2.0)
    assert len(schedule_of(nobody, range(3), 2.0, 1, pictures=10)) == 0
