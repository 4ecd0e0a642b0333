"""The command line as a person meets it: every command once, and what is said when something is wrong."""

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
from typer.testing import CliRunner

from placid.cli.app import app
from placid.version import __version__

PLACID = Path(sys.executable).parent / "placid"

SMALL = """
name: small
slots: 12
seeds: 2
network:
  tiered: {base_stations: 2, memory: {base-station: 300 MB, central-office: 600 MB}, processor: rtx2070}
catalog: {family: yolov4, tasks: 3, replicas: 1, processors: [rtx2070]}
workload: {process: poisson, rate: 60 /s}
objective: {latency: 1, error: 0.2}
policies: [infida-adaptive, lru]
hindsight: {solvers: [greedy], windows: 2}
"""

MINE = '''
"""A policy of a person's own: never anything anywhere."""
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from placid.placement.base import Policy, State

@dataclass(frozen=True)
class Lazy(Policy):
    name: ClassVar[str] = "lazy"
    def start(self, problem, rng): return State()
    def place(self, state, problem, slot, rng): return state, np.zeros(problem.item_count, bool)
    def learn(self, state, problem, feedback, rng): return state

@dataclass(frozen=True)
class Greedy(Lazy):
    name: ClassVar[str] = "too-much"
    def place(self, state, problem, slot, rng): return state, np.ones(problem.item_count, bool)
'''


def placid(*arguments: str, cwd: Path, expect: int = 0) -> str:
    environment = os.environ | {"COLUMNS": "160", "NO_COLOR": "1"}
    done = subprocess.run(
        [PLACID, *arguments], cwd=cwd, capture_output=True, text=True, env=environment, timeout=300
    )
    text = done.stdout + done.stderr
    assert "Traceback" not in text, text
    assert done.returncode == expect, text
    return text


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a small scenario has been run."""
    folder = tmp_path_factory.mktemp("ran")
    (folder / "small.yaml").write_text(SMALL)
    (folder / "mine.py").write_text(MINE)
    out = placid("run", "small.yaml", "-p", "mine:Lazy", cwd=folder)
    assert "lazy" in out
    assert "The page: runs/small/report.html" in out
    return folder


def test_version_and_help(tmp_path: Path) -> None:
    assert placid("--version", cwd=tmp_path).strip() == f"placid {__version__}"
    for command in ("init", "check", "run", "compare", "report", "list"):
        assert command in CliRunner().invoke(app, ["--help"]).output
        assert "Usage" in CliRunner().invoke(app, [command, "--help"]).output


def test_init_writes_a_scenario_that_is_valid_and_runs(tmp_path: Path) -> None:
    placid("init", "mine.yaml", cwd=tmp_path)
    assert "The scenario is valid" in placid("check", "mine.yaml", cwd=tmp_path)
    assert "exists" in placid("init", "mine.yaml", cwd=tmp_path, expect=2)
    placid("init", "mine.yaml", "--force", cwd=tmp_path)


def test_a_run_leaves_its_folder(ran: Path) -> None:
    folder = ran / "runs" / "small"
    for name in (
        "scenario.yaml",
        "meta.json",
        "network.json",
        "rows.parquet",
        "bounds.parquet",
        "report.html",
    ):
        assert (folder / name).stat().st_size > 100
    rows = pl.read_parquet(folder / "rows.parquet")
    assert rows.height == 4 * 2 * 12
    assert set(rows["policy"]) == {"infida-adaptive", "lru", "lazy", "hindsight-greedy"}


def test_running_again_changes_nothing_and_can_add_a_policy(ran: Path) -> None:
    before = pl.read_parquet(ran / "runs/small/rows.parquet")
    placid("run", "small.yaml", "-p", "mine:Lazy", "-p", "smallest", "-j", "1", cwd=ran)
    after = pl.read_parquet(ran / "runs/small/rows.parquet")
    assert_frame_equal(after.filter(pl.col("policy") != "smallest"), before)
    assert after.height == before.height + 24


def test_report_and_compare_read_the_folder(ran: Path) -> None:
    out = placid("report", "runs/small", "--figures", "figures", cwd=ran)
    assert "report.html" in out
    assert list((ran / "figures").glob("*.svg"))
    assert "small" in placid("compare", "runs/small", "runs/small", cwd=ran)


def test_another_scenario_does_not_overwrite_a_run(ran: Path) -> None:
    (ran / "other.yaml").write_text(SMALL.replace("slots: 12", "slots: 13"))
    out = placid("run", "other.yaml", "--out", "runs/small", cwd=ran, expect=2)
    assert "--fresh" in out
    assert pl.read_parquet(ran / "runs/small/rows.parquet")["slot"].max() == 11


def test_a_policy_that_exceeds_a_budget_is_stopped_and_named(ran: Path) -> None:
    out = placid("run", "small.yaml", "--out", "runs/over", "-p", "mine:Greedy", cwd=ran, expect=2)
    assert "policy 'too-much' in slot 0 exceeds the memory of node" in out


@pytest.mark.parametrize("processes", ["1", "2"])
def test_interrupted_and_run_again_gives_the_same_rows(ran: Path, processes: str) -> None:
    name = f"runs/interrupted-{processes}"
    (ran / "long.yaml").write_text(SMALL.replace("slots: 12", "slots: 400").replace("seeds: 2", "seeds: 1"))
    command = [PLACID, "run", "long.yaml", "--out", name, "-j", processes]
    begun = subprocess.Popen(command, cwd=ran, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             start_new_session=True)  # fmt: skip
    until = time.monotonic() + 120
    while not list((ran / name).glob("parts/0/*.npz")) and begun.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(begun.pid, signal.SIGINT)
    said = begun.communicate(timeout=120)[0]
    assert "Traceback" not in said
    if begun.returncode != 0:  # it may have been quicker than we were
        assert begun.returncode == 130, said
        assert "goes on from there" in " ".join(said.split())
    placid("run", "long.yaml", "--out", name, "-j", processes, cwd=ran)
    placid("run", "long.yaml", "--out", "runs/whole", cwd=ran)
    assert_frame_equal(
        pl.read_parquet(ran / name / "rows.parquet"), pl.read_parquet(ran / "runs/whole/rows.parquet")
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("run", "none.yaml"), "none.yaml"),
        (("check", "none.yaml"), "none.yaml"),
        (("report", "nowhere"), "nowhere"),
        (("compare", "nowhere"), "nowhere"),
        (("list", "polices"), "did you mean 'policies'"),
        (("run", "small.yaml", "-p", "infidda"), "did you mean 'infida'"),
        (("run", "small.yaml", "-p", "nomodule:Policy"), "there is no module 'nomodule'"),
        (("run", "small.yaml", "-p", "mine:Eager"), "has no 'Eager'"),
    ],
)
def test_mistakes_are_told_in_words(ran: Path, arguments: tuple[str, ...], told: str) -> None:
    assert told in placid(*arguments, cwd=ran, expect=2)


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("policies", "infida-adaptive"),
        ("solvers", "milp"),
        ("roundings", "coupled"),
        ("projections", "entropy"),
        ("workloads", "poisson"),
        ("catalogs", "yolov4"),
        ("networks", "tiered"),
        ("topologies", "sndlib/geant"),
    ],
)
def test_list_names_what_there_is(family: str, name: str) -> None:
    done = CliRunner().invoke(app, ["list", family, "--filter", name[:6]])
    assert done.exit_code == 0
    assert name in done.output
