"""The conformance check of roundings of columns: what everything that draws parts of plans together must do.

    from placid.testing import check_chain_rounding
    check_chain_rounding(MyRounding)

raises AssertionError with the reason at the first thing that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit

from placid.placement.columns import Columns
from placid.placement.rounding.chains import ChainRounding
from placid.randomness import stream
from placid.testing.gadgets import Gadget, random_gadget

__all__ = ["Kept", "check_chain_rounding"]

#: one check in so many is wrong by chance, at the most
_ODDS = 1e6


@dataclass(frozen=True)
class Kept:
    """What a rounding kept of the concave gain of one gadget.

    Attributes:
        ratio: mean gain of the draws over the concave gain.
        error: how far the mean may be off, over the concave gain.
        promised: `ChainRounding.least_ratio`.
    """

    gadget: Gadget
    ratio: float
    error: float
    promised: float


def check_chain_rounding(
    make: Callable[[Columns, np.ndarray], ChainRounding],
    *,
    gadgets: int = 200,
    draws: int = 100,
    seed: int = 0,
) -> list[Kept]:
    """Draw from the fractions of random gadgets (`random_gadget`) again and again, and check that the rounding

    - never exceeds a budget by a byte, an item that is held for several columns counted once, with sizes of a few bytes as
      well as of terabytes;
    - draws nothing without what it is dedicated to, nothing of fraction 0, and nothing more often than its least fraction;
    - places every option that is whole in fractions that are all 0 or 1;
    - earns in expectation what it promises of the concave gain, within the error of the draws (Maurer and Pontil 2009);
    - draws the same under the same numbers.

    Args:
        make: of columns and hops to the repository, int64 [V].

    Returns:
        What was kept, gadget by gadget.

    Raises:
        AssertionError: says what is wrong.
    """
    kept = []
    for i in range(gadgets):
        rng = np.random.default_rng([seed, i])
        gadget = random_gadget(rng, tiers=i % 5 == 4)
        rounding = make(gadget.columns, gadget.problem.node_hops)
        who = f"{type(rounding).__name__} on gadget {i} of seed {seed} ({gadget.kind})"
        drawn = rounding.sample(gadget.z, gadget.problem.budget_bytes, stream(seed, "draws", i), draws)
        _check_draws(who, gadget, drawn)
        kept.append(_check_gain(who, rounding, gadget, drawn))
        _check_whole(who, rounding, gadget, rng)
        _check_again(who, rounding, gadget, seed, i)
        if i % 8 == 0:
            _check_terabytes(who, make, gadget, seed, i)
    return kept


def _check_draws(who: str, gadget: Gadget, drawn: np.ndarray) -> None:
    columns, problem = gadget.columns, gadget.problem
    assert drawn.dtype == np.bool_, f"{who}: a draw is a bool array, got {drawn.dtype}"
    over = _most_over(drawn, columns.item, problem.item_node, problem.item_size_bytes, problem.budget_bytes)
    assert over <= 0, f"{who}: exceeds a budget by {over} bytes"
    child = np.flatnonzero(columns.parent >= 0)
    orphan = drawn[:, child] & ~drawn[:, columns.parent[child]]
    assert not orphan.any(), f"{who}: draws a column without what it is dedicated to"
    least = columns.least(gadget.z)
    assert not drawn[:, least == 0].any(), f"{who}: draws a column of fraction 0"
    often = drawn.mean(axis=0)
    sure = np.log(_ODDS) / len(drawn)
    error = np.sqrt(2 * least * (1 - least) * sure) + sure
    n = int(np.argmax(often - least - error))
    assert often[n] <= least[n] + error[n], (
        f"{who}: draws column {n} with probability {often[n]:.4f}, above its least fraction {least[n]:.4f}"
    )


def _check_gain(who: str, rounding: ChainRounding, gadget: Gadget, drawn: np.ndarray) -> Kept:
    columns = gadget.columns
    promised = rounding.least_ratio(gadget.z, gadget.problem.budget_bytes, gadget.share)
    assert 0 <= promised <= 1, f"{who}: promises {promised} of the concave gain"
    gains = columns.gains(gadget.demand, gadget.share, drawn)
    most = columns.gain(gadget.demand, gadget.share, np.ones(len(columns)))
    log = np.log(2 * _ODDS)
    error = np.sqrt(2 * gains.var() * log / len(drawn)) + 7 * most * log / (3 * len(drawn))
    kept = Kept(gadget, float(gains.mean() / gadget.gain), float(error / gadget.gain), promised)
    assert kept.ratio + kept.error >= promised, (
        f"{who}: keeps {kept.ratio:.4f} of the concave gain, where it promises {promised:.4f}"
    )
    return kept


def _check_whole(who: str, rounding: ChainRounding, gadget: Gadget, rng: np.random.Generator) -> None:
    """Options one by one, as many as fit."""
    columns, problem = gadget.columns, gadget.problem
    whole = np.zeros(len(columns))
    room = problem.budget_bytes.copy()
    for leaf in rng.permutation(np.unique(columns.leaf)):
        chain = [int(leaf)]
        while columns.parent[chain[-1]] >= 0:
            chain.append(int(columns.parent[chain[-1]]))
        new = [n for n in chain if whole[n] == 0]
        left = room.copy()
        np.subtract.at(left, columns.lifted.item_node[new], columns.lifted.item_size_bytes[new])
        if (left >= 0).all():
            whole[new] = 1.0
            room = left
    drawn = rounding.sample(whole, problem.budget_bytes, rng, 3)
    assert (drawn == (whole > 0)).all(), f"{who}: options that are whole and fit must be placed as they are"


def _check_again(who: str, rounding: ChainRounding, gadget: Gadget, seed: int, i: int) -> None:
    budget = gadget.problem.budget_bytes
    draws, first = rounding.round(
        rounding.start(stream(seed, "start", i)), gadget.z, budget, stream(seed, "round", i)
    )
    _check_draws(who, gadget, first[None])
    for renewal in (0.0, 1.0):
        known = draws if renewal == 0.0 else rounding.start(stream(seed, "start", i))
        _, again = rounding.round(known, gadget.z, budget, stream(seed, "round", i), renewal)
        assert np.array_equal(first, again), f"{who}: draws another placement from the same numbers"


def _check_terabytes(
    who: str, make: Callable[[Columns, np.ndarray], ChainRounding], gadget: Gadget, seed: int, i: int
) -> None:
    """The same in units of 10^12 bytes and one, where a float's round-off is more than a byte."""
    large = gadget.times(10**12 + 1)
    rounding = make(large.columns, large.problem.node_hops)
    drawn = rounding.sample(large.z, large.problem.budget_bytes, stream(seed, "large", i), 20)
    _check_draws(f"{who}, sizes of terabytes", large, drawn)


@njit(cache=True)
def _most_over(drawn, item, node, size_bytes, budget_bytes):  # type: ignore[no-untyped-def]
    """The most that any draw takes above a node's budget, in bytes; negative if all are below."""
    worst = -np.int64(2**62)
    held = np.full(len(node), -1)
    for b in range(len(drawn)):
        used = np.zeros(len(budget_bytes), np.int64)
        for n in range(len(item)):
            if drawn[b, n] and held[item[n]] != b:
                held[item[n]] = b
                used[node[item[n]]] += size_bytes[item[n]]
        worst = max(worst, (used - budget_bytes).max())
    return worst
