"""The Ray engine: on a real Ray of this machine; and, on a stand-in for it, what is ours when something goes wrong there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

import placid.experiments.sweep.ray_engine as room
from placid.errors import InputError, RunError
from placid.experiments.sweep.files import laid_out, named_files
from placid.experiments.sweep.folder import SweepFolder, as_bytes
from placid.experiments.sweep.local_engine import LocalEngine
from placid.experiments.sweep.ray_engine import RayEngine, play_there
from placid.experiments.sweep.sweep import sweep
from placid.experiments.sweep.unit import Unit

PLACID = Path(sys.executable).parent / "placid"

STUDY = """\
name: small
seeds: 2
axes:
  - {name: rate, field: workload.rate, values: [30, 90]}
base:
  slots: 4
  network:
    file: net/small.graphml
    memory: 300 MB
    processor: rtx2070
    cloud: {rtt: 40 ms, processor: rtx2070}
  catalog: {family: yolov4, tasks: 2, replicas: 1, processors: [rtx2070]}
  workload: {process: poisson, rate: 60 /s}
  objective: {latency: 1, error: 0.2}
  policies: [lru, own_policy:Idle]
  hindsight: {solvers: [greedy], windows: 2}
"""
GRAPH = """\
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="r" for="edge" attr.name="rtt_s" attr.type="double"/>
<graph edgedefault="undirected"><node id="a"/><node id="b"/><node id="c"/>
<edge source="a" target="b"><data key="r">0.004</data></edge>
<edge source="b" target="c"><data key="r">0.006</data></edge></graph></graphml>
"""
POLICY = """\
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from placid.placement.base import Policy, State

@dataclass(frozen=True)
class Idle(Policy):
    name: ClassVar[str] = "idle"
    def start(self, problem, rng): return State()
    def place(self, state, problem, slot, rng): return state, np.zeros(problem.item_count, bool)
    def learn(self, state, problem, feedback, rng): return state
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "small.graphml").write_text(GRAPH)
    (tmp_path / "own_policy.py").write_text(POLICY)
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path / "study.yaml"


@pytest.mark.slow
def test_ray_gives_the_tables_of_this_machine_to_the_byte(study: Path) -> None:
    pytest.importorskip("ray")
    environment = os.environ | {"NO_COLOR": "1"}
    for out, engine in (("there", ["--engine", "ray"]), ("here", [])):
        command = [PLACID, "sweep", study.name, "--out", out, "--workers", "2", *engine]
        done = subprocess.run(
            command, cwd=study.parent, capture_output=True, text=True, env=environment, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "4 cells and seeds: 4 to play" in done.stdout
    for table in ("rows.parquet", "summary.csv"):
        assert (study.parent / "here" / table).read_bytes() == (study.parent / "there" / table).read_bytes()
    assert pl.read_parquet(study.parent / "there" / "rows.parquet").height == 2 * 3 * 2


class Cluster:
    """Stands in for the module `ray`: keeps what it is given, answers when it is waited for, the last first."""

    class RayError(Exception):
        def __init__(self, cause: Exception | None = None) -> None:
            super().__init__("far away")
            self.cause = cause

    def __init__(self, cpus: int = 2, fail: Callable[[Unit], None] = lambda unit: None) -> None:
        self.cpus, self.fail = cpus, fail
        self.exceptions = SimpleNamespace(RayError=self.RayError)
        self.begun: list[tuple[str, Any]] = []
        self.most_at_once = 0
        self.cancelled: list[int] = []
        self.joined: dict[str, Any] | None = None
        self.waits = 0

    def is_initialized(self) -> bool:
        return self.joined is not None

    def init(self, **given: Any) -> None:
        self.joined = given

    def shutdown(self) -> None:
        self.joined = None

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": float(self.cpus)}

    def put(self, value: Any) -> Any:
        return value

    def remote(self, **options: Any) -> Callable[[Callable[..., Any]], Any]:
        assert options["num_cpus"] == 1
        assert options["runtime_env"]["env_vars"]["POLARS_MAX_THREADS"] == "1"

        def with_remote(work: Callable[..., Any]) -> Any:
            def begin(unit: Unit, *given: Any) -> int:
                self.begun.append((unit.title, lambda: (self.fail(unit), work(unit, *given))[1]))
                return len(self.begun) - 1

            return SimpleNamespace(remote=begin)

        return with_remote

    def wait(self, running: list[int], num_returns: int, timeout: float) -> tuple[list[int], list[int]]:
        self.most_at_once = max(self.most_at_once, len(running))
        self.waits += 1
        return ([], running) if self.waits % 3 == 1 else (running[-1:], running[:-1])

    def get(self, reference: int) -> Any:
        try:
            return self.begun[reference][1]()
        except Exception as error:
            raise self.RayError(error) from error

    def cancel(self, reference: int, force: bool) -> None:
        self.cancelled.append(reference)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster()
    monkeypatch.setattr(room, "ray_module", lambda: found)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return found


def test_cells_that_come_back_in_another_order_stand_in_the_same(study: Path, cluster: Cluster) -> None:
    here = sweep(study, study.parent / "here", engine=LocalEngine())
    there = sweep(study, study.parent / "there", engine=RayEngine())
    assert (here / "rows.parquet").read_bytes() == (there / "rows.parquet").read_bytes()
    assert cluster.most_at_once == 2
    assert cluster.joined is None


def test_it_joins_what_it_is_told_to(study: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, Any]] = []
    monkeypatch.setattr(cluster, "init", lambda **given: heard.append(given))
    RayEngine(workers=3).play([], SweepFolder(study.parent / "out"), lambda *told: None)
    RayEngine(address="auto").play([], SweepFolder(study.parent / "out"), lambda *told: None)
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    RayEngine().play([], SweepFolder(study.parent / "out"), lambda *told: None)
    assert [h["address"] for h in heard] == ["local", "auto", None]
    assert [h.get("num_cpus") for h in heard] == [3, None, None]


def test_an_address_at_which_nobody_listens_is_told_at_once(cluster: Cluster) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        address = f"ray://127.0.0.1:{one.getsockname()[1]}"
    with pytest.raises(InputError, match=rf"--address {address}: no Ray cluster answers: .*refused"):
        RayEngine(address=address).play([], SweepFolder(Path("nowhere")), lambda *told: None)


def test_what_fails_there_is_told_here_and_what_was_done_is_kept(study: Path, cluster: Cluster) -> None:
    def fail(unit: Unit) -> None:
        if unit.title == "rate = 90; seed 0":
            raise RunError("the cell rate = 90; seed 0: no such luck")

    cluster.fail = fail
    with pytest.raises(RunError, match=r"^the cell rate = 90; seed 0: no such luck$"):
        sweep(study, study.parent / "out", engine=RayEngine(workers=1))
    assert len(list((study.parent / "out" / "cells").glob("*.parquet"))) == 2
    cluster.fail = lambda unit: None
    heard: list[int] = []
    out = sweep(
        study, study.parent / "out", engine=RayEngine(), begin=lambda outset: heard.append(outset.kept)
    )
    assert heard == [2]
    whole = sweep(study, study.parent / "whole", engine=LocalEngine())
    assert (out / "rows.parquet").read_bytes() == (whole / "rows.parquet").read_bytes()


def test_a_node_that_dies_is_told_with_the_cell(study: Path, cluster: Cluster) -> None:
    def fail(unit: Unit) -> None:
        raise MemoryError

    cluster.fail = fail
    with pytest.raises(RunError, match="the cell rate = 30; seed 1 failed on the cluster: far away"):
        sweep(study, study.parent / "out", engine=RayEngine())


def test_interrupted_it_cancels_what_runs_and_leaves_the_cluster(study: Path, cluster: Cluster) -> None:
    def tell(title: str, step: int, steps: int) -> None:
        if step == steps and title.startswith("rate"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(study, study.parent / "out", engine=RayEngine(), tell=tell)
    assert cluster.cancelled == [0]
    assert cluster.joined is None
    assert len(list((study.parent / "out" / "cells").glob("*.parquet"))) == 1


def test_without_ray_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"--engine ray: needs Ray .*pip install 'placid\[cluster\]'"):
        room.ray_module()


def test_a_node_with_other_code_plays_nothing(tmp_path: Path) -> None:
    unit = Unit("a cell", "", tmp_path, 0, 1, 1, "scenario", "digest")
    with pytest.raises(RunError, match="a node of the cluster has another placid"):
        play_there(unit, (), "another digest")


def test_files_go_along_by_their_names(tmp_path: Path) -> None:
    home = tmp_path / "studies" / "mine"
    (home / "deep").mkdir(parents=True)
    (tmp_path / "traces").mkdir()
    zoo = home / "zoo"
    zoo.mkdir()
    written = {
        "deep/net.json": b"{}", "../../traces/asked.csv": b"slot", "own.py": b"x = 1", "zoo/manifest.json": b"[]"
    }  # fmt: skip
    for name, content in written.items():
        (home / name).write_bytes(content)
    (zoo / "weights.onnx").write_bytes(b"large")
    data = {
        "network": {"file": "deep/net.json"},
        "workload": {"base": {"files": ["../../traces/asked.csv", "deep/net.json"]}},
        "catalog": {"family": "measured", "zoo": "zoo"},
        "policies": ["lru", {"policy": "own:Policy"}, "nowhere:Policy"],
        "description": "own" * 2000,
    }
    named = named_files(data, home)
    assert {name: path.read_bytes() for name, path in named.items()} == written
    there = laid_out(tuple((name, path.read_bytes()) for name, path in named.items()))
    assert {name: (there / name).read_bytes() for name in written} == written


def test_tables_are_the_same_bytes_every_time() -> None:
    table = pl.DataFrame({"a": [1.5, None], "b": ["x", "y"]})
    assert as_bytes(table) == as_bytes(table.clone())
