"""Every example runs as its first lines say, in a folder of its own, and does what it says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("[0-9]*.py"))
PLACID = [sys.executable, "-c", "from placid.cli import main; main()"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scenarios in it, shared by the examples in their order: 05 reads what 01 ran."""
    here = tmp_path_factory.mktemp("examples")
    (here / "scenarios").symlink_to(ROOT / "scenarios")
    return here


def run(folder: Path, *command: str | Path) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def example(folder: Path, number: int) -> str:
    return run(folder, sys.executable, "-W", "error", EXAMPLES[number - 1])


def test_they_are_numbered_and_short() -> None:
    assert [int(e.name[:2]) for e in EXAMPLES] == [1, 2, 3, 4, 5, 6]
    for e in EXAMPLES:
        assert len(e.read_text().splitlines()) < 60, f"{e.name} has 60 lines or more"


def test_1_runs_a_scenario_and_5_reads_it(folder: Path) -> None:
    told = example(folder, 1)
    assert "infida-adaptive" in told
    assert (folder / "runs/example-1/report.html").exists()
    told = example(folder, 5)
    assert "gain_per_request" in told
    assert (folder / "gain.svg").read_text().startswith("<svg")


def test_2_gives_a_graph_that_says_what_nodes_hold(folder: Path) -> None:
    import networkx as nx

    example(folder, 2)
    graph = nx.read_graphml(folder / "towns-placed.graphml")
    assert len(graph) == 10
    assert any(held for _, held in graph.nodes(data="holds"))
    assert graph.nodes["cloud"]["holds"] == ""


def test_3_places_the_models_of_the_table(folder: Path) -> None:
    import polars as pl

    assert "most-accurate" in example(folder, 3)
    placements = pl.read_parquet(folder / "runs/example-3/placements.parquet")
    assert set(placements["variant"].unique()) <= {"squeezed", "mobile", "residual", "transformer"}
    assert placements.filter(pl.col("node").str.starts_with("bs"), variant="transformer").is_empty()


def test_4_is_a_policy_that_conforms_and_plays_beside_ours(folder: Path) -> None:
    assert "passes" in example(folder, 4)
    shutil.copy(ROOT / "examples" / "04_my_policy.py", folder / "my_policy.py")
    told = run(
        folder,
        *PLACID,
        "run",
        "scenarios/quick.yaml",
        "--policy",
        "my_policy:SavingPerByte",
        "-o",
        "mine",
        "-j",
        "1",
    )
    assert "saving-per-byte" in told


def test_6_plays_two_agents_and_looking_back_is_better_than_guessing(folder: Path) -> None:
    rows = [line.split() for line in example(folder, 6).splitlines()[1:]]
    assert [row[0] for row in rows] == ["Random", "LookBack"]
    assert float(rows[0][1]) < float(rows[1][1])
