"""Tasks, models, and what is known of a model on a processor class."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from placid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AtIngress", "AtRepository", "Catalog", "Model", "Profile", "Task"]


@dataclass(frozen=True)
class Task:
    """What a request asks for.

    Attributes:
        request_bytes: what a request carries up to the node that answers it.
        response_bytes: what the answer carries back.
    """

    name: str
    request_bytes: int = 0
    response_bytes: int = 0


@dataclass(frozen=True)
class Profile:
    """One model on one processor class.

    Attributes:
        latency_s: inference time of one request.
        capacity_per_s: requests that one placed copy answers per second.
        energy_j: energy of one inference.
        source: where the numbers come from: ``"measured …"``, ``"published: …"`` or ``"modelled: …"``.
    """

    latency_s: float
    capacity_per_s: float
    energy_j: float = 0.0
    source: str = ""


@dataclass(frozen=True)
class AtIngress:
    """What the node where a request enters does before it sends anything: compress the picture, or run a model's head.

    It is there for good and takes none of the memory that is placed.

    Attributes:
        profiles: processor class -> profile; a request that enters at a node of another class cannot use the model.
        sent_bytes: what then travels up, instead of the task's `request_bytes`.
        answered: share of requests that it answers itself, so that nothing travels.
    """

    profiles: Mapping[str, Profile] = field(hash=False)
    sent_bytes: float
    answered: float = 0.0


@dataclass(frozen=True)
class AtRepository:
    """What the repository does after the placed part of a model: the tail of a split one, which it always holds.

    Attributes:
        profiles: processor class -> profile; a repository of another class cannot finish.
        sent_bytes: what travels from the placed part to the repository.
        share: of the requests at the placed part that go on; the others it answers itself.
    """

    profiles: Mapping[str, Profile] = field(hash=False)
    sent_bytes: float
    share: float = 1.0


@dataclass(frozen=True)
class Model:
    """Trained weights that solve one task, of a known quality: what a policy places on nodes.

    A split model of which all parts but one have a fixed place is still one model: the part that is placed, with what
    comes before and after it An option then still needs one
    item, so every guarantee holds as it is.

    Attributes:
        name: unique in its catalog; replicas of one model are distinct models (``yolov4-416#2``).
        task: name of the task it solves.
        size_bytes: what it takes of a node's memory.
        quality: in [0, 1], the task's own figure of merit (accuracy, AP, mAP); error is 1 - quality.
        profiles: processor class -> profile; a node of another class cannot run it.
        variant: what it is called without task and replica, for tables (``yolov4-416``).
        before: what happens where the request enters; None for nothing.
        after: what happens at the repository; None for nothing.
    """

    name: str
    task: str
    size_bytes: int
    quality: float
    profiles: Mapping[str, Profile] = field(hash=False)
    variant: str = ""
    before: AtIngress | None = None
    after: AtRepository | None = None


@dataclass(frozen=True)
class Catalog:
    """Tasks and models, checked when made.

    Raises:
        InputError: a name occurs twice, a model solves an unknown task, a number is out of range.
    """

    tasks: tuple[Task, ...]
    models: tuple[Model, ...]
    name: str = "catalog"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len({t.name for t in self.tasks}) < len(self.tasks):
            raise InputError("a task name occurs twice", where=self.name)
        known = {t.name for t in self.tasks}
        seen: set[str] = set()
        for m in self.models:
            where = f"{self.name}, model '{m.name}'"
            if m.name in seen:
                raise InputError("the model name occurs twice", where=where)
            seen.add(m.name)
            if m.task not in known:
                raise InputError(f"solves the unknown task '{m.task}'", where=where)
            if m.size_bytes <= 0:
                raise InputError(f"needs a size above 0 bytes, got {m.size_bytes}", where=where)
            if not 0 <= m.quality <= 1:
                raise InputError(f"needs a quality between 0 and 1, got {m.quality}", where=where)
            if not m.profiles:
                raise InputError("has no profile on any processor class", where=where)
            for cls, p in m.profiles.items():
                if not (p.latency_s >= 0 and p.capacity_per_s > 0 and p.energy_j >= 0):
                    raise InputError(f"on '{cls}' needs latency >= 0, capacity > 0, energy >= 0", where=where)
            if m.before is not None and not (m.before.sent_bytes >= 0 and 0 <= m.before.answered < 1):
                raise InputError("before needs bytes >= 0 and a share answered in [0, 1)", where=where)
            if m.after is not None and not (m.after.sent_bytes >= 0 and 0 <= m.after.share <= 1):
                raise InputError("after needs bytes >= 0 and a share in [0, 1]", where=where)

    @cached_property
    def task_index(self) -> Mapping[str, int]:
        """Task name -> position in `tasks`."""
        return {t.name: i for i, t in enumerate(self.tasks)}

    @cached_property
    def processors(self) -> tuple[str, ...]:
        """Every processor class that some model has a profile for."""
        return tuple(dict.fromkeys(c for m in self.models for c in m.profiles))
