"""The rivals of the slot benchmark: INFIDA's step in NumPy, as a throw-away simulator has it.

`DenseInfida` is the straightforward one: matrices [types, nodes x models], whatever lies off a type's path masked.
`PaddedInfida` is the careful one: only the options of each type, padded to a rectangle. What NumPy does not have as one call
(projection, dependent rounding, serving) is a loop over nodes, items or pairs in both. They compute what placid computes;
the benchmark checks that before it measures.
"""

from __future__ import annotations

import numpy as np

from placid.problem.arrays import Problem

__all__ = ["DenseInfida", "PaddedInfida"]


class PaddedInfida:
    """One policy and its simulator on arrays [types, options]."""

    def __init__(self, problem: Problem, rate: float, allowed: np.ndarray) -> None:
        nodes, models = problem.node_count, len(problem.model_names)
        self.rate = rate
        self.cell = problem.item_node.astype(np.int64) * models + problem.item_model
        self.size = np.ones(nodes * models)
        self.size[self.cell] = problem.item_size
        self.capacity = np.full(nodes * models, np.inf)
        self.capacity[self.cell] = problem.item_capacity
        self.allowed = np.zeros(nodes * models, bool)
        self.allowed[self.cell] = allowed
        self.budget = problem.budget_bytes.astype(float)
        self.shape = (nodes, models)
        self._lay_out(problem)

    def _lay_out(self, problem: Problem) -> None:
        """`option_cell`, `option_saving` and `real` ([types, options], cheapest first)."""
        counts = np.diff(problem.option_ptr)
        types, most = problem.type_count, int(counts.max())
        # padding: cell 0, saving 0
        self.option_cell = np.zeros((types, most), np.int64)
        self.option_saving = np.zeros((types, most))
        self.real = np.arange(most) < counts[:, None]
        self.option_cell[self.real] = self.cell[problem.option_item]
        self.option_saving[self.real] = problem.option_saving

    def share(self, demand: np.ndarray) -> np.ndarray:
        """The part of each type's demand that every item can take, [nodes x models]."""
        asked = np.zeros(self.size.shape)
        np.add.at(
            asked, self.option_cell[self.real], np.broadcast_to(demand[:, None], self.real.shape)[self.real]
        )
        return np.minimum(1.0, self.capacity / np.maximum(asked, 1e-300))

    def supergradient(self, demand: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[nodes x models]."""
        share = self.share(demand)
        take = np.where(self.real, share[self.option_cell] * y[self.option_cell], 0.0)
        met = np.cumsum(take, axis=1) >= 1.0
        first = np.where(met.any(axis=1), met.argmax(axis=1), met.shape[1])
        padded = np.column_stack((self.option_saving, np.zeros(len(demand))))
        threshold = padded[np.arange(len(demand)), first]
        worth = np.where(self.real, np.maximum(0.0, self.option_saving - threshold[:, None]), 0.0)
        g = np.zeros(self.size.shape)
        np.add.at(g, self.option_cell, demand[:, None] * share[self.option_cell] * worth)
        return g

    def project(self, w: np.ndarray) -> np.ndarray:
        """Node by node: cap the largest at 1, scale the rest, by sorting."""
        out = np.zeros(self.shape)
        w, size = w.reshape(self.shape), self.size.reshape(self.shape)
        allowed = self.allowed.reshape(self.shape)
        for v in range(self.shape[0]):
            use = np.flatnonzero(allowed[v])
            if not len(use):
                continue
            x, s = w[v, use], size[v, use]
            if (s * np.minimum(1.0, x)).sum() <= self.budget[v]:
                out[v, use] = np.minimum(1.0, x)
                continue
            order = np.argsort(-x)
            capped = np.concatenate(([0.0], np.cumsum(s[order])))[:-1]
            rest = np.cumsum((s * x)[order][::-1])[::-1]
            for k in range(len(use)):
                scale = (self.budget[v] - capped[k]) / rest[k]
                if scale * x[order[k]] <= 1.0:
                    break
            y = np.minimum(1.0, scale * x)
            y[order[:k]] = 1.0
            out[v, use] = y
        return out.ravel()

    def step(self, demand: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The fractions after learning from `demand`."""
        g = self.supergradient(demand, y)
        return self.project(y * np.exp(self.rate * g / self.size))

    def round(self, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Dependent rounding node by node, pair by pair; the item left over is dropped."""
        placed = np.zeros(self.shape, bool)
        fraction, size = y.reshape(self.shape), self.size.reshape(self.shape)
        for v in range(self.shape[0]):
            ys, ss = fraction[v].tolist(), size[v].tolist()
            luck = rng.random(len(ys)).tolist()
            i = -1
            for j in range(len(ys)):
                if not 1e-12 < ys[j] < 1 - 1e-12:
                    continue
                if i < 0:
                    i = j
                    continue
                a = min(ss[i] * (1 - ys[i]), ss[j] * ys[j])
                b = min(ss[i] * ys[i], ss[j] * (1 - ys[j]))
                if luck[j] * (a + b) < b:
                    ys[i] += a / ss[i]
                    ys[j] -= a / ss[j]
                else:
                    ys[i] -= b / ss[i]
                    ys[j] += b / ss[j]
                if not 1e-12 < ys[i] < 1 - 1e-12:
                    i = j if 1e-12 < ys[j] < 1 - 1e-12 else -1
            placed[v] = np.array(ys) >= 1 - 1e-12
        return placed.ravel()

    def serve(self, demand: np.ndarray, placed: np.ndarray) -> float:
        """The gain of a slot: pairs of type and placed option by falling saving, capacities shared."""
        left = demand.astype(float)
        room = self.capacity.copy()
        pairs = np.argwhere(self.real & placed[self.option_cell])
        saving = self.option_saving[pairs[:, 0], pairs[:, 1]]
        gain = 0.0
        for (r, k), worth in zip(
            pairs[np.argsort(-saving, kind="stable")], np.sort(saving)[::-1], strict=True
        ):
            cell = self.option_cell[r, k]
            take = min(left[r], room[cell])
            if take > 0.0:
                left[r] -= take
                room[cell] -= take
                gain += take * worth
        return gain


class DenseInfida(PaddedInfida):
    """The same on matrices [types, nodes x models]: a cost matrix with everything in it, sorted once."""

    def _lay_out(self, problem: Problem) -> None:
        cells = len(self.size)
        saving = np.full((problem.type_count, cells), -1.0)
        saving[problem.option_type, self.cell[problem.option_item]] = problem.option_saving
        self.option_cell = np.argsort(-saving, axis=1, kind="stable")
        self.option_saving = np.take_along_axis(saving, self.option_cell, axis=1)
        self.real = self.option_saving > 0
        self.option_saving = np.where(self.real, self.option_saving, 0.0)
