"""Request types: which task, entering where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from placid.errors import InputError

__all__ = ["RequestTypes"]


@dataclass(frozen=True)
class RequestTypes:
    """Every (ingress node, task) pair that can be asked for, in a fixed order.

    Attributes:
        ingress: name of the node where requests of the type enter, one per type.
        task: name of the task, one per type.

    Raises:
        InputError: `ingress` and `task` differ in length.
    """

    ingress: tuple[str, ...]
    task: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.ingress) != len(self.task):
            raise InputError(
                f"request types need one ingress and one task each, "
                f"got {len(self.ingress)} ingress names and {len(self.task)} task names"
            )

    def __len__(self) -> int:
        return len(self.task)

    @classmethod
    def grid(cls, ingress: Iterable[str], tasks: Iterable[str]) -> RequestTypes:
        """Every task at every ingress node: type ``i * len(tasks) + j`` is task j at ingress i."""
        names = tuple(tasks)
        nodes = tuple(ingress)
        return cls(tuple(v for v in nodes for _ in names), tuple(t for _ in nodes for t in names))

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """The I ingress nodes, each once, in the order in which they first occur."""
        return tuple(dict.fromkeys(self.ingress))

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """The J tasks, each once, in the order in which they first occur."""
        return tuple(dict.fromkeys(self.task))

    @cached_property
    def node_of(self) -> np.ndarray:
        """int64 [R]; the position in `nodes` of each type's ingress."""
        return _positions(self.ingress, self.nodes)

    @cached_property
    def task_of(self) -> np.ndarray:
        """int64 [R]; the position in `tasks` of each type's task."""
        return _positions(self.task, self.tasks)

    @cached_property
    def index(self) -> Mapping[tuple[str, str], int]:
        """(ingress, task) -> position of the type."""
        return {pair: r for r, pair in enumerate(zip(self.ingress, self.task, strict=True))}


def _positions(names: tuple[str, ...], known: tuple[str, ...]) -> np.ndarray:
    at = {name: i for i, name in enumerate(known)}
    found = np.fromiter((at[name] for name in names), np.int64, len(names))
    found.flags.writeable = False
    return found
