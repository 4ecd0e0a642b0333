"""Placements that do not learn: all in the cloud, the most accurate that fits, the smallest, or one given."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar
from zlib import crc32

import numpy as np

from placid.errors import InputError
from placid.placement.base import Feedback, Policy, State
from placid.problem.arrays import Problem
from placid.problem.placement import empty_placement, trim_to_budgets

__all__ = ["CloudOnly", "Fixed", "MostAccurate", "Smallest"]


@dataclass(frozen=True, kw_only=True)
class FixedState(State):
    """The placement decided, and the budgets it was decided for."""

    placed: np.ndarray
    budget_bytes: np.ndarray


@dataclass(frozen=True)
class _Static(Policy):
    """Decides once, and again only when budgets change."""

    learns: ClassVar[bool] = False

    @abstractmethod
    def _choose(self, problem: Problem) -> np.ndarray:
        """The placement for these budgets."""

    def start(self, problem: Problem, rng: np.random.Generator) -> FixedState:
        return FixedState(placed=self._choose(problem), budget_bytes=problem.budget_bytes)

    def place(
        self, state: FixedState, problem: Problem, slot: int, rng: np.random.Generator
    ) -> tuple[FixedState, np.ndarray]:
        if not np.array_equal(state.budget_bytes, problem.budget_bytes):
            state = FixedState(placed=self._choose(problem), budget_bytes=problem.budget_bytes)
        return state, state.placed

    def learn(
        self, state: FixedState, problem: Problem, feedback: Feedback, rng: np.random.Generator
    ) -> FixedState:
        return state


@dataclass(frozen=True)
class CloudOnly(_Static):
    """Nothing is placed: the repositories serve everything. The zero of every gain."""

    name: ClassVar[str] = "cloud-only"
    chains: ClassVar[bool] = True

    def _choose(self, problem: Problem) -> np.ndarray:
        return empty_placement(problem)


@dataclass(frozen=True)
class MostAccurate(_Static):
    """Every node takes, task by task, the most accurate model that fits, then second ones, until it is full."""

    name: ClassVar[str] = "most-accurate"

    def _choose(self, problem: Problem) -> np.ndarray:
        return _by_task(problem, -problem.model_quality[problem.item_model])


@dataclass(frozen=True)
class Smallest(_Static):
    """Every node takes, task by task, the smallest model, then second ones, until it is full."""

    name: ClassVar[str] = "smallest"

    def _choose(self, problem: Problem) -> np.ndarray:
        return _by_task(problem, problem.item_size_bytes.astype(np.float64))


@dataclass(frozen=True)
class Fixed(_Static):
    """One given placement, for comparisons in hindsight; trimmed where budgets shrink under it.

    Attributes:
        placed: bool [N], or None for nothing.
    """

    name: ClassVar[str] = "fixed"
    chains: ClassVar[bool] = True
    placed: np.ndarray | None = None

    def __repr__(self) -> str:
        if self.placed is None:
            return "Fixed()"
        # arrays print shortened, and two placements must not look alike
        return (
            f"Fixed({int(self.placed.sum())} of {len(self.placed)} items, {crc32(self.placed.tobytes()):08x})"
        )

    def _choose(self, problem: Problem) -> np.ndarray:
        if self.placed is None:
            return empty_placement(problem)
        if self.placed.shape != (problem.item_count,) or self.placed.dtype != np.bool_:
            raise InputError(
                f"policy 'fixed' needs a bool array with one value for each of the {problem.item_count} items, "
                f"got {self.placed.dtype} {self.placed.shape}"
            )
        return trim_to_budgets(problem, self.placed, np.ones(problem.item_count))


def _by_task(problem: Problem, key: np.ndarray) -> np.ndarray:
    """At each node, in rounds: every task in turn takes its item of least `key` that still fits."""
    placed = empty_placement(problem)
    useful = np.zeros(problem.item_count, bool)
    useful[problem.option_item] = True
    for v in range(problem.node_count):
        mine = np.arange(problem.node_ptr[v], problem.node_ptr[v + 1])
        mine = mine[useful[mine]]
        room = int(problem.budget_bytes[v])
        task = problem.model_task[problem.item_model[mine]]
        queues = [
            list(mine[task == t][np.argsort(key[mine[task == t]], kind="stable")]) for t in np.unique(task)
        ]
        while any(queues):
            for queue in queues:
                while queue:
                    item = queue.pop(0)
                    if problem.item_size_bytes[item] <= room:
                        placed[item] = True
                        room -= int(problem.item_size_bytes[item])
                        break
    return placed
