"""One self-contained page from a run folder: opens offline, fetches nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from placid.reports.charts import Look
from placid.reports.network_map import frame_readings
from placid.reports.run_data import RunData
from placid.reports.sections import sections, tiles
from placid.reports.shell import self_contained
from placid.reports.story import Story, tell
from placid.reports.verdicts import verdict
from placid.reports.wording import count

__all__ = ["page", "write_report"]


def write_report(
    run_dir: str | os.PathLike[str] | RunData, *, sweep: Sequence[str | os.PathLike[str] | RunData] = ()
) -> Path:
    """Write ``report.html`` into the run folder, whole or not at all, and give back its path.

    Args:
        sweep: runs that differ in the weight of an error, for curves of latency against error.

    Raises:
        RunError: the folder holds no finished run.
    """
    story = tell(run_dir, Look(page=True), sweep)
    target = story.run.path / "report.html"
    scratch = story.run.path / "report.html.tmp"
    scratch.write_text(page(story), encoding="utf-8")
    os.replace(scratch, target)
    return target


def page(story: Story) -> str:
    """The page as text."""
    run = story.run
    written = sections(story)
    unit, per_unit = run.gain_unit
    data: dict[str, Any] = {
        "specs": story.specs,
        "shown": list(story.shown),
        "switched": [name for name, spec in story.specs.items() if spec.get("params")],
        "slug": re.sub(r"[^a-z0-9]+", "-", run.name.lower()).strip("-") or "run",
        "unit": unit,
        "perUnit": per_unit,
        "map": None,
    }
    if story.map is not None and story.map.held.changes:
        gains, loaded = frame_readings(run, story.map.held.frames)
        data["map"] = story.map.payload(gains, loaded)
    description = str(run.meta.get("description") or "")
    return self_contained(
        title=run.name,
        kicker=f"Placing models on {run.network.get('name') or 'a network'}: "
        f"{count(len(run.network['nodes']), 'node')}, {count(run.slots, 'slot')}, {count(len(run.seeds), 'seed')}",
        description=f"<p>{escape(description)}</p>" if description else "",
        verdict=verdict(run, story.seeds),
        tiles=tiles(story),
        sections=[(s.id, s.short, s.html) for s in written],
        version=str(run.meta.get("placid", "")),
        data=data,
    )
