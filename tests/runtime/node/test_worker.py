"""The worker: order, batches of what waits, errors that stay with whoever made them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from placid.runtime.node.worker import Worker


def test_what_waits_and_is_alike_is_done_together() -> None:
    calls: list[tuple[str, list[int]]] = []
    go = threading.Event()

    def compute(key: str, given: Sequence[int]) -> list[int]:
        go.wait(5)
        calls.append((key, list(given)))
        return [10 * g for g in given]

    async def main() -> list[int]:
        worker: Worker[str, int, int] = Worker(compute, batch=3)
        jobs = [
            asyncio.create_task(worker.do(k, g))
            for k, g in [("a", 0), ("a", 1), ("b", 2), ("a", 3), ("a", 4), ("b", 5)]
        ]
        await asyncio.sleep(0.05)
        assert worker.waiting == 6
        go.set()
        found = await asyncio.gather(*jobs)
        assert worker.waiting == 0
        worker.close()
        return found

    assert asyncio.run(main()) == [0, 10, 20, 30, 40, 50]
    # the first may have been taken alone, before the others came
    assert [k for k, _ in calls] in (
        ["a", "a", "b"],
        ["a", "b", "a"],
        ["a", "b", "a", "b"],
        ["a", "a", "b", "b"],
    )
    assert all(len(g) <= 3 for _, g in calls)
    assert sorted(x for _, g in calls for x in g) == list(range(6))


def test_one_that_is_malformed_does_not_spoil_the_others() -> None:
    def compute(key: str, given: Sequence[int]) -> list[int]:
        if 13 in given:
            raise ValueError("thirteen")
        return list(given)

    async def main() -> list[int | BaseException]:
        worker: Worker[str, int, int] = Worker(compute)
        found = await asyncio.gather(*(worker.do("a", g) for g in (1, 13, 2)), return_exceptions=True)
        worker.close()
        return found

    one, thirteen, two = asyncio.run(main())
    assert (one, two) == (1, 2)
    assert isinstance(thirteen, ValueError)


def test_a_job_that_nobody_waits_for_is_not_done() -> None:
    done: list[int] = []
    go = threading.Event()

    def compute(key: str, given: Sequence[int]) -> list[int]:
        go.wait(5)
        done.extend(given)
        return list(given)

    async def main() -> None:
        worker: Worker[int, int, int] = Worker(compute)
        first = asyncio.create_task(worker.do(0, 0))
        await asyncio.sleep(0.02)
        second = asyncio.create_task(worker.do(1, 1))
        await asyncio.sleep(0.02)
        second.cancel()
        await asyncio.sleep(0)
        go.set()
        assert await first == 0
        with pytest.raises(asyncio.CancelledError):
            await second
        worker.close()

    asyncio.run(main())
    assert done == [0]
