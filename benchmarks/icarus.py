"""Requests through caches on the way, per second of processor time: ours beside Icarus, on the requests that Icarus drew.

Icarus (Saino, Psaras and Pavlou, SIMUTools 2014) is no package and is not shipped with this one. Get it, and an environment
for it, and say where:

    git clone https://github.com/icarus-sim/icarus peers/icarus && git -C peers/icarus checkout 49af6ea
    python -m venv peers/icarus-env && peers/icarus-env/bin/pip install 'networkx<3' 'numpy<2' scipy fnss matplotlib click
    PLACID_PEERS=peers python -m benchmarks icarus

Icarus runs in a process of its own by `icarus_drive.py`, with nothing collected but who answered: less than it usually does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import numpy as np

from benchmarks.table import Row
from placid.simulation.events import CachePaths, play_caches

__all__ = ["beside", "run"]

#: Icarus's name of a strategy -> whether only the first cache on the way is asked
STRATEGIES = {"EDGE": True, "LCE": False}
BAR = 100.0


def run(quick: bool) -> Iterator[Row]:
    """Both strategies on GEANT, if Icarus is there."""
    folder = Path(os.environ.get("PLACID_PEERS", "peers")).resolve()
    python, checkout = folder / "icarus-env" / "bin" / "python", folder / "icarus"
    if not python.exists() or not (checkout / "icarus").is_dir():
        print(
            f"  left out: there is no Icarus in {folder}; {Path(__file__).name} says how to get it",
            file=sys.stderr,
        )
        return
    for strategy in STRATEGIES:
        with tempfile.TemporaryDirectory() as scratch:
            out = Path(scratch) / "icarus.npz"
            drive = Path(__file__).with_name("icarus_drive.py")
            count = 2_000 if quick else 200_000
            done = subprocess.run(
                [python, drive, checkout, strategy, str(count), out], capture_output=True, text=True
            )
            if done.returncode:
                raise RuntimeError(f"Icarus failed:\n{done.stderr[-2000:]}")
            with np.load(out) as told:
                yield beside(strategy, dict(told))


def beside(strategy: str, told: dict[str, np.ndarray]) -> Row:
    """Ours on the paths and requests of `told`, as icarus_drive.py writes it.

    Raises:
        AssertionError: other requests are answered from caches than Icarus's, beyond what its own ways back explain.
    """
    ends = np.concatenate(([0], np.cumsum(told["lengths"])))
    links = np.concatenate(([0], np.cumsum(told["lengths"] - 1)))
    count = len(told["lengths"])
    paths = CachePaths.of(
        [told["nodes"][ends[p] : ends[p + 1]].tolist() for p in range(count)],
        [told["delays"][links[p] : links[p + 1]].tolist() for p in range(count)],
    )
    path, content, room = told["path"], told["content"], told["room"]
    only_first = STRATEGIES[strategy]
    position, _ = play_caches(paths, path, content, room, only_first=only_first)
    times = []
    for _ in range(5):
        begun = process_time()
        play_caches(paths, path, content, room, only_first=only_first)
        times.append(process_time() - begun)
    mine = paths.node[paths.ptr[path] + position]
    alike = float((mine == told["answered"]).mean())
    # with EDGE each request is answered at the same node; with LCE Icarus sends some answers back another way
    assert alike > (0.9999 if only_first else 0.97), f"only {alike:.2%} are answered at the same node"
    ours, theirs = len(path) / float(np.median(times)), len(path) / float(told["took_s"])
    return Row(
        f"caches on the way, GEANT, {strategy}: {len(path):,} requests, {alike:.1%} answered at the same node in both",
        f"{ours / 1e6:.3g} million requests/s",
        f"{theirs / 1e6:.3g} million requests/s",
        "Icarus at 49af6ea, drawing and collecting left out",
        ours / theirs,
        bar="at least 100 x",
        met=ours >= BAR * theirs,
    )
