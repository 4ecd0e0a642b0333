"""Dependent rounding, redrawn in every slot: exact marginals, independent of the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numba import njit

from placid.placement.rounding.base import check_fractions, numbers
from placid.placement.rounding.draws import draw_key, expand
from placid.placement.rounding.modes import Pivotal
from placid.placement.rounding.pivotal import pivot_line, settle

__all__ = ["DepRound", "Memoryless"]


@dataclass(frozen=True)
class Memoryless:
    """The state of a rounding that remembers nothing."""


@njit(cache=True)
def _round_line(node_ptr, size_bytes, budget_bytes, y, u, coin, reserve, placed):  # type: ignore[no-untyped-def]
    """Linear-order pivotal rounding of every node; overwrites `y`."""
    for v in range(len(node_ptr) - 1):
        first, last = node_ptr[v], node_ptr[v + 1]
        left = pivot_line(y, size_bytes, first, last, u)
        settle(y, size_bytes, first, last, budget_bytes[v], left, coin[v], reserve, placed)


@dataclass(frozen=True)
class DepRound(Pivotal):
    """Pivotal dependent rounding in linear order, drawn afresh in every slot.

    Neighbours trade bytes, ``s_i y_i + s_j y_j`` kept, until all items of a node but at most one are whole;
    E[x] = y and ``E prod(1 - x_i) <= prod(1 - y_i)`` over any set of items (each trade keeps the bytes of two
    and so lowers the product of what they lack on average). A hard, full budget cannot keep E[x] = y in
    general (two unit items at 3/4 in 1.5 units), hence two modes for the item left over. With "reserve" both
    properties hold. With "coin" the whole items S stay with probability 1 / (1 + phi), and otherwise the item
    left over, j of fraction phi, is placed and as little of S goes as makes it fit: a node loses about one
    model by it. For any monotone submodular gain g with g(empty) = 0 the expected gain is at least
    ``1 / (1 + phi) >= 1/2`` of what "reserve" would have if it could use the full budget, since
    ``g(S) + phi g(j) >= (1 - phi) g(S) + phi g(S + j)``; with what other nodes hold, that is no less than if every
    node kept its draw with probability 1/2 and else had nothing, independently, which keeps half of any submodular
    gain. A node that holds one model only comes near that, one that holds many loses little. Over 1,500 random
    networks whose nodes hold one to four models, the exact expected gain was 0.91 of the fractions' gain on average
    (median 0.99, least 0.52); with "reserve" 0.995 (least 0.84) of the gain of fractions that plan with less
    memory. Redrawing loads a large part of the memory in every slot: see `Coupled`.

    Differs from the paper: INFIDA's rounding rounds the item left over up or down and may exceed a budget by
    one item.

    Attributes:
        mode: "reserve" keeps the marginals but wants fractions within `usable_budget`, the budget less the
            largest item that fits the node; "coin" uses the full budget and keeps at least half of every
            marginal.
    """

    name: ClassVar[str] = "dependent"

    @property
    def sticky(self) -> bool:
        """False: every slot is drawn afresh."""
        return False

    def start(
        self,
        node_ptr: np.ndarray,
        size_bytes: np.ndarray,
        rng: np.random.Generator,
        nodes: np.ndarray | None = None,
    ) -> Memoryless:
        """Nothing to remember."""
        return Memoryless()

    def round(
        self,
        state: Memoryless,
        node_ptr: np.ndarray,
        size_bytes: np.ndarray,
        budget_bytes: np.ndarray,
        y: np.ndarray,
        rng: np.random.Generator,
        nodes: np.ndarray | None = None,
    ) -> tuple[Memoryless, np.ndarray]:
        """See `Rounding.round`; O(N)."""
        check_fractions(node_ptr, size_bytes, self.usable_budget(node_ptr, size_bytes, budget_bytes), y)
        draws = expand(draw_key(rng), node_ptr, numbers(node_ptr, nodes))
        placed = np.empty(len(y), np.bool_)
        reserve = self.mode == "reserve"
        _round_line(node_ptr, size_bytes, budget_bytes, y.copy(), draws.item, draws.node, reserve, placed)
        return state, placed

    def split(self, state: Memoryless, node_ptr: np.ndarray, v: int) -> Memoryless:
        """Nothing, of nothing."""
        return state

    def merge(self, parts: Sequence[Memoryless], node_ptr: np.ndarray) -> Memoryless:
        """Nothing."""
        return Memoryless()
