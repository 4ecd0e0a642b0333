"""How many control messages the distributed form of an ascent exchanges, and how large they are.

Per request type with demand in the slot, one message climbs the path to the repository, gathering saving and
potential capacity of the options it passes, and one comes back with the saving at which the demand is met (Si Salem
et al., ToN 2024, section IV). `placid.placement.online.distributed` sends them one by one; here they are only counted.
The count is exact unless models of different nodes save exactly the same: which of them is left out then depends on
who is asked first.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from placid.problem.arrays import Problem

__all__ = ["HEADER_NUMBERS", "NUMBER_BYTES", "OPTION_NUMBERS", "REPLY_NUMBERS", "count_messages"]

#: a saving, a capacity, a count or a type's number in a message
NUMBER_BYTES = 8
#: a climbing message says which type it is about, and its demand
HEADER_NUMBERS = 2
#: and of every option passed that still matters: what it saves, and the part of the demand it could take
OPTION_NUMBERS = 2
#: the reply says which type it is about, and the saving at which the demand is met
REPLY_NUMBERS = 2


def count_messages(problem: Problem, demand: np.ndarray, share: np.ndarray, y: np.ndarray) -> tuple[int, int]:
    """Messages of one slot (one per hop and direction), and their bytes, when nodes hold the fractions `y`.

    Options that save less than those which already meet the demand cannot matter further up, as more options only raise
    the saving at which it is met; nodes leave them out, and those of fraction 0.
    """
    messages, numbers = _count(
        problem.option_ptr,
        problem.option_item,
        problem.item_node,
        problem.next_hop,
        problem.type_hops,
        demand,
        share,
        y,
    )
    return int(messages), int(numbers) * NUMBER_BYTES


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _count(
    option_ptr: np.ndarray,
    option_item: np.ndarray,
    item_node: np.ndarray,
    next_hop: np.ndarray,
    type_hops: np.ndarray,
    demand: np.ndarray,
    share: np.ndarray,
    y: np.ndarray,
) -> tuple[int, int]:
    depth = np.zeros(len(next_hop), np.int64)
    for v in range(len(next_hop)):
        u = next_hop[v]
        while u >= 0:
            depth[v] += 1
            u = next_hop[u]
    messages, numbers = 0, 0
    for r in range(len(demand)):
        if demand[r] <= 0:
            continue
        hops = type_hops[r]
        messages += 2 * hops
        numbers += hops * (HEADER_NUMBERS + REPLY_NUMBERS)
        for d in range(1, hops + 1):
            # the message from depth d: options from there down, until they meet the demand
            room = 1.0
            for o in range(option_ptr[r], option_ptr[r + 1]):
                e = option_item[o]
                take = share[e] * y[e]
                if take > 0.0 and depth[item_node[e]] >= d:
                    numbers += OPTION_NUMBERS
                    if take >= room:
                        break
                    room -= take
    return messages, numbers
