"""A wish for one point of a front: limits that it keeps, and what comes first; asked of the program, then of the points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from placid.objectives import Front, Ways, latency_quantile
from placid.objectives.limits import NAMES
from placid.objectives.quantiles import quantile_share
from placid.placement.offline.front import (
    Choice,
    Flows,
    NothingFound,
    choose,
    contradiction,
    lexicographic,
    lowest,
)
from placid.problem.arrays import COMPONENTS

__all__ = ["Wish"]

#: programs of more ways than this are not given to HiGHS for a choice
_MOST_WAYS = 60_000


@dataclass
class Wish:
    """What is wished for, what the program says of it, and what is chosen."""

    ways: Ways
    demand: np.ndarray
    order: tuple[str, ...]
    at_most: dict[str, float]
    slack: float
    flows: Flows | None
    bound: float | None = None
    proven: bool = False
    first: tuple[tuple[np.ndarray, np.ndarray], ...] = ()

    @classmethod
    def of(
        cls,
        ways: Ways,
        demand: np.ndarray,
        names: tuple[str, ...],
        order: tuple[str, ...],
        at_most: dict[str, float],
        slack: float,
    ) -> Wish:
        order = order or names
        counts = dict.fromkeys(
            (*names, *(COMPONENTS[0] if quantile_share(n) else n for n in (*order, *at_most)))
        )
        flows = Flows.of(ways, demand, tuple(counts)) if len(ways) <= _MOST_WAYS else None
        return cls(ways, demand, order, at_most, slack, flows)

    def ask(self, time_limit_s: float) -> None:
        """What can be had at best, requests going where they serve the wish best.

        Raises:
            InputError: the limits contradict each other.
        """
        if self.flows is None:
            return
        try:
            found = lowest(self.flows, self.order[0], self.at_most, time_limit_s=time_limit_s)
            if found is None:
                why = contradiction(self.flows, self.at_most, time_limit_s=time_limit_s)
                if why is not None:
                    raise why
                return
            value, routed = found
            self.proven = routed.proven
            self.bound = value if quantile_share(self.order[0]) else routed.bound
            last = lexicographic(
                self.flows, self.order, slack=self.slack, at_most=self.at_most, time_limit_s=time_limit_s
            )
        except NothingFound:
            return
        self.first = tuple(
            (r.prices + _weights_of(self.flows, n), r.placed)
            for n, r in ((self.order[0], routed), (self.order[-1], last))
            if r.placed is not None
        )

    def grant(self, front: Front, tell: Callable[[int, int], None]) -> Choice:
        return choose(
            self.ways,
            self.demand,
            self.order,
            self.at_most,
            front,
            slack=self.slack,
            first=self.first,
            tell=tell,
        )

    def told(self, choice: Choice) -> dict[str, Any]:
        """For ``choice.json``."""
        frame, placed = self.ways.frame, np.flatnonzero(choice.point.placed)
        p95_s = latency_quantile(self.ways.priced(choice.point.weights), choice.point.placed, self.demand)
        return {
            "order": list(self.order),
            "slack": self.slack,
            "limits": self.at_most,
            "kept": choice.kept,
            "least": {"objective": self.order[0], "at_least": self.bound, "proven": self.proven},
            **dict(zip(COMPONENTS, choice.point.vector.tolist(), strict=True)),
            "latency_p95_s": p95_s,
            "values": choice.values,
            "weights": dict(zip(NAMES, choice.point.weights.tolist(), strict=True)),
            "placed": [
                {"node": frame.node_names[v], "model": frame.model_names[m]}
                for v, m in zip(frame.item_node[placed], frame.item_model[placed], strict=True)
            ],
        }


def _weights_of(flows: Flows, name: str) -> np.ndarray:
    """float64 [4]: 1 for the component, next to nothing for the others that count."""
    k = 0 if quantile_share(name) else COMPONENTS.index(name)
    counts = np.array([n in flows.objectives for n in COMPONENTS])
    weights = np.where(counts, 1e-3 * flows.unit[k] / flows.unit[:4], 0.0)
    weights[k] = 1.0
    return weights
