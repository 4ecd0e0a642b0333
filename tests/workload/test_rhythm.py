from __future__ import annotations

import numpy as np
import pytest

from placid.errors import InputError, UnknownNameError
from placid.workload import (
    Diurnal,
    Evader,
    FlashCrowds,
    Poisson,
    Replay,
    RequestTypes,
    RoundRobin,
    SlidingPopularity,
)

GRID = RequestTypes.grid(["a", "b"], ["x", "y", "z"])
BASE = Poisson(GRID, rate_per_s=5.0, slot_s=3600.0, weights=(3, 1))


def test_a_day_has_its_peak_and_its_night_and_keeps_the_mean() -> None:
    day = Diurnal(BASE, amplitude=0.6, peak_s=20.5 * 3600, slot_s=3600.0)
    total = np.array([day.expected(slot).sum() for slot in range(24)])
    assert total.argmax() == 20
    assert total.argmin() == 8
    assert total.mean() == pytest.approx(BASE.expected(0).sum())
    swing = 0.6 * np.sinc(1 / 24)
    assert total.max() / total.mean() == pytest.approx(1 + swing)
    np.testing.assert_allclose(day.expected(3), day.expected(27))


def test_the_factor_is_the_average_over_the_slot() -> None:
    day = Diurnal(BASE, amplitude=1.0, peak_s=5000.0, slot_s=7200.0)
    seconds = np.linspace(3 * 7200.0, 4 * 7200.0, 200_001)
    average = np.mean(1 + np.cos(2 * np.pi * (seconds - 5000.0) / 86_400.0))
    assert day.factor(3)[0] == pytest.approx(average, rel=1e-4)
    # a slot of a whole day knows no hours
    assert Diurnal(BASE, slot_s=86_400.0).factor(0) == pytest.approx([1.0, 1.0])


def test_every_ingress_may_have_its_own_noon() -> None:
    day = Diurnal(BASE, peak_s={"b": 18.5 * 3600, "a": 6.5 * 3600}, slot_s=3600.0)
    per_node = np.array([day.expected(slot).reshape(2, 3).sum(axis=1) for slot in range(24)])
    assert per_node.argmax(axis=0).tolist() == [6, 18]


def test_daily_counts_follow_the_expected_ones() -> None:
    base = Poisson(GRID, 20.0, slot_s=1.0)
    day = Diurnal(base, amplitude=0.9, day_s=10.0, slot_s=1.0, peak_s=3.0)
    drawn = np.array([day.demand(slot, 4) for slot in range(4000)]).reshape(400, 10, 6).mean(axis=0)
    for slot in range(10):
        expected = day.expected(slot)
        assert (np.abs(drawn[slot] - expected) <= 5 * np.sqrt(expected / 400) + 1e-9).all()


def test_rhythms_stack() -> None:
    sliding = SlidingPopularity(GRID, 5.0, shift=1, every_slots=1, slot_s=3600.0)
    both = Diurnal(FlashCrowds(sliding, crowds_per_s=1e-3, slot_s=3600.0), slot_s=3600.0)
    crowds = both.base
    assert isinstance(crowds, FlashCrowds)
    np.testing.assert_allclose(both.mean(5, 1), both.factor(5)[0] * crowds.mean(5, 1))
    assert (both.mean(5, 1) != both.mean(5, 2)).any()
    np.testing.assert_array_equal(both.expected(5), both.factor(5)[0] * crowds.expected(5))


@pytest.mark.parametrize("place", ["ingress", "everywhere"])
def test_expected_crowds_are_the_average_over_seeds(place: str) -> None:
    crowds = FlashCrowds(
        BASE, crowds_per_s=0.4 / 3600, height=2.0, decay_s=5400.0, place=place, slot_s=3600.0
    )
    seeds = 3000
    for slot in (0, 4):
        means = np.array([crowds.mean(slot, seed) for seed in range(seeds)])
        error = np.abs(means.mean(axis=0) - crowds.expected(slot))
        assert (error <= 5 * means.std(axis=0) / np.sqrt(seeds)).all()
        assert (means >= BASE.expected(slot)).all()
    counts = np.array([crowds.demand(4, seed) for seed in range(seeds)])
    error = np.abs(counts.mean(axis=0) - crowds.expected(4))
    assert (error <= 5 * counts.std(axis=0) / np.sqrt(seeds)).all()


def test_a_crowd_decays_exponentially_and_is_forgotten() -> None:
    crowds = FlashCrowds(BASE, crowds_per_s=0.002 / 3600, height=3.0, decay_s=7200.0, slot_s=3600.0)
    # a seed with a lone crowd early on, in the slots that one lives through
    length = len(crowds.left)
    assert np.exp(-length * 0.5) <= 1e-3 < np.exp(-(length - 1) * 0.5)
    seed = next(
        s
        for s in range(10_000)
        if crowds.crowd(0, s).any()
        and not any((crowds.crowd(t, s) > crowds.crowd(t - 1, s)).any() for t in range(1, length + 1))
    )
    r = int(crowds.crowd(0, seed).argmax())
    sizes = [crowds.crowd(t, seed)[r] for t in range(length + 1)]
    np.testing.assert_allclose(sizes[:length], [sizes[0] * np.exp(-t / 2) for t in range(length)])
    assert sizes[length] == 0
    at_ingress = BASE.expected(0)[GRID.node_of == GRID.node_of[r]].sum()
    assert crowds.mean(1, seed)[r] == pytest.approx(BASE.expected(1)[r] + sizes[1] * at_ingress)


def test_a_crowd_gathers_where_it_is_told_to() -> None:
    for place, spread in (("ingress", 1), ("everywhere", 2)):
        crowds = FlashCrowds(BASE, crowds_per_s=0.01 / 3600, decay_s=60.0, place=place, slot_s=3600.0)
        started = [crowds.crowd(0, seed) for seed in range(1500)]
        lone = [size for size in started if 0 < size.max() <= 1.0]
        assert lone
        assert all(np.count_nonzero(size) in (spread, 2 * spread) for size in lone)
        assert any(np.count_nonzero(size) == spread for size in lone)
        if place == "everywhere":
            assert all((size[:3] == size[3:]).all() for size in lone)


def test_no_crowds_leave_the_base_as_it_is() -> None:
    crowds = FlashCrowds(BASE, crowds_per_s=0.0)
    np.testing.assert_array_equal(crowds.demand(3, 8), BASE.demand(3, 8))


def test_a_certain_base_may_be_modulated() -> None:
    turns = RoundRobin(GRID, 4.0, slot_s=1.0)
    day = Diurnal(turns, amplitude=0.0)
    np.testing.assert_allclose(day.mean(2, 0), turns.expected(2))


@pytest.mark.parametrize("wrapper", [Diurnal, FlashCrowds])
@pytest.mark.parametrize("base", [Evader(GRID, 1.0), Replay(GRID, np.ones((2, 6), int))])
def test_a_base_without_a_mean_is_refused(wrapper: type[Diurnal] | type[FlashCrowds], base: Evader) -> None:
    with pytest.raises(InputError, match=f"field 'base': the workload '{base.name}' does not tell its mean"):
        wrapper(base)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"amplitude": 1.5}, "field 'amplitude': expected a number between 0 and 1, got 1.5"),
        ({"day_s": 0}, "field 'day_s': expected a finite number above 0"),
        ({"peak_s": (1.0,)}, "field 'peak_s': expected 2 numbers"),
        ({"peak_s": "noon"}, "field 'peak_s': expected one number per ingress node, got 'noon'"),
        ({"slot_s": -1}, "field 'slot_s': expected a finite number above 0"),
        ({"base": 3}, "field 'base': expected a workload to modulate, got 3"),
    ],
)
def test_wrong_days_are_told(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=f"^workload 'diurnal', {message}"):
        Diurnal(**({"base": BASE} | wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"crowds_per_s": -1}, "field 'crowds_per_s': expected a number of at least 0, got -1"),
        ({"height": None}, "field 'height': expected a number of at least 0, got None"),
        ({"decay_s": 0}, "field 'decay_s': expected a finite number above 0, got 0"),
    ],
)
def test_wrong_crowds_are_told(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=f"^workload 'flash-crowds', {message}"):
        FlashCrowds(BASE, **wrong)  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="did you mean 'everywhere'"):
        FlashCrowds(BASE, place="anywhere")
