"""Tables against numbers worked out by hand, and what they do when something is not known."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from placid.errors import RunError
from placid.reports import compare, comparison_table, per_seed, read_run, summary, summary_table
from placid.reports.intervals import mean_interval, over_seeds
from placid.reports.wording import column_decimals, count, percent, quantity, with_interval
from placid.testing.run_folder import make_run_folder

NAN = math.nan


def slot(policy: str, kind: str, seed: int, number: int, gain: float, **other: Any) -> dict[str, Any]:
    """A row of 10 requests, all served, half of them at the edge."""
    return {
        "trace": "", "policy": policy, "kind": kind, "seed": seed, "slot": number, "requests": 10.0, "served": 10.0,
        "unserved": 0.0, "gain": gain, "gain_partitioned": 0.5 * gain, "relaxed_gain": NAN, "latency_s": 2.0, "error": 3.0,
        "energy_j": 40.0, "traffic_byte_hops": 0.0, "repository_served": 5.0, "served_edge": 5.0, "served_cloud": 5.0,
        "bytes_loaded": 100.0, "models_loaded": 1, "bytes_placed": 800.0, "messages": 6, "message_bytes": 48,
        "regret_bound": NAN, "ceiling": 5.0,
    } | other  # fmt: skip


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Two seeds, two slots, one policy that learns and one placement from hindsight."""
    rows = [
        slot("learner", "online", 0, 0, 1.0, regret_bound=4.0, bytes_loaded=300.0),
        slot("learner", "online", 0, 1, 3.0, regret_bound=7.0),
        slot("learner", "online", 1, 0, 2.0, regret_bound=4.0),
        slot("learner", "online", 1, 1, 4.0, regret_bound=7.0),
        slot("hindsight-greedy", "hindsight", 0, 0, 4.0),
        slot("hindsight-greedy", "hindsight", 0, 1, 4.0),
        slot("hindsight-greedy", "hindsight", 1, 0, 3.0),
        slot("hindsight-greedy", "hindsight", 1, 1, 4.0),
    ]
    bounds = [
        {
            "trace": "",
            "seed": s,
            "method": m,
            "value": v,
            "bound": b,
            "status": "optimal",
            "gap": None,
            "time_s": 0.1,
        }
        for s, m, v, b in (
            (0, "lp", None, 8.0),
            (0, "greedy", 8.0, 8.0),
            (1, "lp", None, 8.0),
            (1, "greedy", 7.0, 8.0),
        )
    ]
    return write(tmp_path / "tiny", rows, bounds)


def write(path: Path, rows: list[dict[str, Any]], bounds: list[dict[str, Any]]) -> Path:
    path.mkdir()
    pl.DataFrame(rows).write_parquet(path / "rows.parquet")
    if bounds:
        pl.DataFrame(bounds, schema_overrides={"value": pl.Float64}).write_parquet(path / "bounds.parquet")
    (path / "meta.json").write_text(
        json.dumps(
            {"name": "tiny", "policies": ["learner"], "tiers": ["edge", "cloud"], "objective": {"error": 0.5}}
        )
    )
    return path


def test_numbers_of_one_seed_by_hand(tiny: Path) -> None:
    first = per_seed(tiny).filter(policy="learner", seed=0).row(0, named=True)
    assert first["gain"] == pytest.approx(4 / 20)
    assert first["share_of_bound"] == pytest.approx(4 / 8)
    assert first["share_of_ceiling"] == pytest.approx(4 / 10)
    assert first["regret"] == pytest.approx((8 - 4) / 20)
    # gains with types kept to their own part are half of the others
    assert first["regret_discounted"] == pytest.approx(((1 - 1 / math.e) * 4 - 2) / 20)
    assert first["regret_bound"] == pytest.approx((1 - 1 / math.e) * 7 / 20)
    assert first["latency_s"] == pytest.approx(4 / 20)
    assert first["error"] == pytest.approx(6 / 20)
    assert first["energy_j"] == pytest.approx(4)
    assert first["bytes_loaded"] == pytest.approx(200)
    assert first["messages"] == 6
    assert first["share_edge"] == first["share_cloud"] == pytest.approx(0.5)
    assert first["unserved_share"] == 0


def test_means_and_intervals_by_hand(tiny: Path) -> None:
    row = summary(tiny).filter(policy="learner").row(0, named=True)
    # gains 0.2 and 0.3: mean 0.25, standard error 0.05, t(1) = 12.706
    assert row["n"] == 2
    assert row["gain"] == pytest.approx(0.25)
    assert row["gain_low"] == pytest.approx(0.25 - 12.7062 * 0.05, rel=1e-4)
    assert row["gain_high"] == pytest.approx(0.25 + 12.7062 * 0.05, rel=1e-4)
    assert row["messages_low"] == row["messages_high"] == 6
    still = summary(tiny).filter(policy="hindsight-greedy").row(0, named=True)
    assert still["regret"] == 0
    assert still["regret_bound"] is None


def test_interval_of_known_values() -> None:
    mean, low, high = mean_interval([1.0, 2.0, 3.0, 4.0])
    assert (mean, high - mean, mean - low) == pytest.approx((2.5, 2.0542, 2.0542), rel=1e-4)
    assert mean_interval([5.0])[0] == 5.0
    assert math.isnan(mean_interval([5.0])[1])


def test_nulls_are_left_out_of_intervals() -> None:
    frame = pl.DataFrame({"g": ["a", "a", "a", "b"], "v": [1.0, None, 3.0, 7.0]})
    a, b = over_seeds(frame, ["g"], ["v"]).to_dicts()
    assert a["n"] == 3
    assert a["v_high"] - a["v"] == pytest.approx(12.7062, rel=1e-4)
    assert (b["v"], b["v_low"], b["v_high"]) == (7.0, None, None)


def test_one_seed_has_no_interval(tmp_path: Path) -> None:
    table = summary(make_run_folder(tmp_path / "run", seeds=[4], slots=20))
    assert table["n"].to_list() == [1] * len(table)
    assert table["gain"].null_count() == 0
    assert table["gain_low"].null_count() == table["gain_high"].null_count() == len(table)
    assert "no intervals" in str(summary_table(tmp_path / "run"))


def test_without_bounds_nothing_is_claimed(tmp_path: Path) -> None:
    table = summary(make_run_folder(tmp_path / "run", slots=20, bounds=False, hindsight=0))
    for column in ("share_of_bound", "share_of_ceiling", "regret", "regret_discounted", "best_static"):
        assert table[column].null_count() == len(table), column
    assert table["gain"].null_count() == 0


def test_a_missing_bounds_file_is_no_bound(tiny: Path) -> None:
    (tiny / "bounds.parquet").unlink()
    row = summary(tiny).filter(policy="learner").row(0, named=True)
    assert row["share_of_bound"] is None
    assert row["regret"] == pytest.approx(0.125)  # the hindsight placement was played all the same


def test_a_ceiling_with_a_gap_is_no_ceiling(tmp_path: Path) -> None:
    rows = [slot("learner", "online", 0, 0, 1.0), slot("learner", "online", 0, 1, 1.0, ceiling=NAN)]
    assert summary(write(tmp_path / "gap", rows, []))["share_of_ceiling"].to_list() == [None]


def test_no_requests_is_no_division(tmp_path: Path) -> None:
    rows = [slot("learner", "online", 0, 0, 0.0, requests=0.0, served=0.0, served_edge=0.0, served_cloud=0.0)]
    table = summary(write(tmp_path / "idle", rows, []))
    assert table["gain"].to_list() == [None]
    assert table["latency_s"].to_list() == [None]


def test_every_adversary_has_its_own_yardstick(tmp_path: Path) -> None:
    run = read_run(
        make_run_folder(tmp_path / "run", slots=20, adaptive=True, online=2, static=1, hindsight=1)
    )
    assert run.adaptive
    table = per_seed(run)
    for trace in ("infida-adaptive", "infida", "all-in-cloud"):
        own = table.filter(trace=trace, seed=0)
        assert sorted(own["policy"].to_list()) == sorted([trace, "hindsight-greedy"])
        best = run.rows.filter(trace=trace, seed=0, kind="hindsight")["gain"].sum()
        gain = run.rows.filter(trace=trace, seed=0, policy=trace)["gain"].sum()
        requests = run.rows.filter(trace=trace, seed=0, policy=trace)["requests"].sum()
        assert own.filter(policy=trace)["regret"].item() == pytest.approx((best - gain) / requests)
    assert "against" in str(summary_table(run))


def test_comparing_runs(tiny: Path, tmp_path: Path) -> None:
    other = make_run_folder(tmp_path / "other", name="other", slots=20, online=1)
    table = compare([tiny, other])
    assert table["run"].unique(maintain_order=True).to_list() == ["tiny", "other"]
    assert table.filter(run="tiny")["weight_error"].unique().to_list() == [0.5]
    assert table.filter(run="tiny")["share_base station"].null_count() == 2
    assert table.filter(run="tiny").drop("run")["gain"].to_list() == summary(tiny)["gain"].to_list()
    shown = str(comparison_table([tiny, other]))
    assert "learner" in shown
    assert "infida-adaptive" in shown


def test_runs_of_one_name_are_told_apart_by_folder(tmp_path: Path) -> None:
    a, b = (make_run_folder(tmp_path / n, slots=10, online=1) for n in ("a", "b"))
    assert compare([a, b])["run"].unique(maintain_order=True).to_list() == [str(a), str(b)]


def test_tables_for_the_terminal_say_everything_in_100_columns(tmp_path: Path) -> None:
    shown = str(summary_table(make_run_folder(tmp_path / "run", slots=30, name="[red]odd[/] name")))
    assert "…" not in shown
    assert "[red]odd[/] name" in shown  # a name is never markup
    assert max(map(len, (line.rstrip() for line in shown.splitlines()))) <= 100


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_narrow_terminal_loses_columns_but_never_the_names(tmp_path: Path, width: int) -> None:
    from io import StringIO

    from rich.console import Console

    text = StringIO()
    Console(file=text, width=width).print(summary_table(make_run_folder(tmp_path / "run", slots=20)))
    shown = text.getvalue()
    assert "infida-optimistic" in shown
    assert "…" not in shown
    assert ("more column" in shown.replace("\n", " ")) == (width < 100)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("meta.json", None, "holds no run: there is no meta.json"),
        ("meta.json", "{", "meta.json is damaged"),
        ("rows.parquet", None, "has not finished"),
        ("rows.parquet", "not parquet", "rows.parquet is damaged"),
    ],
)
def test_what_is_no_run_is_said_to_be_none(tiny: Path, file: str, content: str | None, message: str) -> None:
    if content is None:
        (tiny / file).unlink()
    else:
        (tiny / file).write_text(content)
    with pytest.raises(RunError, match=message):
        summary(tiny)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (with_interval(29.302, 29.212, 29.392), "29.30 ± 0.09"),
        (with_interval(21.37, 21.26, 21.48), "21.37 ± 0.11"),
        (with_interval(36.1171, 36.1151, 36.1191), "36.12 ± <0.01"),
        (with_interval(7.0, 7.0, 7.0), "7.00 ± 0.00"),
        (with_interval(1234.5, 1200.0, 1269.0), "1234 ± 34"),
        (with_interval(-1e-18, -1e-18, -1e-18), "0.00 ± 0.00"),
        (with_interval(0.5, None, None, decimals=1), "0.5"),
        (percent(0.96071), "96.1 %"),
        (percent(1.0), "100 %"),
        (quantity(0.0452, "time"), "45.2 ms"),
        (quantity(0.0, "size"), "0 B"),
        (quantity(None, "size"), "–"),
        (count(1, "seed"), "1 seed"),
        (count(1200, "slot"), "1,200 slots"),
    ],
)
def test_numbers_as_people_read_them(said: str, expected: str) -> None:
    assert said == expected


def test_a_column_has_one_number_of_digits() -> None:
    assert column_decimals([29.3, 0.4], [0.09, 0.13]) == 2
    assert column_decimals([29.3, 0.4], [None, None]) == 1
    assert column_decimals([], []) >= 0
