"""A sweep's rows are those of runs; interrupted, extended, killed, on one process or two, they stay the same to the byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from placid.errors import InputError, RunError
from placid.experiments.run import run
from placid.experiments.scenario import build, load_scenario
from placid.experiments.sweep.engines import ENGINES, engine_named
from placid.experiments.sweep.local_engine import LocalEngine
from placid.experiments.sweep.study import load_study
from placid.experiments.sweep.sweep import Outset, sweep
from placid.experiments.sweep.tables import grid_table, summary_of
from placid.reports import per_seed
from placid.reports.intervals import mean_interval

PLACID = Path(sys.executable).parent / "placid"

BASE = """\
slots: 6
network:
  tiered: {base_stations: 2, memory: {base-station: 300 MB, central-office: 600 MB}, processor: rtx2070}
catalog: {family: yolov4, tasks: 2, replicas: 1, processors: [rtx2070]}
workload: {process: poisson, rate: 60 /s}
objective: {latency: 1, error: 0.2}
policies: [lru, infida-adaptive]
hindsight: {solvers: [greedy], windows: 2}
"""
STUDY = """\
name: small
base: base.yaml
seeds: 2
axes:
  - {name: rate, field: workload.rate, values: [30, 90]}
  - {name: slots, field: slots, values: {short: 4, long: 6}}
"""


def write(folder: Path, study: str = STUDY, base: str = BASE) -> Path:
    (folder / "base.yaml").write_text(base)
    (folder / "study.yaml").write_text(study)
    return folder / "study.yaml"


def swept(study: Path, out: Path, workers: int = 1) -> tuple[bytes, bytes, Outset]:
    """The two tables, and what there was to do."""
    heard: list[Outset] = []
    folder = sweep(study, out, engine=LocalEngine(workers), begin=heard.append)
    return (folder / "rows.parquet").read_bytes(), (folder / "summary.csv").read_bytes(), heard[0]


def test_rows_are_those_of_runs(tmp_path: Path) -> None:
    study = write(tmp_path)
    folder = sweep(study, tmp_path / "out", engine=LocalEngine())
    rows = pl.read_parquet(folder / "rows.parquet")
    assert rows.height == 4 * 3 * 2
    assert rows.columns[:6] == ["rate", "slots", "trace", "policy", "kind", "seed"]
    assert rows.select("rate", "slots").unique(maintain_order=True).rows() == [
        (30, "short"), (30, "long"), (90, "short"), (90, "long")
    ]  # fmt: skip
    # 90 requests a second for 6 slots, run the ordinary way
    (tmp_path / "one.yaml").write_text(BASE.replace("60 /s", "90") + "seeds: 2\n")
    alone = per_seed(run(tmp_path / "one.yaml", tmp_path / "one", report=False))
    cell = rows.filter(pl.col("rate") == 90, pl.col("slots") == "long").drop("rate", "slots")
    # sums of two seeds at once and of one may differ in the last digit
    assert_frame_equal(cell, alone.select(cell.columns), rel_tol=1e-12)


def test_the_summary_has_means_and_intervals_over_seeds(tmp_path: Path) -> None:
    study = write(tmp_path, STUDY + "figures: [gain, latency_s, share_base-station]\n")
    folder = sweep(study, tmp_path / "out", engine=LocalEngine())
    rows, summary = pl.read_parquet(folder / "rows.parquet"), pl.read_csv(folder / "summary.csv")
    assert rows.columns[6:] == ["gain", "latency_s", "share_base-station"]
    assert summary.height == 4 * 3
    one = (pl.col("rate") == 90) & (pl.col("slots") == "short") & (pl.col("policy") == "lru")
    told = summary.filter(one).row(0, named=True)
    expected = mean_interval(rows.filter(one)["gain"].to_list())
    assert (told["gain"], told["gain_low"], told["gain_high"]) == pytest.approx(expected)
    assert told["n"] == 2
    shown = str(grid_table(load_study(study), summary_of(load_study(study), rows), "latency_s"))
    assert "small: latency_s, ms" in shown
    assert "4 cells; mean ± 95 % interval over 2 seeds" in shown
    assert sum(line.split()[0] in ("30", "90") for line in shown.splitlines() if line.split()) == 4
    with pytest.raises(InputError, match="unknown figure 'latency'; did you mean 'latency_s'"):
        grid_table(load_study(study), summary_of(load_study(study), rows), "latency")


@pytest.mark.parametrize("stop_at", [1, 9, 40])
def test_interrupted_it_goes_on_to_the_same_tables(tmp_path: Path, stop_at: int) -> None:
    study = write(tmp_path)
    whole = swept(study, tmp_path / "whole")
    assert whole[2].kept == 0

    heard = 0

    def stop(title: str, step: int, steps: int) -> None:
        nonlocal heard
        heard += title != "checking the cells"
        if heard == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(study, tmp_path / "parts", engine=LocalEngine(), tell=stop)
    assert not (tmp_path / "parts" / "rows.parquet").exists()
    done = len(list((tmp_path / "parts" / "cells").glob("*")))
    again = swept(study, tmp_path / "parts")
    assert again[2].kept == done
    assert again[:2] == whole[:2]
    assert not (tmp_path / "parts" / "parts").exists()


def test_processes_change_nothing_and_what_is_there_is_not_played_again(tmp_path: Path) -> None:
    study = write(tmp_path)
    one, two = swept(study, tmp_path / "one"), swept(study, tmp_path / "two", workers=2)
    assert one[:2] == two[:2]
    again = swept(study, tmp_path / "two")
    assert again[2] == Outset(plays=8, kept=8, steps=0, other_code=False)
    assert again[:2] == one[:2]
    # one more value: only its cells are played
    more = write(tmp_path, STUDY.replace("[30, 90]", "[30, 50, 90]"))
    assert swept(more, tmp_path / "two")[2].kept == 8
    # fewer figures: nothing is
    fewer = write(tmp_path, STUDY + "figures: [gain]\n")
    assert swept(fewer, tmp_path / "two")[2].steps == 0


def test_a_file_that_a_scenario_names_is_part_of_what_its_rows_hang_on(tmp_path: Path) -> None:
    requests = build(load_scenario(BASE)).requests
    named = {"node": requests.nodes[0], "task": requests.tasks[0]}
    trace = "slot,ingress,task,count\n0,{node},{task},5\n1,{node},{task},{n}\n"
    base = BASE.replace("{process: poisson, rate: 60 /s}", "{process: trace, file: asked.csv}").replace(
        "slots: 6", "slots: 2"
    )
    study = write(tmp_path, "base: base.yaml\n", base)
    (tmp_path / "asked.csv").write_text(trace.format(n=7, **named))
    first = swept(study, tmp_path / "out")
    assert swept(study, tmp_path / "out")[2].kept == 1
    (tmp_path / "asked.csv").write_text(trace.format(n=50_000, **named))
    second = swept(study, tmp_path / "out")
    assert second[2].kept == 0
    assert second[0] != first[0]


def test_rows_of_other_code_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import placid.experiments.sweep.digest as digest
    import placid.experiments.sweep.sweep as room

    study = write(tmp_path)
    swept(study, tmp_path / "out")
    for module in (digest, room):
        monkeypatch.setattr(module, "code_digest", lambda: "another")
    assert swept(study, tmp_path / "out")[2] == Outset(plays=8, kept=0, steps=8 * 5 * 4, other_code=True)


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    study = write(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(RunError, match="holds no sweep"):
        sweep(study, tmp_path / "mine", fresh=True)
    assert [f.name for f in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    with pytest.raises(RunError, match="is a file"):
        sweep(study, tmp_path / "mine" / "thesis.txt")


def test_nothing_runs_before_all_is_right(tmp_path: Path) -> None:
    study = write(tmp_path, STUDY.replace("long: 6", "long: -6"))
    with pytest.raises(
        InputError, match=r"study.yaml:6: axes\[1\].values.long: slots: .*rate = 30, slots = long"
    ):
        sweep(study, tmp_path / "out")
    write(tmp_path, STUDY + "figures: [gain, share_moon]\n")
    with pytest.raises(
        InputError, match=r"study.yaml:7: figures\[1\]: unknown figure 'share_moon'.*share_cloud"
    ):
        sweep(study, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_cell_that_cannot_be_played_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "greedy_policy.py").write_text(
        "from dataclasses import dataclass\nfrom typing import ClassVar\nimport numpy as np\n"
        "from placid.placement.base import Policy, State\n\n"
        "@dataclass(frozen=True)\nclass All(Policy):\n    name: ClassVar[str] = 'all'\n"
        "    def start(self, problem, rng): return State()\n"
        "    def place(self, state, problem, slot, rng): return state, np.ones(problem.item_count, bool)\n"
        "    def learn(self, state, problem, feedback, rng): return state\n"
    )
    monkeypatch.chdir(tmp_path)
    study = write(tmp_path, STUDY + "policies: [lru, greedy_policy:All]\n")
    with pytest.raises(
        RunError, match="the cell rate = 30, slots = short; seed 0: policy 'all' in slot 0 exceeds"
    ):
        sweep(study, tmp_path / "out", engine=LocalEngine())


def test_adversaries_make_a_trace_for_each_policy(tmp_path: Path) -> None:
    base = BASE.replace("process: poisson", "process: evader")
    study = write(tmp_path, "base: base.yaml\naxes:\n- {field: workload.rate, values: [30, 60]}\n", base)
    folder = sweep(study, tmp_path / "out", engine=LocalEngine())
    rows = pl.read_parquet(folder / "rows.parquet")
    assert set(rows["trace"]) == {"lru", "infida-adaptive"}
    assert rows.height == 2 * (2 + 2)
    shown = str(grid_table(load_study(study), summary_of(load_study(study), rows)))
    assert "one seed: no intervals" in shown
    assert "against lru" in shown


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_stopped_from_outside_it_goes_on_and_leaves_no_process(tmp_path: Path, how: signal.Signals) -> None:
    study = write(tmp_path, STUDY.replace("long: 6", "long: 80").replace("short: 4", "short: 60"))
    command = [PLACID, "sweep", study.name, "--out", "out", "-j", "2"]
    begun = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 120
    while not list(tmp_path.glob("out/cells/*")) and begun.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    if how == signal.SIGINT:
        os.killpg(begun.pid, how)
    else:
        os.kill(begun.pid, how)  # the command alone: its workers have to notice by themselves
    said = begun.communicate(timeout=60)[0]  # ends when the last worker has closed its output
    assert "Traceback" not in said
    if how == signal.SIGINT and begun.returncode:  # it may have been quicker than we were
        assert begun.returncode == 130, said
        assert "goes on from there" in " ".join(said.split())
    for half in tmp_path.glob("out/cells/*.parquet"):
        assert pl.read_parquet(half).height == 3
    again = swept(study, tmp_path / "out")
    assert again[:2] == swept(study, tmp_path / "whole")[:2]


def test_engines_by_name() -> None:
    assert set(ENGINES) == {"local", "ray"}
    assert engine_named("local", 3) == LocalEngine(3)
    with pytest.raises(InputError, match="unknown engine 'rai'; did you mean 'ray'"):
        engine_named("rai")
    with pytest.raises(InputError, match="--address: the local engine joins no cluster"):
        engine_named("local", address="auto")
