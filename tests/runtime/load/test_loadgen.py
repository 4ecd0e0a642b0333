"""LoadGen's scenarios, on something whose latency is known."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from placid.errors import UnknownNameError
from placid.runtime.load.loadgen import LoadGen, Result
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
    found, asked, most = played(LoadGen("Offline", samples=200), takes_s=0.1)
    assert (found.valid, found.unit, most, len(asked)) == (True, "samples/s", 200, 200)
    assert found.figure == pytest.approx(200 / found.duration_s)


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
