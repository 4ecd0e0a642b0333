"""`placid up`, `load`, `validate`, `top`: what they say when they cannot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest
from typer.testing import CliRunner

from placid.cli.app import app
from placid.cli.extras import need
from placid.errors import InputError, RunError

SCENARIO = Path(__file__).parents[2] / "scenarios" / "live.yaml"


def test_nothing_is_up(tmp_path: Path) -> None:
    for arguments in (["load", str(SCENARIO), "--out", str(tmp_path)], ["top", str(tmp_path)]):
        found = CliRunner().invoke(app, arguments)
        assert isinstance(found.exception, RunError)
        assert "no network is up" in str(found.exception)


def test_a_pace_that_there_is_not() -> None:
    found = CliRunner().invoke(app, ["up", str(SCENARIO), "--pace", "fast"])
    assert isinstance(found.exception, InputError)
    assert "--pace is profile or real" in str(found.exception)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    need("serve", "up")
    monkeypatch.setattr("placid.cli.extras.find_spec", lambda name: None if name == "orjson" else object())
    with pytest.raises(InputError, match=r"'placid up' needs orjson: pip install 'placid\[serve\]'"):
        need("serve", "up")


def test_up_load_top_and_ctrl_c(tmp_path: Path) -> None:
    """As a person does it, in three terminals; afterwards nothing is left."""
    out = tmp_path / "live"
    placid = [sys.executable, "-c", "from placid.cli import main; main()"]
    with subprocess.Popen(
        [*placid, "up", str(SCENARIO), "--slot", "2 s", "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as up:
        try:
            deadline = monotonic() + 60
            while not (out / "nodes.json").exists() and up.poll() is None and monotonic() < deadline:
                sleep(0.1)
            pids = [node["pid"] for node in json.loads((out / "nodes.json").read_text())["nodes"]]
            assert (out / "token").stat().st_mode & 0o077 == 0
            load = subprocess.run(
                [*placid, "load", str(SCENARIO), "--out", str(out), "--slots", "1", "--share", "0.3"],
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert load.returncode == 0, load.stdout + load.stderr
            assert "answered by" in load.stdout
            assert (out / "requests.parquet").exists()
            top = subprocess.run(
                [*placid, "top", str(out), "--times", "1", "--every", "0.3"],
                capture_output=True,
                text=True,
                timeout=60,
                env=os.environ | {"COLUMNS": "120"},
            )
            assert top.returncode == 0, top.stdout + top.stderr
            assert "camera-2" in top.stdout
            twice = subprocess.run(
                [*placid, "up", str(SCENARIO), "--out", str(out)], capture_output=True, text=True, timeout=60
            )
            assert twice.returncode == 2
            assert "is up here already" in twice.stderr
        finally:
            up.send_signal(signal.SIGINT)
            told = up.communicate(timeout=30)[0]
    assert up.returncode == 0, told
    assert "12 nodes are up" in told
    assert "All nodes have ended" in told
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert not (out / "nodes.json").exists()
    assert not (out / "token").exists()
