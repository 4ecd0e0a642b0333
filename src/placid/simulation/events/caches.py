"""Caches on the way to where each content lives: the classical special case without computing, one request after another.

All contents are of one size, a request climbs a fixed path until a cache has what it asks for, and nothing takes time but
links. Icarus (Saino, Psaras and Pavlou, SIMUTools 2014) plays this case; what it calls LCE and EDGE is played here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from placid.errors import InputError

__all__ = ["CachePaths", "play_caches"]


@dataclass(frozen=True)
class CachePaths:
    """P paths; CSR.

    Attributes:
        ptr: int64 [P + 1]; path p is ``node[ptr[p]:ptr[p + 1]]``, from where requests enter to where the contents live.
        node: int64.
        delay_s: float64; one way, from where requests enter to each of these nodes.
    """

    ptr: np.ndarray
    node: np.ndarray
    delay_s: np.ndarray

    @classmethod
    def of(cls, paths: Sequence[Sequence[int]], delay_s: Sequence[Sequence[float]]) -> CachePaths:
        """From the nodes of each path, and the delay of each of its links."""
        return cls(
            np.concatenate(([0], np.cumsum([len(p) for p in paths]))).astype(np.int64),
            np.concatenate([np.asarray(p, np.int64) for p in paths]),
            np.concatenate([np.concatenate(([0.0], np.cumsum(d))) for d in delay_s]),
        )


def play_caches(
    paths: CachePaths, path: np.ndarray, content: np.ndarray, room: np.ndarray, *, only_first: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Where each request is answered, and after how long; every cache forgets what was used longest ago (LRU).

    A request looks into every cache on its path; the answer leaves a copy in every one that it passes on its way down.

    Args:
        path, content: int64 [n]; of each request.
        room: int64 [V]; contents that each node holds, 0 where there is no cache. What lives at the end of a path is
            always there.
        only_first: a request looks only into the first cache on its path, and its answer leaves a copy only there.

    Returns:
        int64 [n], the position on the path that answered, and float64 [n], the latency there and back in seconds.

    Raises:
        InputError: a request is on no path, or asks for a negative content.
    """
    path, content, room = (np.asarray(a, np.int64) for a in (path, content, room))
    if len(path) and not (path.min() >= 0 and path.max() < len(paths.ptr) - 1 and content.min() >= 0):
        raise InputError("every request needs a path that there is and a content of number 0 or more")
    cache = np.full(len(room), -1, np.int64)
    cache[room > 0] = np.arange(int((room > 0).sum()))
    begin = np.concatenate(([0], np.cumsum(room[room > 0]))).astype(np.int64)
    position = np.zeros(len(path), np.int64)
    _replay(
        paths.ptr,
        paths.node,
        path,
        content,
        cache,
        begin,
        int(content.max(initial=-1)) + 1,
        only_first,
        position,
    )
    return position, 2.0 * paths.delay_s[paths.ptr[path] + position]


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _replay(
    path_ptr: np.ndarray,
    path_node: np.ndarray,
    path: np.ndarray,
    content: np.ndarray,
    cache: np.ndarray,
    begin: np.ndarray,
    contents: int,
    only_first: bool,
    position: np.ndarray,
) -> None:
    """Cache c has the places ``begin[c]:begin[c + 1]``, chained from the one used last to the one used longest ago."""
    caches = len(begin) - 1
    place_of = np.full((caches, contents), -1, np.int32)
    held = np.full(begin[-1], -1, np.int64)
    older = np.full(begin[-1], -1, np.int64)
    newer = np.full(begin[-1], -1, np.int64)
    newest, oldest, used = begin[:-1].copy(), begin[:-1].copy(), np.zeros(caches, np.int64)
    for i in range(len(path)):
        first, last = path_ptr[path[i]], path_ptr[path[i] + 1] - 1
        at, looked = first, 0
        while at < last:
            c = cache[path_node[at]]
            if c >= 0 and (looked == 0 or not only_first):
                looked += 1
                if place_of[c, content[i]] >= 0:
                    break
            at += 1
        position[i] = at - first
        if at < last:
            c = cache[path_node[at]]
            _use(place_of[c, content[i]], c, older, newer, newest, oldest)
        for above in range(at - 1, first - 1, -1):
            c = cache[path_node[above]]
            if c < 0 or (only_first and not _is_first(cache, path_node, first, above)):
                continue
            if used[c] < begin[c + 1] - begin[c]:
                p = begin[c] + used[c]
                used[c] += 1
                if p == begin[c]:
                    newest[c] = oldest[c] = p
                else:
                    older[p], newer[newest[c]], newest[c] = newest[c], p, p
            else:
                p = oldest[c]
                place_of[c, held[p]] = -1
                _use(p, c, older, newer, newest, oldest)
            held[p] = content[i]
            place_of[c, content[i]] = p


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _is_first(cache: np.ndarray, path_node: np.ndarray, first: int, at: int) -> bool:
    """Whether no cache comes before position `at` of a path."""
    alone = True
    for before in range(first, at):
        alone = alone and cache[path_node[before]] < 0
    return alone


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _use(
    p: int, c: int, older: np.ndarray, newer: np.ndarray, newest: np.ndarray, oldest: np.ndarray
) -> None:
    """Place p of cache c becomes the one used last."""
    if newest[c] != p:
        if oldest[c] == p:
            oldest[c] = newer[p]
        else:
            newer[older[p]] = newer[p]
        older[newer[p]] = older[p]
        older[p], newer[newest[c]], newest[c] = newest[c], p, p
        newer[p] = -1
    _ = older, newer, newest, oldest
