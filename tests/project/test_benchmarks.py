"""Every benchmark runs at small size, and its rivals compute what ours computes (they check it themselves)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "name",
    [
        "slot",
        "kernels",
        "scaling",
        "start_up",
        "peers",
        "events",
        "icarus",
        "plans",
        "fronts",
        "cutting",
        "chain",
        "serving",
        "live",
        "shaping",
        "tracing",
    ],
)
def test_runs(name: str) -> None:
    pytest.importorskip("simpy")
    if name == "tracing":
        pytest.importorskip("opentelemetry.sdk")
    if name in ("cutting", "chain"):
        pytest.importorskip("torch")
    if name == "fronts":
        pytest.importorskip("pymoo")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--quick"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_requests_answered_elsewhere_than_in_icarus_are_not_counted_as_fast(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.icarus import beside

    told = {
        "lengths": np.array([3]), "nodes": np.array([0, 1, 2]), "delays": np.array([0.002, 0.034]),
        "room": np.array([0, 1, 0]), "path": np.zeros(3, np.int64), "content": np.array([7, 7, 8]), "took_s": np.array(1.0),
    }  # fmt: skip
    # a cache of one content on the way: miss, hit, miss
    row = beside("EDGE", told | {"answered": np.array([2, 1, 2])})
    assert row.rival == "3e-06 million requests/s"
    assert row.met is True
    with pytest.raises(AssertionError, match=r"only 66\.67% are answered"):
        beside("EDGE", told | {"answered": np.array([2, 2, 2])})


def test_unknown_names_are_told() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "speed"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "unknown benchmark 'speed'; known: slot" in done.stderr


def test_results_are_those_of_a_full_run() -> None:
    text = (ROOT / "benchmarks" / "results.md").read_text()
    for name in (
        "slot",
        "scaling",
        "kernels",
        "peers",
        "events",
        "icarus",
        "plans",
        "start_up",
        "cutting",
        "chain",
        "serving",
        "shaping",
    ):
        assert f"`python -m benchmarks {name}`" in text
