"""Several stations: Jackson's theorem, exits, links, Little's law, and that nobody is lost."""

from __future__ import annotations

import numpy as np
import pytest

from placid.simulation.events import Draft, Fate, Played, play, poisson_arrivals
from placid.simulation.events.draws import key_of, uniform


def tandem(rate: float, works: tuple[float, float], seed: int) -> Played:
    draft = Draft()
    one, two = (draft.station(name, law="exponential") for name in ("one", "two"))
    second = draft.step(two, delay_s=0.25, work_s=works[1])
    draft.option(0, draft.step(one, work_s=works[0], on=second))
    return play(draft.system(), poisson_arrivals(np.array([rate]), 1e6 / rate, seed), seed)


def test_two_queues_in_a_row_are_two_single_queues() -> None:
    rate, works = 1.0, (0.6, 0.7)
    result = tandem(rate, works, 11)
    inside = [w / (1 - rate * w) for w in works]
    for s, w in enumerate(works):
        mean_wait_s = result.waited_s[s] / result.arrived[s]
        assert mean_wait_s == pytest.approx(inside[s] - w, rel=0.03)
    assert result.latency_s.mean() == pytest.approx(sum(inside) + 0.25, rel=0.02)
    # what Jackson says beyond the means: the times in the two are independent, so their variances add up
    assert result.latency_s.var() == pytest.approx(sum(x**2 for x in inside), rel=0.05)


def test_a_queue_that_sends_some_back_is_a_queue_with_a_higher_rate() -> None:
    rate, work_s, again = 0.4, 1.0, 0.5
    draft = Draft()
    step = draft.step(draft.station("desk", law="exponential"), work_s=work_s, leave=1 - again)
    draft.go_on(step, step)
    draft.option(0, step)
    result = play(draft.system(), poisson_arrivals(np.array([rate]), 1e6 / rate, 12), 12)
    inner = rate / (1 - again)
    assert result.arrived[0] == pytest.approx(len(result.arrivals) / (1 - again), rel=0.01)
    assert result.latency_s.mean() == pytest.approx(inner / (1 - inner) / rate, rel=0.03)


def test_exits_let_through_the_share_that_they_should() -> None:
    # three parts; 30 % leave after the first, half of the others after the second
    draft = Draft(places=("device", "edge", "cloud"))
    third = draft.step(draft.station("c"), work_s=0.001, place=2)
    second = draft.step(draft.station("b"), work_s=0.001, leave=0.5, on=third, place=1)
    draft.option(0, draft.step(draft.station("a"), work_s=0.001, leave=0.3, on=second, place=0))
    result = play(draft.system(), poisson_arrivals(np.array([100.0]), 2000.0, 13), 13)
    shares = np.bincount(result.place) / len(result.place)
    np.testing.assert_allclose(shares, [0.3, 0.35, 0.35], atol=0.004)
    assert result.arrived.tolist() == result.visits.tolist()


def busy_network(seed: int, **settings: float) -> Played:
    """Links, copies with a limit, batches, exits: everything at once, and too much of it."""
    draft = Draft(places=("edge", "cloud"))
    cloud = draft.station("cloud", servers=None, law="exponential")
    up = draft.station("up")
    at_cloud = draft.step(cloud, delay_s=0.02, work_s=0.01, place=1, on=draft.step(delay_s=0.02, place=-1))
    to_cloud = draft.step(up, work_s=0.004, on=at_cloud, place=-1)
    small = draft.station("small", servers=2, limit=3, law=(0.5, 1.5), pause_s=0.002)
    large = draft.station("large", batch=4, batch_wait_s=0.01, fixed_s=0.02, limit=8, law="exponential")
    first = draft.step(small, delay_s=0.001, work_s=0.02, leave=0.6, on=to_cloud)
    draft.option(0, first, [small])
    draft.option(0, draft.step(large, delay_s=0.002, work_s=0.003, place=0), [large])
    draft.option(0, to_cloud)
    draft.option(1, draft.step(large, work_s=0.003), [large])
    return play(draft.system(), poisson_arrivals(np.array([90.0, 80.0]), 300.0, seed), seed, **settings)


def test_every_request_is_answered_or_dropped_once() -> None:
    result = busy_network(14, deadline_s=0.15)
    counts = np.bincount(result.fate, minlength=3)
    assert (counts > 100).all()
    assert counts.sum() == len(result.arrivals)
    assert counts[Fate.TOO_LATE] == result.dropped.sum() == (result.dropped_at >= 0).sum()
    assert ((result.option < 0) == (result.fate == Fate.REFUSED)).all()
    assert (
        np.bincount(result.dropped_at[result.dropped_at >= 0], minlength=4).tolist()
        == result.dropped.tolist()
    )
    assert (result.departure_s >= result.arrivals.time_s).all()
    assert (
        result.departure_s[result.fate == Fate.TOO_LATE] > result.due_s[result.fate == Fate.TOO_LATE]
    ).all()
    # every station: what came was served, in services of at most a batch, or dropped
    served = result.arrived - result.dropped
    batch = result.system.stations["batch"]
    assert (result.services <= served).all()
    assert (served <= result.services * batch).all()
    assert (result.services[batch == 1] == served[batch == 1]).all()


def test_littles_law_holds_to_the_last_digit_over_a_whole_play() -> None:
    # from empty to empty the area under the number of those who wait is the sum of their waits
    result = busy_network(15, window_s=(0.0, 1e9), deadline_s=0.15)
    np.testing.assert_allclose(result.waiting_area_s, result.waited_s, rtol=1e-9)


def test_littles_law_holds_on_average_in_a_window() -> None:
    result = tandem(1.0, (0.6, 0.7), 16)
    window = result.window_s[1] - result.window_s[0]
    rate = result.arrived / window
    np.testing.assert_allclose(
        result.waiting_area_s / window, rate * result.waited_s / result.arrived, rtol=1e-4
    )


def test_a_play_depends_on_its_seed_alone() -> None:
    one, again, other = busy_network(17), busy_network(17), busy_network(18)
    assert (one.departure_s == again.departure_s).all()
    assert len(one.arrivals) != len(other.arrivals)


def test_draws_are_those_of_the_request_whatever_happens_to_others() -> None:
    draft = Draft()
    draft.option(0, draft.step(draft.station("desk", servers=None, law="exponential"), work_s=2.0))
    arrivals = poisson_arrivals(np.array([1.0]), 50.0, 19)
    result = play(draft.system(), arrivals, 20)
    key = key_of(20)
    wanted = [-2.0 * np.log1p(-uniform(key, i, 0)) for i in range(len(arrivals))]
    np.testing.assert_allclose(result.latency_s, wanted, rtol=1e-9)
    many = np.array([uniform(key, i, k) for i in range(200) for k in range(200)]).reshape(200, 200)
    assert abs(many.mean() - 0.5) < 0.005
    assert abs(np.corrcoef(many[:-1].ravel(), many[1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(many[:, :-1].ravel(), many[:, 1:].ravel())[0, 1]) < 0.02
