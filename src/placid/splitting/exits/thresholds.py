"""Thresholds of exits, chosen on calibration images: what a target costs least, what a budget buys most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from placid.errors import InputError
from placid.splitting.exits.cascade import answering

if TYPE_CHECKING:
    from placid.splitting.exits.cascade import ExitCosts

__all__ = ["Choice", "frontier", "greatest_accuracy", "least_operations"]


@dataclass(frozen=True)
class Choice:
    """Thresholds, and what they did where they were chosen: on other images they do a little worse.

    Attributes:
        thresholds: one for each exit but the last; infinite for an exit that is better left out.
        accuracy: on the calibration images.
        multiply_adds: mean of the calibration images, heads included.
    """

    thresholds: tuple[float, ...]
    accuracy: float
    multiply_adds: float


def least_operations(
    scores: np.ndarray,
    right: np.ndarray,
    costs: ExitCosts,
    *,
    lose: float = 0.0,
    among: Sequence[Choice] | None = None,
) -> Choice:
    """Fewest multiply-adds with an accuracy at most `lose` below the last exit's.

    That holds for the images given. The thresholds being the best of very many, expect about a standard error
    of the accuracy more on others, or use `control.control_risk`, which promises.

    Args:
        scores: float [exits - 1, n].
        right: bool [exits, n], whether each exit is.
        lose: share of the images; may be negative, to ask for a gain.
        among: the `frontier` of the same images, if it is there already: most of the time goes into it.

    Raises:
        InputError: no thresholds found gain as much as a negative `lose` asks for.
    """
    problem = _Problem(scores, right, costs)
    least = int(right[-1].sum()) - int(np.floor(lose * problem.n + 1e-9))
    feasible = [p for p in problem.points(among) if p.hits >= least]
    if not feasible:
        raise InputError(f"no thresholds are {-lose:g} more accurate than the last exit", where="exits")
    start = min(feasible, key=lambda p: (p.cost, -p.hits))
    best = problem.polished(start, lambda hits, cost: np.where(hits >= least, -cost, -np.inf))
    return problem.choice(best)


def greatest_accuracy(
    scores: np.ndarray,
    right: np.ndarray,
    costs: ExitCosts,
    *,
    multiply_adds: float,
    among: Sequence[Choice] | None = None,
) -> Choice:
    """Highest accuracy with at most `multiply_adds` on average.

    Args:
        scores, right, among: see `least_operations`.

    Raises:
        InputError: even leaving always at the first exit takes more.
    """
    problem = _Problem(scores, right, costs)
    most = multiply_adds * problem.n * (1 + 1e-12)
    feasible = [p for p in problem.points(among) if p.cost <= most]
    if not feasible:
        raise InputError(
            f"no exit is reached with {multiply_adds:g} multiply-adds; the cheapest takes {costs.reaching()[0]:g}",
            where="exits",
        )
    start = max(feasible, key=lambda p: (p.hits, -p.cost))
    best = problem.polished(start, lambda hits, cost: np.where(cost <= most, hits, -np.inf))
    return problem.choice(best)


def frontier(scores: np.ndarray, right: np.ndarray, costs: ExitCosts) -> list[Choice]:
    """Thresholds of which none found is both cheaper and more accurate; cheapest first.

    Exact with one exit beside the last. With more: local optima of operations + weight x errors for a range of weights
    from several starts, each with all positions of every single threshold around it. 5,000 images and two thresholds take
    about a second.

    Args:
        scores, right: see `least_operations`.
    """
    problem = _Problem(scores, right, costs)
    return [problem.choice(p) for p in problem.frontier()]


@dataclass(frozen=True)
class _Point:
    """Counts over all images: right answers, and multiply-adds."""

    limits: tuple[float, ...]
    hits: int
    cost: float


class _Problem:
    """Images seen through their scores, sorted once for each exit."""

    def __init__(self, scores: np.ndarray, right: np.ndarray, costs: ExitCosts) -> None:
        exits, n = right.shape
        self.before = exits - 1
        if n < 1 or len(costs.parts) != exits or scores.shape not in {(exits - 1, n), (exits, n)}:
            raise InputError(
                f"scores {scores.shape}, right {right.shape} and costs of {len(costs.parts)} exits do not fit together"
            )
        self.n, self.costs = n, costs
        self.scores = np.asarray(scores[: self.before], np.float64)
        if np.isnan(self.scores).any():
            raise InputError("a score is not a number", where="exits")
        self.right = right.astype(np.int64)
        # searches come by the same line often
        self.lines: dict[tuple[tuple[float, ...], int], tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        self.order = np.argsort(-self.scores, axis=1, kind="stable")

    def choice(self, point: _Point) -> Choice:
        return Choice(point.limits, point.hits / self.n, point.cost / self.n)

    def points(self, among: Sequence[Choice] | None) -> list[_Point]:
        return self.frontier() if among is None else [self.evaluate(c.thresholds) for c in among]

    def evaluate(self, limits: tuple[float, ...]) -> _Point:
        at = answering(self.scores, limits)
        hits = int(self.right[at, np.arange(self.n)].sum())
        return _Point(limits, hits, float(self.costs.reaching(np.array(limits) != np.inf)[at].sum()))

    def line(self, limits: tuple[float, ...], i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All values that threshold `i` can usefully have, the others fixed: (value, hits, cost), "infinite" first."""
        without = (*limits[:i], np.inf, *limits[i + 1 :])
        if (without, i) not in self.lines:
            self.lines[without, i] = self._line(without, i)
        return self.lines[without, i]

    def _line(self, without: tuple[float, ...], i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        later = answering(self.scores, without)
        reaches = later > i
        kept = self.order[i][reaches[self.order[i]]]
        used = np.array(without) != np.inf
        unused = self.costs.reaching(used)
        base_hits = int(self.right[later, np.arange(self.n)].sum())
        base_cost = float(unused[later].sum())
        used[i] = True
        reaching = self.costs.reaching(used)
        more_hits = np.cumsum(self.right[i, kept] - self.right[later[kept], kept])
        less_cost = np.cumsum(reaching[later[kept]] - reaching[i])
        values = self.scores[i, kept]
        ends = np.flatnonzero(np.r_[values[1:] != values[:-1], True]) if len(kept) else np.zeros(0, np.int64)
        with_head = base_cost + self.costs.heads[i] * len(kept)
        return (
            np.r_[np.inf, values[ends]],
            np.r_[base_hits, base_hits + more_hits[ends]],
            np.r_[base_cost, with_head - less_cost[ends]],
        )

    def polished(self, start: _Point, worth: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> _Point:
        """From `start`, move one threshold at a time to where `worth` (of hits and cost) is greatest, until none helps."""
        best, now = start, float(worth(np.array([start.hits]), np.array([start.cost]))[0])
        for _ in range(50):
            moved = False
            for i in range(self.before):
                values, hits, costs = self.line(best.limits, i)
                worths = worth(hits, costs)
                k = int(worths.argmax())
                if worths[k] > now + 1e-9 * max(1.0, abs(now)):
                    now, moved = float(worths[k]), True
                    limits = (*best.limits[:i], float(values[k]), *best.limits[i + 1 :])
                    best = _Point(limits, int(hits[k]), float(costs[k]))
            if not moved:
                break
        return best

    def frontier(self) -> list[_Point]:
        never = (np.inf,) * self.before
        loose = tuple(float(s.min()) for s in self.scores)
        found = {p.limits: p for p in (self.evaluate(never), self.evaluate(loose))}
        if self.before:
            # an error is worth between next to nothing and a thousand times the whole network
            worths = self.costs.full * np.r_[0.0, np.geomspace(0.01, 1000, 40)]
            middle = tuple(float(np.median(s)) for s in self.scores)
            for start, weights in ((never, worths[::-1]), (loose, worths), (middle, worths)):
                point = self.evaluate(start)
                for w in weights:
                    point = self.polished(point, _weighing(float(w)))
                    found[point.limits] = point
        if self.before == 2:  # few enough to look everywhere
            for value in np.unique(np.quantile(self.scores[0], np.linspace(0, 1, 101))):
                point = self.evaluate((float(value), np.inf))
                found[point.limits] = point
        archive = list(found.values())
        met = set()
        for point in list(archive):
            for i in range(self.before):
                rest = (*point.limits[:i], np.inf, *point.limits[i + 1 :])
                if (rest, i) in met:
                    continue
                met.add((rest, i))
                values, hits, costs = self.line(point.limits, i)
                archive += [
                    _Point(
                        (*point.limits[:i], float(values[k]), *point.limits[i + 1 :]),
                        int(hits[k]),
                        float(costs[k]),
                    )
                    for k in _undominated(hits, costs)
                ]
        kept = _undominated(np.array([p.hits for p in archive]), np.array([p.cost for p in archive]))
        return [archive[k] for k in kept]


def _weighing(worth: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return lambda hits, cost: worth * hits - cost


def _undominated(hits: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Which points no other is both cheaper and more often right than; cheapest first."""
    order = np.lexsort((-hits, costs))
    best = np.maximum.accumulate(np.r_[-1, hits[order][:-1]])
    return np.asarray(order[hits[order] > best])
