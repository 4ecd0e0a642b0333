"""Request types: which task, entering where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["RequestTypes"]


@dataclass(frozen=True)
class RequestTypes:
    """Every (ingress node, task) pair that can be asked for, in a fixed order.

    Attributes:
        ingress: name of the node where requests of the type enter, one per type.
        task: name of the task, one per type.
    """

    ingress: tuple[str, ...]
    task: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.task)

    @classmethod
    def grid(cls, ingress: Iterable[str], tasks: Iterable[str]) -> RequestTypes:
        """Every task at every ingress node, ingress-major: type ``i * len(tasks) + j`` is task j at ingress i."""
        names = tuple(tasks)
        nodes = tuple(ingress)
        return cls(tuple(v for v in nodes for _ in names), tuple(t for _ in nodes for t in names))
