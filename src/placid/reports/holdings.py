"""What each node held over time, as little data as the map needs: frames, and what changes from one to the next."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from placid.reports.run_data import RunData

__all__ = ["Holdings", "holdings"]

#: most moments that the slider stops at
FRAMES = 101
#: most changes that a page carries; with more of them the slider stops less often
MOST_CHANGES = 250_000


@dataclass(frozen=True)
class Holdings:
    """Placements over time under one seed.

    Attributes:
        frames: int64 [F]; the slots at which the map stops.
        variants: names of the variants, small models first (by name if sizes are not known).
        models: (name, variant's index, task, size in bytes or None) of each model, in the order of `changes`.
        changes: policy -> for each frame the int64 array of ``node * len(models) + model`` that came or went since the
            frame before; at the first, what is there.
        left_out: policies whose placements the run does not tell apart.
    """

    frames: np.ndarray
    variants: list[str]
    models: list[tuple[str, int, str, int | None]]
    changes: dict[str, list[np.ndarray]]
    left_out: list[str]

    def held(self, policy: str, frame: int, nodes: int) -> np.ndarray:
        """bool [nodes, models]: what was in place at `frame`."""
        flat = np.zeros(nodes * len(self.models), dtype=bool)
        for changed in self.changes[policy][: frame + 1]:
            flat[changed] ^= True
        return flat.reshape(nodes, len(self.models))


def holdings(run: RunData) -> Holdings:
    """Read what came and went. Nodes that the network does not name are left out."""
    events = run.placements
    sized = "size_bytes" in events.columns
    size = pl.col("size_bytes").max() if sized else pl.lit(None, pl.Int64)
    table = events.group_by("model", maintain_order=True).agg(
        pl.col("variant").first(), pl.col("task").first(), size.alias("size")
    )
    table = table.with_columns(variant=pl.when(pl.col("variant") == "").then("model").otherwise("variant"))
    sizes = dict(table.group_by("variant").agg(pl.col("size").mean().fill_null(0)).iter_rows())
    variants = sorted(sizes, key=lambda v: (sizes[v], _natural(v)))
    rank = {v: k for k, v in enumerate(variants)}
    models = sorted(
        ((m, rank[v], t, s) for m, v, t, s in table.iter_rows()), key=lambda m: (m[1], _natural(m[2]), m[0])
    )
    # a static placement in hindsight is found anew for every adversary: its placements share one name
    left_out = [p for p, kind in run.kinds.items() if run.adaptive and kind == "hindsight"]
    policies = [p for p in run.kinds if p not in left_out]
    node_index = {n["name"]: k for k, n in enumerate(run.network["nodes"])}
    model_index = {m[0]: k for k, m in enumerate(models)}
    known = events.filter(
        pl.col("policy").is_in(policies), pl.col("node").is_in(list(node_index))
    ).with_columns(
        item=pl.col("node").replace_strict(node_index, return_dtype=pl.Int64) * len(models)
        + pl.col("model").replace_strict(model_index, return_dtype=pl.Int64)
    )
    stops = min(FRAMES, run.slots)
    while True:
        frames = np.unique(np.linspace(0, run.slots - 1, stops).round().astype(np.int64))
        changes = _changes(known, frames)
        if len(changes) <= MOST_CHANGES or stops <= 2:
            break
        stops = max(2, stops // 2)
    by_policy = {p: [np.empty(0, np.int64) for _ in frames] for p in policies}
    for policy, frame, items in changes.group_by("policy", "frame").agg(pl.col("item").sort()).iter_rows():
        by_policy[policy][frame] = np.array(items, dtype=np.int64)
    return Holdings(frames, variants, models, by_policy, left_out)


def _changes(events: pl.DataFrame, frames: np.ndarray) -> pl.DataFrame:
    """(policy, item, frame) of every item that differs from the frame before."""
    if events.is_empty():
        return pl.DataFrame(schema={"policy": pl.String, "item": pl.Int64, "frame": pl.Int64})
    at = np.searchsorted(frames, events["slot"].to_numpy())
    before = pl.col("loaded").shift(1, fill_value=False).over("policy", "item")
    return (
        events.with_columns(pl.Series("frame", at, pl.Int64))
        .group_by("policy", "item", "frame", maintain_order=True)
        .agg(pl.col("loaded").last())
        .sort("policy", "item", "frame")
        .filter(pl.col("loaded") != before)
        .select("policy", "item", "frame")
    )


def _natural(name: str) -> list[tuple[int, str]]:
    """A key under which detector-96 comes before detector-416."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name) if part]
