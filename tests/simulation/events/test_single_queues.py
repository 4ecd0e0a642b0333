"""One station against the formulas of queueing theory: M/M/1, M/D/1, M/G/1, M/M/c, M/G/c, loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from queue_systems import erlang_b, erlang_c, one_station

from placid.simulation.events import Fate, Played, batch_means, play, poisson_arrivals
from placid.simulation.events.draft import Draft

#: nine services of .5 s for one of 5.5 s: mean 1, squared coefficient of variation 2.25
TWO_POINT = (0.5,) * 9 + (5.5,)


def played(law: str | Sequence[float], load: float, servers: int = 1, requests: float = 1e6) -> Played:
    arrivals = poisson_arrivals(np.array([load]), requests / load, seed=3)
    return play(one_station(law, servers), arrivals, seed=4)


def waits_of(result: Played, mean_service_s: float) -> float:
    return float(result.waited_s[0]) / len(result.arrivals) / mean_service_s


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_mm1(load: float) -> None:
    result = played("exponential", load)
    assert waits_of(result, 1.0) == pytest.approx(load / (1 - load), rel=0.03)
    # the time there is exponential with mean 1 / (1 - load), all of it
    latency_s = result.latency_s
    assert latency_s.mean() == pytest.approx(1 / (1 - load), rel=0.02)
    for share in (0.5, 0.95, 0.99):
        assert np.quantile(latency_s, share) == pytest.approx(-np.log(1 - share) / (1 - load), rel=0.03)
    assert result.held_area_s[0] / result.window_s[1] == pytest.approx(load, rel=0.01)


@pytest.mark.parametrize(
    ("law", "variation"), [("fixed", 0.0), ("exponential", 1.0), (TWO_POINT, 2.25)], ids=["D", "M", "G"]
)
def test_pollaczek_khinchine(law: str | Sequence[float], variation: float) -> None:
    load = 0.7
    wait = load * (1 + variation) / (2 * (1 - load))
    result = played(law, load)
    assert waits_of(result, 1.0) == pytest.approx(wait, rel=0.04)
    mean, low, high = batch_means(result.latency_s)
    assert low < 1 + wait < high
    assert (high - low) / mean < 0.1


@pytest.mark.parametrize(("servers", "load"), [(2, 1.4), (5, 4.0), (20, 18.0)])
def test_mmc_is_erlang_c(servers: int, load: float) -> None:
    result = played("exponential", load, servers)
    wait = erlang_c(servers, load) / (servers - load)
    assert waits_of(result, 1.0) == pytest.approx(wait, rel=0.05)
    assert result.held_area_s[0] / result.window_s[1] == pytest.approx(load, rel=0.01)


@pytest.mark.parametrize("servers", [3, 8])
@pytest.mark.parametrize(("law", "variation"), [("fixed", 0.0), (TWO_POINT, 2.25)], ids=["D", "G"])
def test_mgc_is_near_lee_and_longton(law: str | Sequence[float], variation: float, servers: int) -> None:
    # (1 + variation) / 2 times the wait of M/M/c: an approximation, so it is held to 10 %
    load = 0.8 * servers
    wait = (1 + variation) / 2 * erlang_c(servers, load) / (servers - load)
    assert waits_of(played(law, load, servers), 1.0) == pytest.approx(wait, rel=0.10)


@pytest.mark.parametrize("servers", [3, 8])
def test_mdc_is_crommelin(servers: int) -> None:
    # exactly: after a service time all who were served are gone, and a Poisson number has come
    load, most = 0.8 * servers, 200
    come = np.exp(-load) * np.cumprod(np.concatenate(([1.0], load / np.arange(1, most))))
    step = np.array([np.pad(come, (max(n - servers, 0), 0))[:most] for n in range(most)])
    at = np.linalg.matrix_power(step / step.sum(axis=1, keepdims=True), 2000)[0]
    waiting = float(at @ np.maximum(np.arange(most) - servers, 0))
    assert waits_of(played("fixed", load, servers), 1.0) == pytest.approx(waiting / load, rel=0.03)


@pytest.mark.parametrize("law", ["fixed", "exponential", TWO_POINT], ids=["D", "M", "G"])
def test_who_finds_no_room_is_refused_as_erlang_b_says(law: str | Sequence[float]) -> None:
    # whatever the law of service times
    servers, load = 4, 3.0
    arrivals = poisson_arrivals(np.array([load]), 4e5 / load, seed=5)
    result = play(one_station(law, servers, limit=0, gated=True), arrivals, seed=6)
    refused = (result.fate == Fate.REFUSED).mean()
    assert refused == pytest.approx(erlang_b(servers, load), rel=0.02)
    assert result.waited_s[0] == 0


def test_a_batch_of_all_who_wait_is_bulk_service() -> None:
    # M/M/1 with services of up to 8 at once, each exponential with mean 1: the root z of the balance equation gives
    # geometric numbers (Bailey's queue as birth and death): rate - (rate + 1) z + z^9 = 0, 0 < z < 1
    rate, most = 4.0, 8
    roots = np.roots([1.0, *np.zeros(most - 1), -(rate + 1.0), rate])
    z = next(float(r.real) for r in roots if abs(r.imag) < 1e-9 and 0 < r.real < 1 - 1e-9)
    draft = Draft()
    desk = draft.station("desk", batch=most, fixed_s=1.0, law="exponential")
    draft.option(0, draft.step(desk))
    result = play(draft.system(), poisson_arrivals(np.array([rate]), 1e5, seed=7), seed=8)
    # n wait while a service runs with probability b z^n; the server idles with probability a, and a rate = b
    b = 1 / (1 / rate + 1 / (1 - z))
    waiting = b * z / (1 - z) ** 2
    assert result.waiting_area_s[0] / 1e5 == pytest.approx(waiting, rel=0.03)
    assert result.held_area_s[0] / 1e5 == pytest.approx(b / (1 - z), rel=0.01)
