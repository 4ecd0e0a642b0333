"""Alarm and links: things arrive when they should, in order, and at the rate that there is."""

from __future__ import annotations

import asyncio
from time import monotonic

import numpy as np
import pytest

from placid.runtime.alarm import Alarm
from placid.runtime.node.shaped import Shaped
from placid.runtime.spec import Address, Uplink


def test_an_alarm_rings_in_order_and_not_early() -> None:
    async def main() -> list[tuple[float, float]]:
        alarm = Alarm()
        rang: list[tuple[float, float]] = []

        async def one(after_s: float) -> None:
            due = monotonic() + after_s
            await alarm.until(due)
            rang.append((after_s, monotonic() - due))

        await asyncio.gather(*(one(s) for s in (0.03, 0.01, 0.02, 0.0, -1.0)))
        alarm.close()
        return rang

    rang = asyncio.run(main())
    assert [s for s, _ in rang][-3:] == [0.01, 0.02, 0.03]
    late = np.array([late for s, late in rang if s > 0])
    assert (late > -1.1e-3).all()
    assert np.median(late) < 0.02  # a busy machine; an idle one is a hundred times better


def test_closing_an_alarm_wakes_all() -> None:
    async def main() -> None:
        alarm = Alarm()
        waiting = asyncio.create_task(alarm.until(monotonic() + 100))
        await asyncio.sleep(0)
        alarm.close()
        await asyncio.wait_for(waiting, 1)

    asyncio.run(main())


def link(**given: float) -> Uplink:
    return Uplink("up", Address("127.0.0.1", 1), **given)


@pytest.mark.parametrize(
    ("given", "due_s"),
    [
        ({"rtt_s": 0.04}, 0.02),
        ({"rtt_s": 0.0, "bandwidth_bytes_per_s": 1e5}, 0.03),
        ({"rtt_s": 0.02, "bandwidth_bytes_per_s": 1e5}, 0.04),
        # four at once on a link of a hard rate: the last has waited for three
        ({"rtt_s": 0.0, "bandwidth_bytes_per_s": 1e6, "rate_bytes_per_s": 3e5}, 0.04),
    ],
)
def test_a_link_takes_its_time(given: dict[str, float], due_s: float) -> None:
    async def main() -> float:
        alarm = Alarm()
        shaped = Shaped(link(**given), alarm)
        begun = monotonic()
        await asyncio.gather(*(shaped.carry(shaped.up, 3000) for _ in range(4)))
        took = monotonic() - begun
        assert (shaped.up.bytes_sent, shaped.up.sent, shaped.down.sent) == (12_000, 4, 0)
        alarm.close()
        return took

    took = asyncio.run(main())
    assert due_s - 0.0011 <= took < due_s + 0.03


def test_what_carrying_took_already_counts() -> None:
    async def main() -> float:
        alarm = Alarm()
        shaped = Shaped(link(rtt_s=0.1), alarm)
        begun = monotonic()
        await shaped.carry(shaped.down, 8, took_s=0.04)
        took = monotonic() - begun
        alarm.close()
        return took

    assert 0.01 <= asyncio.run(main()) < 0.04


def test_the_kernels_rate_is_not_charged_twice() -> None:
    """Of a large message what is left is the delay and the last packet; what carrying took is the link's own time."""

    async def main() -> tuple[float, float]:
        alarm = Alarm()
        uplink = Uplink("up", Address("127.0.0.1", 1), 0.04, 1e5, kernel=True)
        shaped = Shaped(uplink, alarm)
        begun = monotonic()
        await shaped.carry(shaped.up, 100_000)
        up_s = monotonic() - begun
        begun = monotonic()
        await shaped.carry(shaped.down, 8, took_s=1.0)
        alarm.close()
        return up_s, monotonic() - begun

    up_s, down_s = asyncio.run(main())
    assert 0.019 <= up_s < 0.08  # and not a second
    assert 0.019 <= down_s < 0.08  # and not at once
