"""What a run's page and figures are made of: its numbers, its charts and its map, worked out once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from placid.reports.charts import ChartSet, Look
from placid.reports.network_map import NetworkMap, network_map
from placid.reports.palette import PolicyStyle, policy_styles
from placid.reports.run_data import RunData, read_run
from placid.reports.series import ceiling_curve, gain_curves, loaded_curves, regret_curves
from placid.reports.tables import compare, per_seed, summary

__all__ = ["Story", "tell"]

#: policies that learn, drawn at first where there are more than a chart bears
_FIRST_SEEN = 5


@dataclass(frozen=True)
class Story:
    """A run, ready to be shown.

    Attributes:
        shown: the policies that charts over time draw at first.
        specs: chart's name -> Vega-Lite specification, in the order of the page. A chart that the run has no numbers for
            is not there.
        regret: `placid.reports.series.regret_curves` of the run.
    """

    run: RunData
    seeds: pl.DataFrame
    summary: pl.DataFrame
    styles: Mapping[str, PolicyStyle]
    shown: tuple[str, ...]
    specs: dict[str, dict[str, Any]]
    regret: pl.DataFrame
    map: NetworkMap | None


def tell(
    run_dir: str | os.PathLike[str] | RunData,
    look: Look,
    sweep: Sequence[str | os.PathLike[str] | RunData] = (),
) -> Story:
    """Work out everything that a page or a folder of figures shows.

    Args:
        sweep: runs that differ in the weight of an error, for curves of latency against error.
    """
    run = read_run(run_dir)
    table = summary(run)
    styles = policy_styles(run.kinds)
    shown = _first_seen(run, table)
    unit, per_unit = run.gain_unit
    changes = [(int(c["slot"]), str(c["what"])) for c in run.meta.get("changes") or ()]
    charts = ChartSet(styles, shown, unit, per_unit, run.slot_s, look, changes)
    learning = replace(charts, shown=[p for p in shown if run.kinds[p] == "online"])
    regret = regret_curves(run)
    with_theorem = set(regret.filter(pl.col("bound").is_not_null())["policy"])
    promised = replace(
        learning, shown=[p for p in learning.shown if p in with_theorem] or sorted(with_theorem)
    )
    specs: dict[str, dict[str, Any] | None] = {
        "comparison": charts.comparison(table, adaptive=run.adaptive),
        "gain": charts.gain_over_time(gain_curves(run), ceiling_curve(run)),
        "latency-error": charts.latency_against_error(table),
        "weights": charts.over_weights(compare(sweep)) if len(sweep) > 1 else None,
        "regret": None if regret.is_empty() else learning.regret_over_time(regret),
        "bound": None if regret.is_empty() else promised.regret_against_bound(regret),
        "loaded": charts.loaded_over_time(loaded_curves(run)),
        "tiers": charts.tier_shares(table, run.tiers, adaptive=run.adaptive) if run.tiers else None,
    }
    return Story(
        run=run,
        seeds=per_seed(run),
        summary=table,
        styles=styles,
        shown=shown,
        specs={name: spec for name, spec in specs.items() if spec is not None},
        regret=regret,
        map=network_map(run),
    )


def _first_seen(run: RunData, table: pl.DataFrame) -> tuple[str, ...]:
    """All policies if they are few; else the best that learn, the best static one and the best in hindsight."""
    kinds = {p: k for p, k in run.kinds.items() if not (run.adaptive and k == "hindsight")}
    if len(kinds) <= _FIRST_SEEN + 2:
        return tuple(kinds)
    best = table.sort("gain", descending=True, nulls_last=True, maintain_order=True)
    picked: set[str] = set()
    for kind, most in (("online", _FIRST_SEEN), ("static", 1), ("hindsight", 1)):
        picked.update(
            best.filter(pl.col("kind") == kind)["policy"].unique(maintain_order=True).to_list()[:most]
        )
    return tuple(p for p in kinds if p in picked)
