"""Fronts in files: arrays by name in an ``.npz``, nothing pickled, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from placid.objectives.front import Front
from placid.problem.arrays import Problem

__all__ = ["front_arrays", "front_from", "read_front", "write_arrays", "write_front"]


def write_front(file: Path, front: Front, problem: Problem | None = None) -> None:
    """Write `front`; with `problem` also what its items are called.

    Placements are bits, eight items a byte (``numpy.unpackbits(packed, axis=1, count=items)``); item i is model
    ``model_names[item_model[i]]`` on node ``node_names[item_node[i]]``.
    """
    arrays = front_arrays(front)
    if problem is not None:
        size = np.zeros(len(problem.model_names), np.int64)
        size[problem.item_model] = problem.item_size_bytes
        arrays |= {
            "item_node": problem.item_node,
            "item_model": problem.item_model,
            "node_names": np.array(problem.node_names, dtype=np.str_),
            "model_names": np.array(problem.model_names, dtype=np.str_),
            "model_variants": np.array(problem.model_variants, dtype=np.str_),
            "model_tasks": np.array(problem.task_names, dtype=np.str_)[problem.model_task],
            "model_size_bytes": size,
        }
    write_arrays(file, arrays)


def read_front(file: Path) -> Front:
    """The front that `write_front` wrote."""
    with np.load(file) as data:
        return front_from(data)


def front_arrays(front: Front) -> dict[str, Any]:
    """`front` as arrays by name."""
    return {
        "points": front.points,
        "weights": front.weights,
        "packed": front.packed,
        "items": np.int64(front.items),
        "found_by": np.array(front.found_by, dtype=np.str_),
        "supported": front.supported,
        "proven": front.proven,
        "objectives": np.array(front.objectives, dtype=np.str_),
        "routing": np.array(front.routing),
    }


def front_from(data: Mapping[str, Any]) -> Front:
    """The front of `front_arrays`."""
    return Front(
        points=data["points"],
        weights=data["weights"],
        packed=data["packed"],
        items=int(data["items"]),
        found_by=tuple(data["found_by"].tolist()),
        supported=data["supported"],
        proven=data["proven"],
        objectives=tuple(data["objectives"].tolist()),
        routing=str(data["routing"]),
    )


def write_arrays(file: Path, arrays: Mapping[str, Any]) -> None:
    """Write `arrays` by name into an ``.npz``, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(".tmp.npz")
    np.savez_compressed(scratch, **arrays)
    os.replace(scratch, file)
