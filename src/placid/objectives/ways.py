"""Every way to answer every request, each with its cost vector, before anything is weighed.

A `placid.problem.arrays.Problem` knows one set of weights: it ranks what is cheaper than the repository under them and
drops the rest. Which ways those are, and which model the repository answers with, changes with the weights. `Ways` holds
all of them, laid on the paths once; `Ways.priced` gives the problem of any weights, the same as `compile_problem` does,
and exact fronts (`placid.placement.offline.front`) choose among all of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from placid.catalog.models import Catalog
from placid.network.graph import Network
from placid.objectives.laid import joined, stacked, ways_by_type
from placid.problem.arrays import Chains, Problem
from placid.problem.compile import compile_problem
from placid.workload.requests import RequestTypes

__all__ = ["Ways"]


@dataclass(frozen=True)
class Ways:
    """K ways that need items, Q that only need the repository, of R request types; types in order.

    Attributes:
        frame: a problem with the nodes, items and types; its options, compiled for weights of 1, are not used.
        type: int64 [K]; whose way it is.
        vector: float64 [K, 4]; the cost vector of one request.
        item: int32 [K, W]; the items it needs, in the order in which they run, -1 where it needs fewer than W.
        load, answered: float64 [K, W]; as in `placid.problem.arrays.Chains`, 0 where there is no item.
        short_of, short: int64 [S]; way ``short_of[i]`` is way ``short[i]`` with some parts moved back to the repository.
        repository_ptr: int64 [R + 1]; those of type r that need only the repository begin at ``repository_ptr[r]``.
        repository_vector: float64 [Q, 4].
    """

    frame: Problem
    type: np.ndarray
    vector: np.ndarray
    item: np.ndarray
    load: np.ndarray
    answered: np.ndarray
    short_of: np.ndarray
    short: np.ndarray
    repository_ptr: np.ndarray
    repository_vector: np.ndarray

    @classmethod
    def of(cls, network: Network, catalog: Catalog, requests: RequestTypes, slot_s: float = 60.0) -> Ways:
        """Lay every model and every plan on every path and keep what can run.

        Raises:
            InputError: as `compile_problem`, or the network has hard limits.
        """
        frame = compile_problem(network, catalog, requests, np.ones(4), slot_s)
        frame.check_unlimited("the front of several objectives")
        types = ways_by_type(network, catalog, frame)
        counts = np.array([len(t.vector) for t in types], np.int64)
        first = np.concatenate(([0], np.cumsum(counts)))[:-1]

        return cls(
            frame=frame,
            type=np.repeat(np.arange(len(types)), counts),
            vector=np.concatenate([np.zeros((0, 4)), *(t.vector for t in types)]),
            item=stacked([t.item for t in types], -1).astype(np.int32),
            load=stacked([t.load for t in types], 0.0),
            answered=stacked([t.answered for t in types], 0.0),
            short_of=joined([t.short_of + f for t, f in zip(types, first, strict=True)]),
            short=joined([t.short + f for t, f in zip(types, first, strict=True)]),
            repository_ptr=np.concatenate(
                ([0], np.cumsum([len(t.repository) for t in types], dtype=np.int64))
            ).astype(np.int64),
            repository_vector=np.concatenate([np.zeros((0, 4)), *(t.repository for t in types)]),
        )

    def __len__(self) -> int:
        return len(self.type)

    @cached_property
    def repository_type(self) -> np.ndarray:
        """int64 [Q]; whose way each of the repository's is."""
        return np.repeat(np.arange(self.frame.type_count), np.diff(self.repository_ptr))

    def priced(self, weights: np.ndarray) -> Problem:
        """The problem under `weights` (float64 [4], per unit of each of `COMPONENTS`); O(K log K)."""
        weights = np.asarray(weights, np.float64)
        best = self._repository_choice(weights)
        reached = best >= 0
        cost = np.where(reached, self.repository_vector[best] @ weights if len(best) else 0.0, np.inf)
        saving = cost[self.type] - self.vector @ weights
        offered = saving > 0
        # a part moved back to the repository frees memory: it has to be worth its place
        offered[self.short_of[saving[self.short_of] <= saving[self.short]]] = False
        kept = np.flatnonzero(offered)
        order = np.lexsort((*self.item[kept].T[::-1], -saving[kept], self.type[kept]))
        kept = kept[order]
        return replace(
            self.chosen(kept, saving[kept]),
            repository_cost=cost,
            repository_vector=np.where(reached[:, None], self.repository_vector[best], 0.0)
            if len(self.repository_vector)
            else np.zeros((len(best), 4)),
        )

    def chosen(self, ways: np.ndarray, saving: np.ndarray) -> Problem:
        """`frame` with the options `ways` (int64, types in order), which save `saving`; its repository is left as it is."""
        kind = self.type[ways]
        counts = np.bincount(kind, minlength=self.frame.type_count)
        needed = self.item[ways] >= 0
        chains = None
        if self.frame.chains is not None:
            chains = Chains(
                np.concatenate(([0], np.cumsum(needed.sum(axis=1)))).astype(np.int64),
                self.item[ways][needed],
                self.load[ways][needed],
                self.answered[ways][needed],
            )
        return replace(
            self.frame,
            option_ptr=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
            option_item=self.item[ways, 0] if chains is None else np.zeros(0, np.int32),
            option_saving=saving,
            option_vector=self.vector[ways].astype(np.float32),
            option_type=kind.astype(np.int32),
            serving_order=np.argsort(-saving, kind="stable").astype(np.int32),
            chains=chains,
        )

    def _repository_choice(self, weights: np.ndarray) -> np.ndarray:
        """int64 [R]; the repository's cheapest way for each type, the first of equal ones, -1 where there is none."""
        cost = self.repository_vector @ weights
        order = np.lexsort((np.arange(len(cost)), cost, self.repository_type))
        begin, end = self.repository_ptr[:-1], self.repository_ptr[1:]
        best = np.full(self.frame.type_count, -1)
        some = end > begin
        best[some] = order[begin[some]]
        return best
