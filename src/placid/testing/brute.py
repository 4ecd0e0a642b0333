"""The best placement of a tiny instance, by looking at all that could be best."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from placid.problem.arrays import Problem
from placid.problem.gain import partitioned_gain, potential_share
from placid.problem.serving import serve

__all__ = ["Best", "brute_force", "full_placements"]


@dataclass(frozen=True)
class Best:
    """The optimum under both gains, each with a placement (bool [N]) that reaches it."""

    served: float
    served_placed: np.ndarray
    partitioned: float
    partitioned_placed: np.ndarray


def brute_force(problem: Problem, demand: np.ndarray, most: int = 200_000) -> Best:
    """The optimum over all placements within the budgets, under the serving rule and under the partitioned gain.

    Both gains are monotone, so only placements to which nothing can be added are looked at.

    Raises:
        ValueError: there are more than `most` of them.
    """
    share = potential_share(problem, demand)
    nothing = np.zeros(problem.item_count, bool)
    best = Best(0.0, nothing, 0.0, nothing)
    for placed in full_placements(problem, most):
        served = serve(problem, placed, demand).gain
        partitioned = partitioned_gain(problem, demand, share, placed)
        if served > best.served:
            best = Best(served, placed, best.partitioned, best.partitioned_placed)
        if partitioned > best.partitioned:
            best = Best(best.served, best.served_placed, partitioned, placed)
    return best


def full_placements(problem: Problem, most: int = 200_000) -> Iterator[np.ndarray]:
    """Every placement (bool [N]) within the budgets to which no useful item can be added.

    Raises:
        ValueError: there are more than `most` of them.
    """
    per_node = [_full_sets(problem, v) for v in range(problem.node_count)]
    count = np.prod([float(len(sets)) for sets in per_node])
    if count > most:
        raise ValueError(f"{count:.0f} placements are too many to look at: at most {most}")
    for chosen in product(*per_node):
        placed = np.zeros(problem.item_count, bool)
        for items in chosen:
            placed[items] = True
        yield placed


def _full_sets(problem: Problem, v: int) -> list[list[int]]:
    """The sets of useful items of node v that fit and leave no room for one more."""
    useful = np.bincount(problem.needs.item, minlength=problem.item_count) > 0
    mine = [e for e in range(int(problem.node_ptr[v]), int(problem.node_ptr[v + 1])) if useful[e]]
    size = {e: int(problem.item_size_bytes[e]) for e in mine}
    budget = int(problem.budget_bytes[v])
    found = []
    for bits in range(2 ** len(mine)):
        items = [e for i, e in enumerate(mine) if bits >> i & 1]
        room = budget - sum(size[e] for e in items)
        if room >= 0 and all(size[e] > room for e in mine if e not in items):
            found.append(items)
    return found
