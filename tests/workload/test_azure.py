from __future__ import annotations

from pathlib import Path
from zlib import crc32

import numpy as np
import polars as pl
import pytest

from placid.errors import InputError
from placid.workload import RequestTypes, from_azure_functions, read_trace, write_trace

HEADER = ["HashOwner", "HashApp", "HashFunction", "Trigger", *map(str, range(1, 1441))]
NODES = ("paris", "lyon", "nice")
TASKS = ("detect", "caption")


def day(
    path: Path, functions: dict[tuple[str, str], dict[int, object]], header: list[str] | None = None
) -> Path:
    """A file of the data set: (app, function) -> minute (from 1) -> cell."""
    lines = [",".join(header or HEADER)]
    for (app, function), cells in functions.items():
        minutes = [str(cells.get(m, 0)) for m in range(1, 1441)]
        lines.append(",".join(["owner", app, function, "http", *minutes]))
    path.write_text("\n".join(lines) + "\n")
    return path


FIRST = {
    ("app1", "f1"): {1: 5, 2: 1, 1440: 7},
    ("app2", "f2"): {1: 100},
    ("app1", "f3"): {10: 2},
    ("app3", "f4"): {10: 1},
}
SECOND = {("app1", "f1"): {3: 200}, ("app3", "f4"): {1: 1}}


def node(app: str) -> str:
    return NODES[crc32(app.encode()) % 3]


def test_top_functions_become_tasks_and_apps_become_places(tmp_path: Path) -> None:
    trace = from_azure_functions(day(tmp_path / "d01.csv", FIRST), NODES, TASKS)
    assert trace.requests == RequestTypes.grid(NODES, TASKS)
    assert trace.slots == 1440
    want = np.zeros((1440, 6), np.int64)
    want[0, trace.requests.index[node("app2"), "detect"]] = 100
    for minute, count in FIRST["app1", "f1"].items():
        want[minute - 1, trace.requests.index[node("app1"), "caption"]] = count
    np.testing.assert_array_equal([trace.demand(slot, 0) for slot in range(1440)], want)


def test_days_follow_each_other_and_rank_together(tmp_path: Path) -> None:
    files = [day(tmp_path / "d01.csv", FIRST), day(tmp_path / "d02.csv", SECOND)]
    trace = from_azure_functions(files, NODES, TASKS)
    assert trace.slots == 2880
    # over both days f1 leads with 213 invocations, f2 has 100
    assert trace.demand(1442, 0)[trace.requests.index[node("app1"), "detect"]] == 200
    assert trace.demand(0, 0)[trace.requests.index[node("app2"), "caption"]] == 100
    assert int(trace.entry_count.sum()) == 313


def test_more_functions_than_tasks_go_around(tmp_path: Path) -> None:
    trace = from_azure_functions(day(tmp_path / "d.csv", FIRST), NODES, TASKS, functions=4, slot_minutes=720)
    assert trace.slots == 2
    # ranks: f2, f1, f3, f4 for detect, caption, detect, caption
    want = np.zeros((2, 6), np.int64)
    for app, task, slot, count in (
        ("app2", "detect", 0, 100),
        ("app1", "caption", 0, 6),
        ("app1", "caption", 1, 7),
        ("app1", "detect", 0, 2),
        ("app3", "caption", 0, 1),
    ):
        want[slot, trace.requests.index[node(app), task]] += count
    np.testing.assert_array_equal([trace.demand(slot, 0) for slot in range(2)], want)


def test_converts_to_the_documented_schema_and_back(tmp_path: Path) -> None:
    trace = from_azure_functions(day(tmp_path / "d.csv", FIRST), NODES, TASKS)
    write_trace(tmp_path / "t.parquet", trace, trace.slots)
    rows = pl.read_parquet(tmp_path / "t.parquet")
    assert rows.columns == ["slot", "ingress", "task", "count"]
    assert rows.row(rows.height - 1) == (1439, node("app1"), "caption", 7)
    again = read_trace(tmp_path / "t.parquet", trace.requests)
    np.testing.assert_array_equal(again.entry_count, trace.entry_count)
    np.testing.assert_array_equal(again.entry_type, trace.entry_type)
    np.testing.assert_array_equal(again.slot_ptr, trace.slot_ptr)


def test_parquet_copies_are_read_too(tmp_path: Path) -> None:
    file = day(tmp_path / "d.csv", FIRST)
    pl.read_csv(file).write_parquet(tmp_path / "d.parquet")
    from_csv = from_azure_functions(file, NODES, TASKS)
    from_parquet = from_azure_functions(tmp_path / "d.parquet", NODES, TASKS)
    np.testing.assert_array_equal(from_csv.entry_count, from_parquet.entry_count)
    np.testing.assert_array_equal(from_csv.slot_ptr, from_parquet.slot_ptr)


@pytest.mark.parametrize(
    ("cell", "shown"), [("1.5", "7"), ("x", "7"), ("-1", "7"), ("", "7"), ("99999999999", "7")]
)
def test_a_cell_that_is_no_count_is_told(tmp_path: Path, cell: str, shown: str) -> None:
    file = day(tmp_path / "d.csv", FIRST | {("app9", "f9"): {7: cell}})
    with pytest.raises(
        InputError, match=f"d.csv, line 6, column '{shown}': expected a whole number of at least 0"
    ):
        from_azure_functions(file, NODES, TASKS)


def test_other_mistakes_are_told(tmp_path: Path) -> None:
    good = day(tmp_path / "d.csv", FIRST)
    with pytest.raises(InputError, match="has 4 functions, fewer than the 5 asked for"):
        from_azure_functions(good, NODES, TASKS, functions=5)
    with pytest.raises(InputError, match="must divide the 1440 minutes of a day, got 7"):
        from_azure_functions(good, NODES, TASKS, slot_minutes=7)
    with pytest.raises(InputError, match="no file is named"):
        from_azure_functions([], NODES, TASKS)
    with pytest.raises(InputError, match="there is no request type"):
        from_azure_functions(good, [], TASKS)
    wrong = day(tmp_path / "w.csv", FIRST, ["HashOwner", "App", *HEADER[2:-1], "last"])
    with pytest.raises(
        InputError, match=r"w.csv: has no column 'HashApp' \(and 1 more\); a day of the Azure"
    ):
        from_azure_functions(wrong, NODES, TASKS)
    with pytest.raises(InputError, match="line 2, column 'HashApp': expected a hash"):
        from_azure_functions(day(tmp_path / "h.csv", {("", "f"): {1: 1}}), NODES, TASKS, functions=1)
    ragged = tmp_path / "r.csv"
    ragged.write_text(good.read_text().replace("http,5,", "http,5,5,"))
    with pytest.raises(InputError, match=r"r\.csv: cannot be read"):
        from_azure_functions(ragged, NODES, TASKS)
