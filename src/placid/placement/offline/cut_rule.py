"""Where to cut one chain of layers over the nodes of one path: the best answer there is, in a pass over the layers.

Layers 1 … L run in order on nodes 1 … n of the path, each node a run of consecutive layers, possibly none. Cutting before
layers c_2 <= … <= c_n costs

    sum over nodes j of  work of its layers on it  +  sum over links j in use of  fixed_j + per_byte_j x bytes that cross,

a link being in use while layers are left. That is a sum of a term for each cut, given the cut before it. So the best first j
nodes, ending before layer c, follow from the best first j - 1 nodes, ending anywhere before: least cost so far, one pass a
node. With memory limits "anywhere" is a window that slides, and its least value is kept in a queue. O(n L) in all; a search
over all cuts takes O(L^(n-1)).

Nothing else wants to be placed here: with many requests and shared memory it is the plans' business
(`placid.problem.laying`). But it says at once what a cut could be worth, and it is the yardstick of exhaustive searches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from placid.errors import InputError

__all__ = ["BestCuts", "best_cuts"]


@dataclass(frozen=True)
class BestCuts:
    """Where to cut, and what it comes to.

    Attributes:
        cuts: node j + 1 begins with layer ``cuts[j]``, counted from 0; L if neither it nor any after it has one.
        cost: of one request.
    """

    cuts: tuple[int, ...]
    cost: float


def best_cuts(
    work: np.ndarray,
    crossing_bytes: np.ndarray,
    fixed: np.ndarray,
    per_byte: np.ndarray,
    *,
    size_bytes: np.ndarray | None = None,
    memory_bytes: np.ndarray | None = None,
) -> BestCuts:
    """The cheapest way to lay a chain of L layers on a path of n nodes.

    Args:
        work: float64 [n, L]; of each layer on each node, in whatever is summed (seconds, joules, weighted); infinite where
            it cannot run.
        crossing_bytes: float64 [L]; what crosses if the chain is cut before each layer; the first is the input.
        fixed, per_byte: float64 [n - 1]; of each link, whatever and however much crosses.
        size_bytes: float64 [L]; of each layer, with `memory_bytes` [n] of each node: what is larger is not put there.

    Raises:
        InputError: the arrays do not fit together, a number is negative, or no node can run some layer within its memory.

    Example:
        >>> import numpy as np
        >>> from placid.placement.offline.cut_rule import best_cuts
        >>> best_cuts(np.array([[4.0, 4, 4], [1, 1, 1]]), np.array([8.0, 2, 2]), np.array([0.0]), np.array([1.0]))
        BestCuts(cuts=(1,), cost=8.0)
    """
    work, crossing, fixed, per_byte = (
        np.asarray(a, np.float64) for a in (work, crossing_bytes, fixed, per_byte)
    )
    if (
        work.ndim != 2
        or crossing.shape != work.shape[1:]
        or {fixed.shape, per_byte.shape} != {(len(work) - 1,)}
    ):
        raise InputError(
            f"cuts of {work.shape} work need as many sizes of what crosses as layers, and one link fewer than nodes, "
            f"got {crossing.shape}, {fixed.shape} and {per_byte.shape}"
        )
    nodes, layers = work.shape
    sizes = np.zeros(layers) if size_bytes is None else np.asarray(size_bytes, np.float64)
    memory = np.full(nodes, np.inf) if memory_bytes is None else np.asarray(memory_bytes, np.float64)
    if sizes.shape != (layers,) or memory.shape != (nodes,):
        raise InputError(
            f"{layers} layers on {nodes} nodes need as many sizes and memories, got {sizes.shape}, {memory.shape}"
        )
    for name, values in (
        ("work", work),
        ("bytes", crossing),
        ("costs", fixed),
        ("costs", per_byte),
        ("sizes", sizes),
    ):
        if np.isnan(values).any() or (values < 0).any():
            raise InputError(f"{name} of cuts must be numbers of at least 0")
    # a layer that a node cannot run is a wall for it: no run of its layers reaches across
    walls = np.cumsum(np.isinf(work), axis=1)
    summed = np.cumsum(np.where(np.isinf(work), 0.0, work), axis=1)
    zero = np.zeros((nodes, 1))
    found, cost = _best(
        np.hstack((zero, summed)),
        np.hstack((zero, walls)).astype(np.int64),
        np.concatenate(([0.0], np.cumsum(sizes))),
        memory,
        crossing,
        fixed,
        per_byte,
    )
    if not np.isfinite(cost):
        raise InputError(
            "no cut fits: some layer runs on no node, or the nodes that run it have too little memory"
        )
    return BestCuts(tuple(int(c) for c in found), float(cost))


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _best(
    summed: np.ndarray,
    walls: np.ndarray,
    sizes: np.ndarray,
    memory: np.ndarray,
    crossing: np.ndarray,
    fixed: np.ndarray,
    per_byte: np.ndarray,
) -> tuple[np.ndarray, float]:
    nodes, ends = summed.shape
    best = np.full(ends, np.inf)  # of the nodes so far, having run the layers before each end
    best[0] = 0.0
    came = np.zeros((nodes, ends), np.int64)
    queue = np.empty(ends, np.int64)
    for j in range(nodes):
        # node j runs layers start … end - 1; what does not hang on the end is compared start by start
        now = np.full(ends, np.inf)
        entry = best - summed[j]
        first, last, start = 0, 0, 0
        for end in range(ends):
            while last > first and entry[queue[last - 1]] >= entry[end]:
                last -= 1
            queue[last] = end
            last += 1
            while start < end and (walls[j, start] != walls[j, end] or sizes[end] - sizes[start] > memory[j]):
                if queue[first] == start:
                    first += 1
                start += 1
            at = queue[first]
            now[end] = entry[at] + summed[j, end]
            came[j, end] = at
        if j + 1 < nodes:
            for end in range(ends - 1):
                now[end] += fixed[j] + per_byte[j] * crossing[end]
        best = now
    cuts = np.empty(nodes - 1, np.int64)
    end = ends - 1
    for j in range(nodes - 1, 0, -1):
        end = came[j, end]
        cuts[j - 1] = end
    return cuts, best[ends - 1]
