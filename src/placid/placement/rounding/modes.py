"""What pivotal roundings do about the one item that a node is left with, and what that keeps of the marginals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from placid.errors import UnknownNameError
from placid.placement.rounding.base import Rounding, reserved_budgets

__all__ = ["MODES", "PROMISES", "Pivotal"]

#: what to do about the one item a node is left with: keep a reserve for it, or decide between it and the rest
MODES = ("reserve", "coin")
#: mode -> the marginals it keeps
PROMISES = {
    "reserve": "P(placed) = y, for y within each budget less its largest item",
    "coin": "y / 2 <= P(placed) <= y, for y within the full budgets",
}


@dataclass(frozen=True)
class Pivotal(Rounding):
    """A rounding by games between pairs of items, which leaves at most one item of a node undecided.

    Attributes:
        mode: see `placid.placement.rounding.dependent.DepRound`.
    """

    mode: Literal["reserve", "coin"] = "coin"

    def __post_init__(self) -> None:
        """Checks the mode."""
        if self.mode not in MODES:
            raise UnknownNameError("rounding mode", self.mode, MODES)

    @property
    def keeps_marginals(self) -> bool:
        """True in mode "reserve"."""
        return self.mode == "reserve"

    @property
    def least_share(self) -> float:
        """1 in mode "reserve", 1/2 in mode "coin"."""
        return 1.0 if self.mode == "reserve" else 0.5

    @property
    def promise(self) -> str:
        """What P(item placed) is, in one sentence."""
        return PROMISES[self.mode]

    def usable_budget(
        self, node_ptr: np.ndarray, size_bytes: np.ndarray, budget_bytes: np.ndarray
    ) -> np.ndarray:
        """The budgets that fractions must keep: less the largest item in mode "reserve"."""
        return (
            reserved_budgets(node_ptr, size_bytes, budget_bytes) if self.mode == "reserve" else budget_bytes
        )
