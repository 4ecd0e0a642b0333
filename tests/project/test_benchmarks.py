"""Every benchmark runs at small size, and its rivals compute what ours computes (they check it themselves)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "name",
    ["slot", "kernels", "scaling", "start_up", "peers", "events", "plans", "fronts", "cutting", "chain"],
)
def test_runs(name: str) -> None:
    pytest.importorskip("simpy")
    if name in ("cutting", "chain"):
        pytest.importorskip("torch")
    if name == "fronts":
        pytest.importorskip("pymoo")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--quick"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_unknown_names_are_told() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "speed"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "unknown benchmark 'speed'; known: slot" in done.stderr


def test_results_are_those_of_a_full_run() -> None:
    text = (ROOT / "benchmarks" / "results.md").read_text()
    for name in ("slot", "scaling", "kernels", "peers", "events", "plans", "start_up", "cutting", "chain"):
        assert f"`python -m benchmarks {name}`" in text
