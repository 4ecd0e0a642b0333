"""Progress of a run in the terminal: one bar for everything, one line for what goes on now."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

__all__ = ["Progress"]


class Progress:
    """Shows what `tell` hears."""

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            TextColumn("{task.description:<44}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._now: dict[str, object] = {}

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def tell(self, title: str, step: int, steps: int) -> None:
        """Hear that `title` has done `step` of `steps`; a bar appears with its first step and goes with its last."""
        if title not in self._now:
            self._now[title] = self._bars.add_task(title, total=steps)
        task = self._now[title]
        self._bars.update(task, completed=step)  # type: ignore[arg-type]
        if step >= steps:
            self._bars.update(task, visible=False)  # type: ignore[arg-type]
