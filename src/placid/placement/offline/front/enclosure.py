"""The exact front of three objectives, and more: kept between what was reached and what is proven out of reach.

Known points dominate all above them. Two kinds of proof say where nothing is: a search from one corner of a box to the other
(`Flows.into`) leaves the part before the point that it meets empty, wherever that lies, and the least under any weights
leaves everything below a plane empty. What is neither dominated nor empty is where the front may still be, and the next
search goes where that is deepest. So the hypervolume of the whole front, of which any list of points is a part, is known
from both sides at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from time import perf_counter

import numpy as np
from numba import njit

from placid.errors import InputError
from placid.objectives.front import Front, Point, axes_of
from placid.objectives.front_file import front_arrays, front_from, write_arrays
from placid.objectives.indicators import hypervolume
from placid.objectives.local_bounds import corners_above, corners_below
from placid.placement.offline.front.flows import Flows, NothingFound, Routed
from placid.placement.offline.front.wishes import lexicographic

__all__ = ["Enclosure", "enclosed_front", "read_enclosure", "write_enclosure"]

#: columns by columns into which the space below the front is cut to measure it
_CUTS = 1024
#: seconds between two times that what is known is kept
_KEEP_S = 5.0


@dataclass(frozen=True)
class Enclosure:
    """What is known of the front of k objectives; coordinates are 0 at `ideal` and 1 at `worst`.

    Attributes:
        ideal, worst: float64 [k]; the least of each objective, and the most that it comes to where the others are least,
            one after the other in any order. What lies beyond `worst` is left out.
        front: the points, under the best routing.
        empty: float64 [E, k]; strictly below each of these nothing is.
        planes: float64 [T, k + 1]; ``planes[:, :k] @ f >= planes[:, k]`` for all that can be reached.
        above, below: float64 [., k]; corners of what is not dominated, and of what is not empty.
        looked: searches so far.
    """

    ideal: np.ndarray
    worst: np.ndarray
    front: Front
    empty: np.ndarray
    planes: np.ndarray
    above: np.ndarray
    below: np.ndarray
    looked: int = 0

    @classmethod
    def begin(cls, flows: Flows, time_limit_s: float = 60.0) -> Enclosure:
        """The ends: each objective first, the others after it in any order.

        Raises:
            InputError: `flows` has fewer than two objectives.
            SolverError: as `Flows.least`.
        """
        names, axes = flows.objectives, axes_of(flows.objectives)
        if len(names) < 2:
            raise InputError(f"a front is of two objectives or more, not of {', '.join(names)}")
        ends = [lexicographic(flows, order, time_limit_s=time_limit_s) for order in permutations(names)]
        at = np.array([end.vector[axes] for end in ends])
        ideal, worst = at.min(axis=0), at.max(axis=0)
        # a box needs sides, also where the ends differ by less than a solver can tell
        worst = np.where(worst - ideal > 1e-6 * flows.unit[axes], worst, ideal + flows.unit[axes])
        k = len(names)
        known = cls(
            ideal, worst, Front.of([], names, flows.ways.frame.item_count, "best"),
            np.zeros((0, k)), np.zeros((0, k + 1)), np.ones((1, k)), np.zeros((1, k)),
        )  # fmt: skip
        for order, end in zip(permutations(range(k)), ends, strict=True):
            weights = np.zeros(4)
            weights[axes] = 1e-3 / (worst - ideal)
            weights[axes[order[0]]] *= 1e3
            known = known._with_point(flows, end, weights, "epsilon-constraint")
        return known

    @property
    def span(self) -> np.ndarray:
        return self.worst - self.ideal

    @property
    def points(self) -> np.ndarray:
        """float64 [P, k]; the points in these coordinates."""
        return (self.front.axes - self.ideal) / self.span

    @property
    def reached(self) -> float:
        """The hypervolume of the points, in [0, 1]: the whole front has at least this."""
        return hypervolume(self.points, np.ones(len(self.ideal)))

    @property
    def reachable(self) -> float:
        """What no front can exceed, in [0, 1]; measured on a grid from above, so a little larger than proven.

        Raises:
            InputError: there are other than two or three objectives.
        """
        k = len(self.ideal)
        if k not in (2, 3):
            raise InputError(f"this is measured for two or three objectives, not for {k}")
        empty, planes = self.empty, self.planes
        if k == 2:  # nothing depends on the axis that is put between
            empty, planes = np.insert(empty, 1, 1.0, axis=1), np.insert(planes, 1, 0.0, axis=1)
        return _reachable(
            np.ascontiguousarray(empty), np.ascontiguousarray(planes), _CUTS if k == 3 else _CUTS**2, k == 2
        )

    def deepest(self) -> tuple[np.ndarray, np.ndarray, float] | None:
        """The box (low, high) in which the front may be deepest, and how deep; None if there is none."""
        low, high, depth = self._boxes(self.above)
        if not len(depth) or depth.max() <= 1e-6:
            return None
        i = int(np.argmax(depth))
        return low[i], high[i], float(depth[i])

    def look(self, flows: Flows, time_limit_s: float = 60.0) -> Enclosure:
        """What is known after one more search; the same if there is nowhere to look.

        Raises:
            SolverError: as `Flows.least`.
        """
        box = self.deepest()
        if box is None:
            return self
        low, high, _ = box
        axes, corner = axes_of(flows.objectives), self._corners(low, high)
        try:
            found, share = flows.into(*corner, time_limit_s=time_limit_s)
        except NothingFound:
            # not known: taken for empty only when looking for where to look, or it would be looked into for ever
            return replace(self, above=self.above[(self.above != high).any(axis=1)], looked=self.looked + 1)
        floor = low + share * (high - low)
        known = replace(
            self,
            empty=np.vstack((self.empty, floor)),
            below=corners_below(self.below, floor),
            looked=self.looked + 1,
        )
        if found is None:
            return replace(known, above=known.above[(known.above != high).any(axis=1)])
        assert found.placed is not None
        weights = np.maximum(found.prices, 0.0)
        known = known._with_point(flows, found, weights, "epsilon-constraint")
        # the same placement may reach into the boxes beside its point
        new = known.above[~(known.above[:, None] == self.above[None]).all(axis=2).any(axis=1)]
        for at, to, depth in zip(*known._boxes(new), strict=True):
            if depth > 1e-3:
                beside = flows.routed_into(*known._corners(at, to), found.placed)
                if beside is not None:
                    known = known._with_point(flows, beside, np.maximum(beside.prices, 0.0), "routed")
        if not weights[axes].any():
            return known
        least = flows.least(weights, time_limit_s=time_limit_s)
        assert least is not None
        plane = np.append(weights[axes] * self.span, least.bound - weights[axes] @ self.ideal)
        if np.isfinite(plane).all():
            known = replace(known, planes=np.vstack((known.planes, plane / np.abs(plane[:-1]).max())))
        return known._with_point(flows, least, weights, "milp")

    def _with_point(self, flows: Flows, routed: Routed, weights: np.ndarray, found_by: str) -> Enclosure:
        assert routed.placed is not None
        made = Point(
            routed.vector,
            weights,
            routed.placed,
            found_by,
            supported=found_by == "milp",
            proven=routed.proven,
        )
        front = self.front.joined(Front.of([made], self.front.objectives, self.front.items, "best"))
        at = (routed.vector[axes_of(flows.objectives)] - self.ideal) / self.span
        return replace(self, front=front, above=corners_above(self.above, at))

    def _corners(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A box in the units of the objectives, each [4]."""
        axes = axes_of(self.front.objectives)
        corners = np.zeros((2, 4))
        corners[0, axes] = self.ideal + low * self.span
        corners[1, axes] = self.ideal + high * self.span
        return corners[0], corners[1]

    def _boxes(self, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Below each of the corners `high` ([C, k]) the deepest box: from [C, k], to [C, k], and its shortest side [C]."""
        which, side = _widest(self.below, high)
        low = self.below[which]
        across = high - low
        # planes cut the beginning of the way off
        if len(self.planes):
            normal, least = self.planes[:, :-1], self.planes[:, -1]
            way = np.maximum(across @ normal.T, 1e-300)
            begin = np.clip(((least - low @ normal.T) / way).max(axis=1), 0.0, 1.0)
            low, side = low + begin[:, None] * across, side * (1 - begin)
        return low, high, side


def enclosed_front(
    flows: Flows,
    looks: int = 300,
    *,
    time_limit_s: float = 60.0,
    enough: float = 0.99,
    at_most_s: float = np.inf,
    known: Enclosure | None = None,
    keep: Callable[[Enclosure], None] = lambda known: None,
    tell: Callable[[int, int], None] = lambda step, steps: None,
) -> Enclosure:
    """The front of the objectives of `flows` under the best routing, from both sides, after at most `looks` searches.

    When to use it: for the truth about three objectives of small instances; about 10^3 columns take some tenths of a
    second a search, which is two MILPs and a few linear programs. The exact front has infinitely many points; of those
    given back no other, however its requests are routed, is better in every objective by more than `Flows.into` leaves
    open. What share of the hypervolume of the whole front they have at least is ``reached / reachable``.

    Args:
        enough: ends when that share is reached; looked at every 25 searches.
        at_most_s: no search begins after this.
        known: what was known before, to go on from.
        keep: is given what is known every few seconds, and at the end.

    Raises:
        InputError: `flows` has other than two or three objectives.
        SolverError: as `Flows.least`.

    Differs from the paper: planes besides boxes, and other routings of a placement that was found, which cost next to
    nothing.

    Reference: G. Eichfelder, L. Warnow: An approximation algorithm for multi-objective optimization problems using a
    box-coverage, JOGO 2022.
    """
    if len(flows.objectives) not in (2, 3):
        raise InputError(f"this front is of two or three objectives, not of {', '.join(flows.objectives)}")
    began_s = kept_s = perf_counter()
    known = known or Enclosure.begin(flows, time_limit_s)
    for step in range(known.looked + 1, looks + 1):
        if perf_counter() - began_s > at_most_s or known.deepest() is None:
            break
        if step % 25 == 1 and known.reached >= enough * known.reachable:
            break
        known = known.look(flows, time_limit_s)
        tell(step, looks)
        if perf_counter() - kept_s > _KEEP_S:
            keep(known)
            kept_s = perf_counter()
    keep(known)
    tell(looks, looks)
    return known


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _widest(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each of `high` which of `low` leaves the longest shortest side, and that side, 0 if none lies below."""
    which, side = np.zeros(len(high), np.int64), np.zeros(len(high))
    for j in range(len(high)):
        for i in range(len(low)):
            least = np.inf
            for k in range(high.shape[1]):
                least = min(least, high[j, k] - low[i, k])
            if least > side[j]:
                which[j], side[j] = i, least
    return which, side


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _reachable(empty: np.ndarray, planes: np.ndarray, cuts: int, flat: bool) -> float:
    """1 less the volume below the highest floor ([., 3] and [., 4]), taken in each column where it is lowest."""
    total, rows = 0.0, 1 if flat else cuts
    for i in range(cuts):
        x = (i + 1) / cuts
        for j in range(rows):
            y = (j + 1) / rows
            floor = 0.0
            for e in range(len(empty)):
                if empty[e, 2] > floor and empty[e, 0] >= x and (empty[e, 1] >= y):
                    floor = empty[e, 2]
            for t in range(len(planes)):
                left = planes[t, 3] - planes[t, 0] * x - planes[t, 1] * y
                if left > planes[t, 2] * floor:
                    floor = min(1.0, left / planes[t, 2]) if planes[t, 2] > 1e-12 else 1.0
            total += 1.0 - floor
    return total / cuts / rows


def write_enclosure(file: Path, known: Enclosure) -> None:
    """Write all that is known into an ``.npz``, to go on from."""
    names = ("ideal", "worst", "empty", "planes", "above", "below", "looked")
    write_arrays(file, front_arrays(known.front) | {name: getattr(known, name) for name in names})


def read_enclosure(file: Path) -> Enclosure:
    """What `write_enclosure` wrote."""
    with np.load(file) as data:
        return Enclosure(
            ideal=data["ideal"],
            worst=data["worst"],
            front=front_from(data),
            empty=data["empty"],
            planes=data["planes"],
            above=data["above"],
            below=data["below"],
            looked=int(data["looked"]),
        )
