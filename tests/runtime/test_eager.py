"""Coroutines that are started at once: nothing is lost between their first step and the task that does the rest."""

from __future__ import annotations

import asyncio

import pytest

from placid.runtime.http.eager import start


def test_what_does_not_wait_is_over_at_once() -> None:
    done = []

    async def main() -> None:
        async def work() -> None:
            done.append(1)

        assert start(work(), asyncio.get_running_loop()) is None
        assert done == [1]

    asyncio.run(main())


def test_what_waits_goes_on_as_a_task() -> None:
    seen: list[object] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        first: asyncio.Future[str] = loop.create_future()

        async def work() -> None:
            seen.append(await first)
            async with asyncio.timeout(5):  # from here on it has a task
                await asyncio.sleep(0.01)
            try:
                await asyncio.wait_for(asyncio.Event().wait(), 0.01)
            except TimeoutError:
                seen.append("late")

        task = start(work(), loop)
        assert task is not None
        assert not seen
        first.set_result("there")
        await task

    asyncio.run(main())
    assert seen == ["there", "late"]


def test_errors_and_cancellations_arrive() -> None:
    cleaned = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def fails(wait: bool) -> None:
            if wait:
                await asyncio.sleep(0)
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            start(fails(wait=False), loop)
        task = start(fails(wait=True), loop)
        assert task is not None
        with pytest.raises(ValueError, match="no"):
            await task

        async def waits() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                cleaned.append(1)

        task = start(waits(), loop)
        assert task is not None
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert cleaned == [1]
