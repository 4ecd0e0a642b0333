"""Random numbers that a node can draw by itself and get what it would get in the whole.

All nodes know the stream of the slot. One integer is drawn from it; every node expands it by its own number, with
SplitMix64 (Steele, Lea and Flood 2014). So a placement rounded node by node, each node alone, is the placement rounded
centrally, and no random number is ever sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

__all__ = ["Draws", "draw_key", "expand", "join", "renew"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S11, _S27, _S30, _S31 = (np.uint64(shift) for shift in (11, 27, 30, 31))


@dataclass(frozen=True)
class Draws:
    """One uniform number for every item, and one for the item left over at each node.

    Attributes:
        item: float64 [N].
        node: float64 [V].
    """

    item: np.ndarray
    node: np.ndarray


def draw_key(rng: np.random.Generator) -> np.uint64:
    """All that is drawn from the slot's stream."""
    return rng.integers(0, 2**64, dtype=np.uint64)


def expand(key: np.uint64, node_ptr: np.ndarray, nodes: np.ndarray) -> Draws:
    """The numbers of the nodes numbered `nodes` (int64 [V]), whose items are given by `node_ptr`."""
    item, node = np.empty(int(node_ptr[-1])), np.empty(len(nodes))
    _expand(key, node_ptr, nodes, 1.0, item, node)
    return Draws(item, node)


def renew(draws: Draws, renewal: float, key: np.uint64, node_ptr: np.ndarray, nodes: np.ndarray) -> Draws:
    """`draws` with each number replaced by a fresh one with probability `renewal`."""
    if renewal <= 0.0:
        return draws
    item, node = draws.item.copy(), draws.node.copy()
    _expand(key, node_ptr, nodes, renewal, item, node)
    return Draws(item, node)


def join(parts: Sequence[Draws]) -> Draws:
    """The numbers of several nodes, one node after the other."""
    return Draws(np.concatenate([p.item for p in parts]), np.concatenate([p.node for p in parts]))


@njit(cache=True)
def _mixed(z):  # type: ignore[no-untyped-def]
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@njit(cache=True)
def _unit(bits):  # type: ignore[no-untyped-def]
    """53 of 64 random bits as a number in [0, 1)."""
    return np.float64(bits >> _S11) * 2.0**-53


@njit(cache=True)
def _expand(key, node_ptr, nodes, renewal, item, node):  # type: ignore[no-untyped-def]
    """Overwrites each number, with probability `renewal`, by a fresh one."""
    for v in range(len(nodes)):
        state = _mixed(key + _mixed(np.uint64(nodes[v]) + _GOLDEN))
        bits = _mixed(state)
        if _unit(bits) < renewal:
            node[v] = _unit(_mixed(bits ^ _GOLDEN))
        for i in range(node_ptr[v], node_ptr[v + 1]):
            state += _GOLDEN
            bits = _mixed(state)
            if _unit(bits) < renewal:
                item[i] = _unit(_mixed(bits ^ _GOLDEN))
