"""What a workload is: the requests of any slot, drawn from a stream of that slot alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from placid.workload.requests import RequestTypes

__all__ = ["Workload"]


class Workload(ABC):
    """How many requests of each type come in each slot. Frozen dataclasses, bound to their request types.

    A slot's demand depends on the slot, the seed and, for adversaries, on what is placed now; never on what
    was drawn before. So slots can be drawn in any order, again, and by any process.
    """

    #: the name in scenarios and tables
    name: ClassVar[str]
    #: true if the demand depends on the placement (an adversary): every policy then gets its own requests
    adaptive: ClassVar[bool] = False

    if TYPE_CHECKING:

        @property
        @abstractmethod
        def requests(self) -> RequestTypes:
            """The R request types that `demand` counts."""

    else:
        # only an annotation at run time: an inherited property would stand in the way of a field of that name
        requests: RequestTypes

    @abstractmethod
    def demand(self, slot: int, seed: int, held: np.ndarray | None = None) -> np.ndarray:
        """Requests of each type in `slot`, int64 [R].

        Args:
            held: float64 [R] in [0, 1]; what one request of each type would save under the placement in
                force, as a share of the most that its best option could save. Only adversaries read it.
        """

    def expected(self, slot: int) -> np.ndarray | None:
        """Expected demand of `slot`, float64 [R], if the process can tell without drawing it; else None."""
        return None
