"""How an agent says what it wants placed, and what of it fits.

Budgets are hard, and no box of actions has their shape, so every action is made to fit, node by node and to the byte; what
did not fit is told. An action speaks of the A items that can be of use (`World.items`), not of all N.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from placid.errors import InputError
from placid.placement.online.packing import pack_by_score
from placid.problem.arrays import Problem
from placid.problem.placement import trim_to_budgets

__all__ = ["ACTIONS", "ActionForm", "Choice", "Scores"]


@dataclass(frozen=True)
class ActionForm(ABC):
    """The form of an action over `items` (int64 [A])."""

    #: the name in the environment's arguments
    name: ClassVar[str]
    items: np.ndarray

    @property
    @abstractmethod
    def space(self) -> spaces.Space[Any]:
        """The space of actions, of shape (A,)."""

    @abstractmethod
    def fitted(self, problem: Problem, action: Any) -> tuple[np.ndarray, np.ndarray]:
        """What is placed (bool [N], within every budget of `problem`), and what of the action was trimmed (bool [A]).

        Raises:
            InputError: `action` has another shape, or values that mean nothing.
        """

    def _numbers(self, action: Any) -> np.ndarray:
        """`action` as float64 [A]."""
        try:
            given = np.asarray(action)
        except ValueError:  # lists of unequal length
            given = np.array(None)
        if given.shape != self.items.shape or given.dtype.kind not in "biuf":
            raise InputError(
                f"an action is {len(self.items)} numbers, one for each item that can be of use, "
                f"got {type(action).__name__} of shape {given.shape} and type {given.dtype}"
            )
        return given.astype(np.float64)

    def _over_all(self, problem: Problem, values: np.ndarray) -> np.ndarray:
        """float64 [N]: `values` [A], and 0 for items of no use."""
        every = np.zeros(problem.item_count)
        every[self.items] = values
        return every


@dataclass(frozen=True)
class Scores(ActionForm):
    """A score in [-1, 1] for every item: each node takes those of highest score first, as many as fit; none of 0 or below.

    A score is a priority. Every placement within the budgets can be said (1 for what is wanted, -1 for the rest), every
    action can be carried out, and a small step of a policy's network changes little: what continuous methods need. Zero is
    in the middle, where such networks start. Items go by score, not by score per byte, because sizes differ a
    thousandfold, and the agent would first have to learn to outbid them; who wants worth per byte divides by the size.
    Only order and sign count, so a score outside the box means what it says.
    """

    name: ClassVar[str] = "scores"

    @property
    def space(self) -> spaces.Box:
        return spaces.Box(-1.0, 1.0, self.items.shape, np.float32)

    def fitted(self, problem: Problem, action: Any) -> tuple[np.ndarray, np.ndarray]:
        score = self._numbers(action)
        if np.isnan(score).any():
            raise InputError("an action of scores holds a NaN")
        placed = pack_by_score(problem, self._over_all(problem, score))
        return placed, (score > 0) & ~placed[self.items]


@dataclass(frozen=True)
class Choice(ActionForm):
    """A 1 for every item that is to be in place; a node that gets too many gives up its largest first, until they fit.

    For agents that keep to the budgets by themselves, or learn to from what was trimmed.
    """

    name: ClassVar[str] = "choice"

    @property
    def space(self) -> spaces.MultiBinary:
        return spaces.MultiBinary(len(self.items))

    def fitted(self, problem: Problem, action: Any) -> tuple[np.ndarray, np.ndarray]:
        value = self._numbers(action)
        if not np.isin(value, (0.0, 1.0)).all():
            raise InputError("an action of choices holds something that is neither 0 nor 1")
        wanted = self._over_all(problem, value) > 0
        # at equal scores the largest is worth least per byte
        placed = trim_to_budgets(problem, wanted, np.ones(problem.item_count))
        return placed, (wanted & ~placed)[self.items]


#: every form that the environment's argument `action` can name
ACTIONS: dict[str, type[ActionForm]] = {form.name: form for form in (Scores, Choice)}
