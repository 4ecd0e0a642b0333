"""The rules of the house: layers, types, lint, what importing costs, what is public."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["lint-imports", "--no-cache"],
        ["ruff", "check", "--no-cache", "src", "tests", "benchmarks", "papers", "examples"],
        ["ruff", "format", "--no-cache", "--check", "src", "tests", "benchmarks", "papers"],
        ["mypy"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_tools_find_nothing(command: list[str]) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_importing_loads_nothing_heavy() -> None:
    heavy = ["torch", "ray", "numba", "polars", "altair", "numpy", "networkx", "pydantic"]
    script = f"import json, sys, placid; print(json.dumps([m for m in {heavy} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_public_names_are_there() -> None:
    script = "import placid; print(all(callable(getattr(placid, n)) for n in placid.__all__ if n[0] != '_'))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_an_unknown_name_is_an_attribute_error() -> None:
    import placid

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        placid.nonsense  # noqa: B018
