"""Catalogs from flat profile tables as people keep them: one row per model and processor (and batch).

| column       | meaning                                                                                     | needed |
| ------------ | ------------------------------------------------------------------------------------------- | ------ |
| `model`      | name                                                                                        | yes    |
| `processor`  | class it was profiled on                                                                    | yes    |
| `mean`, `p50`, `p90` | latency of one batch: a number in `time_unit`, or with its unit ("12 ms")           | one    |
| `accuracy`   | in [0, 1], or in percent if any number of the column exceeds 1, or with its sign ("71.9 %") | yes    |
| `size`       | bytes: a number in `size_unit`, or with its unit ("14 MiB")                                 | yes    |
| `batch`      | inputs per batch                                                                            | no     |
| `task`       | what it solves; without it, all models solve the one task `task`                            | no     |
| `throughput` | inputs per second; without it, batch / latency                                              | no     |
| `energy`     | joules per input, or with its unit ("3 mJ")                                                 | no     |
| `variant`    | what a model is called without task and copy, for tables                                    | no     |
| `source`     | where the row comes from                                                                    | no     |

Other columns and blank lines are ignored. Columns that are called something else are renamed by `columns`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placid.catalog.models import Catalog, Model, Profile, Task
from placid.catalog.replicas import for_tasks, task_names, with_replicas
from placid.errors import InputError, UnknownNameError
from placid.units import DIMENSIONS, parse_quantity

if TYPE_CHECKING:
    import polars as pl

__all__ = ["COLUMNS", "LATENCIES", "read_profiles", "write_profiles"]

#: the columns that are read
COLUMNS = (
    "model",
    "processor",
    "batch",
    "p50",
    "p90",
    "mean",
    "accuracy",
    "size",
    "task",
    "throughput",
    "energy",
    "variant",
    "source",
)
#: what may stand for a model's latency
LATENCIES = ("mean", "p50", "p90")


def read_profiles(
    path: str | Path,
    *,
    latency: str = "mean",
    batch: int | None = None,
    time_unit: str = "s",
    size_unit: str = "B",
    columns: Mapping[str, str] | None = None,
    tasks: int = 0,
    replicas: int = 1,
    request_bytes: int = 60_000,
    response_bytes: int = 1_000,
) -> Catalog:
    """The catalog in a ``.csv``, ``.csv.gz`` or ``.parquet`` profile table.

    Args:
        path: the table.
        latency: the column that stands for a model's latency: mean, p50 or p90.
        batch: take the rows of this batch size; by default the smallest that a model has on a processor. A batch is
            answered together, so its latency is each request's, and capacity is batch / latency.
        time_unit: of latencies that are plain numbers.
        size_unit: of sizes that are plain numbers.
        columns: what the table calls a column -> what it is here, such as ``{"latency_ms": "mean"}``.
        tasks: give every model once to each of so many tasks; 0 takes the table's own.
        replicas: copies of each model that one node may hold.
        request_bytes: what a request carries to the model; declared.
        response_bytes: what an answer carries back; declared.

    Raises:
        InputError: the file cannot be read, lacks a column, or a cell is wrong; the message names file, row and column.
        UnknownNameError: `latency`, a unit or a column's new name is not known.
    """
    if latency not in LATENCIES:
        raise UnknownNameError("latency column", latency, LATENCIES)
    for unit, dimension in ((time_unit, "time"), (size_unit, "size")):
        if unit not in DIMENSIONS[dimension]:
            raise UnknownNameError(f"unit of {dimension}", unit, DIMENSIONS[dimension])
    frame = _renamed(_read(Path(path)), columns or {}, path)
    for column in ("model", "processor", latency, "accuracy", "size"):
        if column not in frame.columns:
            raise InputError(
                f"has no column '{column}'; its columns are {', '.join(frame.columns)} ('columns' renames them)",
                where=str(path),
            )
    # a CSV's header is its line 1
    at = "row {}" if str(path).endswith(".parquet") else "line {}"
    first = 1 if str(path).endswith(".parquet") else 2
    rows = [
        _Row(cells, f"{path}, {at.format(i)}")
        for i, cells in enumerate(frame.iter_rows(named=True), start=first)
        if any(cell not in (None, "") for cell in cells.values())
    ]
    if not rows:
        raise InputError("has a header but no rows", where=str(path))
    percent = any(row.exceeds_one("accuracy") for row in rows)
    models = _models(rows, latency, batch, time_unit, size_unit, percent, str(path))
    notes = (
        f"Profiles come from {Path(path).name}, column '{latency}'.",
        f"A request of {request_bytes:,} bytes and an answer of {response_bytes:,} bytes are declared, not measured.",
    )
    name = Path(path).stem
    if tasks:
        if len({m.task for m in models}) > 1:
            raise InputError("has tasks of its own, so 'tasks' cannot be given", where=str(path))
        named = tuple(Task(t, request_bytes, response_bytes) for t in task_names(tasks))
        return with_replicas(for_tasks(models, named, name, notes), replicas)
    own = dict.fromkeys(m.task for m in models)
    catalog = Catalog(tuple(Task(t, request_bytes, response_bytes) for t in own), tuple(models), name, notes)
    return with_replicas(catalog, replicas)


def write_profiles(catalog: Catalog, path: str | Path) -> None:
    """Write `catalog` as a profile table that `read_profiles` reads back (replicas as models of their own).

    What requests and answers carry is no part of a table: give it again when reading.

    Raises:
        InputError: a task has no model, the file has another ending than ``.csv`` or ``.parquet``, or cannot be written.
    """
    import polars as pl

    unsolved = {t.name for t in catalog.tasks} - {m.task for m in catalog.models}
    if unsolved:
        raise InputError(
            f"no model solves the task '{min(unsolved)}', so a table of models cannot hold it",
            where=catalog.name,
        )
    if Path(path).suffix not in (".csv", ".parquet"):
        raise UnknownNameError(
            "table format", Path(path).suffix or str(path), (".csv", ".parquet"), where=str(path)
        )
    frame = pl.DataFrame(
        [
            {
                "task": m.task,
                "model": m.name,
                "processor": processor,
                "mean": p.latency_s,
                "throughput": p.capacity_per_s,
                "energy": p.energy_j,
                "accuracy": m.quality,
                "size": m.size_bytes,
                "variant": m.variant or m.name,
                "source": p.source,
            }
            for m in catalog.models
            for processor, p in m.profiles.items()
        ]
    )
    try:
        if Path(path).suffix == ".parquet":
            frame.write_parquet(path)
        else:
            frame.write_csv(path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", where=str(path)) from error


class _Row:
    """One row of the table, which can say where it stands."""

    def __init__(self, cells: Mapping[str, Any], place: str) -> None:
        self._cells, self._place = cells, place

    def where(self, column: str) -> str:
        return f"{self._place}, column '{column}'"

    def has(self, column: str) -> bool:
        cell = self._cells.get(column)
        return cell is not None and str(cell).strip() != ""

    def exceeds_one(self, column: str) -> bool:
        """Whether a plain number above 1 stands there."""
        try:
            return float(self._cells[column]) > 1
        except (TypeError, ValueError):
            return False

    def text(self, column: str) -> str:
        if not self.has(column):
            raise InputError("is empty", where=self.where(column))
        return str(self._cells[column]).strip()

    def number(self, column: str) -> float:
        return self.quantity(column, None, 1.0)

    def quantity(self, column: str, dimension: str | None, factor: float) -> float:
        """A plain number times `factor`, or text with a unit of `dimension`."""
        if not self.has(column):
            raise InputError("is empty; a number is needed", where=self.where(column))
        cell = self._cells[column]
        try:
            value = float(cell) * factor
        except (TypeError, ValueError):
            if dimension is None:
                raise InputError(f"expected a number, got {cell!r}", where=self.where(column)) from None
            try:
                value = parse_quantity(str(cell), dimension)
            except InputError as error:
                raise InputError(error.message, where=self.where(column)) from None
        if not 0 <= value < float("inf"):
            raise InputError(
                f"expected a finite number of at least 0, got {cell!r}", where=self.where(column)
            )
        return value

    def positive(self, column: str, dimension: str | None = None, factor: float = 1.0) -> float:
        value = self.quantity(column, dimension, factor)
        if value <= 0:
            raise InputError(f"must be above 0, got {self._cells[column]!r}", where=self.where(column))
        return value

    def whole(self, column: str) -> int:
        value = self.positive(column)
        if value != int(value):
            raise InputError(
                f"expected a whole number, got {self._cells[column]!r}", where=self.where(column)
            )
        return int(value)


def _models(
    rows: list[_Row],
    latency: str,
    batch: int | None,
    time_unit: str,
    size_unit: str,
    percent: bool,
    path: str,
) -> list[Model]:
    time, size = DIMENSIONS["time"][time_unit], DIMENSIONS["size"][size_unit]
    best: dict[tuple[str, str], tuple[int, Profile, _Row]] = {}
    about: dict[str, tuple[str, int, float, _Row]] = {}
    for row in rows:
        name, processor = row.text("model"), row.text("processor")
        inputs = row.whole("batch") if row.has("batch") else 1
        quality = row.quantity("accuracy", "share", 0.01 if percent else 1.0)
        if quality > 1:
            raise InputError(f"exceeds 100 percent: {100 * quality:g}", where=row.where("accuracy"))
        known = (
            row.text("task") if row.has("task") else "task",
            max(1, round(row.positive("size", "size", size))),
            quality,
            row,
        )
        if name in about:
            for value, old, column in zip(
                known[:3], about[name][:3], ("task", "size", "accuracy"), strict=True
            ):
                if value != old:
                    raise InputError(
                        f"'{name}' has {value} here and {old} in another row; a model has one {column}",
                        where=row.where(column),
                    )
        about.setdefault(name, known)
        if batch is not None and inputs != batch:
            continue
        seconds = row.positive(latency, "time", time)
        profile = Profile(
            latency_s=seconds,
            capacity_per_s=row.positive("throughput") if row.has("throughput") else inputs / seconds,
            energy_j=row.quantity("energy", "energy", 1.0) if row.has("energy") else 0.0,
            source=row.text("source") if row.has("source") else f"from {Path(path).name}",
        )
        key = (name, processor)
        if key in best and best[key][0] == inputs:
            raise InputError(
                f"'{name}' on '{processor}' with batch {inputs} stands in two rows; keep one",
                where=row.where("model"),
            )
        if key not in best or inputs < best[key][0]:
            best[key] = (inputs, profile, row)
    models = []
    for name, (task, size_bytes, quality, row) in about.items():
        profiles = {p: profile for (model, p), (_, profile, _) in best.items() if model == name}
        if not profiles:
            raise InputError(f"'{name}' has no row with batch {batch}", where=row.where("batch"))
        models.append(
            Model(
                name, task, size_bytes, quality, profiles, row.text("variant") if row.has("variant") else name
            )
        )
    return models


def _read(path: Path) -> pl.DataFrame:
    import polars as pl

    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        if path.name.endswith((".csv", ".csv.gz")):
            # everything as text: what is wrong in a cell is told with its place
            return _once_each(pl.read_csv(path, infer_schema=False), path)
    except FileNotFoundError:
        raise InputError("there is no such file", where=str(path)) from None
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {str(error).splitlines()[0]}", where=str(path)) from error
    raise UnknownNameError("table format", path.suffix or path.name, (".csv", ".parquet"), where=str(path))


def _once_each(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """`frame`, if no column occurs twice: polars gives the second another name, and it would go unread."""
    for column in frame.columns:
        original = column.removesuffix("_duplicated_0")
        if original != column and original in frame.columns:
            raise InputError(f"has two columns '{original}'; keep one", where=str(path))
    return frame


def _renamed(frame: pl.DataFrame, columns: Mapping[str, str], path: str | Path) -> pl.DataFrame:
    sources: dict[str, str] = {}
    for old, new in columns.items():
        if new in sources:
            raise InputError(
                f"'columns' makes '{new}' of both '{sources[new]}' and '{old}'; keep one", where=str(path)
            )
        sources[new] = old
        if old not in frame.columns:
            raise UnknownNameError("column", old, frame.columns, where=str(path))
        if new not in COLUMNS:
            raise UnknownNameError("column name", new, COLUMNS, where=str(path))
        if new in frame.columns and new not in columns:
            raise InputError(f"has a column '{new}' already, so '{old}' cannot become it", where=str(path))
    return frame.rename(dict(columns))
