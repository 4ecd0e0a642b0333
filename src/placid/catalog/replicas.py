"""One family of models for many tasks, and several copies of a model on one node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from placid.catalog.models import Catalog, Model, Part, Plan, Task
from placid.errors import InputError

__all__ = ["for_tasks", "task_names", "with_replicas"]


def task_names(count: int) -> tuple[str, ...]:
    """``task-01`` … as many as asked for, in an order that sorts."""
    if count < 1:
        raise InputError(f"'tasks' must be at least 1, got {count}")
    width = len(str(count))
    return tuple(f"task-{i:0{width}d}" for i in range(1, count + 1))


def for_tasks(
    variants: Iterable[Model],
    tasks: Sequence[Task],
    name: str,
    notes: Iterable[str] = (),
    parts: Iterable[Part] = (),
    plans: Iterable[Plan] = (),
) -> Catalog:
    """Every variant, part and plan once for every task: the same architecture trained for each. Model ``task/variant``."""
    family = tuple(variants)
    models = tuple(
        replace(m, name=f"{t.name}/{m.variant or m.name}", task=t.name, variant=m.variant or m.name)
        for t in tasks
        for m in family
    )
    segments, ways = tuple(parts), tuple(plans)
    return Catalog(
        tuple(tasks),
        models,
        name,
        tuple(notes),
        tuple(
            replace(p, name=f"{t.name}/{p.name}", task=t.name, variant=p.variant or p.name)
            for t in tasks
            for p in segments
        ),
        tuple(
            replace(
                p,
                name=f"{t.name}/{p.name}",
                task=t.name,
                variant=p.variant or p.name,
                parts=tuple(f"{t.name}/{part}" for part in p.parts),
            )
            for t in tasks
            for p in ways
        ),
    )


def with_replicas(catalog: Catalog, count: int) -> Catalog:
    """`count` copies of every model, so that one node can hold several to serve more: ``model#1``, ``model#2``, …

    Copies are models of their own with memory and capacity of their own. With 1 the catalog stays as it is.

    Raises:
        InputError: `count` is below 1, or above 1 in a catalog with plans, whose parts are not copied.
    """
    if count < 1:
        raise InputError(f"'replicas' must be at least 1, got {count}")
    if count == 1:
        return catalog
    if catalog.plans:
        raise InputError(
            "parts of plans are not copied: leave 'replicas' at 1, or the plans out", where=catalog.name
        )
    models = tuple(
        replace(m, name=f"{m.name}#{i}", variant=m.variant or m.name)
        for m in catalog.models
        for i in range(1, count + 1)
    )
    return replace(catalog, models=models)
