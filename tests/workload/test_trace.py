from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placid.errors import InputError, PlacidError
from placid.workload import Evader, Poisson, RequestTypes, Trace, read_trace, write_trace

GRID = RequestTypes.grid(["a", "b"], ["x", "y"])


def write(tmp_path: Path, text: str, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def all_of(trace: Trace) -> list[list[int]]:
    return [trace.demand(slot, 0).tolist() for slot in range(trace.slots)]


def test_reads_slots_in_any_order_and_adds_up(tmp_path: Path) -> None:
    path = write(
        tmp_path, "slot,ingress,task,count,note\n2,b,y,4,late\n0,a,x,1,\n0,a,x,2,again\n 0 , b,x ,3,\n"
    )
    trace = read_trace(path, GRID)
    assert trace.requests is GRID
    assert all_of(trace) == [[3, 0, 3, 0], [0, 0, 0, 0], [0, 0, 0, 4]]
    assert trace.entry_type.dtype == np.int32
    assert len(trace.entry_type) == 3


def test_makes_its_own_types_where_none_are_given(tmp_path: Path) -> None:
    trace = read_trace(write(tmp_path, "slot,ingress,task\n0,b,y\n0,b,x\n1,a,y\n1,a,y\n"))
    assert trace.requests == RequestTypes(("a", "b", "b"), ("y", "x", "y"))
    assert all_of(trace) == [[0, 1, 1], [2, 0, 0]]


def test_reads_times(tmp_path: Path) -> None:
    text = "time_s,ingress,task,count\n1000.0,a,x,1\n1009.99,a,x,1\n1010,a,x,5\n1000.3,b,y,2\n"
    trace = read_trace(write(tmp_path, text), GRID, slot_s=10.0, start_s=1000.0)
    assert all_of(trace) == [[2, 0, 0, 2], [5, 0, 0, 0]]


def test_times_on_the_edge_of_a_slot_are_not_rounded_away(tmp_path: Path) -> None:
    times = [k * 0.1 for k in range(50)]
    text = "time_s,ingress,task\n" + "".join(f"{t!r},a,x\n" for t in times)
    trace = read_trace(write(tmp_path, text), GRID, slot_s=0.1)
    assert [row[0] for row in all_of(trace)] == [1] * 50


def test_a_count_of_zero_marks_the_end(tmp_path: Path) -> None:
    trace = read_trace(write(tmp_path, "slot,ingress,task,count\n0,a,x,1\n5,a,x,0\n\n\n"), GRID)
    assert trace.slots == 6
    assert len(trace.entry_type) == 1


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    load = Poisson(GRID, rate_per_s=0.05, slot_s=10.0)
    write_trace(tmp_path / name, load, slots=40, seed=3)
    again = read_trace(tmp_path / name, GRID)
    assert again.slots == 40
    np.testing.assert_array_equal(all_of(again), [load.demand(slot, 3) for slot in range(40)])
    assert any(not any(row) for row in all_of(again))


@settings(deadline=None, max_examples=60)
@given(
    events=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=40
    )
)
def test_events_become_the_matrix_that_they_are(events: list[tuple[int, int, int]]) -> None:
    slot, kind, count = (np.array(part) for part in zip(*events, strict=True))
    dense = np.zeros((int(slot.max()) + 1, 4), np.int64)
    np.add.at(dense, (slot, kind), count)
    trace = Trace.from_events(GRID, slot, kind, count)
    np.testing.assert_array_equal(all_of(trace), dense)
    assert len(trace.entry_count) == np.count_nonzero(dense)


def test_ends_repeats_and_foretells_as_told(tmp_path: Path) -> None:
    path = write(tmp_path, "slot,ingress,task\n0,a,x\n1,b,y\n")
    trace = read_trace(path, GRID)
    assert trace.expected(0) is None
    with pytest.raises(InputError, match=r"workload 'trace': has 2 slots \(0 to 1\), slot 2 is asked for"):
        trace.demand(2, 0)
    endless = read_trace(path, GRID, repeat=True, known_ahead=True)
    assert endless.demand(5, 0).tolist() == [0, 0, 0, 1]
    told = endless.expected(4)
    assert told is not None
    assert told.tolist() == [1.0, 0.0, 0.0, 0.0]


HEAD = "slot,ingress,task,count\n0,a,x,1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv: cannot be read: empty CSV"),
        ("slot,ingress,task,count\n", "t.csv: has a header but no rows"),
        ("slot,task,count\n0,x,1\n", "t.csv: has no column 'ingress'; its columns are slot, task, count"),
        ("slot,ingress,tasks\n0,a,x\n", "t.csv: has no column 'task'"),
        ("when,ingress,task\n0,a,x\n", "t.csv: has no column 'slot' or 'time_s'; it needs exactly one"),
        ("slot,time_s,ingress,task\n0,0,a,x\n", "t.csv: has both columns 'slot' and 'time_s'"),
        (
            HEAD + "one,a,x,1\n",
            "t.csv, line 3, column 'slot': expected a whole number of at least 0, got 'one'",
        ),
        (HEAD + "1.5,a,x,1\n", "t.csv, line 3, column 'slot': .* got '1.5'"),
        (HEAD + "0,b,x,1\n-1,a,x,1\n", "t.csv, line 4, column 'slot': .* got '-1'"),
        (HEAD + ",a,x,1\n", "t.csv, line 3, column 'slot': .* got nothing"),
        (HEAD + "1563000000,a,x,1\n", "t.csv, line 3, column 'slot': lies in slot 1563000000, more than"),
        (HEAD + "1,a,x,-2\n", "t.csv, line 3, column 'count': .* at least 0, got '-2'"),
        (HEAD + "1,a,x,many\n", "t.csv, line 3, column 'count': .* got 'many'"),
        (HEAD + "1,a,x\n", "t.csv, line 3, column 'count': .* got nothing"),
        (
            HEAD + "1,a,x,99999999999999999999\n",
            "t.csv, line 3, column 'count': .* got '99999999999999999999'",
        ),
        (HEAD + "1,,x,1\n", "t.csv, line 3, column 'ingress': is empty"),
        (HEAD + "1,a, ,1\n", "t.csv, line 3, column 'task': is empty"),
        (HEAD + "1,c,x,1\n", "t.csv, line 3, column 'ingress': unknown ingress node 'c'"),
        (HEAD + "1,a,X,1\n", "t.csv, line 3, column 'task': unknown task 'X'"),
        (HEAD + "1,a,x,1,1\n", "t.csv: cannot be read: found more fields"),
        (
            "time_s,ingress,task\nnoon,a,x\n",
            "t.csv, line 2, column 'time_s': expected a time in seconds .* got 'noon'",
        ),
        (
            "time_s,ingress,task\n1,a,x\n-2,a,x\n",
            "t.csv, line 3, column 'time_s': .* got '-2', the start being 0 s",
        ),
        ("time_s,ingress,task\ninf,a,x\n", "t.csv, line 2, column 'time_s': .* got 'inf'"),
        ("time_s,ingress,task\n1e300,a,x\n", "t.csv, line 2, column 'time_s': lies in slot"),
    ],
)
def test_mistakes_are_told_with_file_row_and_column(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_trace(write(tmp_path, text), GRID)


def test_a_known_task_at_the_wrong_place_is_told(tmp_path: Path) -> None:
    ragged = RequestTypes(("a", "b"), ("x", "y"))
    with pytest.raises(
        InputError, match=r"line 2, column 'task': task 'y' is known, but not asked for at .*'a'"
    ):
        read_trace(write(tmp_path, "slot,ingress,task\n0,a,y\n"), ragged)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("slot", [0, -3], "t.parquet, row 2, column 'slot': .* got -3"),
        ("slot", [0.0, 0.25], "t.parquet, row 2, column 'slot': .* got 0.25"),
        ("slot", [True, False], "t.parquet, column 'slot': expected whole numbers, got Boolean"),
        ("count", [1, None], "t.parquet, row 2, column 'count': .* got nothing"),
        ("count", [[1], [2]], "t.parquet, column 'count': expected whole numbers, got List"),
        ("task", ["x", None], "t.parquet, row 2, column 'task': is empty"),
    ],
)
def test_mistakes_in_parquet_are_told(
    tmp_path: Path, column: str, values: list[object], message: str
) -> None:
    good = {"slot": [0, 1], "ingress": ["a", "a"], "task": ["x", "x"], "count": [1, 1]}
    pl.DataFrame(good | {column: values}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match=message):
        read_trace(tmp_path / "t.parquet", GRID)


def test_whole_floats_in_parquet_are_whole_numbers(tmp_path: Path) -> None:
    columns = {"slot": [0.0, 1.0], "ingress": ["a", "b"], "task": ["x", "y"]}
    pl.DataFrame(columns).write_parquet(tmp_path / "t.parquet")
    assert all_of(read_trace(tmp_path / "t.parquet", GRID)) == [[1, 0, 0, 0], [0, 0, 0, 1]]


def test_files_that_cannot_be_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere.csv: there is no such file"):
        read_trace(tmp_path / "nowhere.csv", GRID)
    with pytest.raises(InputError, match=r"t.json: a trace is a .csv, .csv.gz or .parquet file"):
        read_trace(write(tmp_path, "{}", "t.json"), GRID)
    with pytest.raises(InputError, match=r"t.parquet: cannot be read: "):
        read_trace(write(tmp_path, "no parquet", "t.parquet"), GRID)
    with pytest.raises(InputError, match=r"t.txt: a trace is written as .csv or .parquet"):
        write_trace(tmp_path / "t.txt", Poisson(GRID, 1.0), 3)
    with pytest.raises(InputError, match=r"cannot be written: "):
        write_trace(tmp_path / "no" / "where" / "t.csv", Poisson(GRID, 1.0), 3)
    with pytest.raises(InputError, match="the workload 'evader' depends on the placement"):
        write_trace(tmp_path / "t.csv", Evader(GRID, 1.0), 3)
    with pytest.raises(InputError, match="field 'slot_s'"):
        read_trace(write(tmp_path, HEAD), GRID, slot_s=0)


@settings(deadline=None, max_examples=150)
@given(text=st.text(alphabet="0123456789.,-abxy\n\"' \té", max_size=60), headed=st.booleans())
def test_no_file_makes_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str, headed: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_text(("slot,ingress,task,count\n" if headed else "") + text)
    try:
        trace = read_trace(path, GRID)
    except PlacidError:
        return
    assert sum(sum(row) for row in all_of(trace)) == int(trace.entry_count.sum())


@pytest.mark.parametrize(
    ("ptr", "types", "counts", "message"),
    [
        ([0], [], [], "at least one slot"),
        ([0, 1], [0, 1], [1, 1], "must rise from 0 to the number of entries"),
        ([0, 2, 1, 2], [0, 1], [1, 1], "must rise from 0"),
        ([0, 1], [4], [1], "must lie in 0 to 3"),
        ([0, 2], [1, 1], [1, 1], "a type occurs twice in a slot"),
        ([0, 1], [1], [-1], "a count is negative"),
        ([0, 1], [0.5], [1], "must be flat integer arrays"),
    ],
)
def test_arrays_that_do_not_fit_are_told(
    ptr: list[int], types: list[int], counts: list[int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Trace(GRID, np.array(ptr), np.array(types), np.array(counts))
