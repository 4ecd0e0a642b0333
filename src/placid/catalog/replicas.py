"""One family of models for many tasks, and several copies of a model on one node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from placid.catalog.models import Catalog, Model, Task
from placid.errors import InputError

__all__ = ["for_tasks", "task_names", "with_replicas"]


def task_names(count: int) -> tuple[str, ...]:
    """``task-01`` … as many as asked for, in an order that sorts."""
    if count < 1:
        raise InputError(f"'tasks' must be at least 1, got {count}")
    width = len(str(count))
    return tuple(f"task-{i:0{width}d}" for i in range(1, count + 1))


def for_tasks(
    variants: Iterable[Model], tasks: Sequence[Task], name: str, notes: Iterable[str] = ()
) -> Catalog:
    """Every variant once for every task: the same architecture trained for each. Model ``task/variant``."""
    family = tuple(variants)
    models = tuple(
        replace(m, name=f"{t.name}/{m.variant or m.name}", task=t.name, variant=m.variant or m.name)
        for t in tasks
        for m in family
    )
    return Catalog(tuple(tasks), models, name, tuple(notes))


def with_replicas(catalog: Catalog, count: int) -> Catalog:
    """`count` copies of every model, so that one node can hold several to serve more: ``model#1``, ``model#2``, …

    Copies are models of their own with memory and capacity of their own. With 1 the catalog stays as it is.
    """
    if count < 1:
        raise InputError(f"'replicas' must be at least 1, got {count}")
    if count == 1:
        return catalog
    models = tuple(
        replace(m, name=f"{m.name}#{i}", variant=m.variant or m.name)
        for m in catalog.models
        for i in range(1, count + 1)
    )
    return replace(catalog, models=models)
