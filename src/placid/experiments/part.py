"""One policy under one seed: the unit of work of a run, the unit of its files, and the unit that resumes.

A part is one ``.npz`` file: the rows so far as columns, what was loaded and evicted, the requests (where an adversary made
them), and the policy's state. It is replaced whole, so that an interruption at any moment leaves the last good one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from placid.errors import RunError
from placid.placement.base import Policy
from placid.placement.checkpoint import flatten, restore
from placid.placement.prices import PriceView
from placid.problem.arrays import Problem
from placid.simulation.rows import placement_events, row
from placid.simulation.slots import Episode, Progress, begin, play
from placid.workload.base import Workload

__all__ = ["Part", "PartFile", "load_part", "play_part"]

#: how often a part is saved, seconds
SAVE_EVERY_S = 10.0


@dataclass(frozen=True)
class Part:
    """What is played: `policy` under `seed` against `trace` ("" is the common one).

    Attributes:
        file: where the part is kept.
        kind: one of `placid.simulation.rows.ROW_KINDS`.
        keep_events: also keep what was loaded and evicted.
        variation: of service times, where rows tell what requests wait; see `placid.simulation.rows.row`.
    """

    file: Path
    trace: str
    label: str
    kind: str
    seed: int
    policy: Policy
    workload: Workload
    timeline: Sequence[tuple[int, Problem]]
    slots: int
    keep_events: bool = False
    variation: float | None = None


@dataclass(frozen=True)
class PartFile:
    """A part as read back.

    Attributes:
        slots: how many slots have been played.
        policy: the policy and its settings, as text.
        rows: columns by name, one value a slot.
        events: int64 [E, 3], see `placid.simulation.rows.placement_events`.
        demand: int64 [T, R], the requests that came; empty unless an adversary made them.
    """

    slots: int
    policy: str
    rows: dict[str, np.ndarray]
    events: np.ndarray
    demand: np.ndarray


def load_part(file: Path) -> PartFile | None:
    """The part in `file`; None if there is none yet."""
    if not file.exists():
        return None
    with np.load(file) as data:
        return PartFile(
            slots=int(data["slot"]),
            policy=str(data["policy"]),
            rows={name.removeprefix("rows/"): data[name] for name in data.files if name.startswith("rows/")},
            events=data["events"],
            demand=data["demand"],
        )


def play_part(part: Part, tell: Callable[[int], None] = lambda slot: None) -> None:
    """Play `part` from where its file stands to the end, then save it.

    Args:
        tell: hears of the slots done; an exception that it raises ends the play after a save.

    Raises:
        RunError: the file holds the same label with other settings.
    """
    done = load_part(part.file)
    if done is not None and done.policy != str(part.policy):
        raise RunError(
            f"'{part.label}' has other settings than when this run began ({done.policy} then, {part.policy} now); "
            "give it another label, or start again with --fresh"
        )
    if done is not None and done.slots >= part.slots:
        tell(part.slots)
        return
    episode = Episode(part.timeline, part.workload, part.policy, part.seed, part.slots)
    progress = begin(episode)
    rows: dict[str, list[float]] = {}
    events: list[np.ndarray] = []
    demand: list[np.ndarray] = []
    if done is not None:
        rows = {name: list(column) for name, column in done.rows.items()}
        events, demand = [done.events], list(done.demand)
        progress = _resume(part.file, progress)
    saved = monotonic()
    try:
        tell(progress.slot)
        for record, after in play(episode, progress):
            progress = after
            if part.keep_events:
                events.append(placement_events(record))
            if part.workload.adaptive:
                demand.append(record.demand)
            for name, value in row(episode.problem(record.slot), record, part.variation).items():
                rows.setdefault(name, []).append(value)
            tell(progress.slot)
            if monotonic() - saved > SAVE_EVERY_S:
                _save(part, progress, rows, events, demand)
                saved = monotonic()
    finally:
        # not if the interruption fell into the middle of a slot: then the file as it is stays the last good one
        if {len(column) for column in rows.values()} == {progress.slot}:
            _save(part, progress, rows, events, demand)


def _resume(file: Path, fresh: Progress) -> Progress:
    with np.load(file) as data:
        state = {name.removeprefix("state/"): data[name] for name in data.files if name.startswith("state/")}
        prices = PriceView(data["prices/now"], data["prices/told"]) if "prices/now" in data else fresh.prices
        return Progress(int(data["slot"]), restore(fresh.state, state), data["placed"], prices)


def _save(
    part: Part,
    progress: Progress,
    rows: dict[str, list[float]],
    events: list[np.ndarray],
    demand: list[np.ndarray],
) -> None:
    part.file.parent.mkdir(parents=True, exist_ok=True)
    scratch = part.file.with_suffix(".tmp.npz")
    arrays: dict[str, Any] = {
        "slot": np.int64(progress.slot),
        "policy": np.array(str(part.policy)),
        "placed": progress.placed,
        "events": np.concatenate(events) if events else np.zeros((0, 3), np.int64),
        "demand": np.stack(demand) if demand else np.zeros((0, 0), np.int64),
    }
    if len(progress.prices.now):
        arrays |= {"prices/now": progress.prices.now, "prices/told": progress.prices.told}
    arrays |= {f"rows/{name}": np.array(column) for name, column in rows.items()}
    arrays |= {f"state/{name}": value for name, value in flatten(progress.state).items()}
    np.savez(scratch, **arrays)
    os.replace(scratch, part.file)
