"""From the parts of a run to its tables: rows, placements, bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from placid.experiments.part import load_part
from placid.experiments.work import Plan, hindsight_label, trace_of
from placid.problem.arrays import Problem

__all__ = ["write_tables"]


def write_tables(plan: Plan) -> None:
    """Write ``rows.parquet``, ``placements.parquet`` and ``bounds.parquet`` from parts that are all complete."""
    rows: list[pl.DataFrame] = []
    events: list[pl.DataFrame] = []
    bounds: list[dict[str, Any]] = []
    found = {(trace, seed): _hindsight(plan, trace, seed) for trace in plan.traces for seed in plan.seeds}
    for trace, label, kind, seed in _played(plan):
        part = load_part(plan.folder.part(trace, label, seed))
        assert part is not None, "tables come after the play"
        assert part.slots == plan.slots, "tables come after the play"
        rows.append(
            pl.DataFrame(part.rows)
            .with_columns(pl.col("slot", "models_loaded", "messages", "message_bytes").cast(pl.Int64))
            .select(
                pl.lit(trace).alias("trace"),
                pl.lit(label).alias("policy"),
                pl.lit(kind).alias("kind"),
                pl.lit(seed, pl.Int64).alias("seed"),
                pl.all(),
                pl.Series("ceiling", found[trace, seed]["ceiling"]),
            )
        )
        if seed == plan.seeds[0]:
            events.append(_events(plan.timeline[0][1], label, part.events))
    for (trace, seed), known in found.items():
        bounds.extend(_bounds(plan, trace, seed, known))
    # parts of before a column was added do without it
    pl.concat(rows, how="diagonal").write_parquet(plan.folder.rows)
    pl.concat(events).write_parquet(plan.folder.placements)
    pl.DataFrame(bounds, schema=_BOUNDS).write_parquet(plan.folder.bounds)


_BOUNDS = {
    "trace": pl.String,
    "seed": pl.Int64,
    "method": pl.String,
    "value": pl.Float64,
    "bound": pl.Float64,
    "status": pl.String,
    "gap": pl.Float64,
    "time_s": pl.Float64,
}


def _played(plan: Plan) -> Iterator[tuple[str, str, str, int]]:
    """(trace, label, kind, seed) of everything that was played, in the order of the tables."""
    for label, policy in plan.policies:
        for seed in plan.seeds:
            yield trace_of(plan, label), label, "online" if policy.learns else "static", seed
    for trace in plan.traces:
        for solver in plan.solvers:
            for seed in plan.seeds:
                yield trace, hindsight_label(solver.name), "hindsight", seed


def _hindsight(plan: Plan, trace: str, seed: int) -> dict[str, np.ndarray]:
    with np.load(plan.folder.hindsight(trace, seed)) as data:
        return dict(data)


def _bounds(plan: Plan, trace: str, seed: int, found: dict[str, np.ndarray]) -> Iterator[dict[str, Any]]:
    """One row for the LP, which has no placement and so no value, and one for each solver's placement as played."""
    bound = float(found["lp/bound"])
    common = {"trace": trace, "seed": seed}
    yield common | {
        "method": "lp",
        "value": None,
        "bound": bound,
        "status": str(found["lp/status"]),
        "gap": None,
        "time_s": float(found["lp/time_s"]),
    }
    for solver in plan.solvers:
        part = load_part(plan.folder.part(trace, hindsight_label(solver.name), seed))
        assert part is not None
        value = float(part.rows["gain"].sum())
        yield common | {
            "method": solver.name,
            "value": value,
            "bound": bound,
            "status": str(found[f"status/{solver.name}"]),
            "gap": (bound - value) / bound if bound > 0 else 0.0,
            "time_s": float(found[f"time_s/{solver.name}"]),
        }


def _events(problem: Problem, label: str, events: np.ndarray) -> pl.DataFrame:
    """What was loaded and evicted, by name."""
    item = events[:, 1]
    model = problem.item_model[item]
    names = np.array(problem.model_names, dtype=object)
    variants = np.array(problem.model_variants, dtype=object)
    return pl.DataFrame(
        {
            "policy": [label] * len(events),
            "slot": events[:, 0],
            "node": np.array(problem.node_names, dtype=object)[problem.item_node[item]].tolist(),
            "model": names[model].tolist(),
            "variant": variants[model].tolist(),
            "task": np.array(problem.task_names, dtype=object)[problem.model_task[model]].tolist(),
            "loaded": events[:, 2].astype(bool),
            "size_bytes": problem.item_size_bytes[item],
        },
        schema={
            "policy": pl.String,
            "slot": pl.Int64,
            "node": pl.String,
            "model": pl.String,
            "variant": pl.String,
            "task": pl.String,
            "loaded": pl.Boolean,
            "size_bytes": pl.Int64,
        },
    )
