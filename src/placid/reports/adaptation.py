"""What adapting a network to nodes came to: rows of a study over nodes and seeds, for a terminal and as Markdown.

A study is a frame with the columns of the file that ``placid splits adapt`` writes; `read_adaptation` reads one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from rich.markup import escape

from placid.errors import InputError
from placid.reports.intervals import over_seeds
from placid.reports.splits.amounts import joule
from placid.reports.terminal import PrintableTable, table
from placid.reports.wording import count, quantity

__all__ = [
    "adaptation_markdown",
    "adaptation_summary",
    "adaptation_table",
    "read_adaptation",
    "severity_table",
]

_COLUMNS = (
    "part", "node", "mix", "corruption", "severity", "seed", "method", "labels", "accuracy", "original_accuracy",
    "update_bytes", "pictures_bytes", "multiply_adds", "energy_j", "seconds",
)  # fmt: skip


def read_adaptation(path: str | os.PathLike[str]) -> pl.DataFrame:
    """The rows in a CSV file.

    Raises:
        InputError: there is no such file, or it holds something else.
    """
    try:
        frame = pl.read_csv(Path(path), infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from error
    missing = [c for c in _COLUMNS if c not in frame.columns]
    if missing:
        raise InputError(
            f"has no column {', '.join(missing)}: is it what `placid splits adapt` wrote?", where=str(path)
        )
    return frame


def adaptation_summary(frame: pl.DataFrame) -> pl.DataFrame:
    """A row for each way and number of labels: means over nodes and seeds with 95 % intervals (`<column>_low`, `_high`).

    `gain` is the accuracy beyond that of the same node without adaptation (``none``): nodes differ more than ways do, so
    its interval is what tells ways apart. It is null where the study has no such row.
    """
    rows = frame.filter(pl.col("part") == "nodes")
    plain = rows.filter(pl.col("method") == "none").select("node", "seed", pl.col("accuracy").alias("plain"))
    rows = rows.join(plain, on=["node", "seed"], how="left", maintain_order="left").with_columns(
        (pl.col("accuracy") - pl.col("plain")).alias("gain")
    )
    columns = (
        "accuracy", "gain", "original_accuracy", "update_bytes", "pictures_bytes", "multiply_adds", "energy_j", "seconds"
    )  # fmt: skip
    order = {name: k for k, name in enumerate(rows["method"].unique(maintain_order=True))}
    found = over_seeds(rows, ["method", "labels"], columns)
    return (
        found.with_columns(pl.col("method").replace_strict(order, return_dtype=pl.Int64).alias("order"))
        .sort("order", "labels")
        .drop("order")
    )


#: head of a column -> what stands in it
_CELLS: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("accuracy, %", lambda r: _share(r, "accuracy")),
    ("gained, points", lambda r: "" if r["method"] == "none" else _share(r, "gain", signed=True)),
    ("clean pictures, %", lambda r: f"{100 * r['original_accuracy']:.1f}"),
    ("update", lambda r: _bytes(r["update_bytes"])),
    ("pictures up", lambda r: _bytes(r["pictures_bytes"])),
    ("energy", lambda r: joule(r["energy_j"])),
    ("time", lambda r: quantity(r["seconds"], "time")),
)


def adaptation_table(frame: pl.DataFrame) -> PrintableTable:
    """The table for a terminal: a line for each way and number of labels."""
    shown = table(_title(frame), _caption(frame))
    shown.add_column("way", no_wrap=True)
    shown.add_column("labels", justify="right")
    for head, _ in _CELLS:
        shown.add_column(
            head.replace(", ", ",\n").replace("clean ", "clean\n"), justify="right", no_wrap=True
        )
    rows = adaptation_summary(frame).to_dicts()
    for k, row in enumerate(rows):
        again = k > 0 and rows[k - 1]["method"] == row["method"]
        ends = k + 1 < len(rows) and rows[k + 1]["method"] != row["method"]
        shown.add_row(
            "" if again else escape(row["method"]),
            f"{row['labels']:,}",
            *(cell(row) for _, cell in _CELLS),
            end_section=ends,
        )
    return shown


def severity_table(frame: pl.DataFrame) -> PrintableTable | None:
    """Accuracy by corruption and severity, without adaptation and with statistics alone; None if that was not asked."""
    head, body = _severities(frame)
    if not body:
        return None
    shown = table("accuracy by severity, %", "all classes alike, no labels")
    for k, name in enumerate(head):
        shown.add_column(name, justify="left" if k < 2 else "right", no_wrap=True)
    for line in body:
        shown.add_row(*map(escape, line))
    return shown


def adaptation_markdown(frame: pl.DataFrame) -> str:
    """All of it as Markdown: ways and labels, every node with the most labels, and severities."""
    parts = [
        f"Adapted to {_title(frame).removeprefix('adapting to ')}: {_caption(frame)}.",
        _markdown(
            ["way", "labels", *(head for head, _ in _CELLS)],
            [
                [f"`{r['method']}`", f"{r['labels']:,}", *(cell(r) for _, cell in _CELLS)]
                for r in adaptation_summary(frame).to_dicts()
            ],
            left=1,
        ),
    ]
    head, body = _by_node(frame)
    most = max(frame["labels"].to_list())
    parts += [f"Node by node, accuracy in % with {count(most, 'label')} (`none` with 0), mean over seeds:"]
    parts += [_markdown(head, body, left=2)]
    head, body = _severities(frame)
    if body:
        parts += ["By severity, all classes alike, no labels, accuracy in %:", _markdown(head, body, left=2)]
    return "\n\n".join(parts) + "\n"


def _by_node(frame: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Each node with every way at the most labels it was given."""
    rows = frame.filter(pl.col("part") == "nodes")
    ways = rows["method"].unique(maintain_order=True).to_list()
    means: dict[tuple[str, str], dict[str, float]] = {}
    for r in (
        rows.filter(pl.col("labels") == pl.col("labels").max().over("method"))
        .group_by(["node", "mix", "corruption", "severity", "method"], maintain_order=True)
        .agg(pl.col("accuracy").mean())
        .to_dicts()
    ):
        like = f"{r['corruption']} {r['severity']}" if r["severity"] else "clean"
        means.setdefault((r["node"], f"{r['mix']}, {like}"), {})[r["method"]] = r["accuracy"]
    body = [
        [node, pictures, *(f"{100 * own[w]:.1f}" if w in own else "–" for w in ways)]
        for (node, pictures), own in means.items()
    ]
    return ["node", "pictures", *(f"`{w}`" for w in ways)], body


def _severities(frame: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """A line for each corruption and way, a column for each severity."""
    rows = frame.filter(pl.col("part") == "severities")
    levels = sorted(rows["severity"].unique())
    body = []
    for corruption in rows.filter(pl.col("severity") > 0)["corruption"].unique(maintain_order=True):
        for way in rows["method"].unique(maintain_order=True):
            cells = []
            for level in levels:
                # without corruption all are the same pictures
                own = rows.filter(
                    (pl.col("severity") == level)
                    & (pl.col("method") == way)
                    & ((pl.col("corruption") == corruption) | (pl.col("severity") == 0))
                )["accuracy"]
                cells.append("–" if own.is_empty() else f"{100 * float(own[0]):.1f}")
            body.append([str(corruption), "as it is" if way == "none" else "statistics", *cells])
    return ["corruption", "network", *(str(level) for level in levels)], body


def _title(frame: pl.DataFrame) -> str:
    rows = frame.filter(pl.col("part") == "nodes")
    return f"adapting to {count(rows['node'].n_unique(), 'node')}, {count(rows['seed'].n_unique(), 'seed')}"


def _caption(frame: pl.DataFrame) -> str:
    several = adaptation_summary(frame)["n"].max() != 1
    what = "mean ± 95 % interval over nodes and seeds" if several else "one node and seed: no intervals"
    return f"{what}; update and pictures: sent if adapted elsewhere; energy: modelled"


def _share(row: dict[str, Any], column: str, *, signed: bool = False) -> str:
    if row[column] is None:
        return "–"
    text = f"{100 * row[column]:+.1f}" if signed else f"{100 * row[column]:.1f}"
    if row[f"{column}_low"] is None:
        return text
    return f"{text} ± {50 * (row[f'{column}_high'] - row[f'{column}_low']):.1f}"


def _bytes(value: float) -> str:
    return quantity(value, "size") if value else "0"


def _markdown(head: Sequence[str], body: Sequence[Sequence[str]], *, left: int) -> str:
    line = ["---" if k < left else "---:" for k in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, line, *body))
