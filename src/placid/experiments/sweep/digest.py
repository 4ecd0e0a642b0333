"""What the rows of a cell hang on, as one digest: what is kept under it may be used again, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from placid.experiments.provenance import provenance
from placid.experiments.sweep.files import file_digest
from placid.version import __version__

__all__ = ["code_digest", "play_digest", "scenario_digest"]

#: rooms of the package that no row hangs on
_APART = ("cli", "gym", "splitting", "testing")


@cache
def code_digest() -> str:
    """Of the code that makes rows: placid's version and source, and the versions of what it computes with."""
    package = Path(__file__).parents[2]
    told = hashlib.sha256(f"{__version__} {sorted(provenance()['versions'].items())}".encode())
    for file in sorted(package.rglob("*")):
        inside = file.relative_to(package)
        if inside.parts[0] in _APART or not file.is_file() or file.suffix not in (".py", ".csv", ".json"):
            continue
        told.update(f"\n{inside.as_posix()} ".encode())
        told.update(file.read_bytes())
    return told.hexdigest()


def scenario_digest(scenario_text: str, files: Mapping[str, Path]) -> str:
    """Of a scenario: its text, the files that it names, and the code."""
    told = hashlib.sha256(f"{code_digest()}\n{scenario_text}".encode())
    for name, path in files.items():
        told.update(f"\n{name} {file_digest(path)}".encode())
    return told.hexdigest()


def play_digest(of_scenario: str, seed: int) -> str:
    """Of a scenario, by its digest, under a seed."""
    return hashlib.sha256(f"{of_scenario} {seed}".encode()).hexdigest()
