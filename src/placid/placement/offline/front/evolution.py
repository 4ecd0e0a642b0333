"""NSGA-III: a population of placements that spreads over the front, from the placements that other methods found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numba import njit

from placid.errors import InputError
from placid.objectives.front import Front, Point
from placid.objectives.simplex import grid_of
from placid.objectives.ways import Ways
from placid.problem.arrays import Problem
from placid.problem.serving import serve

__all__ = ["Evolution"]


@dataclass(frozen=True)
class Evolution:
    """NSGA-III of pymoo (extra ``pareto``), with a placement as a score for every item.

    When to use it: after a sweep, for what lies where no weights lead. It proves nothing and never loses a seed. Scores
    become a placement by packing each node, best scores first, with whatever still fits: every child fits, to the byte.
    One more gene chooses under which of the seeds' weights the placement serves.

    Cost: `population` servings a generation, and what pymoo takes to sort them.

    Reference: K. Deb, H. Jain: An evolutionary many-objective optimization algorithm using reference-point-based
    nondominated sorting approach, IEEE TEC 2014.

    Attributes:
        population: placements kept; at least as many as directions in which the front is looked at.
        generations: at most.
        weights: how many of the seeds' weights the gene chooses from.
        time_limit_s: no generation begins after this; the same seed then gives another front on another machine.
    """

    population: int = 92
    generations: int = 100
    weights: int = 24
    time_limit_s: float = 60.0

    def __post_init__(self) -> None:
        if min(self.population, self.generations, self.weights) < 1 or not self.time_limit_s > 0:
            raise InputError(f"population, generations, weights and time limit must be above 0, got {self}")

    def improve(
        self,
        ways: Ways,
        demand: np.ndarray,
        seeds: Front,
        seed: int = 0,
        tell: Callable[[int, int], None] = lambda step, steps: None,
    ) -> Front:
        """`seeds` and what evolves from them: the points that no other beats.

        Args:
            seeds: under the serving rule; at least one.
            seed: of all chance.

        Raises:
            InputError: pymoo is not installed, there are no seeds, or they are of the best routing.
        """
        if not len(seeds) or seeds.routing != "served":
            raise InputError("evolution starts from at least one point under the serving rule")
        pymoo = _pymoo()
        started_s = perf_counter()
        best = seeds.efficient()
        served_by = np.unique(best.weights, axis=0)
        served_by = served_by[np.unique(np.linspace(0, len(served_by) - 1, self.weights).round().astype(int))]
        problems = [ways.priced(w) for w in served_by]
        genome = _Genome.of(problems)
        rng = np.random.default_rng(seed)
        low, high = best.axes.min(axis=0), best.axes.max(axis=0)
        span = np.where(high > low, high - low, 1.0)
        names = len(seeds.objectives)
        problem = pymoo.Problem(n_var=genome.size_of, n_obj=names, xl=0.0, xu=1.0)
        algorithm = pymoo.NSGA3(
            ref_dirs=grid_of(names, self.population),
            pop_size=self.population,
            sampling=genome.first(best, served_by, self.population, rng),
        )
        algorithm.setup(
            problem, termination=("n_gen", self.generations), seed=int(rng.integers(2**31)), verbose=False
        )
        while algorithm.has_next() and perf_counter() - started_s < self.time_limit_s:
            children = algorithm.ask()
            made = []
            for genes in children.get("X"):
                which, placed = genome.decoded(genes)
                outcome = serve(problems[which], placed, demand)
                vector = outcome.vector / max(outcome.served, 1e-300)
                made.append(Point(vector, served_by[which], placed, "nsga-iii"))
            young = Front.of(made, seeds.objectives, seeds.items)
            pymoo.Evaluator().eval(pymoo.StaticProblem(problem, F=(young.axes - low) / span), children)
            algorithm.tell(infills=children)
            best = best.joined(young).efficient()
            tell(int(algorithm.n_gen) - 1, self.generations)
        tell(self.generations, self.generations)
        return best


@dataclass(frozen=True)
class _Genome:
    """Scores of the items that any option needs and that fit their node, [U], then the gene of the weights.

    Attributes:
        node: int64 [U]; numbered so that items of one node are contiguous.
        size: int64 [U].
        room: int64 [V].
    """

    items: np.ndarray
    node: np.ndarray
    size: np.ndarray
    room: np.ndarray
    all_items: int
    weights: int

    @classmethod
    def of(cls, problems: list[Problem]) -> _Genome:
        frame = problems[0]
        needed = np.zeros(frame.item_count, bool)
        for problem in problems:
            needed[problem.needs.item] = True
        items = np.flatnonzero(needed & frame.placeable)
        return cls(
            items,
            frame.item_node[items].astype(np.int64),
            frame.item_size_bytes[items],
            frame.budget_bytes,
            frame.item_count,
            len(problems),
        )

    @property
    def size_of(self) -> int:
        return len(self.items) + 1

    def decoded(self, genes: np.ndarray) -> tuple[int, np.ndarray]:
        placed = np.zeros(self.all_items, bool)
        order = np.argsort(-genes[:-1], kind="stable")
        placed[self.items[_packed(order, self.node, self.size, self.room.copy())]] = True
        return min(int(genes[-1] * self.weights), self.weights - 1), placed

    def first(self, seeds: Front, served_by: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """Genomes [count, U + 1] that decode to placements of `seeds`, spread along them; the rest by chance."""
        genes = rng.random((count, self.size_of))
        chosen = np.unique(np.linspace(0, len(seeds) - 1, max(1, count * 3 // 4)).round().astype(int))
        for k, i in enumerate(chosen):
            placed = seeds.placed(int(i))[self.items]
            genes[k, :-1] = np.where(placed, 0.6 + 0.4 * genes[k, :-1], 0.4 * genes[k, :-1])
            nearest = int(np.argmin(np.abs(served_by - seeds.weights[i]).sum(axis=1)))
            genes[k, -1] = (nearest + 0.5) / self.weights
        return genes


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _packed(order: np.ndarray, node: np.ndarray, size: np.ndarray, room: np.ndarray) -> np.ndarray:
    """bool [U]: what fits, in this order; `room` is used up."""
    taken = np.zeros(len(order), np.bool_)
    for e in order:
        if size[e] <= room[node[e]]:
            room[node[e]] -= size[e]
            taken[e] = True
    return taken


@dataclass(frozen=True)
class _Pymoo:
    NSGA3: Any
    Problem: Any
    StaticProblem: Any
    Evaluator: Any


def _pymoo() -> _Pymoo:
    try:
        from pymoo.algorithms.moo.nsga3 import NSGA3
        from pymoo.core.evaluator import Evaluator
        from pymoo.core.problem import Problem
        from pymoo.problems.static import StaticProblem
    except ImportError:
        raise InputError("NSGA-III needs the package pymoo: pip install 'placid[pareto]'") from None
    return _Pymoo(NSGA3, Problem, StaticProblem, Evaluator)
