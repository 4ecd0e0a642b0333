"""The conformance check of roundings: what every rounding must do, ours and yours.

    from placid.testing import check_rounding
    check_rounding(MyRounding())

raises AssertionError with the reason at the first thing that is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, is_dataclass

import numpy as np

from placid.errors import InputError
from placid.placement.projections import Entropy
from placid.placement.rounding.base import Rounding
from placid.randomness import stream

__all__ = ["check_rounding"]

#: how many standard errors a frequency may be off; one check in 2 million is wrong by chance
SIGMAS = 5.2
#: a rounding that shares random numbers between slots may load at most this part of what redrawing would
STICKY_SHARE = 0.5


@dataclass(frozen=True)
class _Nodes:
    """A few nodes, their items and fractions within the usable budgets."""

    node_ptr: np.ndarray
    size_bytes: np.ndarray
    budget_bytes: np.ndarray
    y: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.node_ptr, self.size_bytes, self.budget_bytes

    def by_node(self, per_item: np.ndarray) -> np.ndarray:
        node = np.repeat(np.arange(len(self.budget_bytes)), np.diff(self.node_ptr))
        total = np.zeros(len(self.budget_bytes), per_item.dtype)
        np.add.at(total, node, per_item)
        return total


def check_rounding(rounding: Rounding, *, instances: int = 12, draws: int = 4000, seed: int = 0) -> None:
    """Round random fractions on random nodes again and again, and check that it

    - never exceeds a budget by a byte, with sizes of a few bytes as well as of terabytes;
    - places what is whole, and nothing that has fraction 0;
    - keeps what it promises of its marginals: ``least_share * y <= P(placed) <= y``, within statistical error;
    - where it keeps marginals, settles all items of a node but at most one by trading bytes, so that the bytes
      placed differ from the bytes of the fractions by less than one item;
    - draws the same under the same stream, for each node alone what it draws for all together;
    - loads little while fractions move little, if it says so.

    Raises:
        AssertionError: says what is wrong.
    """
    who = type(rounding).__name__
    assert getattr(type(rounding), "name", ""), f"{who} has no name"
    assert is_dataclass(rounding), f"{who} must be a frozen dataclass"
    assert rounding.promise, f"{who} promises nothing"
    for i in range(instances):
        rng = np.random.default_rng([seed, i])
        nodes = _random_nodes(rounding, rng)
        _check_law(who, rounding, nodes, draws // instances * 4, seed + i)
        _check_whole(who, rounding, nodes, rng)
        _check_alone(who, rounding, nodes, rng, seed + i)
        _check_refuses(who, rounding, nodes, seed + i)
    if rounding.sticky:
        _check_sticky(who, rounding, seed)


def _random_nodes(rounding: Rounding, rng: np.random.Generator, most: int = 9) -> _Nodes:
    counts = rng.integers(1, most, size=rng.integers(1, 4))
    node_ptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    total = int(node_ptr[-1])
    unit = rng.choice([1, 10, 10**6, 10**12])
    size = np.maximum(
        1, (unit * np.exp(rng.choice([0.0, 1.0, 2.0]) * rng.normal(size=total))).astype(np.int64)
    )
    full = np.add.reduceat(size, node_ptr[:-1])
    budget = (full * rng.choice([0.05, 0.3, 0.6, 1.0], size=len(counts))).astype(np.int64)
    empty = _Nodes(node_ptr, size, budget, np.zeros(total))
    return _Nodes(*empty.arrays, _fit(rounding, empty, np.exp(rng.normal(size=total))))


def _fit(rounding: Rounding, nodes: _Nodes, weight: np.ndarray) -> np.ndarray:
    """`weight` projected to what the rounding accepts."""
    usable = rounding.usable_budget(*nodes.arrays)
    placeable = nodes.size_bytes <= np.repeat(usable, np.diff(nodes.node_ptr))
    sizes, budget = nodes.size_bytes.astype(np.float64), usable.astype(np.float64)
    return Entropy().project(weight, sizes, nodes.node_ptr, budget, placeable)


def _check_law(who: str, rounding: Rounding, nodes: _Nodes, draws: int, seed: int) -> None:
    times = np.zeros(len(nodes.y))
    before = nodes.y.copy()
    filled = nodes.by_node(nodes.size_bytes * nodes.y)
    largest = np.maximum.reduceat(np.where(nodes.y > 0, nodes.size_bytes, 0), nodes.node_ptr[:-1])
    for k in range(draws):
        state = rounding.start(nodes.node_ptr, nodes.size_bytes, stream(seed, "start", k))
        _, placed = rounding.round(state, *nodes.arrays, nodes.y, stream(seed, "round", k))
        assert placed.dtype == np.bool_, f"{who}: a placement is a bool array, got {placed.dtype}"
        assert placed.shape == nodes.y.shape, f"{who}: a placement has one bool an item, got {placed.shape}"
        used = nodes.by_node(np.where(placed, nodes.size_bytes, 0))
        over = used - nodes.budget_bytes
        assert over.max() <= 0, f"{who}: exceeds a budget by {over.max()} bytes"
        if rounding.keeps_marginals:
            assert (np.abs(used - filled) <= largest * (1 + 1e-9)).all(), (
                f"{who}: bytes placed differ from the bytes of the fractions by more than one item"
            )
        times += placed
    assert np.array_equal(nodes.y, before), f"{who}: changed the fractions it was given"
    assert not times[nodes.y == 0].any(), f"{who}: placed an item of fraction 0"
    often = times / draws
    for bound, sign, said in (
        (nodes.y, 1, "above y"),
        (rounding.least_share * nodes.y, -1, "below its promise"),
    ):
        error = SIGMAS * np.sqrt(bound * (1 - bound) / draws) + 2.0 / draws
        worst = int(np.argmax(sign * (often - bound) - error))
        assert sign * (often[worst] - bound[worst]) <= error[worst], (
            f"{who}: P(placed) = {often[worst]:.4f} is {said} ({bound[worst]:.4f}) for item {worst} "
            f"of fraction {nodes.y[worst]:.4f}; it promises: {rounding.promise}"
        )


def _check_whole(who: str, rounding: Rounding, nodes: _Nodes, rng: np.random.Generator) -> None:
    usable = rounding.usable_budget(*nodes.arrays)
    whole = np.zeros(len(nodes.y), bool)
    for v in range(len(usable)):
        room = int(usable[v])
        for e in nodes.node_ptr[v] + rng.permutation(int(nodes.node_ptr[v + 1] - nodes.node_ptr[v])):
            if nodes.size_bytes[e] <= room:
                whole[e] = True
                room -= int(nodes.size_bytes[e])
    state = rounding.start(nodes.node_ptr, nodes.size_bytes, rng)
    _, placed = rounding.round(state, *nodes.arrays, whole.astype(np.float64), rng)
    assert np.array_equal(placed, whole), f"{who}: fractions 0 and 1 that fit must be placed as they are"


def _check_alone(who: str, rounding: Rounding, nodes: _Nodes, rng: np.random.Generator, seed: int) -> None:
    state = rounding.start(nodes.node_ptr, nodes.size_bytes, stream(seed, "start"))
    spans = [slice(nodes.node_ptr[v], nodes.node_ptr[v + 1]) for v in range(len(nodes.budget_bytes))]
    alone = [
        rounding.start(
            np.array([0, s.stop - s.start]), nodes.size_bytes[s], stream(seed, "start"), np.array([v])
        )
        for v, s in enumerate(spans)
    ]
    for slot in range(3):
        y = _fit(rounding, nodes, np.exp(rng.normal(size=len(nodes.y))))
        state, placed = rounding.round(state, *nodes.arrays, y, stream(seed, slot))
        for v, s in enumerate(spans):
            alone[v], mine = rounding.round(
                alone[v],
                np.array([0, s.stop - s.start]),
                nodes.size_bytes[s],
                nodes.budget_bytes[v : v + 1],
                y[s],
                stream(seed, slot),
                np.array([v]),
            )
            assert np.array_equal(mine, placed[s]), (
                f"{who}: node {v} alone draws another placement, slot {slot}"
            )
    merged = rounding.merge(alone, nodes.node_ptr)
    parts = [rounding.split(merged, nodes.node_ptr, v) for v in range(len(spans))]
    for again in (merged, rounding.merge(parts, nodes.node_ptr)):
        _, placed = rounding.round(state, *nodes.arrays, y, stream(seed, "last"))
        _, same = rounding.round(again, *nodes.arrays, y, stream(seed, "last"))
        assert np.array_equal(placed, same), f"{who}: split and merge do not give the state back"


def _check_refuses(who: str, rounding: Rounding, nodes: _Nodes, seed: int) -> None:
    state = rounding.start(nodes.node_ptr, nodes.size_bytes, stream(seed, "start"))
    usable = rounding.usable_budget(*nodes.arrays)
    bad = [np.full(len(nodes.y), 1.5), np.full(len(nodes.y), np.nan)]
    if (nodes.by_node(nodes.size_bytes) > usable * 1.001).any():
        bad.append(np.ones(len(nodes.y)))
    for y in bad:
        try:
            rounding.round(state, *nodes.arrays, y, stream(seed, "round"))
        except InputError:
            continue
        raise AssertionError(
            f"{who}: must raise InputError for fractions outside the budgets or outside [0, 1]"
        )


def _check_sticky(who: str, rounding: Rounding, seed: int, slots: int = 120) -> None:
    rng = np.random.default_rng(seed)
    counts = np.full(4, 40)
    node_ptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    size = (1e6 * np.exp(0.7 * rng.normal(size=160))).astype(np.int64)
    budget = (0.2 * np.add.reduceat(size, node_ptr[:-1])).astype(np.int64)
    nodes = _Nodes(node_ptr, size, budget, np.zeros(160))
    log_weight = rng.normal(size=160)
    state = rounding.start(node_ptr, size, stream(seed, "start"))
    kept = redrawn = np.zeros(160, bool)
    loaded = np.zeros(2)
    for slot in range(slots):
        log_weight = log_weight + 0.02 * rng.normal(size=160)
        y = _fit(rounding, nodes, np.exp(log_weight))
        state, now = rounding.round(state, *nodes.arrays, y, stream(seed, slot))
        anew = rounding.start(node_ptr, size, stream(seed, "anew", slot))
        _, fresh = rounding.round(anew, *nodes.arrays, y, stream(seed, slot))
        if slot:
            loaded += size[now & ~kept].sum(), size[fresh & ~redrawn].sum()
        kept, redrawn = now, fresh
    assert loaded[0] <= STICKY_SHARE * loaded[1], (
        f"{who}: says it is sticky, but loads {loaded[0] / loaded[1]:.2f} of what redrawing would"
    )
