"""Models of which one part is placed, and what comes before and after it has a place for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from placid.catalog.models import AtIngress, AtRepository, Catalog

__all__ = ["Carried", "carried_by", "pinned"]


@dataclass(frozen=True)
class Carried:
    """What the requests of each model carry, all float64 [M].

    Attributes:
        up: bytes to the placed part.
        on: bytes from there to the repository.
        down: bytes of the answer.
        travels: share of requests that leave the node where they enter.
        goes_on: share of those at the placed part that go on to the repository.
    """

    up: np.ndarray
    on: np.ndarray
    down: np.ndarray
    travels: np.ndarray
    goes_on: np.ndarray

    def laid(
        self, work: np.ndarray | float, fixed: np.ndarray, per_byte: np.ndarray, last: np.ndarray | float
    ) -> np.ndarray:
        """float64 [path, M]: expected cost beyond the ingress node's own work, of every model at every node of a path.

        Args:
            work: of the placed part [path, M].
            fixed: of reaching each node, whatever is carried [path].
            per_byte: of carrying a byte to each node [path].
            last: of the repository's part [M].
        """
        fixed, per_byte = fixed[:, None], per_byte[:, None]
        there = work + fixed + per_byte * (self.up + self.down)
        beyond = last + (fixed[-1] - fixed) + (per_byte[-1] - per_byte) * (self.on + self.down)
        with np.errstate(invalid="ignore"):  # nobody goes on, and nobody could: 0 times infinity
            return self.travels * (there + np.where(self.goes_on > 0, self.goes_on * beyond, 0.0))


def carried_by(catalog: Catalog) -> Carried:
    models, tasks = catalog.models, [catalog.tasks[catalog.task_index[m.task]] for m in catalog.models]
    return Carried(
        up=np.array(
            [
                t.request_bytes if m.before is None else m.before.sent_bytes
                for m, t in zip(models, tasks, strict=True)
            ],
            np.float64,
        ),
        on=np.array([0 if m.after is None else m.after.sent_bytes for m in models], np.float64),
        down=np.array([t.response_bytes for t in tasks], np.float64),
        travels=np.array([1 if m.before is None else 1 - m.before.answered for m in models], np.float64),
        goes_on=np.array([0 if m.after is None else m.after.share for m in models], np.float64),
    )


def pinned(
    processors: Sequence[str], parts: Sequence[AtIngress | AtRepository | None]
) -> tuple[np.ndarray, np.ndarray]:
    """Latency and energy, each [C, M], of what has a fixed place: 0 where there is nothing, infinite where it cannot run."""
    latency_s, energy_j = np.zeros((2, len(processors), len(parts)))
    for i, cls in enumerate(processors):
        for j, part in enumerate(parts):
            if part is not None and cls in part.profiles:
                latency_s[i, j], energy_j[i, j] = part.profiles[cls].latency_s, part.profiles[cls].energy_j
            elif part is not None:
                latency_s[i, j] = np.inf
    return latency_s, energy_j
