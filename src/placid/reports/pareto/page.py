"""One self-contained page of a front: a preference to drag, the point it leads to, the network with what is placed."""

from __future__ import annotations

import os
import re
from html import escape
from importlib.resources import files
from pathlib import Path

import numpy as np

from placid.reports.network_map import network_map
from placid.reports.pareto.choose import choose_section, front_payload
from placid.reports.pareto.data import FrontData, read_front_folder
from placid.reports.pareto.points import origin_section, points_section
from placid.reports.pareto.words import TOLD, caption, stated
from placid.reports.shell import self_contained
from placid.reports.wording import count

__all__ = ["pareto_page", "verdict", "write_pareto_page"]


def write_pareto_page(folder: str | os.PathLike[str]) -> Path:
    """Write ``pareto.html`` into a folder of ``placid pareto``, whole or not at all, and give back its path.

    Raises:
        RunError: the folder holds no front.
    """
    told = read_front_folder(folder)
    target = told.path / "pareto.html"
    scratch = target.with_name(target.name + ".tmp")
    scratch.write_text(pareto_page(told), encoding="utf-8")
    os.replace(scratch, target)
    return target


def pareto_page(told: FrontData) -> str:
    """The page as text."""
    here = files("placid.reports.pareto")
    drawn = network_map(told.as_run())
    assert drawn is not None, "a scenario has nodes"
    name = str(told.meta["name"])
    sections = [
        ("choose", "Choose", choose_section(told, drawn)),
        ("table", "Points", points_section(told)),
        ("origin", "What it is", origin_section(told)),
    ]
    payload = drawn.payload({}, {}) | {"captions": [caption(told, i) for i in told.shown]}
    return self_contained(
        title=f"{name}: what can be had at once",
        kicker=f"Placing models on {told.network.get('name') or 'a network'}: "
        f"{count(len(told.network['nodes']), 'node')}, mean demand of {count(int(told.meta['slots']), 'slot')}",
        description=f"<p>{escape(str(told.meta.get('description') or ''))}</p>",
        verdict=verdict(told),
        tiles=_tiles(told),
        sections=[(a, s, f'<section id="{a}">{markup}</section>') for a, s, markup in sections],
        version=str(told.meta.get("placid", "")),
        data={
            "specs": {}, "shown": [], "switched": [], "unit": "", "perUnit": 1, "map": payload, "front": front_payload(told),
            "slug": re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "front",
        },
        css=(here / "pareto.css").read_text(encoding="utf-8"),
        js=(here / "pareto.js").read_text(encoding="utf-8"),
    )  # fmt: skip


def verdict(told: FrontData) -> str:
    """The front in a sentence."""
    names = [TOLD[n].short for n in told.objectives]
    every = f"{', '.join(names[:-1])} and {names[-1]}"
    axes = told.front.axes
    if len(axes) == 1:
        return f"One placement is the best found for {every} at once: there is nothing to choose."
    ends = [
        f"{TOLD[n].short} from {stated(n, axes[:, k].min())} to {stated(n, axes[:, k].max())}"
        for k, n in enumerate(told.objectives)
    ]
    return (
        f"{count(len(axes), 'point')} between which one can choose, as none of them is beaten by another on {every} at "
        f"once: {', '.join(ends)} a request."
    )


def _tiles(told: FrontData) -> str:
    """The best of each objective, and what the others then are."""
    shown = []
    for k, n in enumerate(told.objectives):
        i = int(np.lexsort((*told.front.axes.T, told.front.axes[:, k]))[0])
        others = " · ".join(
            f"{TOLD[m].short} {stated(m, told.front.axes[i, j])}"
            for j, m in enumerate(told.objectives)
            if m != n
        )
        least = stated(n, told.front.axes[i, k])
        shown.append((TOLD[n].best, f"error {least}" if n == "error" else least, others))
    proven = int(told.front.proven.sum())
    shown.append(("points", f"{len(told.front):,}", f"{proven or 'none'} proven best for their weights"))
    return '<dl class="tiles">' + "".join(
        f'<div class="tile"><dt>{escape(a)}</dt><dd>{escape(b)}<small>{escape(c)}</small></dd></div>' for a, b, c in shown
    ) + "</dl>"  # fmt: skip
