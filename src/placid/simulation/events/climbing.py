"""A tree of nodes with parts of one network with exits, in which every node decides for itself whether a request climbs.

The decision is `placid.inference.offloading`, compiled; queues at nodes and on links, replies and what nodes learn from them
are played event by event. Rates of links change in mid-run, and loads as the arrivals have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from placid.errors import InputError
from placid.inference import offloading
from placid.inference.ladder import Ladder
from placid.simulation.events.heap import EVENT, grown, pop, push

__all__ = ["MODES", "Climbed", "Deciding", "Tree", "climb"]

#: how nodes decide: by thresholds on the calibrated confidence; by the rule and what they heard; by the rule and the truth
MODES = ("thresholds", "dynamic", "oracle")

_above = njit(cache=True)(offloading.expected_above)
_price = njit(cache=True)(offloading.price_s)
_learn = njit(cache=True)(offloading.learn)
_goes_up = njit(cache=True)(offloading.goes_up)


@dataclass(frozen=True)
class Tree:
    """Nodes, each with a first-come-first-served queue and a link up with a queue of its own.

    Attributes:
        parent: int64 [nodes]; -1 at the top. All leaves lie equally deep.
        servers: int64 [nodes].
        work_s: float64 [nodes]; of the part of the network that runs there.
        rtt_s: float64 [nodes]; of the link up.
        change_s: float64 [phases - 1], when rates change.
        rate: float64 [phases, nodes]; bytes a second of the link up.
        size_bytes: float64 [levels]; of what crosses to the level above.
        response_bytes: of an answer.
    """

    parent: np.ndarray
    servers: np.ndarray
    work_s: np.ndarray
    rtt_s: np.ndarray
    change_s: np.ndarray
    rate: np.ndarray
    size_bytes: np.ndarray
    response_bytes: float

    @property
    def level(self) -> np.ndarray:
        """int64 [nodes]; 0 for those that requests enter at."""
        height = np.zeros(len(self.parent), np.int64)
        for v in range(len(self.parent)):
            at = v
            while self.parent[at] >= 0:
                at = self.parent[at]
                height[v] += 1
        return np.asarray(height.max() - height)


@dataclass(frozen=True)
class Deciding:
    """How all nodes decide.

    Attributes:
        value_s: what an answer that is right is worth, seconds.
        thresholds: of mode "thresholds", for every exit: a request whose calibrated confidence is below goes up.
        forget_s: time constant of forgetting.
        probe_every_s: after which a node asks again; infinite for never.
    """

    mode: str
    value_s: float
    thresholds: tuple[float, ...] = ()
    forget_s: float = 1.0
    probe_every_s: float = 1.0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise InputError(f"nodes decide by {', '.join(MODES)}, got '{self.mode}'")
        if not (self.value_s >= 0 and self.forget_s > 0 and self.probe_every_s > 0):
            raise InputError("the value is 0 at least, and times are above 0", where="how nodes decide")


@dataclass(frozen=True)
class Climbed:
    """What became of the requests.

    Attributes:
        latency_s: float64 [n].
        level: int64 [n]; where each was answered.
    """

    latency_s: np.ndarray
    level: np.ndarray


def climb(
    tree: Tree,
    ladder: Ladder,
    deciding: Deciding,
    time_s: np.ndarray,
    leaf: np.ndarray,
    confidence: np.ndarray,
) -> Climbed:
    """Play requests that come at `time_s` (rising) to `leaf`.

    Args:
        confidence: float [levels, n]; calibrated, of what each level says of each request.

    Raises:
        InputError: levels of the tree, exits of the ladder and rows of confidence are not equally many.
    """
    levels = int(tree.level.max()) + 1
    exits = len(ladder.knots)
    if levels != exits + 1 or confidence.shape != (levels, len(time_s)):
        raise InputError(
            f"a tree of {levels} levels needs a network of {levels - 1} exits and confidences [{levels}, {len(time_s)}], "
            f"got {exits} exits and {list(confidence.shape)}"
        )
    if deciding.mode == "thresholds" and len(deciding.thresholds) != exits:
        raise InputError(f"a threshold for each of {exits} exits is needed, got {len(deciding.thresholds)}")
    most = max(len(k) for k in ladder.knots)
    knots, counts = np.zeros((exits, most)), np.array([len(k) for k in ladder.knots])
    table = np.zeros((exits, most, len(ladder.penalties)))
    for e in range(exits):
        knots[e, : counts[e]] = ladder.knots[e]
        table[e, : counts[e]] = ladder.above[e]
    nodes: tuple[Any, ...] = (tree.parent.astype(np.int64), tree.level, tree.servers.astype(np.int64))
    nodes += (tree.work_s, tree.rtt_s, tree.change_s, tree.rate, tree.size_bytes, tree.response_bytes)
    how: tuple[Any, ...] = (
        MODES.index(deciding.mode),
        deciding.value_s,
        np.array([*deciding.thresholds, 0.0]),
    )
    how += (deciding.forget_s, deciding.probe_every_s)
    done_s, level = np.empty(len(time_s)), np.empty(len(time_s), np.int64)
    come: tuple[Any, ...] = (time_s.astype(float), leaf.astype(np.int64), confidence.astype(float))
    fitted: tuple[Any, ...] = (knots, counts, np.array(ladder.penalties), table)
    given = (*come, *nodes, *how, *fitted, done_s, level)
    _play(*given)
    return Climbed(done_s - time_s, level)


_COMES, _DONE, _BACK = 0, 1, 2


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _play(
    time_s: np.ndarray,
    leaf: np.ndarray,
    confidence: np.ndarray,
    parent: np.ndarray,
    level_of: np.ndarray,
    servers: np.ndarray,
    work_s: np.ndarray,
    rtt_s: np.ndarray,
    change_s: np.ndarray,
    rate: np.ndarray,
    size_bytes: np.ndarray,
    response_bytes: float,
    mode: int,
    value_s: float,
    thresholds: np.ndarray,
    forget_s: float,
    probe_every_s: float,
    knots: np.ndarray,
    counts: np.ndarray,
    penalties: np.ndarray,
    table: np.ndarray,
    done_s: np.ndarray,
    answered: np.ndarray,
) -> None:
    """Play all; `done_s` and `answered` (levels) are written in place."""
    nodes, levels, n = len(parent), len(confidence), len(time_s)
    free = np.zeros((nodes, servers.max()))
    link_free, queued = np.zeros(nodes), np.zeros(nodes)
    seen = np.empty((nodes, 6))
    seen[:, 0] = -np.inf
    seen[:, 1] = -np.inf
    seen[:, 2:5] = 0.0
    seen[:, 5] = np.inf
    at = leaf.copy()
    path = np.empty((n, levels), np.int64)
    came, sent, ahead = np.empty((n, levels)), np.empty((n, levels)), np.empty((n, levels))
    told_here, told_up, spent = np.empty(n), np.empty(n), np.empty(n)
    heap, noted = np.empty(4096, EVENT), np.zeros(2, np.int64)
    coming = phase = 0
    while coming < n or noted[0] > 0:
        if noted[0] + 4 > len(heap):
            heap = grown(heap)
        if coming < n and (noted[0] == 0 or time_s[coming] <= heap[0].time_s):
            now, i, event = time_s[coming], coming, _COMES
            v = leaf[i]
            for k in range(levels):
                path[i, k] = v
                v = parent[v]
            coming += 1
        else:
            now = heap[0].time_s
            what = pop(heap, noted)
            i, event = what >> 2, what & 3
        while phase < len(change_s) and change_s[phase] <= now:
            phase += 1
        v = at[i]
        k = level_of[v]
        replies = False
        if event == _COMES:
            if k > 0:
                queued[path[i, k - 1]] -= size_bytes[k - 1]
            came[i, k] = now
            first = free[v, : servers[v]].argmin()
            free[v, first] = max(now, free[v, first]) + work_s[v]
            push(heap, noted, free[v, first], (i << 2) | _DONE)
        elif event == _DONE:
            up = False
            if k < levels - 1:
                behind = queued[v] + size_bytes[k]
                sure = confidence[k, i]
                if mode == 0:
                    up = sure < thresholds[k]
                else:
                    p = parent[v]
                    if mode == 1:
                        price, further = _price(seen[v], rtt_s[v], behind), seen[v, 4]
                    else:
                        price = _true_price(
                            now, phase, v, p, link_free, rate, size_bytes[k], rtt_s, free, servers, work_s
                        )
                        further = 0.0
                        if k + 1 < levels - 1:
                            further = _true_price(
                                now,
                                phase,
                                p,
                                parent[p],
                                link_free,
                                rate,
                                size_bytes[k + 1],
                                rtt_s,
                                free,
                                servers,
                                work_s,
                            )
                    gain = (
                        _above(
                            knots[k, : counts[k]],
                            penalties,
                            table[k],
                            sure,
                            further / value_s if value_s > 0 else 1e9,
                        )
                        - sure
                    )
                    up = _goes_up(seen[v], now, value_s, gain, price, probe_every_s if mode == 1 else np.inf)
                    if mode == 2:
                        up = value_s * gain > price
            if up:
                queued[v] += size_bytes[k]
                seen[v, 1] = now
                sent[i, k], ahead[i, k] = now, queued[v] + response_bytes
                link_free[v] = max(now, link_free[v]) + size_bytes[k] / rate[phase, v]
                at[i] = parent[v]
                push(heap, noted, link_free[v] + rtt_s[v] / 2, (i << 2) | _COMES)
            else:
                answered[i] = k
                replies = True
        else:
            took = now - sent[i, k]
            per_byte = max(0.0, took - spent[i] - rtt_s[v]) / ahead[i, k]
            link_s = took - spent[i]
            _learn(seen[v], now, forget_s, per_byte, told_here[i], told_up[i], link_s + told_here[i])
            replies = True
        if replies and k == 0:
            done_s[i] = now
        elif replies:
            below = path[i, k - 1]
            told_here[i] = max(0.0, free[v, : servers[v]].min() - now) + work_s[v]
            told_up[i] = _price(seen[v], rtt_s[v], queued[v] + size_bytes[k]) if k < levels - 1 else 0.0
            spent[i] = now - came[i, k]
            at[i] = below
            push(heap, noted, now + rtt_s[below] / 2 + response_bytes / rate[phase, below], (i << 2) | _BACK)


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _true_price(
    now: float,
    phase: int,
    v: int,
    above: int,
    link_free: np.ndarray,
    rate: np.ndarray,
    size_bytes: float,
    rtt_s: np.ndarray,
    free: np.ndarray,
    servers: np.ndarray,
    work_s: np.ndarray,
) -> float:
    """What going up from v takes, of what is queued now."""
    link_s = max(0.0, link_free[v] - now) + size_bytes / rate[phase, v] + rtt_s[v]
    wait_s = max(0.0, free[above, : servers[above]].min() - now)
    return float(link_s + wait_s + work_s[above])
