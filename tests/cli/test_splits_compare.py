"""`placid splits compare` as a person meets it: what it prints and writes, and what it says when something is wrong."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from placid.catalog.variants import Crossing, Segment, Timing, Variant, Zoo, write_zoo
from placid.cli.app import app
from placid.errors import InputError

PLACID = Path(sys.executable).parent / "placid"
_NOTHING, _SHORT = Timing(0.0, 0.0, 0.0, 0.0, 1), Timing(1e-4, 1e-4, 1e-4, 0.0, 9)


def _part(name: str, multiply_adds: int) -> Segment:
    file = f"{name}.onnx" if multiply_adds else ""
    return Segment(name, file, "", multiply_adds // 100, multiply_adds, multiply_adds // 50, 0, _SHORT)


def _variant(name: str, technique: str, accuracy: float, sent: float, *parts: Segment) -> Variant:
    crossing = Crossing(technique, sent, sent, int(sent), _SHORT, _NOTHING)
    low, high = accuracy - 0.005, accuracy + 0.005
    return Variant(
        name,
        technique,
        "net",
        "",
        parts,
        (crossing,) * (len(parts) - 1),
        (),
        accuracy,
        low,
        high,
        (accuracy,),
    )


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    folder = tmp_path / "my zoo"
    folder.mkdir()
    camera, whole = _part("camera", 0), _part("net", 30_000_000)
    variants = (
        _variant("remote-raw", "remote-raw", 0.93, 3072, camera, whole),
        _variant("remote-jpeg-90", "remote-jpeg", 0.925, 1080, camera, whole),
        _variant("bottle", "bottlefit", 0.922, 130, _part("head", 8_000_000), _part("tail", 17_000_000)),
    )
    write_zoo(Zoo(folder, "classify", "my pictures", "my laptop", 3072, ("a", "b"), variants))
    return folder


def test_it_prints_the_table_and_tells_where_the_rest_is(zoo: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [PLACID, "splits", "compare", str(zoo)], cwd=tmp_path, capture_output=True, text=True, timeout=120,
        env=os.environ | {"COLUMNS": "160", "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert "classify on my pictures: 3 variants" in said
    assert "local-net" in said
    assert (
        "At most 1 point below the whole network (93.00 %), bottle sends the fewest bytes: 130 B an input"
        in said
    )
    assert said.endswith("The numbers: runs/splits/splits.csv\nThe page: runs/splits/splits.html\n")
    rows = list(csv.DictReader((tmp_path / "runs/splits/splits.csv").read_text().splitlines()))
    assert [r["name"] for r in rows] == ["remote-raw", "remote-jpeg-90", "bottle", "local-net"]
    assert "my laptop" in (tmp_path / "runs/splits/splits.html").read_text()


def test_options_reach_the_page(zoo: Path, tmp_path: Path) -> None:
    options = ["--accuracy-loss", "0.5", "--round-trip", "40 ms", "--server", "1e10"]
    done = CliRunner().invoke(app, ["splits", "compare", str(zoo), "--out", str(tmp_path / "out"), *options])
    assert done.exit_code == 0
    page = (tmp_path / "out" / "splits.html").read_text()
    assert "At most 0.5 points below the whole network" in page
    assert "round trip of 40 ms" in page
    assert "10 G multiply-adds a second" in page


def test_a_folder_without_a_zoo_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["splits", "compare", "nowhere"])
    assert isinstance(done.exception, InputError)
    said = str(done.exception)
    assert said.startswith("nowhere: no zoo lies here")
    assert "placid splits train" in said
    assert "placid catalog build" in said
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--round-trip", "40"], "has no unit"),
        (["--server", "0"], "rates above 0"),
        (["--out", "file"], "cannot be written"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_in_a_line(
    zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("here already")
    done = CliRunner().invoke(app, ["splits", "compare", str(zoo), *options])
    assert isinstance(done.exception, InputError)
    assert message in str(done.exception)


def test_without_torch_or_onnx(zoo: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from placid.cli.app import app;"
        f"done = CliRunner().invoke(app, ['splits', 'compare', {str(zoo)!r}, '--out', {str(tmp_path / 'out')!r}]);"
        "assert done.exit_code == 0, done.output;"
        "print([m for m in ('torch', 'onnx', 'onnxruntime', 'PIL', 'constriction') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
