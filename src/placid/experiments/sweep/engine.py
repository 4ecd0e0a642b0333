"""Where the cells of a sweep are played: what every engine can be asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from placid.experiments.pool import Tell
from placid.experiments.sweep.folder import SweepFolder
from placid.experiments.sweep.unit import Unit

__all__ = ["Engine"]


class Engine(ABC):
    """Plays cells."""

    name: ClassVar[str]

    @abstractmethod
    def play(self, units: Sequence[Unit], folder: SweepFolder, tell: Tell) -> None:
        """Play every unit and keep its rows in `folder`, in any order.

        Args:
            tell: hears of progress: (title of the unit, steps done, steps in all).

        Raises:
            RunError: a unit cannot be played; what was done is kept.
            KeyboardInterrupt: what was done is kept.
        """
