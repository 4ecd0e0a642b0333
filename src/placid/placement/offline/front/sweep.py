"""Fronts by weights: solve for one preference after the other, and serve every placement under every preference.

A preference is a set of shares that add up to 1; divided by the range of each objective they are weights. Under them the
problem is one with a single objective, for which any solver will do. Placements are judged as they will serve: by the
serving rule, under the weights that they are meant for. So a point is a pair, weights and placement.

What weights cannot find are points above a straight line between others (unsupported ones). Serving a placement under other
weights than its own finds some; `placid.placement.offline.front.evolution` looks for more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from placid.errors import InputError
from placid.objectives.dominance import nondominated
from placid.objectives.front import Front, Point, axes_of
from placid.objectives.simplex import grid_of
from placid.objectives.ways import Ways
from placid.placement.offline.base import Solver, Status
from placid.placement.offline.greedy import Greedy
from placid.placement.offline.local_search import LocalSearch
from placid.placement.offline.milp import Milp
from placid.problem.serving import serve

__all__ = ["as_served", "mean_vector", "quick_solvers", "re_served", "solve_at", "sweep"]

#: no objective is ever worth nothing at all, or ties would end anywhere
_LEAST_SHARE = 1e-3

Remember = Callable[[np.ndarray, Callable[[], Point]], Point]


def quick_solvers(ways: Ways, time_limit_s: float = 0.0) -> tuple[Solver, ...]:
    """Local search, or greedy for plans over several nodes; with a time limit above 0 the MILP too."""
    first: Solver = LocalSearch() if ways.frame.chains is None else Greedy()
    return (first, Milp(time_limit_s=time_limit_s)) if time_limit_s > 0 else (first,)


def solve_at(ways: Ways, demand: np.ndarray, weights: np.ndarray, solvers: Sequence[Solver]) -> Point:
    """The best placement for `weights` ([4]) that `solvers` find; asked in turn until one proves that there is no better."""
    problem = ways.priced(weights)
    best = None
    for solver in solvers:
        found = solver.solve(problem, demand)
        if best is None or found.value > best.value or found.status is Status.OPTIMAL:
            best = found
        if best.status is Status.OPTIMAL:
            break
    if best is None:
        raise InputError("a front by weights needs at least one solver")
    proven = best.status is Status.OPTIMAL
    vector = mean_vector(ways, demand, weights, best.placed)
    return Point(vector, weights, best.placed, best.solver, supported=proven, proven=proven)


def mean_vector(ways: Ways, demand: np.ndarray, weights: np.ndarray, placed: np.ndarray) -> np.ndarray:
    """float64 [4]: what a served request costs with `placed` under the serving rule of `weights`.

    Raises:
        InputError: nothing is served, so there is no mean.
    """
    outcome = serve(ways.priced(weights), placed, demand)
    if outcome.served <= 0:
        raise InputError("there are no requests that a repository could answer: no front to speak of")
    return outcome.vector / outcome.served


def sweep(
    ways: Ways,
    demand: np.ndarray,
    objectives: Sequence[str],
    *,
    points: int = 66,
    solvers: Sequence[Solver] = (),
    remember: Remember = lambda weights, solve: solve(),
    tell: Callable[[int, int], None] = lambda step, steps: None,
) -> Front:
    """The points of at most `points` preferences spread evenly, every one kept, and what re-serving adds.

    When to use it: always first; any size for which one solve is bearable. Cost: one solve for each preference and each
    objective, then P^2 servings. Guarantee: each proven point is the best there is, under its own weights and the serving
    rule; nothing is said of what lies between.

    Args:
        objectives: those that count; one solve for each finds their ranges.
        solvers: `quick_solvers` if none is given.
        remember: gives back the point of weights that were solved before, or calls and keeps; for what is to be resumed.
        tell: hears of solves done.
    """
    axes = axes_of(objectives)
    solvers = tuple(solvers) or quick_solvers(ways)
    shares = grid_of(len(axes), points)
    steps = len(shares) + len(axes)
    scale = mean_vector(ways, demand, np.ones(4), np.zeros(ways.frame.item_count, bool))[axes]
    scale[scale <= 0] = 1.0
    found: list[Point] = []

    def solve(share: np.ndarray) -> None:
        weights = np.zeros(4)
        weights[axes] = np.maximum(share, _LEAST_SHARE) / scale
        found.append(remember(weights, lambda: solve_at(ways, demand, weights, solvers)))
        tell(len(found), steps)

    for corner in np.eye(len(axes)):
        solve(corner)
    ends = np.array([p.vector[axes] for p in found])
    span = np.ptp(ends, axis=0)
    scale = np.where(span > 1e-9 * scale, span, scale)
    for share in shares:
        solve(share)
    front = Front.of(found, objectives, ways.frame.item_count)
    return front.joined(re_served(ways, demand, front))


def re_served(ways: Ways, demand: np.ndarray, front: Front) -> Front:
    """The placements of `front` under the weights of its other points: those that no other beats."""
    placements = np.unique(front.packed, axis=0)
    whole = [np.unpackbits(p, count=front.items).astype(bool) for p in placements]
    weights = np.unique(front.weights, axis=0)
    vectors = np.zeros((len(weights), len(whole), 4))
    for k, w in enumerate(weights):
        problem = ways.priced(w)
        for i, placed in enumerate(whole):
            outcome = serve(problem, placed, demand)
            vectors[k, i] = outcome.vector / max(outcome.served, 1e-300)
    kept = nondominated(vectors.reshape(-1, 4)[:, axes_of(front.objectives)])
    pairs = np.argwhere(kept.reshape(len(weights), len(whole)))
    made = [Point(vectors[k, i], weights[k], whole[i], "re-served") for k, i in pairs]
    return Front.of(made, front.objectives, front.items).efficient()


def as_served(ways: Ways, demand: np.ndarray, front: Front) -> Front:
    """The weights and placements of a front under the best routing, and what the serving rule makes of them."""
    made = []
    for i, weights in enumerate(front.weights):
        placed = front.placed(i)
        vector = mean_vector(ways, demand, weights, placed)
        made.append(Point(vector, weights, placed, front.found_by[i]))
    return Front.of(made, front.objectives, front.items)
