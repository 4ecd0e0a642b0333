"""What it costs to begin: importing placid, asking the command for help, a whole run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from benchmarks.table import Row

__all__ = ["run"]

ROOT = Path(__file__).resolve().parents[1]


def run(quick: bool) -> Iterator[Row]:
    """Best of five; the run once."""
    bare = min(_took([sys.executable, "-c", "pass"]) for _ in range(5))
    ours = min(_took([sys.executable, "-c", "import placid"]) for _ in range(5)) - bare
    yield Row("import placid", f"{ours:.3f} s", bar="under 0.5 s", met=ours < 0.5)
    placid = str(Path(sys.executable).parent / "placid")
    yield Row("placid --help", f"{min(_took([placid, '--help']) for _ in range(3)):.2f} s")
    if quick:
        return
    with tempfile.TemporaryDirectory() as folder:
        geant = _took([placid, "run", str(ROOT / "scenarios/geant.yaml"), "--out", f"{folder}/geant"])
    yield Row("placid run scenarios/geant.yaml", f"{geant:.0f} s", bar="under 120 s", met=geant < 120)


def _took(command: list[str]) -> float:
    t0 = perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return perf_counter() - t0
