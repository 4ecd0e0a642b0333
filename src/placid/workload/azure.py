"""The Azure Functions trace of 2019 as a workload.

The data set (https://github.com/Azure/AzurePublicDataset, AzureFunctionsDataset2019.md; Shahrad et al.,
"Serverless in the Wild", USENIX ATC 2020; CC-BY) has one file a day,
``invocations_per_function_md.anon.d01.csv`` to ``d14``, with one row per function: `HashOwner`, `HashApp`,
`HashFunction`, `Trigger`, and columns `1` to `1440` with the invocations in each minute of the day. It knows
neither inference nor a network, so the mapping is ours:

- the functions with the most invocations stand for tasks, the most invoked for the first task, and so on
  around;
- an app stands for a place: all its functions are asked for at one ingress node, picked by a hash of
  `HashApp`;
- a minute is a slot, or several minutes are; day follows day.

A function belongs to one app, so with as many functions as tasks every task is asked for at one ingress node
alone. Take several times as many functions, and tasks are shared by several ingress nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from placid.errors import InputError
from placid.workload.requests import RequestTypes
from placid.workload.settings import check_count, check_requests, field_of
from placid.workload.trace import Trace
from placid.workload.trace_file import place_of, read_table

if TYPE_CHECKING:
    import polars as pl

__all__ = ["from_azure_functions"]

_KEY = ("HashOwner", "HashApp", "HashFunction")
_MINUTES = tuple(str(m) for m in range(1, 1441))


def from_azure_functions(
    path: str | Path | Sequence[str | Path],
    ingress: Iterable[str],
    tasks: Iterable[str],
    *,
    functions: int | None = None,
    slot_minutes: int = 1,
    repeat: bool = False,
    known_ahead: bool = False,
) -> Trace:
    """The `functions` most invoked functions of the trace as requests for `tasks` at `ingress` nodes.

    Args:
        path: one file of the data set, or several, one per day, in order.
        ingress: names of the ingress nodes; an app enters at number ``crc32(HashApp) % len(ingress)``.
        tasks: names of the tasks; the function of rank k (from 0, ties by hash) asks for number ``k %
            len(tasks)``.
        functions: how many functions to take; None: as many as tasks.
        slot_minutes: minutes in a slot, a divisor of 1440.
        repeat, known_ahead: see `Trace`.

    Returns:
        A trace over ``RequestTypes.grid(ingress, tasks)`` with 1440 / `slot_minutes` slots a day.

    Raises:
        InputError: a file cannot be read, lacks a column, holds something else than counts (the message names
            file, row and column), or there are fewer functions than asked for.
    """
    requests = RequestTypes.grid(ingress, tasks)
    check_requests("trace", requests)
    count = len(requests.tasks) if functions is None else functions
    check_count("trace", "functions", count, 1)
    check_count("trace", "slot_minutes", slot_minutes, 1, 1440)
    if 1440 % slot_minutes:
        raise InputError(
            f"must divide the 1440 minutes of a day, got {slot_minutes}",
            where=field_of("trace", "slot_minutes"),
        )
    days = [path] if isinstance(path, str | Path) else list(path)
    if not days:
        raise InputError("no file is named", where=field_of("trace", "path"))
    chosen = _most_invoked(days, count)
    per_day = 1440 // slot_minutes
    slots, types, counts = [], [], []
    for day, file in enumerate(days):
        # a file is read twice, so that only one day is ever in memory
        picked = chosen.join(_read_day(file), on=_KEY, how="inner", maintain_order="left")
        by_slot = picked.select(_MINUTES).to_numpy().astype(np.int64)
        by_slot = by_slot.reshape(len(picked), per_day, slot_minutes).sum(axis=2)
        row, slot = np.nonzero(by_slot)
        place = np.array([crc32(app.encode()) % len(requests.nodes) for app in picked["HashApp"]], np.int64)
        task = picked["rank"].to_numpy() % len(requests.tasks)
        slots.append(day * per_day + slot)
        types.append((place * len(requests.tasks) + task)[row])
        counts.append(by_slot[row, slot])
    return Trace.from_events(
        requests,
        np.concatenate(slots),
        np.concatenate(types),
        np.concatenate(counts),
        slots=per_day * len(days),
        repeat=repeat,
        known_ahead=known_ahead,
    )


def _most_invoked(days: Sequence[str | Path], count: int) -> pl.DataFrame:
    """The `count` most invoked functions over all days: their key and `rank`."""
    import polars as pl

    totals = pl.concat(
        _read_day(file).select(*_KEY, total=pl.sum_horizontal(pl.col(_MINUTES).cast(pl.Int64)))
        for file in days
    )
    ranked = (
        totals.group_by(_KEY)
        .agg(pl.col("total").sum())
        .sort("total", *_KEY, descending=[True, False, False, False])
    )
    if ranked.height < count:
        raise InputError(
            f"has {ranked.height} functions, fewer than the {count} asked for: take fewer tasks or functions",
            where=", ".join(str(file) for file in days),
        )
    return ranked.head(count).select(*_KEY).with_row_index("rank")


def _read_day(path: str | Path) -> pl.DataFrame:
    """One file: its key columns, and its minutes as whole numbers."""
    import polars as pl

    header = read_table(path, n_rows=0)
    missing = [column for column in (*_KEY, *_MINUTES) if column not in header.columns]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise InputError(
            f"has no column '{missing[0]}'{more}; a day of the Azure Functions trace has the columns "
            "HashOwner, HashApp, HashFunction, Trigger and 1 to 1440",
            where=str(path),
        )
    types: dict[Any, Any] = dict.fromkeys(_KEY, pl.String) | dict.fromkeys(_MINUTES, pl.Int32)
    if str(path).endswith(".parquet"):
        frame = read_table(path, columns=list(types)).cast(types, strict=False)
    else:
        try:
            frame = read_table(path, schema_overrides=types).select(list(types))
        except InputError:
            # once more as text, slower: where is the cell that is no number?
            frame = read_table(path).select(list(types)).cast(types, strict=False)
    for column in types:
        bad = frame[column].is_null() if column in _KEY else frame[column].fill_null(-1) < 0
        if bad.any():
            wanted = "a hash" if column in _KEY else "a whole number of at least 0"
            raise InputError(f"expected {wanted}", where=place_of(path, int(bad.arg_max() or 0), column))
    return frame
