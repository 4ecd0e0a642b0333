"""LFU and LRU, carried over from caches of contents to nodes that hold models.

A request asks a node it reaches for the model that would answer it there at the least cost, and for the next one
once that is full. A node keeps what is asked for most often (LFU) or was asked for last (LRU), as many as fit.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from placid.placement.base import Feedback, Policy, State
from placid.placement.online.packing import pack_by_score
from placid.placement.online.reaching import asked_of_items
from placid.problem.arrays import Problem

__all__ = ["LeastFrequentlyUsed", "LeastRecentlyUsed"]


@dataclass(frozen=True, kw_only=True)
class AskedState(State):
    """How attractive each item is, float64 [N]: how often it was asked for, or when it was asked for last."""

    score: np.ndarray


@dataclass(frozen=True)
class _Eviction(Policy):
    @abstractmethod
    def _update(self, score: np.ndarray, asked: np.ndarray, slot: int) -> np.ndarray:
        """The new scores, from how often each item was asked for in `slot` (float64 [N])."""

    def start(self, problem: Problem, rng: np.random.Generator) -> AskedState:
        return AskedState(score=np.zeros(problem.item_count))

    def place(
        self, state: AskedState, problem: Problem, slot: int, rng: np.random.Generator
    ) -> tuple[AskedState, np.ndarray]:
        return state, pack_by_score(problem, state.score)

    def learn(
        self, state: AskedState, problem: Problem, feedback: Feedback, rng: np.random.Generator
    ) -> AskedState:
        asked = asked_of_items(problem, feedback)
        return replace(state, score=self._update(state.score, asked, feedback.slot))


@dataclass(frozen=True)
class LeastFrequentlyUsed(_Eviction):
    """LFU: a node keeps the models asked for most often since the start, as many as fit. O(K + N log N)."""

    name: ClassVar[str] = "lfu"

    def _update(self, score: np.ndarray, asked: np.ndarray, slot: int) -> np.ndarray:
        return score + asked


@dataclass(frozen=True)
class LeastRecentlyUsed(_Eviction):
    """LRU: a node keeps the models asked for last (ties within a slot: more often), as many as fit."""

    name: ClassVar[str] = "lru"

    def _update(self, score: np.ndarray, asked: np.ndarray, slot: int) -> np.ndarray:
        top = float(asked.max(initial=0.0))
        if top <= 0:
            return score
        # slot + 1 orders by recency; the fraction below 1/2 orders those of one slot by how often they came
        return np.where(asked > 0, slot + 1 + 0.5 * asked / top, score)
