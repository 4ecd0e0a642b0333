"""Arrivals, drafts and tables: what is wrong is refused, and what is told is so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from queue_systems import one_station

from placid.errors import InputError
from placid.simulation.events import (
    Arrivals,
    Draft,
    batch_means,
    by_station,
    by_type,
    play,
    poisson_arrivals,
    workload_arrivals,
)
from placid.workload import Evader, Poisson, RequestTypes


def test_poisson_arrivals_have_their_rates_and_exponential_gaps() -> None:
    rates = np.array([3.0, 0.0, 1.0])
    arrivals = poisson_arrivals(rates, 50_000.0, 1)
    counts = np.bincount(arrivals.type, minlength=3)
    np.testing.assert_allclose(counts / 50_000.0, rates, rtol=0.02)
    gaps = np.diff(arrivals.time_s)
    assert gaps.mean() == pytest.approx(1 / 4, rel=0.02)
    assert gaps.std() == pytest.approx(1 / 4, rel=0.02)


def test_a_workloads_requests_keep_their_slots() -> None:
    types = RequestTypes.grid(["a", "b"], ["cat", "dog"])
    load = Poisson(types, rate_per_s=2.0, slot_s=60.0)
    arrivals = workload_arrivals(load, range(5, 8), 60.0, seed=9)
    for i, slot in enumerate(range(5, 8)):
        inside = (arrivals.time_s >= 60.0 * i) & (arrivals.time_s < 60.0 * (i + 1))
        np.testing.assert_array_equal(np.bincount(arrivals.type[inside], minlength=4), load.demand(slot, 9))
    with pytest.raises(InputError, match="reacts to placements"):
        workload_arrivals(Evader(types, rate_per_s=2.0), range(1), 60.0, 0)


def test_arrivals_that_cannot_be_are_refused() -> None:
    for time_s, kind in (([1.0, 0.5], [0, 0]), ([0.0, np.nan], [0, 0]), ([0.0], [0, 0]), ([0.0], [-1])):
        with pytest.raises(InputError):
            Arrivals(np.array(time_s), np.array(kind))
    mixed = Arrivals.in_any_order(np.array([2.0, 1.0, 2.0]), np.array([0, 1, 2]))
    assert mixed.type.tolist() == [1, 0, 2]
    with pytest.raises(InputError, match="of type 1"):
        play(one_station("fixed"), Arrivals(np.zeros(1), np.ones(1)), 0)
    with pytest.raises(InputError, match="deadline"):
        play(one_station("fixed"), Arrivals(np.zeros(1), np.zeros(1)), 0, deadline_s=-1.0)


def endless(draft: Draft) -> None:
    step = draft.step()
    draft.go_on(step, step)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda d: d.station("s", servers=0), "servers >= 1"),
        (lambda d: d.station("s", batch=0), "batch >= 1"),
        (lambda d: d.station("s", fixed_s=np.inf), "finite fixed_s"),
        (lambda d: d.station("s", law=()), "empty"),
        (lambda d: d.station("s", law=(-1.0,)), "factor"),
        (lambda d: d.station("s", law="normal"), "law is 'fixed'"),
        (lambda d: d.step(3), "station that there is not"),
        (lambda d: d.step(place=1), "place that there is not"),
        (lambda d: d.step(delay_s=-1.0), "finite delay_s"),
        (lambda d: d.step(leave=1.5), "between 0 and 1"),
        (lambda d: d.step(on=7), "comes one that there is not"),
        (endless, "round for ever"),
        (lambda d: d.option(0, 5), "begins with a step"),
        (lambda d: d.option(0, -1, [0]), "gate is no station"),
    ],
)
def test_systems_that_cannot_be_are_refused(wrong: Callable[[Draft], None], message: str) -> None:
    def made() -> None:
        draft = Draft()
        wrong(draft)
        draft.system(1)

    with pytest.raises(InputError, match=message):
        made()


def test_an_empty_play_is_empty() -> None:
    played = play(one_station("fixed"), Arrivals(np.zeros(0), np.zeros(0)), 0)
    assert len(played.latency_s) == 0
    assert by_type(played)["requests"].to_list() == [0, 0]
    assert by_station(played)["arrived"].to_list() == [0]
    nothing = Draft().system(1)
    assert play(nothing, Arrivals(np.zeros(1), np.zeros(1)), 0).fate.tolist() == [2]


def test_a_batch_may_be_as_large_as_it_likes() -> None:
    draft = Draft()
    draft.option(0, draft.step(draft.station("desk", batch=2**60, batch_wait_s=1.0, fixed_s=1.0), work_s=0.1))
    played = play(draft.system(), Arrivals(np.zeros(3000), np.zeros(3000)), 0)
    np.testing.assert_allclose(played.latency_s, 1.0 + 1.0 + 300.0)
    assert played.services.tolist() == [1]


def test_a_request_without_a_step_is_answered_at_once() -> None:
    draft = Draft()
    draft.option(0, -1)
    played = play(draft.system(), Arrivals(np.arange(3.0), np.zeros(3)), 0)
    assert played.latency_s.tolist() == [0.0, 0.0, 0.0]


def test_the_table_by_type_counts_and_measures() -> None:
    draft = Draft()
    desk = draft.station("desk", limit=0)
    draft.option(0, draft.step(desk, work_s=2.0), [desk])
    draft.option(1, draft.step(desk, work_s=1.0))
    arrivals = Arrivals(np.array([0.0, 1.0, 1.5, 1.6, 9.0]), np.array([0, 0, 1, 1, 1]))
    played = play(draft.system(), arrivals, 0, deadline_s=np.array([1.5, 1.0]))
    table = by_type(played, ["a", "b"])
    assert table["type"].to_list() == ["a", "b", "all"]
    assert table["requests"].to_list() == [2, 3, 5]
    assert table["refused"].to_list() == [1, 0, 1]
    # the fourth would begin at 3 s, when its deadline has passed; the first and the third come late
    assert table["too_late"].to_list() == [0, 1, 1]
    assert table["overdue"].to_list() == [1, 1, 2]
    assert table["mean_s"].to_list() == pytest.approx([2.0, (1.5 + 1.0) / 2, 4.5 / 3])
    assert by_type(played, after_s=5.0)["requests"].to_list() == [0, 1, 1]
    station = by_station(played).row(0, named=True)
    assert station["held"] == pytest.approx(3.0 / 9.0)
    assert station["dropped"] == 1
    assert played.dropped_at.tolist() == [-1, -1, -1, 0, -1]


def test_an_interval_by_batch_means_covers_the_mean_as_often_as_it_says() -> None:
    # M/M/1 at half load, 400 plays of 4,000 requests: 95 % intervals
    system, covered = one_station("exponential"), 0
    for seed in range(400):
        played = play(system, poisson_arrivals(np.array([0.5]), 8000.0, seed), seed)
        _, low, high = batch_means(played.latency_s)
        covered += low < 2.0 < high
    assert 0.91 < covered / 400 < 0.98


def test_the_window_is_where_stations_are_measured() -> None:
    system = one_station("fixed")
    arrivals = Arrivals(np.array([0.0, 0.0]), np.array([0, 0]))
    played = play(system, arrivals, 0, window_s=(0.5, 4.5))
    assert played.held_area_s[0] == pytest.approx(1.5)
    assert played.waiting_area_s[0] == pytest.approx(0.5)
    assert played.waited_s[0] == pytest.approx(1.0)
    assert replace(played, window_s=(0.0, 2.0)).window_s == (0.0, 2.0)
