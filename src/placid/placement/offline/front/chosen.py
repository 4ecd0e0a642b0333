"""The point to run for a wish: limits kept, then one objective after the other, as the serving rule will serve it.

`placid.placement.offline.front.wishes` answers a wish for requests that go where they serve it best. The serving rule sends
each where it is cheapest under one set of weights. So its answer is where the search begins, and how good the point can be
at best; what is chosen is what keeps the limits when it serves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from placid.errors import InputError
from placid.objectives.front import Front, Point
from placid.objectives.quantiles import latency_quantile, quantile_share
from placid.objectives.ways import Ways
from placid.placement.offline.base import Solver
from placid.placement.offline.front.sweep import mean_vector, quick_solvers, solve_at
from placid.problem.arrays import COMPONENTS

__all__ = ["Choice", "choose", "in_order"]

#: a limit that is passed by a smaller share than this is kept: costs are in single precision
_SLIGHT = 1e-6


@dataclass(frozen=True)
class Choice:
    """A placement, the weights under which it serves, and how far it grants the wish.

    Attributes:
        point: its `vector` is the mean cost of a served request.
        values: what the names of order and limits come to, quantiles among them.
        kept: all limits are kept.
    """

    point: Point
    values: dict[str, float]
    kept: bool


def choose(
    ways: Ways,
    demand: np.ndarray,
    order: Sequence[str],
    at_most: Mapping[str, float],
    known: Front,
    *,
    slack: float = 0.0,
    first: Iterable[tuple[np.ndarray, np.ndarray]] = (),
    solvers: Sequence[Solver] = (),
    trials: int = 48,
    tell: Callable[[int, int], None] = lambda step, steps: None,
) -> Choice:
    """The best point for the wish among those of `known` and what a search from there finds; no proof.

    The search doubles and halves one weight after the other, solves for the new weights, and keeps what keeps the limits
    better, or as well and is better in order. If no point keeps all limits, the one is chosen that passes them least.

    Args:
        order: components or quantiles of latency; nothing of the first but `slack`, a share, is given up for the next.
        at_most: the same -> the most.
        known: points under the serving rule; at least one.
        first: more (weights [4], placement) to begin from.
        solvers: `quick_solvers` if none is given.
        trials: weights that are solved for.

    Raises:
        InputError: there is no order or no point, or a name is unknown.
    """
    if not order or not len(known) or known.routing != "served" or slack < 0:
        raise InputError("a choice needs an order, a slack of at least 0, and points under the serving rule")
    names = tuple(dict.fromkeys((*order, *at_most)))
    solvers = tuple(solvers) or quick_solvers(ways)
    found: list[tuple[np.ndarray, np.ndarray, dict[str, float]]] = []

    def excess(values: dict[str, float]) -> float:
        return sum(max(0.0, values[n] - m * (1 + _SLIGHT)) / max(abs(m), 1e-300) for n, m in at_most.items())

    def rank(i: int) -> tuple[float, ...]:
        values = found[i][2]
        return (excess(values), *(values[n] for n in order))

    def add(weights: np.ndarray, placed: np.ndarray) -> int:
        values = _values(ways, demand, weights, placed, names)
        found.append((weights, np.packbits(placed), values))
        return len(found) - 1

    for i in range(len(known)):
        add(known.weights[i], known.placed(i))
    for weights, placed in first:
        for w in (weights, *np.unique(known.weights, axis=0)):
            if w.any():
                add(w, placed)
    items = ways.frame.item_count
    best = min(range(len(found)), key=rank)
    axes = sorted({0 if quantile_share(n) else COMPONENTS.index(n) for n in (*names, *known.objectives)})
    step, tried, improved = 4.0, 0, False
    while tried < trials and step > 1.05:
        for k in axes:
            for factor in (step, 1 / step):
                if tried >= trials:
                    break
                weights = found[best][0].copy()
                weights[k] *= factor
                made = solve_at(ways, demand, weights, solvers)
                again = np.unpackbits(found[best][1], count=items).astype(bool)
                for i in (add(weights, made.placed), add(weights, again)):
                    if rank(i) < rank(best):
                        best, improved = i, True
                tried += 1
                tell(tried, trials)
        step, improved = (step if improved else step**0.5), False
    tell(trials, trials)
    allowed = [i for i in range(len(found)) if excess(found[i][2]) <= 0]
    if allowed:
        best = allowed[in_order([found[i][2] for i in allowed], order, slack)]
    weights, packed, values = found[best]
    placed = np.unpackbits(packed, count=items).astype(bool)
    point = Point(mean_vector(ways, demand, weights, placed), weights, placed, "chosen")
    return Choice(point, values, bool(allowed))


def in_order(values: Sequence[Mapping[str, float]], order: Sequence[str], slack: float = 0.0) -> int:
    """Which of `values` is least in the first of `order`, among as good ones in the second, and so on.

    Example:
        >>> in_order([{"a": 1.0, "b": 5.0}, {"a": 1.05, "b": 2.0}], ("a", "b"), slack=0.1)
        1
    """
    left = list(range(len(values)))
    for name in order:
        least = min(values[i][name] for i in left)
        left = [i for i in left if values[i][name] <= least + (slack + _SLIGHT) * abs(least)]
    return min(left, key=lambda i: [values[i][n] for n in reversed(order)])


def _values(
    ways: Ways, demand: np.ndarray, weights: np.ndarray, placed: np.ndarray, names: Sequence[str]
) -> dict[str, float]:
    problem = ways.priced(weights)
    vector = mean_vector(ways, demand, weights, placed)
    found = {}
    for name in names:
        share = quantile_share(name)
        if share is None and name not in COMPONENTS:
            raise InputError(
                f"unknown objective '{name}'; there are {', '.join(COMPONENTS)} and latency_p95_s"
            )
        found[name] = (
            float(vector[COMPONENTS.index(name)])
            if share is None
            else latency_quantile(problem, placed, demand, share)
        )
    return found
