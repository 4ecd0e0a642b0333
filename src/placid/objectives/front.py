"""A front: placements that no other found one beats on all objectives at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.objectives.dominance import nondominated
from placid.objectives.indicators import hypervolume
from placid.problem.arrays import COMPONENTS

__all__ = ["Front", "Point", "axes_of"]

#: who decides which copy answers: the serving rule under the point's weights, or whoever does it best
ROUTINGS = ("served", "best")


@dataclass(frozen=True)
class Point:
    """A placement, the weights under which it serves, and what a request then costs.

    Attributes:
        vector: float64 [4]; mean cost of a served request (`COMPONENTS`).
        weights: float64 [4]; per unit.
        placed: bool [N].
        found_by: the method, or the solver.
        supported: it was found as the best for its weights; others lie where no weights lead.
        proven: a solver proved that nothing is better in the direction in which it was looked for.
    """

    vector: np.ndarray
    weights: np.ndarray
    placed: np.ndarray
    found_by: str
    supported: bool = False
    proven: bool = False


@dataclass(frozen=True)
class Front:
    """P points; which of them are a front depends on the objectives that count.

    Attributes:
        points: float64 [P, 4]; mean cost of a served request, in the order of `COMPONENTS`, whatever counts.
        weights: float64 [P, 4]; per unit, those under which the placement serves.
        packed: uint8 [P, (N + 7) // 8]; the placements, eight items a byte.
        items: N.
        found_by: the method, or the solver, of each point.
        supported, proven: bool [P]; as in `Point`.
        objectives: which components count.
        routing: "served", if points are what the serving rule makes of weights and placement; "best", if requests go
            where they serve the objectives best, which the serving rule may not do.
    """

    points: np.ndarray
    weights: np.ndarray
    packed: np.ndarray
    items: int
    found_by: tuple[str, ...]
    supported: np.ndarray
    proven: np.ndarray
    objectives: tuple[str, ...]
    routing: str = "served"

    def __post_init__(self) -> None:
        axes_of(self.objectives)
        if self.routing not in ROUTINGS:
            raise UnknownNameError("routing", self.routing, ROUTINGS)
        size = len(self.found_by)
        shapes = (self.points.shape, self.weights.shape, self.packed.shape)
        if shapes != ((size, 4), (size, 4), (size, -(-self.items // 8))):
            raise InputError(f"the arrays of a front of {size} points do not fit together: {shapes}")

    @classmethod
    def of(
        cls, points: Iterable[Point], objectives: Sequence[str], items: int, routing: str = "served"
    ) -> Front:
        """All of `points`, in their order."""
        given = list(points)
        placed = np.array([p.placed for p in given], bool).reshape(len(given), items)
        return cls(
            points=np.array([p.vector for p in given], np.float64).reshape(-1, 4),
            weights=np.array([p.weights for p in given], np.float64).reshape(-1, 4),
            packed=np.packbits(placed, axis=1),
            items=items,
            found_by=tuple(p.found_by for p in given),
            supported=np.array([p.supported for p in given], bool),
            proven=np.array([p.proven for p in given], bool),
            objectives=tuple(objectives),
            routing=routing,
        )

    def __len__(self) -> int:
        return len(self.found_by)

    @property
    def axes(self) -> np.ndarray:
        """float64 [P, objectives]: what counts of the points."""
        return self.points[:, axes_of(self.objectives)]

    def placed(self, i: int) -> np.ndarray:
        """bool [N]: the placement of point `i`."""
        return np.unpackbits(self.packed[i], count=self.items).astype(bool)

    def taken(self, which: np.ndarray) -> Front:
        """The points `which` (indices, or bool [P])."""
        chosen = np.arange(len(self))[which]
        return replace(
            self,
            points=self.points[chosen],
            weights=self.weights[chosen],
            packed=self.packed[chosen],
            found_by=tuple(self.found_by[i] for i in chosen),
            supported=self.supported[chosen],
            proven=self.proven[chosen],
        )

    def efficient(self) -> Front:
        """The points that no other beats, of equal ones the first, by rising first objective.

        What differs by less than a millionth of an objective's largest value is equal: costs are kept in single precision.
        """
        if not len(self):
            return self
        axes = self.axes
        step = 1e-6 * np.abs(axes).max(axis=0)
        rounded = np.rint(axes / np.where(step > 0, step, 1.0))
        _, first = np.unique(rounded, axis=0, return_index=True)
        kept = first[nondominated(rounded[first])]
        return self.taken(kept[np.lexsort(axes[kept].T[::-1])])

    def joined(self, other: Front) -> Front:
        """The points of both.

        Raises:
            InputError: they are of other problems, objectives or routings.
        """
        if (self.items, self.objectives, self.routing) != (other.items, other.objectives, other.routing):
            raise InputError(
                "only fronts of one problem, one set of objectives and one routing can be joined"
            )
        return replace(
            self,
            points=np.concatenate((self.points, other.points)),
            weights=np.concatenate((self.weights, other.weights)),
            packed=np.concatenate((self.packed, other.packed)),
            found_by=self.found_by + other.found_by,
            supported=np.concatenate((self.supported, other.supported)),
            proven=np.concatenate((self.proven, other.proven)),
        )

    def best(self, weights: np.ndarray) -> int:
        """The point that is cheapest under `weights` ([4]), which may be others than its own.

        Raises:
            InputError: there are no points.
        """
        if not len(self):
            raise InputError("an empty front has no best point")
        return int(np.argmin(self.points @ np.asarray(weights, np.float64)))

    def hypervolume(self, reference: np.ndarray) -> float:
        """What the points dominate below `reference` ([4]), as a share of the box from 0 to there, in [0, 1]."""
        worst = np.asarray(reference, np.float64)[axes_of(self.objectives)]
        if not (worst > 0).all():
            raise InputError(f"the reference must be above 0 in every objective, got {worst}")
        return hypervolume(self.axes / worst, np.ones(len(worst)))


def axes_of(objectives: Sequence[str]) -> list[int]:
    """The places of `objectives` among `COMPONENTS`.

    Raises:
        InputError: none is given, one is unknown, or one stands twice.
    """
    for name in objectives:
        if name not in COMPONENTS:
            raise UnknownNameError("objective", name, COMPONENTS)
    if not objectives or len(set(objectives)) != len(objectives):
        raise InputError(f"objectives must be given, each once; got {', '.join(objectives) or 'none'}")
    return [COMPONENTS.index(name) for name in objectives]
