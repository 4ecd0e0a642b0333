"""Permanent random numbers: an item is wanted while its own number lies below its fraction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numba import njit

from placid.errors import InputError
from placid.placement.rounding.base import Rounding, check_fractions, numbers
from placid.placement.rounding.draws import Draws, draw_key, expand, join, renew

__all__ = ["Permanent"]


@njit(cache=True)
def _round_permanent(node_ptr, size_bytes, budget_bytes, y, u, placed):  # type: ignore[no-untyped-def]
    """Wanted items, less those of largest u / y until the node's budget holds."""
    for v in range(len(node_ptr) - 1):
        first, last = node_ptr[v], node_ptr[v + 1]
        used = np.int64(0)
        wanted = 0
        for i in range(first, last):
            placed[i] = u[i] < y[i] and size_bytes[i] <= budget_bytes[v]
            if placed[i]:
                used += size_bytes[i]
                wanted += 1
        if used <= budget_bytes[v]:
            continue
        ratio = np.empty(wanted)
        item = np.empty(wanted, np.int64)
        k = 0
        for i in range(first, last):
            if placed[i]:
                ratio[k] = -u[i] / y[i]
                item[k] = i
                k += 1
        for k in np.argsort(ratio):
            if used <= budget_bytes[v]:
                break
            placed[item[k]] = False
            used -= size_bytes[item[k]]


@dataclass(frozen=True)
class Permanent(Rounding):
    """Each item keeps a uniform number U; it is wanted while U < y, and the wanted of largest U / y go until
    all fit.

    The fewest moves: the wanted set changes by ``sum(|y_t - y_{t-1}|)`` items a slot on average (plus
    renewal). The price is the law: items are wanted independently, so a node may want more than it holds, and
    then drops some. With items of one size and room for b of them that costs up to ``1 - E min(b, Poisson(b))
    / b``: 37 % at b = 1, 13 % at b = 10, 4 % at b = 100. With mixed sizes there is no constant factor: an
    item as large as its node loses against many small ones nearly always. Fill the room that is left with
    `fill`.

    Attributes:
        renewal: probability per slot that an item's number is replaced; 0 keeps good and bad luck for ever.
    """

    renewal: float = 0.01
    name: ClassVar[str] = "permanent"

    def __post_init__(self) -> None:
        """Checks the settings."""
        if not 0.0 <= self.renewal <= 1.0:
            raise InputError(f"renewal is a probability per slot, in [0, 1]; got {self.renewal}")

    @property
    def keeps_marginals(self) -> bool:
        """False: a node that wants more than it holds drops items."""
        return False

    @property
    def least_share(self) -> float:
        """0: there is no constant factor."""
        return 0.0

    @property
    def sticky(self) -> bool:
        """True: items keep their numbers."""
        return True

    @property
    def promise(self) -> str:
        """What P(item placed) is, in one sentence."""
        return (
            "P(wanted) = y, independently; P(placed) <= y, less by what is dropped when the wanted do not fit"
        )

    def start(
        self,
        node_ptr: np.ndarray,
        size_bytes: np.ndarray,
        rng: np.random.Generator,
        nodes: np.ndarray | None = None,
    ) -> Draws:
        """The first random numbers."""
        return expand(draw_key(rng), node_ptr, numbers(node_ptr, nodes))

    def round(
        self,
        state: Draws,
        node_ptr: np.ndarray,
        size_bytes: np.ndarray,
        budget_bytes: np.ndarray,
        y: np.ndarray,
        rng: np.random.Generator,
        nodes: np.ndarray | None = None,
    ) -> tuple[Draws, np.ndarray]:
        """See `Rounding.round`; O(N), plus sorting the wanted items of nodes that want too much."""
        check_fractions(node_ptr, size_bytes, budget_bytes, y)
        state = renew(state, self.renewal, draw_key(rng), node_ptr, numbers(node_ptr, nodes))
        placed = np.empty(len(y), np.bool_)
        _round_permanent(node_ptr, size_bytes, budget_bytes, y, state.item, placed)
        return state, placed

    def split(self, state: Draws, node_ptr: np.ndarray, v: int) -> Draws:
        """The node's numbers."""
        return Draws(item=state.item[node_ptr[v] : node_ptr[v + 1]], node=state.node[v : v + 1])

    def merge(self, parts: Sequence[Draws], node_ptr: np.ndarray) -> Draws:
        """The nodes' numbers, one node after the other."""
        return join(parts)
