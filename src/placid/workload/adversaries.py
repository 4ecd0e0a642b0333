"""Two adversaries: one watches the placement and asks for what is missing, one needs only to count.

Why they matter. Take one node with room for k of k + 1 equal models, one task each. Whatever rule a
*deterministic* policy follows, in every slot some task is not held, and the adversary asks for exactly that
one: the policy's gain is 0 in every slot, while the static placement without the least asked task gains at
least ``k / (k + 1)`` of what could be gained at all. The ratio is 0 against nearly 1 for ever, so no
deterministic policy has sublinear regret (the classical argument for caches and for experts: Sleator and
Tarjan 1985; Cesa-Bianchi and Lugosi 2006, chapter 4). Randomised policies such as INFIDA have theirs against
an *oblivious* sequence, one that does not depend on their own draws. So an `Evader`, which sees the very
placement in force, is a stress test for everybody; to compare policies fairly, record what it did to a
deterministic one and play it to all with `Replay`.

`RoundRobin` is oblivious, and breaks recency: when k + 1 tasks are asked for in turn, a node that holds the k
most recent ones (LRU) holds everything but the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from placid.errors import InputError
from placid.randomness import stream
from placid.workload.base import Workload
from placid.workload.requests import RequestTypes
from placid.workload.settings import check_choice, check_count, check_number, check_positive, check_requests

__all__ = ["TURNS", "Evader", "RoundRobin"]

#: what takes turns in a round robin
TURNS = ("task", "type")


@dataclass(frozen=True)
class Evader(Workload):
    """Asks, in every slot, for the `width` types that the placement in force serves worst.

    The requests of the slot divide evenly over these types, what is left over going to the worst. Types that
    are held equally badly are picked at random. Without `held` (nothing is known of a placement) all types
    count as not held. O(R) a slot.

    Attributes:
        requests: the R request types.
        rate_per_s: requests per second; a slot has this times its length, rounded.
        width: how many types are asked for, at most R.
        slot_s: length of a slot.

    Raises:
        InputError: a setting is out of range.
    """

    name: ClassVar[str] = "evader"
    adaptive: ClassVar[bool] = True

    requests: RequestTypes
    rate_per_s: float
    width: int = 1
    slot_s: float = 60.0

    def __post_init__(self) -> None:
        check_requests(self.name, self.requests)
        check_number(self.name, "rate_per_s", self.rate_per_s, 0)
        check_count(self.name, "width", self.width, 1, len(self.requests))
        check_positive(self.name, "slot_s", self.slot_s)

    def demand(self, slot: int, seed: int, held: np.ndarray | None = None) -> np.ndarray:
        """Requests of each type in `slot`, int64 [R]; `held` as in `Workload.demand`.

        Raises:
            InputError: `held` has another shape, or a NaN.
        """
        count = len(self.requests)
        seen = np.zeros(count) if held is None else np.asarray(held, np.float64)
        if seen.shape != (count,) or np.isnan(seen).any():
            raise InputError(f"'held' must be {count} numbers in [0, 1], got an array of shape {seen.shape}")
        limit = np.partition(seen, self.width - 1)[self.width - 1]
        below = np.flatnonzero(seen < limit)
        tied = np.flatnonzero(seen == limit)
        picked = stream(seed, "demand", slot).choice(tied, self.width - len(below), replace=False)
        worst_first = np.concatenate([below[np.argsort(seen[below], kind="stable")], picked])
        return _spread(count, worst_first, self.rate_per_s * self.slot_s)


@dataclass(frozen=True)
class RoundRobin(Workload):
    """Asks for one task after the other in their fixed order, and starts again.

    With blocks of one slot, a policy that holds the most recent k of more than k tasks misses every request.
    A policy that decides only every B slots is met by ``block_slots = B``. No randomness at all.

    Attributes:
        requests: the R request types.
        rate_per_s: requests per second; a slot has this times its length, rounded, evenly over the types in
            turn.
        block_slots: slots for which a turn lasts.
        turn: ``"task"``: in each turn one task is asked for at all its ingress nodes; ``"type"``: one request
            type.
        slot_s: length of a slot.

    Raises:
        InputError: a setting is out of range.

    Example:
        >>> from placid.workload import RequestTypes, RoundRobin
        >>> turns = RoundRobin(RequestTypes.grid(["a"], ["cat", "dog"]), rate_per_s=2.0, slot_s=1.0)
        >>> [turns.demand(slot, seed=0).tolist() for slot in range(3)]
        [[2, 0], [0, 2], [2, 0]]
    """

    name: ClassVar[str] = "round-robin"

    requests: RequestTypes
    rate_per_s: float
    block_slots: int = 1
    turn: str = "task"
    slot_s: float = 60.0

    def __post_init__(self) -> None:
        check_requests(self.name, self.requests)
        check_number(self.name, "rate_per_s", self.rate_per_s, 0)
        check_count(self.name, "block_slots", self.block_slots, 1)
        check_choice(self.name, "turn", self.turn, TURNS)
        check_positive(self.name, "slot_s", self.slot_s)

    def demand(self, slot: int, seed: int, held: np.ndarray | None = None) -> np.ndarray:
        """Requests of each type in `slot`, int64 [R]; neither `seed` nor `held` changes anything."""
        types, start = self._turns
        turn = (slot // self.block_slots) % (len(start) - 1)
        return _spread(
            len(self.requests), types[start[turn] : start[turn + 1]], self.rate_per_s * self.slot_s
        )

    def expected(self, slot: int) -> np.ndarray:
        """The demand itself, which is certain: float64 [R]."""
        return self.demand(slot, 0).astype(np.float64)

    @cached_property
    def _turns(self) -> tuple[np.ndarray, np.ndarray]:
        """The types in order of turn, and where each turn starts."""
        if self.turn == "type":
            return np.arange(len(self.requests)), np.arange(len(self.requests) + 1)
        order = np.argsort(self.requests.task_of, kind="stable")
        return order, np.concatenate([[0], np.cumsum(np.bincount(self.requests.task_of))])


def _spread(count: int, types: np.ndarray, total: float) -> np.ndarray:
    """`total` requests, rounded, evenly over `types` (the first take what is left over); int64 [count]."""
    each, over = divmod(round(total), len(types))
    demand = np.zeros(count, np.int64)
    demand[types] = each
    demand[types[:over]] += 1
    return demand
