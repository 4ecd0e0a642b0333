"""Zipf popularity over tasks, laid on request types: who asks for what, how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from placid.errors import InputError
from placid.randomness import stream
from placid.workload.process import PoissonProcess
from placid.workload.requests import RequestTypes
from placid.workload.settings import (
    check_choice,
    check_count,
    check_number,
    check_positive,
    check_requests,
    field_of,
    per_ingress,
)

__all__ = ["RANKS", "ZipfProcess", "task_ranks", "zipf", "zipf_shares"]

#: how ingress nodes agree on what is popular
RANKS = ("shared", "per ingress")


def zipf(count: int, exponent: float) -> np.ndarray:
    """Zipf's law: the share of rank k (from 1) is proportional to ``k ** -exponent``; float64 [count]."""
    share = np.arange(1, count + 1, dtype=np.float64) ** -exponent
    return share / share.sum()


def task_ranks(requests: RequestTypes, ranks: str, seed: int) -> np.ndarray:
    """The popularity rank (0 = most asked for) of each type's task at its ingress, int64 [R].

    ``"shared"``: tasks rank in the order of ``requests.tasks`` everywhere. ``"per ingress"``: every ingress
    node has a uniformly random order of its own, which depends on its name and `seed` only.
    """
    if ranks == "shared":
        return requests.task_of
    orders = np.stack(
        [stream(seed, "ranks", node).permutation(len(requests.tasks)) for node in requests.nodes]
    )
    return orders[requests.node_of, requests.task_of]


def zipf_shares(requests: RequestTypes, rank: np.ndarray, exponent: float, offset: int = 0) -> np.ndarray:
    """Of the requests that enter at a type's ingress, the share that are of the type; float64 [R].

    Args:
        rank: int64 [R] from `task_ranks`.
        offset: how many ranks every task has fallen since; what falls off the end comes back at the top.
    """
    count = len(requests.tasks)
    law = zipf(count, exponent)
    share = np.roll(law, -(offset % count))[rank]
    # an ingress without some of the tasks spreads its requests over those it has
    share /= np.bincount(requests.node_of, weights=share)[requests.node_of]
    return share


@dataclass(frozen=True)
class ZipfProcess(PoissonProcess):
    """What the workloads with Zipf popularity have in common: their settings, checked.

    Attributes:
        requests: the R request types.
        rate_per_s: requests per second, all types together.
        exponent: of Zipf's law; 0 makes all tasks equally popular.
        slot_s: length of a slot.
        weights: how requests divide over the ingress nodes: node name -> weight, or weights in the order of
            ``requests.nodes``; None: evenly. Kept as a tuple that sums to 1.
        ranks: ``"shared"`` or ``"per ingress"``, see `task_ranks`.
        ranks_seed: what the orders of ``"per ingress"`` are drawn from; no other draw depends on it.

    Raises:
        InputError: a setting is out of range; the message names it.
    """

    requests: RequestTypes
    rate_per_s: float
    exponent: float = 1.2
    slot_s: float = 60.0
    weights: Mapping[str, float] | tuple[float, ...] | None = None
    ranks: str = "shared"
    ranks_seed: int = 0

    def __post_init__(self) -> None:
        check_requests(self.name, self.requests)
        check_number(self.name, "rate_per_s", self.rate_per_s, 0)
        check_number(self.name, "exponent", self.exponent, 0)
        check_positive(self.name, "slot_s", self.slot_s)
        check_choice(self.name, "ranks", self.ranks, RANKS)
        check_count(self.name, "ranks_seed", self.ranks_seed, 0)
        count = len(self.requests.nodes)
        if self.weights is None:
            weights = (1.0 / count,) * count
        else:
            given = per_ingress(self.name, "weights", self.weights, self.requests, low=0)
            if not 0 < sum(given) < float("inf"):
                raise InputError("at least one weight must be above 0", where=field_of(self.name, "weights"))
            weights = tuple(w / sum(given) for w in given)
        object.__setattr__(self, "weights", weights)

    @cached_property
    def _rank(self) -> np.ndarray:
        return task_ranks(self.requests, self.ranks, self.ranks_seed)

    @cached_property
    def _asked_at_ingress(self) -> np.ndarray:
        """Requests per slot at each type's ingress, float64 [R]."""
        per_node = self.rate_per_s * self.slot_s * np.asarray(self.weights, np.float64)
        return per_node[self.requests.node_of]

    def _expected_after(self, offset: int) -> np.ndarray:
        """Expected demand once every task has fallen by `offset` ranks, float64 [R]."""
        return zipf_shares(self.requests, self._rank, self.exponent, offset) * self._asked_at_ingress
