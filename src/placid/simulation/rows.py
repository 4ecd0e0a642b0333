"""What a run writes: one row per slot, one event per model that came or went. Plain columns, no objects."""

from __future__ import annotations

import numpy as np

from placid.problem.arrays import COMPONENTS, Problem
from placid.problem.limits import Limits
from placid.problem.within import Within
from placid.simulation.slots import SlotRecord
from placid.simulation.waiting import mean_waits

__all__ = ["ROW_KINDS", "placement_events", "row"]

#: what a row's policy is: it learned, it was fixed beforehand, or it was chosen knowing the whole run
ROW_KINDS = ("online", "static", "hindsight")


def row(problem: Problem, record: SlotRecord, variation: float | None = None) -> dict[str, float | int]:
    """The columns of one slot; costs are summed over the requests served. With limits there are more columns.

    Args:
        variation: of service times, to add what requests wait (`placid.simulation.waiting`); None leaves it out.
    """
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
        **({} if variation is None else {"waiting_s": _waited(problem, record, variation)}),
        **(
            {}
            if record.within is None or problem.limits is None
            else _of_limits(problem.limits, record.within)
        ),
    }


def _waited(problem: Problem, record: SlotRecord, variation: float) -> float:
    load = record.outcome.item_load
    return float(load @ mean_waits(problem, load, variation))


def _of_limits(limits: Limits, within: Within) -> dict[str, float]:
    """Refusals, and the parts that were used: of the busiest link and processor, and of each budget's worth of a slot."""
    columns = {
        "refused": float(within.refused.sum()),
        "link_load": limits.busiest(within.load, "link"),
        "processor_load": limits.busiest(within.load, "processor"),
    }
    for m in np.flatnonzero(~limits.hard):
        columns[f"budget_{limits.names[m].replace(' of ', '_').replace(' ', '_')}"] = float(within.load[m])
    return columns


def placement_events(record: SlotRecord) -> np.ndarray:
    """int64 [events, 3]: (slot, item, 1 if loaded or 0 if evicted), evictions first."""
    items = np.concatenate((record.evicted, record.loaded)).astype(np.int64)
    loaded = np.repeat(np.array([0, 1]), (len(record.evicted), len(record.loaded)))
    return np.column_stack((np.full(len(items), record.slot), items, loaded))
