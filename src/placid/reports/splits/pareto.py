"""Which ways no other beats on all axes at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from placid.objectives.dominance import nondominated
from placid.reports.splits.costs import Cost

__all__ = ["efficient", "efficient_ways"]


def efficient(costs: np.ndarray) -> np.ndarray:
    """[points] bool: whether no other point is at most as large in every column of `costs` and smaller in one.

    Args:
        costs: [points, axes], the smaller the better. Equal points are both efficient.
    """
    return nondominated(costs)


def efficient_ways(ways: Sequence[Cost]) -> list[bool]:
    """Over bytes an input, operations of the device and accuracy together (Matsubara et al., SC2, TMLR 2023)."""
    table = np.array([[w.bytes_mean, w.device_operations, -w.accuracy] for w in ways]).reshape(-1, 3)
    return [bool(e) for e in efficient(table)]
