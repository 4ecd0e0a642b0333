"""Where to part one network of any shape between two nodes: the least cost of a head, and no other cut is cheaper.

Operations are the vertices of a graph without cycles, an arc v -> w says that w reads what v makes. The head H runs on the
first node, the rest on the second, and nothing goes back: whatever an operation of H reads is made in H. It costs

    sum over H of first_v + sum over the rest of second_v + fixed (if anything is left) + per_byte x bytes that cross,

what v makes crossing once if anything outside of H reads it, however many do. That is the capacity of a cut in a network of
flows (Hu, Bao, Wang & Liu, Dynamic Adaptive DNN Surgery for Inference Acceleration on the Edge, INFOCOM 2019, section III-B:
"DNN Surgery Light"), so that the cheapest head is found by the largest flow. For a chain of layers it is what `best_cuts`
gives for two nodes, in less time; a network whose branches run side by side has cuts that lie on no line.

``Differs from the paper:`` an arc of infinite capacity against each arc of data says that what has gone up does not come
down. The paper's network has none, and a cut of it may run an operation on the first node that reads from the second, with
that way back for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from placid.errors import InputError

__all__ = ["CutGraph", "GraphCut", "best_graph_cut"]

#: flows are whole numbers of 32 bits: the costliest cut worth finding is this many, what is never cut is twice as many, so
#: that no sum of a capacity and a flow leaves the range
_COSTLIEST, _NEVER = 1 << 29, 1 << 30


@dataclass(frozen=True)
class GraphCut:
    """Which operations run on the first node, and what it comes to.

    Attributes:
        head: bool [n]; of each operation, whether the first node runs it. Of several cheapest heads, the smallest.
        cost: of one request.
        bound: no head costs less; below `cost` by what rounding to whole numbers may hide, less than 10^-6 of it.
    """

    head: np.ndarray
    cost: float
    bound: float


def best_graph_cut(
    first_work: np.ndarray,
    second_work: np.ndarray,
    crossing_bytes: np.ndarray,
    arcs: np.ndarray,
    *,
    fixed: float = 0.0,
    per_byte: float = 1.0,
    orders: np.ndarray | None = None,
) -> GraphCut:
    """The cheapest way to part n operations between two nodes.

    Args:
        first_work, second_work: float64 [n]; of each operation on each node, in whatever is summed (seconds, joules,
            weighted); infinite where it cannot run. What a request comes with is an operation without work that cannot run
            on the second node.
        crossing_bytes: float64 [n]; of what each operation makes; infinite if it cannot be sent.
        arcs: int64 [m, 2]; (v, w) where w reads what v makes.
        fixed, per_byte: of the link, whatever and however much crosses.
        orders: int64 [k, 2]; further pairs of which the first must not run after the second, though nothing is read.

    Raises:
        InputError: the arrays do not fit together, a number is negative, the arcs go round in a circle, or no cut is
            possible at all.

    Cost: a largest flow by Dinic's method; a millisecond or so for a few hundred operations.

    Example:
        >>> import numpy as np
        >>> from placid.placement.offline.graph_cut import best_graph_cut
        >>> work, arcs = np.array([0.0, 4, 4, 4]), np.array([[0, 1], [1, 2], [2, 3]])
        >>> cut = best_graph_cut(work, np.array([np.inf, 1, 1, 1]), np.array([8.0, 2, 2, 0]), arcs)
        >>> cut.head.tolist(), round(cut.cost, 6)
        ([True, True, False, False], 8.0)
    """
    graph = CutGraph.of(first_work, second_work, crossing_bytes, arcs, orders)
    if not (0 <= fixed < np.inf and 0 <= per_byte < np.inf):
        raise InputError(
            f"costs of a link must be numbers of at least 0, got fixed {fixed} and per byte {per_byte}"
        )
    return graph.least(graph.first, graph.second, float(fixed), float(per_byte))


@dataclass(frozen=True)
class CutGraph:
    """What does not change from one pair of nodes, and one link, to the next; checked once. For `best_graph_cut` and
    `placid.placement.offline.stage_cut`, which asks for many cuts of the same graph.

    Attributes:
        first, second: float64 [n]; work on each node.
        crossing: float64 [n]; bytes.
        arcs: int64 [m, 2]; each once.
        ahead: int64 [m + k, 2]; arcs and further orders: the first is in the head if the second is.
        last: int64; operations that nothing comes after.
        order: int64 [n]; one order in which they can run: their own numbers, if those do.
    """

    first: np.ndarray
    second: np.ndarray
    crossing: np.ndarray
    arcs: np.ndarray
    ahead: np.ndarray
    last: np.ndarray
    order: np.ndarray

    @classmethod
    def of(
        cls,
        first_work: np.ndarray,
        second_work: np.ndarray,
        crossing_bytes: np.ndarray,
        arcs: np.ndarray,
        orders: np.ndarray | None,
    ) -> CutGraph:
        """See `best_graph_cut`."""
        first, second, crossing = (
            np.asarray(a, np.float64) for a in (first_work, second_work, crossing_bytes)
        )
        n = len(first) if first.ndim == 1 else 0
        if not n or {first.shape, second.shape, crossing.shape} != {(n,)}:
            raise InputError(
                "a graph to part needs at least one operation, and as many figures of work on the second node and of bytes, "
                f"got {first.shape}, {second.shape} and {crossing.shape}"
            )
        for name, values in (("work", first), ("work", second), ("bytes", crossing)):
            if np.isnan(values).any() or (values < 0).any():
                raise InputError(f"{name} of a graph to part must be numbers of at least 0")
        pairs = [_pairs(given, n) for given in (arcs, np.empty((0, 2)) if orders is None else orders)]
        ahead = np.unique(np.concatenate(pairs), axis=0)
        order = _order(ahead, n)
        last = np.setdiff1d(np.arange(n), ahead[:, 0])
        return cls(first, second, crossing, np.unique(pairs[0], axis=0), ahead, last, order)

    def crosses(self, head: np.ndarray) -> np.ndarray:
        """bool [n]; which operations' tensors are sent."""
        sent = np.zeros(len(head), bool)
        sent[self.arcs[head[self.arcs[:, 0]] & ~head[self.arcs[:, 1]], 0]] = True
        return sent

    def cost(
        self, head: np.ndarray, first: np.ndarray, second: np.ndarray, fixed: float, per_byte: float
    ) -> float:
        """Of one request; infinite if something cannot run where it is, cannot be sent, or would have to come back."""
        if (head[self.ahead[:, 1]] & ~head[self.ahead[:, 0]]).any():
            return np.inf
        sent = self.crossing[self.crosses(head)].sum()
        moved = 0.0 if sent == 0 else float(sent) * per_byte if np.isfinite(sent) else np.inf
        return float(first[head].sum() + second[~head].sum() + moved + (0.0 if head.all() else fixed))

    def least(self, first: np.ndarray, second: np.ndarray, fixed: float, per_byte: float) -> GraphCut:
        """The cheapest head for these figures of work, [n] each, and of the link.

        Raises:
            InputError: there is none.
        """
        all_ = np.ones(len(first), bool)
        known = [(self.cost(h, first, second, fixed, per_byte), h) for h in (np.isinf(self.second), all_)]
        most, best = min(known, key=lambda pair: pair[0])
        if not np.isfinite(most):
            # more than any cut can cost that costs anything finite at all
            sums = [a[np.isfinite(a)].sum() for a in (first, second, self.crossing * per_byte)]
            most = float(sum(sums)) + fixed
        if known[0][0] == 0:
            return GraphCut(known[0][1], 0.0, 0.0)
        most = most or 1.0
        while True:
            head, bound = self._flow(first, second, fixed, per_byte, most)
            cost = self.cost(head, first, second, fixed, per_byte)
            if not np.isfinite(cost):
                raise InputError(
                    "no cut is possible: some operation runs on neither node, cannot be sent where it would have to be, or "
                    "comes after one that runs on the second node alone"
                )
            best = head if cost <= most else best
            if cost == 0 or cost > most / 16:
                break
            # the whole numbers were chosen for something much dearer: once more, finer
            most = cost
        cost = self.cost(best, first, second, fixed, per_byte)
        return GraphCut(best, cost, min(bound, cost))

    def _flow(
        self, first: np.ndarray, second: np.ndarray, fixed: float, per_byte: float, most: float
    ) -> tuple[np.ndarray, float]:
        """The cheapest head as far as whole numbers tell where `most` is the largest of them, and a bound."""
        n = len(first)
        scale = _COSTLIEST / most
        counts = np.bincount(self.arcs[:, 0], minlength=n)
        several = np.flatnonzero(counts > 1)
        # a tensor that several read crosses once: by a vertex of its own between its maker and those who read
        sender = np.arange(n)
        sender[several] = n + np.arange(len(several))
        link, source, sink = n + len(several), n + len(several) + 1, n + len(several) + 2
        start = link + 3  # all flow goes through one arc, so that none is more than it lets through
        with np.errstate(invalid="ignore"):
            sent = np.where(self.crossing == 0, 0.0, self.crossing * per_byte)
        reader, read = self.arcs[:, 1], self.arcs[:, 0]
        nodes = np.arange(n)
        parts = [
            (np.full(n, source), nodes, second),
            (nodes, np.full(n, sink), first),
            (several, sender[several], sent[several]),
            (sender[read], reader, np.where(counts[read] == 1, sent[read], np.inf)),
            (self.ahead[:, 1], self.ahead[:, 0], np.full(len(self.ahead), np.inf)),
            (np.array([source]), np.array([link]), np.array([fixed])),
            (np.full(len(self.last), link), self.last, np.full(len(self.last), np.inf)),
            (np.array([start]), np.array([source]), np.array([2 * most])),
        ]
        tails, heads, costs = (np.concatenate([part[i] for part in parts]) for i in range(3))
        finite = np.isfinite(costs)
        whole = np.full(len(costs), _NEVER, np.int64)
        # what costs more than a cut that is known is not cut; rounding down keeps the flow a bound
        whole[finite] = np.minimum(np.floor(np.minimum(costs[finite], 2 * most) * scale), _COSTLIEST + 2)
        kept = whole > 0
        graph = csr_array(
            (whole[kept].astype(np.int32), (tails[kept].astype(np.int32), heads[kept].astype(np.int32))),
            shape=(start + 1, start + 1),
        )
        found = maximum_flow(graph, start, sink)
        left = csr_array(graph - found.flow)
        left.eliminate_zeros()
        reached = np.zeros(start + 1, bool)
        reached[breadth_first_order(left, source, return_predecessors=False)] = True
        return reached[:n], float(found.flow_value) / scale


def _pairs(given: np.ndarray, n: int) -> np.ndarray:
    pairs = np.asarray(given)
    if pairs.size == 0:
        return np.empty((0, 2), np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise InputError(
            f"arcs of a graph to part are pairs of whole numbers [m, 2], got {pairs.dtype} {pairs.shape}"
        )
    if pairs.min() < 0 or pairs.max() >= n:
        raise InputError(f"arcs of a graph to part go between operations 0 to {n - 1}, got {pairs.max()}")
    return pairs.astype(np.int64)


def _order(ahead: np.ndarray, n: int) -> np.ndarray:
    """Kahn's way: take away what nothing comes before, until nothing is left."""
    if (ahead[:, 0] < ahead[:, 1]).all():
        return np.arange(n)
    waiting, alive = np.bincount(ahead[:, 1], minlength=n), np.ones(n, bool)
    taken = []
    while (free := alive & (waiting == 0)).any():
        alive[free] = False
        taken.append(np.flatnonzero(free))
        waiting -= np.bincount(ahead[free[ahead[:, 0]], 1], minlength=n)
    if alive.any():
        raise InputError(
            f"arcs of a graph to part go round in a circle at operation {np.flatnonzero(alive)[0]}"
        )
    return np.concatenate(taken)
