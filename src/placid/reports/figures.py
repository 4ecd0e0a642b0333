"""The charts of the page as files, for a README or a paper."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import vl_convert

from placid.reports.charts import Look
from placid.reports.run_data import RunData
from placid.reports.story import tell

__all__ = ["VEGA_LITE", "svg_of", "write_figures"]

#: the Vega-Lite that charts are drawn with, on the page and in files
VEGA_LITE = max(vl_convert.get_vegalite_versions(), key=lambda v: tuple(int(part) for part in v.split(".")))


def write_figures(
    run_dir: str | os.PathLike[str] | RunData,
    out: str | os.PathLike[str],
    *,
    sweep: Sequence[str | os.PathLike[str] | RunData] = (),
    width: int = 640,
) -> list[Path]:
    """Write every chart of a run, and its network as the best policy left it, as SVG and PNG into the folder `out`.

    Args:
        sweep: runs that differ in the weight of an error, for curves of latency against error.
        width: of the plots, in pixels of the SVG; a PNG has twice as many.

    Returns:
        The files written.
    """
    story = tell(run_dir, Look(page=False, width=width), sweep)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    drawings = {
        name: vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE) for name, spec in story.specs.items()
    }
    if story.map is not None:
        best = story.summary.sort("gain", descending=True, nulls_last=True)["policy"].to_list()
        told_apart = [p for p in best if p in story.map.held.changes]
        drawings["network"] = story.map.svg(told_apart[0] if told_apart else None, legend=True)
    written = []
    for name, svg in drawings.items():
        svg = _titled(svg, f"{story.run.name}: {name.replace('-', ' ')}")
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
        (folder / f"{name}.png").write_bytes(vl_convert.svg_to_png(svg, scale=2))
        written += [folder / f"{name}.svg", folder / f"{name}.png"]
    return written


def svg_of(spec: dict[str, Any], title: str) -> str:
    """A chart that needs no page, as SVG; `title` is for who cannot see it."""
    return _titled(vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE), title)


def _titled(svg: str, title: str) -> str:
    """`svg` with a title for who cannot see it."""
    opening, _, rest = svg.partition(">")
    return f"{opening}><title>{escape(title)}</title>{rest}"
