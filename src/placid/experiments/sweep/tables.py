"""From the rows of the cells to the tables of a sweep, and its summary for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import Any

import polars as pl
from rich.markup import escape

from placid.errors import UnknownNameError
from placid.experiments.sweep.axes import Axis
from placid.experiments.sweep.cells import Cell
from placid.experiments.sweep.figures import YARDSTICKS, figures_of
from placid.experiments.sweep.study import Study
from placid.reports.intervals import over_seeds
from placid.reports.terminal import PrintableTable, table
from placid.reports.wording import column_decimals, count, pick_unit, with_interval

__all__ = ["grid_table", "rows_of", "summary_of"]

#: most letters in a line of a head
_HEAD = 12
_KEYS = ("trace", "policy", "kind")
_DIMENSIONS = {"latency_s": "time", "energy_j": "energy"} | dict.fromkeys(
    # the unit of the objective is the second
    ("gain", "regret", "regret_discounted", "regret_bound", *YARDSTICKS), "time"
) | dict.fromkeys(("bytes_loaded", "bytes_placed", "message_bytes"), "size")  # fmt: skip


def rows_of(study: Study, played: Sequence[tuple[Cell, pl.DataFrame]]) -> pl.DataFrame:
    """One row per cell, trace, policy and seed: the labels of the axes, then what `placid.reports.tables.per_seed` says.

    Args:
        played: in the order of the table: cells, and within a cell its seeds.

    Raises:
        InputError: the study asks for a figure that no cell has.
    """
    frames = []
    for cell, frame in played:
        labels = [
            pl.lit(level.label, _dtype(axis)).alias(axis.name)
            for axis, level in zip(study.axes, cell.levels, strict=True)
        ]
        frames.append(frame.select(*labels, pl.all()))
    # a tier that some cells lack is null there
    rows = pl.concat(frames, how="diagonal")
    names = [axis.name for axis in study.axes]
    figures = figures_of(study.figures, rows.columns, study.document)
    # the seeds of a policy side by side, cells in the order of the grid
    keys = [*names, *_KEYS]
    order = rows.select(keys).unique(maintain_order=True).with_row_index("order")
    ordered = rows.join(order, on=keys, how="left", nulls_equal=True, maintain_order="left").sort(
        "order", maintain_order=True
    )
    return ordered.select(*names, *_KEYS, "seed", *figures)


def _dtype(axis: Axis) -> type[pl.DataType]:
    labels = [level.label for level in axis.levels]
    if all(isinstance(label, bool) for label in labels):
        return pl.Boolean
    if any(isinstance(label, str) for label in labels):
        return pl.String
    return pl.Int64 if all(isinstance(label, int) for label in labels) else pl.Float64


def summary_of(study: Study, rows: pl.DataFrame) -> pl.DataFrame:
    """One row per cell, trace and policy: every figure as mean over seeds, `<figure>_low` and `<figure>_high`.

    The ends are those of the 95 % interval by Student's t, null with a single seed; `n` is the number of seeds.
    """
    by = [*(axis.name for axis in study.axes), *_KEYS]
    return over_seeds(rows, by, [c for c in rows.columns if c not in (*by, "seed")])


def grid_table(study: Study, summary: pl.DataFrame, figure: str = "") -> PrintableTable:
    """One figure of a sweep, for the terminal: a row per cell, a column per policy, hindsight last.

    Args:
        figure: the study's first if left out.

    Raises:
        InputError: the sweep has no such figure.
    """
    axes = [axis.name for axis in study.axes]
    figures = [c.removesuffix("_low") for c in summary.columns if c.endswith("_low")]
    figure = figure or figures[0]
    if figure not in figures:
        raise UnknownNameError("figure", figure, figures)
    scale, unit = _unit(summary[figure].drop_nulls().abs().to_list(), figure)
    most = int(summary["n"].max() or 0)  # type: ignore[arg-type]
    shown = table(
        f"{study.name}: {figure}{f', {unit}' if unit else ''}",
        f"{count(study.cell_count, 'cell')}; mean ± 95 % interval over {count(most, 'seed')}"
        if most > 1
        else "one seed: no intervals",
    )
    for name in axes or ["cell"]:
        shown.add_column(escape(fill(name, _HEAD)), no_wrap=True)
    columns = list(_columns(summary))
    for policy, trace in columns:
        against = f"\nagainst {trace}" if trace and trace != policy else ""
        shown.add_column(escape(f"{fill(policy, _HEAD)}{against}"), justify="right", no_wrap=True)
    decimals = _decimals(summary, figure, scale)
    cells: dict[tuple[Any, ...], dict[tuple[str, str], str]] = {}
    for row in summary.to_dicts():
        told = with_interval(row[figure], row[f"{figure}_low"], row[f"{figure}_high"], scale, decimals)
        cells.setdefault(tuple(row[a] for a in axes), {})[row["policy"], row["trace"]] = told
    for labels, told_by in cells.items():
        names = [escape(_label(label)) for label in labels] or ["base"]
        shown.add_row(*names, *(told_by.get(column, "–") for column in columns))
    return shown


def _columns(summary: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """(policy, trace) in order of appearance, those of hindsight last."""
    pairs = summary.select("policy", "trace", "kind").unique(maintain_order=True).rows()
    for hindsight in (False, True):
        yield from dict.fromkeys((p, t) for p, t, kind in pairs if (kind == "hindsight") == hindsight)


def _unit(values: Sequence[float], figure: str) -> tuple[float, str]:
    """One unit for the whole table: the one that suits its middle. Shares are told in per cent."""
    if "share" in figure:
        return 0.01, "%"
    dimension = _DIMENSIONS.get(figure, "plain")
    known = sorted(v for v in values if v)
    return pick_unit(known[len(known) // 2] if known else 0.0, dimension)


def _decimals(summary: pl.DataFrame, figure: str, scale: float) -> int:
    known = summary.filter(pl.col(figure).is_not_null())
    halves = (known[f"{figure}_high"] - known[f"{figure}_low"]) / 2 / scale
    return column_decimals((known[figure] / scale).to_list(), halves.to_list())


def _label(label: Any) -> str:
    if isinstance(label, bool):
        return "true" if label else "false"
    return f"{label:g}" if isinstance(label, float) else str(label)
