"""Every projection is one; and the check itself finds projections that are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from placid.placement.projections import PROJECTIONS, Entropy, Euclidean
from placid.placement.projections.base import Projection
from placid.testing.projections import check_projection


@pytest.mark.parametrize("name", PROJECTIONS)
def test_conforms(name: str) -> None:
    check_projection(PROJECTIONS[name]())


@dataclass(frozen=True)
class Scaled(Entropy):
    """Clips to 1 first and scales then: feasible, but not nearest once items are capped."""

    name: ClassVar[str] = "scaled"

    def project(
        self,
        point: np.ndarray,
        size: np.ndarray,
        node_ptr: np.ndarray,
        budget: np.ndarray,
        placeable: np.ndarray,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        y = np.minimum(point, 1.0) * placeable
        for v in range(len(budget)):
            span = slice(node_ptr[v], node_ptr[v + 1])
            load = size[span] @ y[span]
            if load > budget[v]:
                y[span] *= budget[v] / load
        out = np.empty(len(y)) if out is None else out
        out[:] = y
        return out


@dataclass(frozen=True)
class Loose(Euclidean):
    """Forgets the budgets."""

    name: ClassVar[str] = "loose"

    def project(
        self,
        point: np.ndarray,
        size: np.ndarray,
        node_ptr: np.ndarray,
        budget: np.ndarray,
        placeable: np.ndarray,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        out = np.clip(point, 0.0, 1.0, out=out)
        out[~placeable] = 0.0
        return out


@dataclass(frozen=True)
class Plain(Euclidean):
    """A projection in one geometry that ascends in another."""

    name: ClassVar[str] = "plain"

    def ascend(
        self,
        y: np.ndarray,
        gradient: np.ndarray,
        step: float,
        size: np.ndarray,
        node_ptr: np.ndarray,
        budget: np.ndarray,
        placeable: np.ndarray,
    ) -> np.ndarray:
        return Entropy().ascend(y, gradient, step, size, node_ptr, budget, placeable)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(Scaled(), "neighbour is better"), (Loose(), "more than its budget"), (Plain(), "neighbour is better")],
    ids=lambda value: type(value).__name__,
)
def test_the_check_finds_what_is_wrong(wrong: Projection, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_projection(wrong)
