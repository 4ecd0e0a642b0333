"""LoadGen's scenarios, on something whose latency is known."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

import numpy as np
import pytest

from placid.errors import InputError, UnknownNameError
from placid.runtime.load.loadgen import SCENARIOS, LoadGen, Result, Scenario
from placid.runtime.protocol.messages import ProtocolError


def played(setting: LoadGen, takes_s: float = 0.01, slow_every: int = 0) -> tuple[Result, list[int], int]:
    """What came out, samples in the order of asking, and how many were out at once at most."""
    asked: list[int] = []
    out = most = 0

    async def sample(number: int) -> None:
        nonlocal out, most
        asked.append(number)
        out += 1
        most = max(most, out)
        await asyncio.sleep(0.2 if slow_every and number % slow_every == slow_every - 1 else takes_s)
        out -= 1

    return asyncio.run(setting.run(sample)), asked, most


def test_single_stream_asks_one_after_another_and_counts_the_90th_percentile() -> None:
    found, asked, most = played(LoadGen("SingleStream", least_s=0.3, least_queries=20), slow_every=5)
    assert (found.valid, found.unit, most) == (True, "s", 1)
    assert asked == list(range(len(asked)))
    assert len(asked) >= 20
    # one of five is slow: the 90th percentile is a slow one
    assert found.figure == pytest.approx(0.2, abs=0.05)
    assert found.quantile_s(0.5) < 0.1


def test_multi_stream_asks_eight_at_once() -> None:
    found, asked, most = played(LoadGen("MultiStream", least_s=0.2, least_queries=5))
    assert (found.valid, most, len(asked) % 8) == (True, 8, 0)
    assert found.what == "99th percentile of latency"


def test_server_comes_at_its_rate_whatever_is_out() -> None:
    setting = LoadGen("Server", least_s=1.0, least_queries=50, rate_per_s=100, bound_s=0.3)
    found, asked, most = played(setting, takes_s=0.1)
    assert found.valid, found.reasons
    assert most > 3, "a closed loop would have one out"
    assert len(asked) == pytest.approx(100, rel=0.4)
    tight, _, _ = played(
        LoadGen("Server", least_s=0.3, least_queries=10, rate_per_s=100, bound_s=0.05), takes_s=0.1
    )
    assert not tight.valid
    assert "50 ms are allowed" in tight.reasons[0]


def test_offline_asks_for_all_at_once() -> None:
    found, asked, most = played(LoadGen("Offline", least_s=0.05, samples=200), takes_s=0.1)
    assert (found.valid, found.unit, most, len(asked)) == (True, "samples/s", 200, 200)
    assert found.figure == pytest.approx(200 / found.duration_s)


def test_offline_has_to_last_and_an_expected_rate_makes_it_large_enough() -> None:
    short, asked, _ = played(LoadGen("Offline", least_s=5.0, samples=20), takes_s=0.1)
    assert len(asked) == 55, "5 s at 10 samples/s, and a tenth more"
    assert not short.valid
    assert "5 s are due: expect a rate of" in short.reasons[0]
    _, asked, _ = played(LoadGen("Offline", least_s=0.05, samples=20, rate_per_s=2000.0), takes_s=0.1)
    assert len(asked) == 110


def test_offline_waits_for_all_samples_though_one_is_refused() -> None:
    done: list[int] = []

    async def sample(number: int) -> None:
        if number == 0:
            raise ProtocolError("full", status=429)
        await asyncio.sleep(0.1)
        done.append(number)

    found = asyncio.run(LoadGen("Offline", least_s=0.01, samples=50).run(sample))
    assert len(done) == 49
    assert found.duration_s >= 0.09
    assert (found.valid, found.refused) == (False, 1)
    assert "1 of 1 queries were refused, the first: full" in found.reasons[0]


def test_what_is_left_of_a_refused_query_does_not_run_beside_the_next() -> None:
    out = most = 0

    async def sample(number: int) -> None:
        nonlocal out, most
        out += 1
        most = max(most, out)
        try:
            if number % 8 == 0:
                raise ProtocolError("full", status=429)
            await asyncio.sleep(0.02)
        finally:
            out -= 1

    asyncio.run(LoadGen("MultiStream", least_s=0.1, least_queries=3).run(sample))
    assert most <= 8


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_error_that_is_no_refusal_is_raised_and_ends_the_run(scenario: Scenario) -> None:
    async def sample(number: int) -> None:
        if number == 3:
            raise ValueError("a bug")

    begun = monotonic()
    with pytest.raises(ValueError, match="a bug"):
        asyncio.run(LoadGen(scenario, least_s=30.0, rate_per_s=200.0, samples=10).run(sample))
    assert monotonic() - begun < 10


def test_percentiles_are_those_of_loadgen() -> None:
    """One of the latencies, never between two: number n * p of the sorted ones, counted from 0."""
    found = Result("Server", 1.0, "", "", True, (), 10, 0, 1.0, np.array([5.0, 4, 3, 2, 1, 10, 9, 8, 7, 6]))
    assert [found.quantile_s(q) for q in (0.0, 0.5, 0.9, 0.99)] == [1.0, 6.0, 10.0, 10.0]


def test_with_early_stopping_too_few_queries_are_not_valid() -> None:
    few, _, _ = played(LoadGen("SingleStream", least_s=0.0, least_queries=63, early_stopping=True), 0.001)
    assert (few.valid, np.isnan(few.figure)) == (False, True)
    assert "63 queries are too few" in few.reasons[0]
    enough, _, _ = played(LoadGen("SingleStream", least_s=0.0, least_queries=64, early_stopping=True), 0.001)
    assert (enough.valid, enough.figure) == (True, enough.latency_s.max())
    server = LoadGen(
        "Server", least_s=0.0, least_queries=300, rate_per_s=3000, bound_s=5.0, early_stopping=True
    )
    found, _, _ = played(server, takes_s=0.0)
    assert not found.valid
    assert "0 of 300 queries took longer than 5000 ms: too few" in found.reasons[0]


def test_official_settings_are_mlperfs() -> None:
    for scenario in SCENARIOS:
        found = LoadGen.official(scenario, rate_per_s=5.0)  # type: ignore[arg-type]
        assert (found.least_s, found.early_stopping, found.rate_per_s) == (600.0, True, 5.0)
        assert found.least_queries == (662 if scenario == "MultiStream" else 100)
    assert LoadGen.official("Offline").samples == 24_576
    assert LoadGen.official("Server", least_s=1.0).least_s == 1.0


def test_settings_out_of_range_are_refused() -> None:
    wrong: list[dict[str, float]] = [
        {"least_s": -1.0},
        {"least_queries": 0},
        {"rate_per_s": 0.0},
        {"bound_s": 0.0},
    ]
    for setting in wrong:
        with pytest.raises(InputError):
            LoadGen("Server", **setting)  # type: ignore[arg-type]


def test_refusals_make_a_run_invalid() -> None:
    async def refuse(number: int) -> Any:
        await asyncio.sleep(0.001)
        raise ProtocolError("full", status=429)

    found = asyncio.run(LoadGen("SingleStream", least_s=0.05, least_queries=3).run(refuse))
    assert not found.valid
    assert "queries were refused" in found.reasons[0]
    assert found.reasons[1] == "nothing was answered"
    assert np.isnan(found.quantile_s(0.9))


def test_names_are_loadgens() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'Server'"):
        LoadGen("server")  # type: ignore[arg-type]
