"""What a rounding is: it turns fractions into a placement that every node's memory holds to the byte."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numba import njit

from placid.errors import InputError

__all__ = ["Rounding", "check_fractions", "node_fill", "numbers", "reserved_budgets"]

#: how far, relative to the budget, a fractional load may exceed it before it is an error and not float
#: round-off
_ROUND_OFF = 1e-9


class Rounding(ABC):
    """Draws a placement from fractions, slot by slot. Frozen dataclasses: settings only, the state travels.

    Every rounding gets the arrays of the moment (budgets shrink and nodes fail); its state holds only random
    numbers and what was drawn from them. `rng` is a fresh stream for this rounding and slot.

    Nodes round alone: what a node gets depends on its own items, its number and the stream of the slot, never
    on other nodes. `split` and `merge` take the state apart by node and put it together again.
    """

    #: the name in scenarios and tables
    name: ClassVar[str]

    @property
    @abstractmethod
    def keeps_marginals(self) -> bool:
        """Whether P(item placed) equals its fraction exactly, in every slot."""

    @property
    @abstractmethod
    def least_share(self) -> float:
        """The least P(item placed) / fraction that is promised; P is never above the fraction."""

    @property
    @abstractmethod
    def sticky(self) -> bool:
        """Whether successive slots share random numbers, so that few bytes move while fractions move little."""

    @property
    @abstractmethod
    def promise(self) -> str:
        """What P(item placed) is, in one sentence."""

    def usable_budget(
        self, node_ptr: np.ndarray, size_bytes: np.ndarray, budget_bytes: np.ndarray
    ) -> np.ndarray:
        """The budgets (int64 [V]) that the fractions given to `round` must keep; all of them by default."""
        return budget_bytes

    @abstractmethod
    def start(
        self,
        node_ptr: np.ndarray,
        size_bytes: np.ndarray,
        rng: np.random.Generator,
        nodes: np.ndarray | None = None,
    ) -> Any:
        """The state before the first slot; arguments as in `round`."""

    @abstractmethod
    def round(
        self,
        state: Any,
        node_ptr: np.ndarray,
        size_bytes: np.ndarray,
        budget_bytes: np.ndarray,
        y: np.ndarray,
        rng: np.random.Generator,
        nodes: np.ndarray | None = None,
    ) -> tuple[Any, np.ndarray]:
        """The state after, and the placement.

        Args:
            state: what `start` or the last `round` returned.
            node_ptr: int64 [V + 1]; items of node v are ``node_ptr[v]:node_ptr[v + 1]``.
            size_bytes: int64 [N], > 0.
            budget_bytes: int64 [V], >= 0.
            y: float64 [N]; fractions in [0, 1], within `usable_budget` at every node, 0 for items larger
                than it.
            rng: the only source of randomness.
            nodes: int64 [V]; the numbers by which these nodes are known in the network, 0 to V - 1 if not
                given. A node that rounds alone gives its own.

        Returns:
            The state, and bool [N]: at every node ``sum(size_bytes[placed]) <= budget_bytes`` in integers.

        Raises:
            InputError: `y` is not within [0, 1] or not within the usable budget of some node.
        """

    @abstractmethod
    def split(self, state: Any, node_ptr: np.ndarray, v: int) -> Any:
        """The part of `state` that belongs to node v, in the numbering of its own items."""

    @abstractmethod
    def merge(self, parts: Sequence[Any], node_ptr: np.ndarray) -> Any:
        """The state whose `split` gives `parts`, one a node."""


def numbers(node_ptr: np.ndarray, nodes: np.ndarray | None) -> np.ndarray:
    """`nodes`, or 0 to V - 1."""
    return np.arange(len(node_ptr) - 1) if nodes is None else nodes


@njit(cache=True)
def node_fill(node_ptr, size_bytes, y):  # type: ignore[no-untyped-def]
    """float64 [V]: bytes that the fractions `y` take at each node."""
    filled = np.zeros(len(node_ptr) - 1)
    for v in range(len(node_ptr) - 1):
        for i in range(node_ptr[v], node_ptr[v + 1]):
            filled[v] += size_bytes[i] * y[i]
    return filled


@njit(cache=True)
def reserved_budgets(node_ptr, size_bytes, budget_bytes):  # type: ignore[no-untyped-def]
    """int64 [V]: each budget less the largest item that fits in it, so that one item more always fits."""
    reserved = np.zeros(len(node_ptr) - 1, np.int64)
    for v in range(len(node_ptr) - 1):
        largest = np.int64(0)
        for i in range(node_ptr[v], node_ptr[v + 1]):
            if size_bytes[i] <= budget_bytes[v] and size_bytes[i] > largest:
                largest = size_bytes[i]
        reserved[v] = budget_bytes[v] - largest
    return reserved


def check_fractions(
    node_ptr: np.ndarray, size_bytes: np.ndarray, budget_bytes: np.ndarray, y: np.ndarray
) -> None:
    """Nothing, if `y` is a fractional placement within `budget_bytes`, up to float round-off.

    Raises:
        InputError: says which node or value is wrong.
    """
    if y.shape != size_bytes.shape or y.dtype != np.float64:
        raise InputError(f"fractions must be float64 of shape {size_bytes.shape}, got {y.dtype} {y.shape}")
    if len(y) and not (np.min(y) >= 0.0 and np.max(y) <= 1.0):
        raise InputError(f"fractions must lie in [0, 1], got {np.min(y)} to {np.max(y)}")
    filled = node_fill(node_ptr, size_bytes, y)
    over = np.flatnonzero(filled > budget_bytes * (1.0 + _ROUND_OFF))
    if len(over):
        v = int(over[0])
        raise InputError(
            f"fractions take {filled[v]:.6g} bytes at node {v}, which has {int(budget_bytes[v])} usable; "
            "project them first"
        )
