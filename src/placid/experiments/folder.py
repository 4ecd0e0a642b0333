"""The folder of a run: what lies where, and whether it may be gone on with.

scenario.yaml      the scenario as given
meta.json          versions, commit, machine, seeds, what was declared
network.json       nodes and links, for the map
rows.parquet       one row per (trace, policy, seed, slot)
placements.parquet what came and went, first seed
bounds.parquet     best static placements in hindsight and their bounds
report.html        the page
parts/             one file per policy and seed; what an interrupted run goes on from
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from placid.errors import RunError
from placid.version import __version__

__all__ = ["RunFolder", "fingerprint"]


def fingerprint(scenario_text: str) -> str:
    """What two runs must share to be one: the scenario and the version of placid."""
    return hashlib.sha256(f"{__version__}\n{scenario_text}".encode()).hexdigest()


@dataclass(frozen=True)
class RunFolder:
    """A folder that holds, or will hold, one run."""

    path: Path

    @property
    def meta(self) -> Path:
        return self.path / "meta.json"

    @property
    def rows(self) -> Path:
        return self.path / "rows.parquet"

    @property
    def placements(self) -> Path:
        return self.path / "placements.parquet"

    @property
    def bounds(self) -> Path:
        return self.path / "bounds.parquet"

    @property
    def parts(self) -> Path:
        return self.path / "parts"

    def part(self, trace: str, label: str, seed: int) -> Path:
        """The file of one policy under one seed; names are made safe for any file system."""
        return self.parts / str(seed) / f"{_safe(trace)}@{_safe(label)}.npz"

    def hindsight(self, trace: str, seed: int) -> Path:
        """The file of what hindsight found for one trace under one seed."""
        return self.parts / str(seed) / f"hindsight@{_safe(trace)}.npz"

    def open(self, scenario_text: str, *, fresh: bool) -> None:
        """Make the folder, or check that it holds a run of this very scenario.

        Args:
            fresh: delete the run that is there and start again.

        Raises:
            RunError: the folder holds another run, or something that is no run at all.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"{self.path} is a file; give the name of a folder to write the run into")
        if fresh:
            self._clear()
        if self.meta.exists():
            if self.read_meta().get("fingerprint") != fingerprint(scenario_text):
                raise RunError(
                    f"{self.path} holds a run of another scenario or of another version of placid; "
                    "start it again with --fresh, or write to another folder with --out"
                )
        elif not fresh and self.path.exists() and any(self.path.iterdir()):
            raise RunError(f"{self.path} is not empty and holds no run; write to another folder with --out")
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "scenario.yaml").write_text(scenario_text)

    def _clear(self) -> None:
        """Delete what a run wrote and nothing else."""
        if self.path.exists() and any(self.path.iterdir()) and not self.meta.exists():
            raise RunError(f"{self.path} is not empty and holds no run, so nothing in it is deleted")
        for name in (
            "scenario.yaml",
            "network.json",
            "rows.parquet",
            "placements.parquet",
            "bounds.parquet",
            "report.html",
        ):
            (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(self.parts, ignore_errors=True)
        self.meta.unlink(missing_ok=True)

    def read_meta(self) -> dict[str, Any]:
        """What `meta.json` says.

        Raises:
            RunError: there is no run in the folder, or its file is damaged.
        """
        try:
            return dict(json.loads(self.meta.read_text()))
        except FileNotFoundError:
            raise RunError(f"{self.path} holds no run: there is no meta.json in it") from None
        except ValueError as error:
            raise RunError(f"{self.meta} is damaged ({error}); start the run again with --fresh") from None

    def write_json(self, name: str, content: Any) -> None:
        """Write `content` to file `name`, whole or not at all."""
        scratch = self.path / f"{name}.tmp"
        scratch.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        os.replace(scratch, self.path / name)


def _safe(name: str) -> str:
    """`name` as part of a file name, distinct for distinct names."""
    if name.replace("-", "").isalnum() or not name:
        return name
    kept = "".join(c if c.isalnum() or c in "-=." else "_" for c in name)
    return f"{kept}~{hashlib.sha256(name.encode()).hexdigest()[:8]}"
