"""Traces as CSV or Parquet files.

The schema, one row per event or per count:

| column    | type         | meaning                                                                         |
| --------- | ------------ | ------------------------------------------------------------------------------- |
| `slot`    | whole number | slot in which the requests came, from 0; either this or `time_s`                |
| `time_s`  | number       | when they came, in seconds; slot ``floor((time_s - start_s) / slot_s)``         |
| `ingress` | text         | name of the node where they entered                                             |
| `task`    | text         | name of the task they asked for                                                 |
| `count`   | whole number | how many, at least 0; may be left out: 1                                        |

Rows may come in any order; rows of the same slot, ingress and task add up; other columns are ignored. The
trace ends with its last row, so a row with count 0 can mark the end of a quiet trace.

The Azure Functions trace of 2019 has another shape, one row per function with 1440 minute columns. In this
schema its cell (function, minute m) of day d is the row with ``slot = 1440 * (d - 1) + m - 1``, the
function's task, the ingress node of its app, and the cell as count: `from_azure_functions` does it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.workload.base import Workload
from placid.workload.requests import RequestTypes
from placid.workload.settings import check_count, check_positive
from placid.workload.trace import Trace

if TYPE_CHECKING:
    import polars as pl

__all__ = ["place_of", "read_table", "read_trace", "write_trace"]

#: more slots than anyone simulates: rather a column of timestamps
_MOST_SLOTS = 10_000_000


def read_trace(
    path: str | Path,
    requests: RequestTypes | None = None,
    *,
    slot_s: float = 60.0,
    start_s: float = 0.0,
    repeat: bool = False,
    known_ahead: bool = False,
) -> Trace:
    """The trace in a ``.csv``, ``.csv.gz`` or ``.parquet`` file of the schema above.

    Args:
        requests: the request types to count; None: every (ingress, task) pair that occurs, sorted.
        slot_s: length of a slot, for `time_s`.
        start_s: the `time_s` at which slot 0 starts.
        repeat, known_ahead: see `Trace`.

    Raises:
        InputError: the file cannot be read or breaks the schema; the message names file, row and column.
    """
    check_positive("trace", "slot_s", slot_s)
    frame = read_table(path)
    for column in ("ingress", "task"):
        if column not in frame.columns:
            raise InputError(
                f"has no column '{column}'; its columns are {', '.join(frame.columns)}", where=str(path)
            )
    if ("slot" in frame.columns) == ("time_s" in frame.columns):
        both = (
            "has both columns 'slot' and 'time_s'"
            if "slot" in frame.columns
            else "has no column 'slot' or 'time_s'"
        )
        raise InputError(f"{both}; it needs exactly one of the two", where=str(path))
    if frame.height == 0:
        raise InputError("has a header but no rows", where=str(path))
    if "slot" in frame.columns:
        slot = _whole(frame["slot"], path)
    else:
        slot = _slots_of_times(frame["time_s"], path, slot_s, start_s)
    if slot.max() >= _MOST_SLOTS:
        row = int(slot.argmax())
        column = "slot" if "slot" in frame.columns else "time_s"
        raise InputError(
            f"lies in slot {slot[row]}, more than {_MOST_SLOTS:,} slots after the first; "
            "times since an epoch go into 'time_s', with 'start_s' where the trace starts",
            where=place_of(path, row, column),
        )
    count = _whole(frame["count"], path) if "count" in frame.columns else np.ones(frame.height, np.int64)
    names = {column: _names(frame[column], path) for column in ("ingress", "task")}
    if requests is None:
        requests = RequestTypes(*_pairs(names["ingress"], names["task"]))
    types = _types(names["ingress"], names["task"], requests, path)
    return Trace.from_events(requests, slot, types, count, repeat=repeat, known_ahead=known_ahead)


def write_trace(path: str | Path, workload: Workload, slots: int, seed: int = 0) -> None:
    """Draw slots 0 to ``slots - 1`` of `workload` under `seed` into a ``.csv`` or ``.parquet`` file.

    Types that nobody asks for are left out, but for a row with count 0 where the last slot would have none.

    Raises:
        InputError: the workload is an adversary, or the file name has another ending, or it cannot be
            written.
    """
    import polars as pl

    check_count("trace", "slots", slots, 1)
    if workload.adaptive:
        raise InputError(
            f"the workload '{workload.name}' depends on the placement: run it against a policy "
            "and write what came"
        )
    path = Path(path)
    if path.suffix not in (".csv", ".parquet"):
        raise InputError("a trace is written as .csv or .parquet", where=str(path))
    rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for slot in range(slots):
        demand = workload.demand(slot, seed)
        asked = np.flatnonzero(demand)
        if slot == slots - 1 and not len(asked):
            asked = np.zeros(1, np.int64)
        rows.append((np.full(len(asked), slot), asked, demand[asked]))
    slot_column, types, counts = (np.concatenate(part) for part in zip(*rows, strict=True))
    requests = workload.requests
    nodes, tasks = pl.Series(requests.nodes), pl.Series(requests.tasks)
    frame = pl.DataFrame(
        {
            "slot": slot_column,
            "ingress": nodes.gather(requests.node_of[types]),
            "task": tasks.gather(requests.task_of[types]),
            "count": counts,
        }
    )
    try:
        if path.suffix == ".csv":
            frame.write_csv(path)
        else:
            frame.write_parquet(path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", where=str(path)) from error


def read_table(path: str | Path, **settings: Any) -> pl.DataFrame:
    """A CSV (all columns as text, unless `settings` for polars say otherwise) or Parquet file as a polars
    frame.

    Raises:
        InputError: there is no such file, it has another ending, or polars cannot read it.
    """
    import polars as pl

    path = Path(path)
    if not path.name.endswith((".csv", ".csv.gz", ".parquet")):
        raise InputError("a trace is a .csv, .csv.gz or .parquet file", where=str(path))
    if not path.is_file():
        raise InputError("there is no such file", where=str(path))
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path, **settings)
        return _without_blank_end(pl.read_csv(path, **(settings or {"infer_schema": False})))
    except (pl.exceptions.PolarsError, OSError) as error:
        # polars goes on with advice on its own parameters, which say nothing to whoever wrote the file
        reason = str(error).strip().splitlines()[0].rstrip(" :")
        raise InputError(f"cannot be read: {reason}", where=str(path)) from error


def _without_blank_end(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame without the blank lines at the end of its file, which polars reads as rows of nothing."""
    import polars as pl

    blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
    filled = (~blank).arg_true()
    return frame.head(int(filled[-1]) + 1 if len(filled) else 0)


def place_of(path: str | Path, row: int, column: str) -> str:
    """File, row and column, for messages; a CSV's rows are told as lines, the header being line 1."""
    at = f"row {row + 1}" if str(path).endswith(".parquet") else f"line {row + 2}"
    return f"{path}, {at}, column '{column}'"


def _whole(column: pl.Series, path: str | Path) -> np.ndarray:
    """The column as int64 [n]: whole numbers of at least 0."""
    import polars as pl

    if column.dtype == pl.String:
        parsed = column.str.strip_chars().cast(pl.Int64, strict=False)
    elif column.dtype.is_float():
        parsed = (
            pl.select(pl.when(column == column.floor()).then(column)).to_series().cast(pl.Int64, strict=False)
        )
    elif column.dtype.is_integer():
        parsed = column.cast(pl.Int64, strict=False)
    else:
        raise InputError(
            f"expected whole numbers, got {column.dtype}", where=f"{path}, column '{column.name}'"
        )
    bad = parsed.is_null() | (parsed < 0)
    if bad.any():
        row = int(bad.arg_max() or 0)
        raise InputError(
            f"expected a whole number of at least 0, got {_shown(column[row])}",
            where=place_of(path, row, column.name),
        )
    return parsed.to_numpy()


def _slots_of_times(column: pl.Series, path: str | Path, slot_s: float, start_s: float) -> np.ndarray:
    import polars as pl

    if not (column.dtype == pl.String or column.dtype.is_numeric()):
        raise InputError(f"expected seconds, got {column.dtype}", where=f"{path}, column '{column.name}'")
    text = column.str.strip_chars() if column.dtype == pl.String else column
    time_s = text.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    bad = ~np.isfinite(time_s) | (time_s < start_s)
    if bad.any():
        row = int(bad.argmax())
        early = f", the start being {start_s:g} s" if np.isfinite(time_s[row]) else ""
        raise InputError(
            f"expected a time in seconds of at least {start_s:g}, got {_shown(column[row])}{early}",
            where=place_of(path, row, column.name),
        )
    # a time that stands for a multiple of slot_s belongs to the slot that it starts, whatever its last digit
    slot = np.floor((time_s - start_s) / slot_s + 1e-9)
    return np.minimum(slot, 2.0**62).astype(np.int64)


def _names(column: pl.Series, path: str | Path) -> pl.Series:
    """The column as text without blanks around it; every row has a name."""
    import polars as pl

    try:
        text = column.cast(pl.String).str.strip_chars()
    except pl.exceptions.PolarsError as error:
        raise InputError(
            f"expected names, got {column.dtype}", where=f"{path}, column '{column.name}'"
        ) from error
    bad = text.is_null() | (text == "")
    if bad.any():
        raise InputError("is empty", where=place_of(path, int(bad.arg_max() or 0), column.name))
    return text


def _pairs(ingress: pl.Series, task: pl.Series) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The (ingress, task) pairs that occur, sorted."""
    import polars as pl

    pairs = pl.DataFrame({"ingress": ingress, "task": task}).unique().sort("ingress", "task")
    return tuple(pairs["ingress"]), tuple(pairs["task"])


def _types(ingress: pl.Series, task: pl.Series, requests: RequestTypes, path: str | Path) -> np.ndarray:
    """The request type of every row, int64 [n]."""
    import polars as pl

    known = pl.DataFrame(
        {"ingress": requests.ingress, "task": requests.task, "type": np.arange(len(requests))}
    )
    asked = pl.DataFrame({"ingress": ingress, "task": task})
    types = asked.join(known, on=["ingress", "task"], how="left", maintain_order="left")["type"]
    if types.null_count():
        row = int(types.is_null().arg_max() or 0)
        node, name = str(ingress[row]), str(task[row])
        if node not in requests.nodes:
            raise UnknownNameError("ingress node", node, requests.nodes, where=place_of(path, row, "ingress"))
        if name not in requests.tasks:
            raise UnknownNameError("task", name, requests.tasks, where=place_of(path, row, "task"))
        raise InputError(
            f"task '{name}' is known, but not asked for at ingress node '{node}'",
            where=place_of(path, row, "task"),
        )
    return types.to_numpy()


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(value)
