"""The folder of a sweep: what lies where.

study.yaml      the study as given
sweep.json      versions, commit, machine, axes, seeds
cells/          one file for each cell and seed that is done, by the digest of what it hangs on
parts/          what cells that are not done yet go on from
rows.parquet    one row per cell, trace, policy and seed
summary.csv     means and intervals over seeds
"""

from __future__ import annotations

import io
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from placid.errors import RunError
from placid.experiments.folder import RunFolder

__all__ = ["SweepFolder"]


@dataclass(frozen=True)
class SweepFolder:
    """A folder that holds, or will hold, one sweep. Sweeps of a changed study may go on in it: cells are kept by digest."""

    path: Path

    @property
    def rows(self) -> Path:
        return self.path / "rows.parquet"

    @property
    def summary(self) -> Path:
        return self.path / "summary.csv"

    @property
    def meta(self) -> Path:
        return self.path / "sweep.json"

    def cell(self, digest: str) -> Path:
        """The rows of one cell under one seed, once it is done."""
        return self.path / "cells" / f"{digest}.parquet"

    def scratch(self, digest: str) -> Path:
        """Where that cell is played, until it is done."""
        return self.path / "parts" / digest

    def check(self) -> None:
        """That there is a sweep in the folder, or nothing.

        Raises:
            RunError: it holds something else.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"{self.path} is a file; give the name of a folder to write the sweep into")
        if self.path.exists() and any(self.path.iterdir()) and not self.meta.exists():
            raise RunError(f"{self.path} is not empty and holds no sweep; write to another folder with --out")

    def open(self, *, fresh: bool) -> None:
        """Make the folder; if `fresh`, delete the sweep that is there, and nothing else."""
        self.check()
        if fresh:
            for name in ("study.yaml", self.rows.name, self.summary.name):
                (self.path / name).unlink(missing_ok=True)
            for name in ("cells", "parts"):
                shutil.rmtree(self.path / name, ignore_errors=True)
        self.path.mkdir(parents=True, exist_ok=True)

    def made_by(self) -> str:
        """The digest of the code that the sweep in the folder was last gone on with; "" if it does not say."""
        try:
            return str(json.loads(self.meta.read_text()).get("code", ""))
        except (OSError, ValueError, AttributeError):
            return ""

    def describe(self, study_text: str, content: dict[str, Any]) -> None:
        """Write what the sweep is."""
        RunFolder(self.path).write_json(self.meta.name, content)
        self._write(self.path / "study.yaml", study_text.encode())

    def keep(self, digest: str, table: bytes) -> None:
        """Write a cell's rows, whole or not at all."""
        self._write(self.cell(digest), table)

    def kept(self, digest: str) -> pl.DataFrame:
        """A cell's rows.

        Raises:
            RunError: the file is damaged.
        """
        try:
            return pl.read_parquet(self.cell(digest))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise RunError(f"{self.cell(digest)} is damaged ({error}); delete it and sweep again") from None

    def write_tables(self, rows: pl.DataFrame, summary: pl.DataFrame) -> None:
        """Write both tables, each whole or not at all."""
        self._write(self.rows, as_bytes(rows))
        self._write(self.summary, summary.write_csv().encode())

    def tidy(self) -> None:
        """Delete what only an interrupted sweep needs."""
        shutil.rmtree(self.path / "parts", ignore_errors=True)

    @staticmethod
    def _write(file: Path, content: bytes) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch = file.with_name(f"{file.name}.{os.getpid()}.tmp")
        scratch.write_bytes(content)
        os.replace(scratch, file)


def as_bytes(table: pl.DataFrame) -> bytes:
    """`table` as the content of a Parquet file."""
    content = io.BytesIO()
    table.write_parquet(content)
    return content.getvalue()
