from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from placid.catalog import Task, read_profiles, write_profiles, yolov4
from placid.errors import InputError

GOOD = """model,processor,batch,p50,p90,mean,accuracy,size
tiny,cpu,1,9 ms,12 ms,10 ms,40.2,23 MB
tiny,gpu,1,1 ms,2 ms,1.5 ms,40.2,23 MB
tiny,gpu,8,4 ms,5 ms,4 ms,40.2,23 MB
large,gpu,1,20 ms,30 ms,21 ms,65.7,245 MB
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "profiles.csv"
    path.write_text(text)
    return path


def test_reads_what_people_keep(tmp_path: Path) -> None:
    catalog = read_profiles(write(tmp_path, GOOD))
    tiny, large = catalog.models
    assert (tiny.name, tiny.size_bytes, tiny.quality) == ("tiny", 23_000_000, pytest.approx(0.402))
    assert tiny.profiles["gpu"].latency_s == pytest.approx(0.0015)
    assert tiny.profiles["cpu"].capacity_per_s == pytest.approx(100)
    assert large.profiles.keys() == {"gpu"}
    assert [t.name for t in catalog.tasks] == ["task"]


def test_a_batch_and_a_percentile_can_be_chosen(tmp_path: Path) -> None:
    text = GOOD.replace("large,gpu,1", "large,gpu,8")
    tiny = read_profiles(write(tmp_path, text), latency="p90", batch=8).models[0]
    assert tiny.profiles.keys() == {"gpu"}
    assert tiny.profiles["gpu"].latency_s == pytest.approx(0.005)
    assert tiny.profiles["gpu"].capacity_per_s == pytest.approx(1600)


def test_other_names_and_plain_numbers(tmp_path: Path) -> None:
    text = "net,device,latency_ms,top1,mb,joules\na,pi,120,0.71,14,0.4\n"
    names = {
        "net": "model",
        "device": "processor",
        "latency_ms": "mean",
        "top1": "accuracy",
        "mb": "size",
        "joules": "energy",
    }
    model = read_profiles(write(tmp_path, text), columns=names, time_unit="ms", size_unit="MiB").models[0]
    assert model.size_bytes == 14 * 2**20
    assert model.quality == 0.71
    assert model.profiles["pi"].latency_s == pytest.approx(0.12)
    assert model.profiles["pi"].energy_j == 0.4


def test_tasks_of_the_table_or_many_by_count(tmp_path: Path) -> None:
    text = "model,processor,mean,accuracy,size,task\na,cpu,1,0.5,9,cats\nb,cpu,1,0.5,9,dogs\n"
    assert [t.name for t in read_profiles(write(tmp_path, text)).tasks] == ["cats", "dogs"]
    many = read_profiles(write(tmp_path, GOOD), tasks=3, replicas=2)
    assert (len(many.tasks), len(many.models)) == (3, 12)
    with pytest.raises(InputError, match="has tasks of its own"):
        read_profiles(write(tmp_path, text), tasks=3)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_round_trip(tmp_path: Path, ending: str) -> None:
    catalog = yolov4(2, 2)
    write_profiles(catalog, tmp_path / f"out.{ending}")
    again = read_profiles(tmp_path / f"out.{ending}")
    for old, new in zip(catalog.models, again.models, strict=True):
        assert (old.name, old.task, old.size_bytes, old.variant) == (
            new.name,
            new.task,
            new.size_bytes,
            new.variant,
        )
        assert old.quality == pytest.approx(new.quality)
        for processor, profile in old.profiles.items():
            assert new.profiles[processor].latency_s == pytest.approx(profile.latency_s)
            assert new.profiles[processor].source == profile.source


def test_parquet_with_numbers(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"model": ["a"], "processor": ["x"], "mean": [0.5], "accuracy": [0.9], "size": [100]}
    )
    frame.write_parquet(tmp_path / "p.parquet")
    assert read_profiles(tmp_path / "p.parquet").models[0].size_bytes == 100


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("model,processor", "net,processor", "has no column 'model'; its columns are net"),
        ("processor,batch", "device,batch", "has no column 'processor'"),
        (",mean,", ",average,", "has no column 'mean'"),
        (",accuracy,", ",acc,", "has no column 'accuracy'"),
        (",size", ",bytes", "has no column 'size'"),
        ("10 ms", "ten", "line 2, column 'mean': 'ten' is not a time"),
        ("10 ms", "10 MB", "line 2, column 'mean'"),
        ("10 ms", "", "line 2, column 'mean': is empty"),
        ("10 ms", "0", "line 2, column 'mean': must be above 0"),
        ("10 ms", "-3", "line 2, column 'mean': expected a finite number of at least 0"),
        ("10 ms", "nan", "line 2, column 'mean': expected a finite"),
        ("10 ms,40.2", "10 ms,good", "line 2, column 'accuracy': 'good' is not a share"),
        ("21 ms,65.7", "21 ms,650", "line 5, column 'accuracy': exceeds 100 percent"),
        ("65.7,245 MB", "65.7,245 ms", "line 5, column 'size'"),
        ("65.7,245 MB", "65.7,", "line 5, column 'size': is empty"),
        ("cpu,1,9", "cpu,one,9", "line 2, column 'batch': expected a number"),
        ("cpu,1,9", "cpu,1.5,9", "line 2, column 'batch': expected a whole number"),
        ("cpu,1,9", "cpu,0,9", "line 2, column 'batch': must be above 0"),
        ("40.2,23 MB", "-40,23 MB", "line 2, column 'accuracy': expected a finite number of at least 0"),
        ("65.7,245 MB", "110 %,245 MB", "line 5, column 'accuracy': exceeds 100 percent"),
        ("65.7,245 MB", "65.7,0", "line 5, column 'size': must be above 0"),
        ("65.7,245 MB", "65.7,245 mb", "line 5, column 'size': .*did you mean 'MB'"),
        ("p50,p90", "p90,p90", "has two columns 'p90'"),
        ("tiny,cpu", "   ,cpu", "line 2, column 'model': is empty"),
        ("tiny,cpu", ",cpu", "line 2, column 'model': is empty"),
        ("tiny,cpu", "tiny,", "line 2, column 'processor': is empty"),
        ("tiny,gpu,8", "tiny,gpu,1", "'tiny' on 'gpu' with batch 1 stands in two rows"),
        ("1.5 ms,40.2", "1.5 ms,41", "a model has one accuracy"),
        ("1.5 ms,40.2,23 MB", "1.5 ms,40.2,24 MB", "a model has one size"),
    ],
)
def test_mistakes_are_told_with_row_and_column(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(InputError, match=told) as caught:
        read_profiles(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"latency": "p99"}, "did you mean 'p90'"),
        ({"time_unit": "sec"}, "unknown unit of time 'sec'"),
        ({"size_unit": "MBs"}, "did you mean 'MB'"),
        ({"columns": {"meen": "mean"}}, "unknown column 'meen'; did you mean 'mean'"),
        ({"columns": {"p50": "median"}}, "unknown column name 'median'"),
        ({"columns": {"p50": "mean"}}, "has a column 'mean' already"),
        ({"columns": {"p50": "energy", "p90": "energy"}}, "makes 'energy' of both 'p50' and 'p90'"),
        ({"batch": 8}, "'large' has no row with batch 8"),
        ({"replicas": 0}, "'replicas' must be at least 1"),
    ],
)
def test_wrong_settings_are_told(tmp_path: Path, settings: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_profiles(write(tmp_path, GOOD), **settings)  # type: ignore[arg-type]


def test_blank_lines_do_not_count_but_lines_do(tmp_path: Path) -> None:
    lines = GOOD.splitlines()
    spaced = "\n".join([*lines[:4], "", ",,,,,,,", lines[4], "", ""])
    assert read_profiles(write(tmp_path, spaced)).models == read_profiles(write(tmp_path, GOOD)).models
    with pytest.raises(InputError, match="line 7, column 'mean'"):
        read_profiles(write(tmp_path, spaced.replace("21 ms", "21 mm")))


def test_percent_signs_and_fractions_mean_the_same(tmp_path: Path) -> None:
    signs = GOOD.replace(",40.2,", ",40.2 %,").replace(",65.7,", ",0.657,")
    found = [m.quality for m in read_profiles(write(tmp_path, signs)).models]
    assert found == pytest.approx([m.quality for m in read_profiles(write(tmp_path, GOOD)).models])


def test_throughput_and_energy_columns_win_over_what_is_derived(tmp_path: Path) -> None:
    text = "model,processor,batch,mean,accuracy,size,throughput,energy,source\na,x,4,0.1,0.5,9,35,3 mJ,measured here\n"
    profile = read_profiles(write(tmp_path, text)).models[0].profiles["x"]
    assert (profile.latency_s, profile.capacity_per_s, profile.source) == (0.1, 35, "measured here")
    assert profile.energy_j == pytest.approx(0.003)


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ("0,1 mJ", "column 'throughput': must be above 0"),
        ("many,1 mJ", "column 'throughput': expected a number, got 'many'"),
        ("3,-1", "column 'energy': expected a finite number of at least 0"),
        ("3,1 W", "column 'energy': 'W' is not a unit of energy"),
    ],
)
def test_mistakes_in_columns_that_may_be_left_out(tmp_path: Path, cells: str, told: str) -> None:
    text = f"model,processor,mean,accuracy,size,throughput,energy\na,x,0.1,0.5,9,{cells}\n"
    with pytest.raises(InputError, match=f"line 2, {told}"):
        read_profiles(write(tmp_path, text))


def test_rows_of_parquet_are_counted_from_one(tmp_path: Path) -> None:
    cells = {
        "model": ["a", "b"],
        "processor": ["x", "x"],
        "mean": [0.5, -1.0],
        "accuracy": [0.9, 0.9],
        "size": [1, 1],
    }
    pl.DataFrame(cells).write_parquet(tmp_path / "p.parquet")
    with pytest.raises(InputError, match="row 2, column 'mean'"):
        read_profiles(tmp_path / "p.parquet")


def test_a_table_may_be_compressed(tmp_path: Path) -> None:
    (tmp_path / "p.csv.gz").write_bytes(gzip.compress(GOOD.encode()))
    packed, plain = read_profiles(tmp_path / "p.csv.gz"), read_profiles(write(tmp_path, GOOD))
    for a, b in zip(packed.models, plain.models, strict=True):
        assert (a.name, a.size_bytes, a.quality) == (b.name, b.size_bytes, b.quality)
        assert a.profiles["gpu"].latency_s == b.profiles["gpu"].latency_s


def test_what_a_table_cannot_hold_is_not_written(tmp_path: Path) -> None:
    catalog = read_profiles(write(tmp_path, GOOD))
    with pytest.raises(InputError, match="no model solves the task 'idle'"):
        write_profiles(replace(catalog, tasks=(*catalog.tasks, Task("idle"))), tmp_path / "out.csv")
    with pytest.raises(InputError, match="cannot be written"):
        write_profiles(catalog, tmp_path / "nowhere" / "out.csv")


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_profiles(tmp_path / "none.csv")
    with pytest.raises(InputError, match="unknown table format"):
        read_profiles(tmp_path / "none.xlsx")
    with pytest.raises(InputError, match="has a header but no rows"):
        read_profiles(write(tmp_path, GOOD.splitlines()[0] + "\n"))
    (tmp_path / "fake.parquet").write_text("no")
    with pytest.raises(InputError, match="cannot be read"):
        read_profiles(tmp_path / "fake.parquet")
    with pytest.raises(InputError, match="unknown table format"):
        write_profiles(yolov4(1, 1), tmp_path / "out.xlsx")


@given(st.text(max_size=200))
def test_any_text_is_an_input_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text(text)
    with pytest.raises(InputError):
        read_profiles(path)
