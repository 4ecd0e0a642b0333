"""How many control messages the distributed form of an ascent exchanges.

Per request type with demand in the slot, one message climbs the path to the repository, gathering cost and potential
capacity of the options it passes, and one comes back with the cost at which the demand is met (Si Salem et al., ToN
2024, section IV). `placid.placement.online.distributed` sends them one by one; here they are only counted.
"""

from __future__ import annotations

import numpy as np

from placid.problem.arrays import Problem

__all__ = ["NUMBER_BYTES", "count_messages"]

#: a cost, a capacity or a count in a message
NUMBER_BYTES = 8


def count_messages(problem: Problem, demand: np.ndarray) -> tuple[int, int]:
    """Messages (one per hop) of one slot, and their bytes if every option adds two numbers to the climbing message."""
    active = np.flatnonzero(demand > 0)
    hops = problem.type_hops[active].astype(np.int64)
    options = np.diff(problem.option_ptr)[active]
    # the climbing message holds on its last hop all options of the type: half of them on average over its way
    climbing = (hops * (1 + options)).sum()
    return int(2 * hops.sum()), int(NUMBER_BYTES * (climbing + hops.sum()))
