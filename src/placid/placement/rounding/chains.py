"""What a rounding of columns is: it draws parts of plans together, and every node's memory holds them to the byte."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from placid.placement.columns import Columns
from placid.placement.rounding.draws import Draws, draw_key, expand, renew

__all__ = ["ChainRounding"]


class ChainRounding(ABC):
    """Draws columns (`placid.placement.columns`) of one problem, again and again.

    Drawn alone, two halves with fraction 1/2 each would be there together a quarter of the time; so a column is drawn only
    where the one that it is dedicated to is drawn. Before memory has its say a column is then there with probability m_n,
    the least fraction over it and those above it, and no draw can do better.

    Args:
        columns: of the problem.
        hops: int64 [V]; of every node to its repository.
    """

    #: the name in scenarios and tables
    name: ClassVar[str]

    def __init__(self, columns: Columns, hops: np.ndarray) -> None:
        self.columns = columns
        self.hops = hops
        # the root of each column
        self.tree = np.arange(len(columns))
        while (columns.parent[self.tree] >= 0).any():
            above = columns.parent[self.tree]
            self.tree = np.where(above >= 0, above, self.tree)

    @property
    @abstractmethod
    def groups(self) -> np.ndarray:
        """int64 [G + 1]; the columns side by side that have one random number in common, beside one each."""

    def start(self, rng: np.random.Generator) -> Draws:
        """The first random numbers: one a column, one a group."""
        return expand(draw_key(rng), self.groups, np.arange(len(self.groups) - 1))

    def round(
        self,
        draws: Draws,
        z: np.ndarray,
        budget_bytes: np.ndarray,
        rng: np.random.Generator,
        renewal: float = 1.0,
    ) -> tuple[Draws, np.ndarray]:
        """The numbers after, and which columns are drawn (bool [C]): their items are within `budget_bytes` to the byte.

        Args:
            z: float64 [C], fractions within the budgets.
            budget_bytes: int64 [V].
            renewal: probability that a random number is replaced; the smaller, the less moves from draw to draw.
        """
        draws = renew(draws, renewal, draw_key(rng), self.groups, np.arange(len(self.groups) - 1))
        return draws, self._placements(z, budget_bytes, draws.item[None], draws.node[None])[0]

    def sample(
        self, z: np.ndarray, budget_bytes: np.ndarray, rng: np.random.Generator, count: int
    ) -> np.ndarray:
        """`count` independent draws, bool [count, C]: to estimate what a draw earns, or to take the best."""
        item, group = (rng.random((count, n)) for n in (len(z), len(self.groups) - 1))
        return self._placements(z, budget_bytes, item, group)

    @abstractmethod
    def least_ratio(self, z: np.ndarray, budget_bytes: np.ndarray, share: np.ndarray | None = None) -> float:
        """The part of the concave gain at `z` that a draw earns in expectation at the least, whatever is asked for.

        Proven; 0 says that nothing is promised. The gain is that of `Columns.gain`.

        Args:
            z: float64 [C], fractions within the budgets.
            budget_bytes: int64 [V].
            share: float64 [C], from `Columns.share`; None if no capacity binds.
        """

    @abstractmethod
    def _placements(
        self, z: np.ndarray, budget_bytes: np.ndarray, item: np.ndarray, group: np.ndarray
    ) -> np.ndarray:
        """bool [B, C] from uniform numbers `item` [B, C] and `group` [B, G]."""
