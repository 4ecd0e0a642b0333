"""Wishes with limits: the least of one thing with others kept below a limit, or one thing after the other.

Both speak of the best routing (`placid.placement.offline.front.flows`). The prices of the limits that bind are the weights
under which the serving rule comes nearest to it: ``weights + routed.prices``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from placid.errors import InputError
from placid.placement.offline.front.flows import LOADING, Flows, NothingFound, Routed
from placid.problem.arrays import COMPONENTS

__all__ = ["least", "lexicographic", "one_of"]


def least(
    flows: Flows,
    wanted: str,
    at_most: Mapping[str, float],
    *,
    whole: bool = True,
    time_limit_s: float = 60.0,
) -> Routed:
    """The least of `wanted` with every component of `at_most` at most so large: "least energy at 20 ms and 90 % right".

    Accuracy of at least x is an error of at most ``1 - x``. `wanted` and the limits may be `LOADING`, bytes to load.

    Raises:
        InputError: no placement is within the limits; says what the first of them could come to.
        SolverError: as `Flows.least`.

    Example:
        see ``docs/pareto.md``.
    """
    found = flows.least(one_of(wanted), at_most, whole=whole, time_limit_s=time_limit_s)
    if found is not None:
        return found
    for name, most in at_most.items():
        others = {k: v for k, v in at_most.items() if k != name}
        possible = flows.least(one_of(name), others, whole=whole, time_limit_s=time_limit_s)
        if possible is not None:
            beside = " with the other limits kept" if others else ""
            raise InputError(
                f"no placement keeps {name} at most {most:g}: it comes to {possible.value:g} at least{beside}"
            )
    raise InputError(f"no placement keeps these limits, nor any of them left out: {dict(at_most)}")


def lexicographic(
    flows: Flows,
    order: Sequence[str],
    *,
    slack: float = 0.0,
    at_most: Mapping[str, float] | None = None,
    whole: bool = True,
    time_limit_s: float = 60.0,
) -> Routed:
    """The least of the first of `order`; among what is as good, the least of the second; and so on. One solve for each.

    Where the time limit strikes before a later solve has found anything, the one before it is the answer, not proven.

    Args:
        slack: what each may give up, as a share of its least, for the ones after it.

    Raises:
        InputError: nothing is within `at_most`, or `order` is empty.
        SolverError: as `Flows.least`.
    """
    if not order or slack < 0:
        raise InputError(
            f"an order of at least one objective and a slack of at least 0 are needed, got {order}, {slack}"
        )
    limits = dict(at_most or {})
    found = least(flows, order[0], limits, whole=whole, time_limit_s=time_limit_s)
    names = (*COMPONENTS, LOADING)
    for name, after in pairwise(order):
        reached = float([*found.vector, found.load_bytes][names.index(name)])
        kept = reached + slack * abs(reached) + 1e-9 * float(flows.unit[names.index(name)])
        limits[name] = min(limits.get(name, np.inf), kept)
        try:
            found = least(flows, after, limits, whole=whole, time_limit_s=time_limit_s)
        except NothingFound:
            return replace(found, proven=False)
    return found


def one_of(name: str) -> np.ndarray:
    """Weights [5] of 1 for `name` and 0 for all else.

    Raises:
        InputError: there is no such objective.
    """
    names = (*COMPONENTS, LOADING)
    if name not in names:
        raise InputError(f"unknown objective '{name}'; there are {', '.join(names)}")
    return np.array([float(n == name) for n in names])
