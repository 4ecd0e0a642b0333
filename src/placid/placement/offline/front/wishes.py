"""Wishes with limits: the least of one thing with others kept below a limit, or one thing after the other.

Both speak of the best routing (`placid.placement.offline.front.flows`). The prices of the limits that bind are the weights
under which the serving rule comes nearest to it: ``weights + routed.prices``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from placid.errors import InputError, SolverError
from placid.objectives.quantiles import quantile_share
from placid.placement.offline.front.flows import LOADING, Flows, NothingFound, Routed
from placid.placement.offline.front.lowest import contradiction, lowest
from placid.problem.arrays import COMPONENTS

__all__ = ["least", "lexicographic"]


def least(
    flows: Flows,
    wanted: str,
    at_most: Mapping[str, float],
    *,
    whole: bool = True,
    time_limit_s: float = 60.0,
) -> Routed:
    """The least of `wanted` with every component of `at_most` at most so large: "least energy at 20 ms and 90 % right".

    Accuracy of at least x is an error of at most ``1 - x``. `wanted` and the limits may be `LOADING`, bytes to load, or a
    quantile of latency such as ``latency_p95_s``: the latency of a way is a mean, as in `latency_quantile`.

    Raises:
        InputError: no placement is within the limits (`Contradiction`); says which of them contradict each other, and what
            each could come to.
        SolverError: as `Flows.least`.

    Example:
        see ``docs/pareto.md``.
    """
    return _lowest(flows, wanted, at_most, whole, time_limit_s)[1]


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

    Where the time limit strikes before a later solve has found anything, or HiGHS refuses the one before within its own
    tolerance, that one is the answer, not proven.

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
    reached, found = _lowest(flows, order[0], limits, whole, time_limit_s)
    for name, after in pairwise(order):
        # quantiles come in steps, the others as exactly as a solver can tell
        unit = reached if quantile_share(name) else float(flows.unit[[*COMPONENTS, LOADING].index(name)])
        given = limits.get(name, np.inf)
        for loose in (
            1e-9,
            1e-7,
            1e-6,
        ):  # what was reached is refused by HiGHS at times, within its tolerance
            limits[name] = min(given, reached + slack * abs(reached) + loose * unit)
            try:
                better = lowest(flows, after, limits, whole=whole, time_limit_s=time_limit_s)
            except NothingFound:
                return replace(found, proven=False)
            if better is not None:
                break
        if better is None:
            return replace(found, proven=False)
        reached, found = better
    return found


def _lowest(
    flows: Flows, wanted: str, at_most: Mapping[str, float], whole: bool, time_limit_s: float
) -> tuple[float, Routed]:
    found = lowest(flows, wanted, at_most, whole=whole, time_limit_s=time_limit_s)
    if found is not None:
        return found
    why = contradiction(flows, at_most, whole=whole, time_limit_s=time_limit_s)
    if why is None:
        raise SolverError(
            "the limits can be kept, but only within the tolerance of HiGHS; loosen them a little"
        )
    raise why
