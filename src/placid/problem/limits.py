"""What links and processors can carry in a slot, and what a request takes of it, as flat arrays.

Without limits a request that finds no room at a copy goes on to the repository, which never refuses. With limits the way
there can be full as well, so a request can be refused, at a cost. A *way* is what can become of a request short of that: an
option, or the repository. What counts of a way is its worth, the cost of refusing minus its own cost, above 0; the
repository is one way among others, and options that are dearer than it are kept, since it may be out of reach.

A limit is hard (no slot exceeds it) or a budget that holds in the long run (`placid.problem.budgets`). Both have prices: the
worth of a way less what it pays for what it takes is what it is worth to everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from placid.errors import InputError, UnknownNameError

__all__ = ["KINDS", "Limits", "Terms"]

#: what a limit can be of
KINDS = ("link", "processor", "budget")


@dataclass(frozen=True)
class Terms:
    """What a refusal costs, and how prices are found, where a network has limits.

    Attributes:
        refusal: cost of refusing a request, in the unit of the objective: one number, or by task; tasks left out, and None,
            take twice the cost of the dearest way in which a request of the type could be answered anywhere on its path.
        patience_slots: how many slots' worth a budget may be overdrawn before the middling way that takes of it is worth no
            more than a refusal. More keeps the cost lower and the budget later.
        rounds: how often the prices of a slot are tried at most, at least 2. More is nearer the best, and slower.
    """

    refusal: float | Mapping[str, float] | None = None
    patience_slots: float = 50.0
    rounds: int = 20

    def __post_init__(self) -> None:
        if not 0 < self.patience_slots < float("inf"):
            raise InputError(f"'patience_slots' must be above 0 and finite, got {self.patience_slots:g}")
        if self.rounds < 2:
            raise InputError(f"'rounds' must be at least 2, or prices never move, got {self.rounds}")

    def refusal_cost(self, task: str, ingress: str, dearest: float, repository: float) -> float:
        """Of one request of a type whose ways cost at most `dearest`, and at the repository `repository`.

        Raises:
            InputError: refusing would cost no more than answering.
        """
        said = self.refusal.get(task) if isinstance(self.refusal, Mapping) else self.refusal
        if said is None:
            return 2.0 * dearest or 1.0
        if not said > repository:
            raise InputError(
                f"'refusal' must be above what the repository's answer costs, or nothing would be answered: a request of "
                f"task '{task}' that enters at '{ingress}' costs {repository:.4g} there, refusing it {said:.4g}"
            )
        return said

    def check_tasks(self, tasks: Mapping[str, int]) -> None:
        """Nothing, if 'refusal' names known tasks only.

        Raises:
            UnknownNameError: it names another one.
        """
        for name in self.refusal if isinstance(self.refusal, Mapping) else ():
            if name not in tasks:
                raise UnknownNameError("task", name, tasks)


@dataclass(frozen=True)
class Limits:
    """M limits on the ways of R request types: K options in their order, then the repository of each type.

    Attributes:
        names: what is limited, for people: ``"link a-b from a"``, ``"processors of v"``.
        kind: int8 [M], indices into `KINDS`. Links and processors are hard, budgets are not.
        most: float64 [M], above 0; bytes, processor seconds or joules in a slot.
        ptr: int64 [K + R + 1]; way w takes of the limits ``limit[ptr[w]:ptr[w + 1]]``.
        limit: int32 [Z].
        share: float64 [Z], above 0; the part of the limit that one request takes.
        worth: float64 [K + R], above 0; cost of refusing a request minus cost of the way. 0 for the repository of a type
            that reaches none: nobody can answer there, and nothing counts as refused.
        refusal_cost: float64 [R]; infinite where no repository is reached.
        patience_slots: how many slots' worth a budget may be overdrawn before the middling way that takes of it is worth no
            more than a refusal (V of drift plus penalty, counted in slots).
        rounds: how often the prices of a slot are tried at most.
    """

    names: tuple[str, ...]
    kind: np.ndarray
    most: np.ndarray
    ptr: np.ndarray
    limit: np.ndarray
    share: np.ndarray
    worth: np.ndarray
    refusal_cost: np.ndarray
    patience_slots: float = 50.0
    rounds: int = 20

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def hard(self) -> np.ndarray:
        """bool [M]; false for budgets."""
        return self.kind != KINDS.index("budget")

    @cached_property
    def unpriced(self) -> np.ndarray:
        """float64 [M]: the prices with which a run begins, none."""
        return np.zeros(len(self))

    @cached_property
    def scale(self) -> np.ndarray:
        """float64 [M]; price of a whole limit at which the middling way that takes of it is worth nothing, 0 without one."""
        ways = np.repeat(np.arange(len(self.worth)), np.diff(self.ptr))
        even = self.worth[ways] / self.share
        return np.array(
            [np.median(even[self.limit == m]) if (self.limit == m).any() else 0.0 for m in range(len(self))]
        )

    def paid(self, prices: np.ndarray) -> np.ndarray:
        """float64 [K + R]: what a request of each way pays at `prices` (float64 [M], per slot's worth of each limit)."""
        paid = np.zeros(len(self.worth))
        some = np.diff(self.ptr) > 0
        if some.any():
            paid[some] = np.add.reduceat(self.share * prices[self.limit], self.ptr[:-1][some])
        return paid

    def busiest(self, load: np.ndarray, kind: str) -> float:
        """Of the limits of one of `KINDS`, the largest `load` (float64 [M]); NaN if there is none of that kind."""
        mine = load[self.kind == KINDS.index(kind)]
        return float(mine.max()) if len(mine) else float("nan")
