"""One self-contained page from a run folder: opens offline, fetches nothing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import vl_convert

from placid.reports.charts import Look
from placid.reports.figures import VEGA_LITE
from placid.reports.network_map import frame_readings
from placid.reports.run_data import RunData
from placid.reports.sections import sections, tiles
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
    here = files("placid.reports")
    description = str(run.meta.get("description") or "")
    return Template((here / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(run.name),
        kicker=escape(
            f"Placing models on {run.network.get('name') or 'a network'}: {count(len(run.network['nodes']), 'node')}, "
            f"{count(run.slots, 'slot')}, {count(len(run.seeds), 'seed')}"
        ),
        description=f"<p>{escape(description)}</p>" if description else "",
        verdict=escape(verdict(run, story.seeds)),
        tiles=tiles(story),
        nav=" ".join(f'<a href="#{s.id}">{escape(s.short)}</a>' for s in written),
        sections="\n".join(s.html for s in written),
        version=escape(str(run.meta.get("placid", ""))),
        css=(here / "page.css").read_text(encoding="utf-8"),
        js=(here / "page.js").read_text(encoding="utf-8"),
        vega=_vega(),
        data=_embedded(data),
    )


def _embedded(data: Any) -> str:
    """JSON that may stand between script tags: no "<" ends them early."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _vega() -> str:
    bundle: str = vl_convert.javascript_bundle(vl_version=VEGA_LITE)  # type: ignore[call-arg]
    return bundle.replace("</script", "<\\/script")
