"""What a run writes: one row per slot, one event per model that came or went. Plain columns, no objects."""

from __future__ import annotations

import numpy as np

from placid.problem.arrays import COMPONENTS, Problem
from placid.simulation.slots import SlotRecord

__all__ = ["ROW_KINDS", "placement_events", "row"]

#: what a row's policy is: it learned, it was fixed beforehand, or it was chosen knowing the whole run
ROW_KINDS = ("online", "static", "hindsight")


def row(problem: Problem, record: SlotRecord) -> dict[str, float | int]:
    """The columns of one slot; costs are summed over the requests served."""
    outcome = record.outcome
    by_tier = np.bincount(problem.node_tier, weights=outcome.served_by_node, minlength=len(problem.tiers))
    return {
        "slot": record.slot,
        "requests": float(record.demand.sum()),
        "served": outcome.served,
        "unserved": outcome.unserved,
        "gain": outcome.gain,
        "gain_partitioned": record.gain_partitioned,
        "relaxed_gain": record.relaxed_gain,
        **{name: float(value) for name, value in zip(COMPONENTS, outcome.vector, strict=True)},
        "repository_served": float(outcome.repository_load.sum()),
        **{f"served_{tier}": float(count) for tier, count in zip(problem.tiers, by_tier, strict=True)},
        "bytes_loaded": float(record.bytes_loaded),
        "models_loaded": len(record.loaded),
        "bytes_placed": float(record.bytes_placed),
        "messages": record.messages,
        "message_bytes": record.message_bytes,
        "regret_bound": record.regret_bound,
        "drawn_share": record.drawn_share,
    }


def placement_events(record: SlotRecord) -> np.ndarray:
    """int64 [events, 3]: (slot, item, 1 if loaded or 0 if evicted), evictions first."""
    items = np.concatenate((record.evicted, record.loaded)).astype(np.int64)
    loaded = np.repeat(np.array([0, 1]), (len(record.evicted), len(record.loaded)))
    return np.column_stack((np.full(len(items), record.slot), items, loaded))
