"""Tasks, models, replicas, and what is known of a model on a processor class. Knows nothing of the network."""

from __future__ import annotations

from collections.abc import Callable

from placid.catalog.measured import measured
from placid.catalog.models import AtIngress, AtRepository, Catalog, Handover, Model, Part, Plan, Profile, Task
from placid.catalog.parametric import parametric
from placid.catalog.replicas import for_tasks, with_replicas
from placid.catalog.tables import read_profiles, write_profiles
from placid.catalog.yolov4 import yolov4

__all__ = [
    "CATALOGS",
    "AtIngress",
    "AtRepository",
    "Catalog",
    "Handover",
    "Model",
    "Part",
    "Plan",
    "Profile",
    "Task",
    "for_tasks",
    "measured",
    "parametric",
    "read_profiles",
    "with_replicas",
    "write_profiles",
    "yolov4",
]

#: every family of models by the name that scenarios use
CATALOGS: dict[str, Callable[..., Catalog]] = {
    "yolov4": yolov4,
    "measured": measured,
    "parametric": parametric,
}
