"""Work shared out over processes, with progress, and an interruption that saves.

Workers ignore Ctrl-C; the parent tells them to stop through an event, they save what they have at the next slot and end.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from queue import Empty
from time import monotonic
from typing import Any, Protocol, TypeVar

__all__ = ["Stopped", "Tell", "share_out"]

#: (task title, steps done, steps in all)
Tell = Callable[[str, int, int], None]
P = TypeVar("P")

#: how often the parent looks for news, and how often a worker speaks at most, seconds
_PULSE_S = 0.1


class Stopped(Exception):
    """The run was told to stop; what was done is saved."""


class Doable(Protocol):
    """A task: it has a title, a length, and can be done."""

    @property
    def title(self) -> str: ...
    def steps(self, plan: Any) -> int: ...
    def do(self, plan: Any, tell: Callable[[int], None]) -> None: ...


def share_out(
    plan: P,
    tasks: Sequence[Doable],
    processes: int,
    tell: Tell,
    after: Callable[[Doable], Iterable[Doable]] = lambda task: (),
) -> None:
    """Do every task, and those that `after` names once a task is done.

    Args:
        processes: 1 does everything in this process.
        tell: hears of progress, in this process.

    Raises:
        KeyboardInterrupt: after what was done has been saved.
    """
    if processes <= 1:
        waiting = list(tasks)
        while waiting:
            task = waiting.pop(0)
            total = task.steps(plan)
            task.do(plan, lambda step, title=task.title, total=total: tell(title, step, total))  # type: ignore[misc]
            waiting.extend(after(task))
        return
    context = multiprocessing.get_context("spawn")
    news, stop = context.Queue(), context.Event()
    with ProcessPoolExecutor(processes, context, _begin, (plan, news, stop)) as pool:
        running: dict[Future[None], Doable] = {}
        try:
            with _deaf():
                for task in tasks:
                    running[pool.submit(_do, task)] = task
            while running:
                finished, _ = wait(running, _PULSE_S, FIRST_COMPLETED)
                _pass_on(news, tell)
                for future in finished:
                    task = running.pop(future)
                    future.result()
                    total = task.steps(plan)
                    tell(task.title, total, total)
                    for next_task in after(task):
                        running[pool.submit(_do, next_task)] = next_task
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


@contextmanager
def _deaf() -> Iterator[None]:
    """Ignore Ctrl-C while workers are started: they inherit it, so that none dies of it half-way through its imports."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _pass_on(news: Any, tell: Tell) -> None:
    while True:
        try:
            tell(*news.get_nowait())
        except Empty:
            return


_plan: Any = None
_news: Any = None
_stop: Any = None


def _begin(plan: Any, news: Any, stop: Any) -> None:
    """What a worker starts with."""
    global _plan, _news, _stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _plan, _news, _stop = plan, news, stop
    _news.cancel_join_thread()  # news that nobody waits for any more must not keep a worker from ending


def _do(task: Doable) -> None:
    total, spoke = task.steps(_plan), 0.0

    def tell(step: int) -> None:
        nonlocal spoke
        if _stop.is_set():
            raise Stopped
        if monotonic() - spoke >= _PULSE_S:
            spoke = monotonic()
            _news.put((task.title, step, total))

    tell(0)
    task.do(_plan, tell)
