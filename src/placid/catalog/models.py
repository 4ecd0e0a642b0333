"""Tasks, models and parts of models, the plans that join parts, and what is known of each on a processor class."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from placid.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "AtIngress",
    "AtRepository",
    "Catalog",
    "Handover",
    "Model",
    "Part",
    "Plan",
    "Profile",
    "Segments",
    "Task",
]


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
class Segments:
    """Which segments of a variant of a zoo something is: from `first` up to but not `last`.

    What the variant has before them runs where a request enters, or in earlier parts; what it has after, later.
    """

    variant: str
    first: int
    last: int


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
        segments: what of a zoo it is; None if only figures of it are known.
    """

    name: str
    task: str
    size_bytes: int
    quality: float
    profiles: Mapping[str, Profile] = field(hash=False)
    variant: str = ""
    before: AtIngress | None = None
    after: AtRepository | None = None
    segments: Segments | None = None


@dataclass(frozen=True)
class Part:
    """A segment of a split model, placed like a model; it answers nothing without the rest of a `Plan`.

    Attributes:
        profiles: of one request that gets as far as this part.
        segments: what of a zoo it is; None if only figures of it are known.
    """

    name: str
    task: str
    size_bytes: int
    profiles: Mapping[str, Profile] = field(hash=False)
    variant: str = ""
    segments: Segments | None = None


@dataclass(frozen=True)
class Handover:
    """What is sent from one part to the next if they run on different nodes; on one node nothing has to be coded.

    Attributes:
        encode: processor class -> profile of the sender's codec; a class that is missing codes for nothing.
        decode: likewise of the receiver's.
    """

    sent_bytes: float
    encode: Mapping[str, Profile] = field(hash=False, default_factory=dict)
    decode: Mapping[str, Profile] = field(hash=False, default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """One way of running a split model: its parts in order, each on whatever node of the path, never going back down.

    Attributes:
        parts: names of `Part`, in the order in which they run.
        handovers: one fewer.
        reach: share of requests that get to each part, 1 first and never rising: the others left at an exit.
        quality: of the answers given, exits included.
        before: what happens where the request enters, to all requests; None for nothing.
    """

    name: str
    task: str
    parts: tuple[str, ...]
    handovers: tuple[Handover, ...]
    reach: tuple[float, ...]
    quality: float
    variant: str = ""
    before: AtIngress | None = None


@dataclass(frozen=True)
class Catalog:
    """Tasks, models, and split models as parts and plans; checked when made.

    Attributes:
        zoo: the folder that `Segments` are of; None if models are known by their figures alone.

    Raises:
        InputError: a name occurs twice, a model solves an unknown task, a number is out of range.
    """

    tasks: tuple[Task, ...]
    models: tuple[Model, ...]
    name: str = "catalog"
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    plans: tuple[Plan, ...] = ()
    zoo: Path | None = None

    def __post_init__(self) -> None:
        if len({t.name for t in self.tasks}) < len(self.tasks):
            raise InputError("a task name occurs twice", where=self.name)
        seen: set[str] = set()
        for m in self.placed:
            where = f"{self.name}, {'model' if isinstance(m, Model) else 'part'} '{m.name}'"
            if m.name in seen:
                raise InputError("the name occurs twice among models and parts", where=where)
            seen.add(m.name)
            self._check_placed(m, where)
        for m in self.models:
            where = f"{self.name}, model '{m.name}'"
            self._check_answer(m, where)
            if m.after is not None and not (m.after.sent_bytes >= 0 and 0 <= m.after.share <= 1):
                raise InputError("after needs bytes >= 0 and a share in [0, 1]", where=where)
        if len({p.name for p in self.plans}) < len(self.plans):
            raise InputError("a plan name occurs twice", where=self.name)
        for plan in self.plans:
            self._check_answer(plan, f"{self.name}, plan '{plan.name}'")
            self._check_plan(plan, f"{self.name}, plan '{plan.name}'")

    def _check_placed(self, m: Model | Part, where: str) -> None:
        if m.task not in self.task_index:
            raise InputError(f"solves the unknown task '{m.task}'", where=where)
        if m.size_bytes <= 0:
            raise InputError(f"needs a size above 0 bytes, got {m.size_bytes}", where=where)
        if not m.profiles:
            raise InputError("has no profile on any processor class", where=where)
        for cls, p in m.profiles.items():
            if not (p.latency_s >= 0 and p.capacity_per_s > 0 and p.energy_j >= 0):
                raise InputError(f"on '{cls}' needs latency >= 0, capacity > 0, energy >= 0", where=where)

    def _check_answer(self, m: Model | Plan, where: str) -> None:
        if not 0 <= m.quality <= 1:
            raise InputError(f"needs a quality between 0 and 1, got {m.quality}", where=where)
        if m.before is not None and not (m.before.sent_bytes >= 0 and 0 <= m.before.answered < 1):
            raise InputError("before needs bytes >= 0 and a share answered in [0, 1)", where=where)

    def _check_plan(self, plan: Plan, where: str) -> None:
        if plan.task not in self.task_index:
            raise InputError(f"solves the unknown task '{plan.task}'", where=where)
        known = {p.name: p for p in self.parts}
        for name in plan.parts:
            if name not in known:
                raise UnknownNameError("part", name, known, where=where)
            if known[name].task != plan.task:
                raise InputError(f"has a part of another task: '{name}'", where=where)
        if not plan.parts or len(set(plan.parts)) < len(plan.parts):
            raise InputError("needs one part or more, none of them twice", where=where)
        if len(plan.handovers) != len(plan.parts) - 1 or len(plan.reach) != len(plan.parts):
            raise InputError(
                f"of {len(plan.parts)} parts needs {len(plan.parts) - 1} handovers and {len(plan.parts)} shares in 'reach', "
                f"got {len(plan.handovers)} and {len(plan.reach)}",
                where=where,
            )
        if plan.reach[0] != 1 or any(not 0 < b <= a for a, b in pairwise(plan.reach)):
            raise InputError(
                f"'reach' starts at 1 and never rises or ends, got {list(plan.reach)}", where=where
            )
        if any(h.sent_bytes < 0 for h in plan.handovers):
            raise InputError("a handover needs bytes >= 0", where=where)

    @cached_property
    def placed(self) -> tuple[Model | Part, ...]:
        """What takes memory on nodes: models, then parts."""
        return (*self.models, *self.parts)

    @cached_property
    def task_index(self) -> Mapping[str, int]:
        """Task name -> position in `tasks`."""
        return {t.name: i for i, t in enumerate(self.tasks)}

    @cached_property
    def processors(self) -> tuple[str, ...]:
        """Every processor class that some model or part has a profile for."""
        return tuple(dict.fromkeys(c for m in self.placed for c in m.profiles))
