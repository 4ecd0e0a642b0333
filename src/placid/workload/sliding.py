"""Zipf popularity whose ranks slide: what is popular keeps changing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from placid.workload.popularity import ZipfProcess
from placid.workload.settings import check_count

__all__ = ["SlidingPopularity"]


@dataclass(frozen=True)
class SlidingPopularity(ZipfProcess):
    """Poisson counts under Zipf popularity, where every task falls `shift` ranks every `every_slots` slots.

    The shift is cyclic: a task that falls off the last rank comes back at the top, so that the favourites
    fade and tasks that nobody asked for become the new favourites. Use it to see how fast a policy follows.
    INFIDA's study (Si Salem et al., ToN 2024) shifts by 5 tasks an hour: the defaults, at slots of a minute.

    Attributes:
        shift: ranks that a task falls at each step; negative to rise.
        every_slots: slots between steps.
    """

    name: ClassVar[str] = "sliding"

    shift: int = 5
    every_slots: int = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count(self.name, "shift", self.shift, low=-(2**62))
        check_count(self.name, "every_slots", self.every_slots, 1)

    def expected(self, slot: int) -> np.ndarray:
        """Expected demand of `slot`, float64 [R]. O(R)."""
        return self._expected_after(self.shift * (slot // self.every_slots))
