"""Projections onto what the nodes' memories hold, by name."""

from __future__ import annotations

from placid.placement.projections.base import Projection
from placid.placement.projections.entropy import Entropy, project_entropy, project_entropy_log
from placid.placement.projections.euclidean import Euclidean, project_euclidean

__all__ = [
    "PROJECTIONS",
    "Entropy",
    "Euclidean",
    "Projection",
    "project_entropy",
    "project_entropy_log",
    "project_euclidean",
]

#: name -> class
PROJECTIONS: dict[str, type[Projection]] = {c.name: c for c in (Entropy, Euclidean)}
