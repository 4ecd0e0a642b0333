"""Where to part one network between two nodes for the most requests a second: the slowest of three stages, made short.

Requests follow one another through the first node, the link and the second node, each at work on another request. As many
a second get through as the slowest of the three stages lets: 1 / max(T_first, T_link, T_second). The head with the least of
that maximum is NP-hard to find in a graph of operations (Hu, Bao, Wang & Liu, Dynamic Adaptive DNN Surgery for Inference
Acceleration on the Edge, INFOCOM 2019, section III-C: "DNN Surgery Heavy").

For any weights a + b + c = 1 the cheapest head by a T_first + b T_link + c T_second is a least cut
(`placid.placement.offline.graph_cut`), and its weighted sum is a bound: no head has a shorter slowest stage, for a maximum
is never below a mean. So the weights with the highest bound are looked for, and every head met on the way is a candidate.
The first weights are equal ones, whose head is the one of least latency: its slowest stage is at most its sum, which is at
most the sum of the best, which is at most three times the best slowest stage. That is the paper's guarantee, of 3; the bound
that is found says how good the answer is in the case at hand.

``Differs from the paper:`` it goes through a grid of weights, a least cut for each, and through finer ones around the best,
and has no bound. Here the next weights are where the heads known so far leave the bound highest (Kelley's cutting planes):
a few dozen cuts at most. And no weights find a head whose three stages are no corner of all that is possible: of four equal
layers on two equal nodes they give all to one of them. So the heads *between* those found are tried, too: from one to the
next larger, an operation at a time. Of a chain that tries every cut, and the answer is the best there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit
from scipy.optimize import linprog

from placid.errors import InputError
from placid.placement.offline.graph_cut import CutGraph

__all__ = ["StageCut", "best_stage_cut", "cut_for_rate"]

#: most least cuts that are asked for; the bound's growth has long ended by then
_CUTS = 60


@dataclass(frozen=True)
class StageCut:
    """Which operations run on the first node, and how long each stage takes for a request.

    Attributes:
        head: bool [n]; of each operation, whether the first node runs it.
        stages: of first node, link and second node, in the unit of the work: seconds.
        bound: the slowest stage of no head is shorter.
        cuts: least cuts that were computed.
    """

    head: np.ndarray
    stages: tuple[float, float, float]
    bound: float
    cuts: int

    @property
    def slowest(self) -> float:
        """Of the three stages: one over it is the rate."""
        return max(self.stages)

    @property
    def latency(self) -> float:
        """Of one request that meets no other, without what a link takes however little it carries."""
        return sum(self.stages)

    def keeps_up(self, rate_per_s: float) -> bool:
        """Whether requests that come this often do not pile up at any stage."""
        return self.slowest * rate_per_s <= 1.0


def best_stage_cut(
    first_work: np.ndarray,
    second_work: np.ndarray,
    crossing_bytes: np.ndarray,
    arcs: np.ndarray,
    *,
    per_byte: float = 1.0,
    orders: np.ndarray | None = None,
    tolerance: float = 1e-3,
    between: bool = True,
) -> StageCut:
    """A head whose slowest stage is short: at most three times as long as need be, and told how long at most.

    Args:
        first_work, second_work, crossing_bytes, arcs, orders: as of `placid.placement.offline.graph_cut.best_graph_cut`,
            work in seconds.
        per_byte: seconds of a byte on the link. A round trip holds nothing up, so it has no part here.
        tolerance: the search ends when the answer is known to be this close to the best.
        between: also try heads between those that weights find; without, it is what the paper's search can find at best.

    Raises:
        InputError: as of `best_graph_cut`, or a tolerance below 0.

    Example:
        >>> import numpy as np
        >>> from placid.placement.offline.stage_cut import best_stage_cut
        >>> first, second = np.array([0.0, 1, 1, 1, 1]), np.array([np.inf, 1, 1, 1, 1])
        >>> cut = best_stage_cut(first, second, np.array([0.1] * 5), np.array([[0, 1], [1, 2], [2, 3], [3, 4]]))
        >>> cut.stages, round(cut.bound, 6)
        ((2.0, 0.1, 2.0), 2.0)
    """
    graph = _checked(first_work, second_work, crossing_bytes, arcs, orders, per_byte, tolerance)
    return _search(graph, float(per_byte), tolerance, between)


def cut_for_rate(
    first_work: np.ndarray,
    second_work: np.ndarray,
    crossing_bytes: np.ndarray,
    arcs: np.ndarray,
    rate_per_s: float,
    *,
    fixed: float = 0.0,
    per_byte: float = 1.0,
    orders: np.ndarray | None = None,
    tolerance: float = 1e-3,
) -> StageCut:
    """The head of least latency if it keeps up with the rate, else one for the most requests a second (Algorithm 3).

    If `StageCut.keeps_up` says no of the answer, and `rate_per_s` is above 1 / `StageCut.bound`, no head keeps up.

    Args:
        rate_per_s: of requests; 0 for one that comes alone.
        fixed: seconds of every crossing, however little it is: a round trip and what else is waited for.

    Raises:
        InputError: as of `best_stage_cut`, or a rate below 0.
    """
    if not 0 <= rate_per_s < np.inf:
        raise InputError(f"a rate is a number of at least 0 a second, got {rate_per_s}")
    graph = _checked(first_work, second_work, crossing_bytes, arcs, orders, per_byte, tolerance)
    light = graph.least(graph.first, graph.second, float(fixed), float(per_byte))
    stages = _stages(graph, light.head, float(per_byte))
    # the sum without what is fixed is at least this for every head, so the slowest stage is at least a third of it
    found = StageCut(light.head, stages, max(0.0, light.bound - fixed) / 3, 1)
    return found if found.keeps_up(rate_per_s) else _search(graph, float(per_byte), tolerance, True)


def _checked(
    first_work: np.ndarray,
    second_work: np.ndarray,
    crossing_bytes: np.ndarray,
    arcs: np.ndarray,
    orders: np.ndarray | None,
    per_byte: float,
    tolerance: float,
) -> CutGraph:
    if not 0 <= per_byte < np.inf or not tolerance >= 0:
        raise InputError(
            f"what a byte takes, and a tolerance, are numbers of at least 0, got {per_byte}, {tolerance}"
        )
    return CutGraph.of(first_work, second_work, crossing_bytes, arcs, orders)


def _stages(graph: CutGraph, head: np.ndarray, per_byte: float) -> tuple[float, float, float]:
    return (
        float(graph.first[head].sum()),
        float(graph.crossing[graph.crosses(head)].sum() * per_byte),
        float(graph.second[~head].sum()),
    )


def _search(graph: CutGraph, per_byte: float, tolerance: float, between: bool) -> StageCut:
    weights = np.full(3, 1 / 3)
    points: list[tuple[float, float, float]] = []
    heads: list[np.ndarray] = []
    best, head, bound = np.inf, np.zeros(0, bool), 0.0
    while len(points) < _CUTS:
        a, b, c = (float(w) for w in weights)
        # a weight of 0 makes nothing possible that is impossible
        least = graph.least(_weighted(graph.first, a), _weighted(graph.second, c), 0.0, b * per_byte)
        point = _stages(graph, least.head, per_byte)
        if max(point) < best:
            best, head = max(point), least.head
        bound = max(bound, least.bound)
        if best <= bound * (1 + tolerance) or point in points:
            break
        points.append(point)
        heads.append(least.head)
        weights = _highest(points)
    cuts = len(points) + 1
    if between and best > bound * (1 + tolerance):
        head, best = _between(graph, heads, head, best, per_byte)
        cuts += 2
    return StageCut(head, _stages(graph, head, per_byte), min(bound, best), cuts)


def _between(
    graph: CutGraph, heads: list[np.ndarray], head: np.ndarray, best: float, per_byte: float
) -> tuple[np.ndarray, float]:
    """The best head on the ways from each of `heads` to the next larger one, and from the smallest of all to the largest."""
    smallest, largest = (
        graph.least(_weighted(graph.first, 0.0) + a, _weighted(graph.second, 0.0) + b, 0.0, 0.0).head
        for a, b in ((1.0, 0.0), (0.0, 1.0))
    )
    ends = [smallest, *sorted(heads, key=lambda h: int(h.sum())), largest]
    # readers and what they read, by reader
    by_reader = graph.arcs[np.argsort(graph.arcs[:, 1], kind="stable")]
    begins = np.searchsorted(by_reader[:, 1], np.arange(len(head) + 1))
    readers = np.bincount(graph.arcs[:, 0], minlength=len(head))
    sends = np.where(np.isinf(graph.crossing), np.inf, graph.crossing * per_byte)
    for low, high in [(smallest, largest), *pairwise(ends)]:
        # heads are closed under what comes before, and so are what two have in common and what they have together
        start, whole = low & high, low | high
        way = graph.order[(whole & ~start)[graph.order]]
        steps, slowest = _walk(start, way, graph.first, graph.second, sends, by_reader[:, 0], begins, readers)
        if slowest < best:
            best, head = slowest, start.copy()
            head[way[:steps]] = True
    return head, best


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _walk(
    start: np.ndarray,
    way: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    sends: np.ndarray,
    read: np.ndarray,
    begins: np.ndarray,
    readers: np.ndarray,
) -> tuple[int, float]:
    """How many steps of `way` from the head `start` make the slowest stage the shortest, and how short."""
    n = len(start)
    outside = readers.copy()  # of each operation, who reads it and is not in the head
    for w in range(n):
        if start[w]:
            for i in range(begins[w], begins[w + 1]):
                outside[read[i]] -= 1
    device, link, server, stuck = 0.0, 0.0, 0.0, 0
    for v in range(n):
        if start[v]:
            device += first[v]
            if outside[v] > 0:
                if np.isinf(sends[v]):
                    stuck += 1
                else:
                    link += sends[v]
        else:
            server += second[v]
    taken, best = 0, np.inf if stuck else max(device, link, server)
    for step in range(len(way)):
        w = way[step]
        device += first[w]
        server -= second[w]
        if outside[w] > 0:
            if np.isinf(sends[w]):
                stuck += 1
            else:
                link += sends[w]
        for i in range(begins[w], begins[w + 1]):
            v = read[i]
            outside[v] -= 1
            if outside[v] == 0:
                if np.isinf(sends[v]):
                    stuck -= 1
                else:
                    link -= sends[v]
        slowest = max(device, link, server)
        if not stuck and slowest < best:
            taken, best = step + 1, slowest
    return taken, best


def _weighted(work: np.ndarray, weight: float) -> np.ndarray:
    return np.where(np.isinf(work), np.inf, weight * np.where(np.isinf(work), 0.0, work))


def _highest(points: list[tuple[float, float, float]]) -> np.ndarray:
    """Weights by which the least of the weighted sums of `points` is the largest."""
    known = np.array(points)
    scale = known.max()
    # maximise t, t <= w . point for all of them
    rows = np.hstack((-known / scale, np.ones((len(known), 1))))
    found = linprog(
        [0, 0, 0, -1],
        A_ub=rows,
        b_ub=np.zeros(len(known)),
        A_eq=[[1, 1, 1, 0]],
        b_eq=[1],
        bounds=[(0, 1)] * 3 + [(None, None)],
        method="highs",
    )
    if found.x is None:
        raise RuntimeError(f"weights of three stages were not found: {found.message}")
    weights: np.ndarray = np.maximum(found.x[:3], 0)
    return weights / weights.sum()
