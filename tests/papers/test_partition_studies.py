"""Neurosurgeon and DADS: the studies run at tiny size, their READMEs are in step with their tables, figures by hand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from placid.reports.studies import BEGIN, END

PAPERS = Path(__file__).resolve().parents[2] / "papers"
NAMES = ("kang-2017-neurosurgeon", "hu-2019-dads")


def ran(name: str, *arguments: str) -> str:
    """What the study prints, in a process of its own: both have a `settings` and a `tables` beside them."""
    study = PAPERS / name / "study.py"
    done = subprocess.run([sys.executable, str(study), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def section(name: str) -> str:
    return (PAPERS / name / "README.md").read_text().partition(BEGIN)[2].partition(END)[0].strip()


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_says_what_it_has_to(name: str) -> None:
    readme = (PAPERS / name / "README.md").read_text()
    assert readme.count(BEGIN) == readme.count(END) == 1
    for said in (
        "`Differs from the paper:`",
        "What can be compared",
        f"papers/{name}/study.py",
        "needs torch",
    ):
        assert said in readme
    assert "modelled" in section(name)


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_is_in_step_with_the_tables(name: str) -> None:
    """If it fails: `study.py --tables`."""
    script = (
        "import sys; from pathlib import Path\n"
        f"here = Path({str(PAPERS / name)!r}); sys.path.insert(0, str(here))\n"
        "sys.modules['torch'] = None\n"
        "from tables import results; print(results(here))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == section(name)


@pytest.mark.parametrize("name", NAMES)
def test_the_code_of_the_readme_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    (code,) = re.findall(r"```python\n(.*?)```", (PAPERS / name / "README.md").read_text(), re.DOTALL)
    exec(compile(code, name, "exec"), {"__name__": "__page__"})
    assert capsys.readouterr().out.count("Parting(") == 2


def test_a_quick_neurosurgeon_publishes_nothing(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    kept = {f: f.read_bytes() for f in (PAPERS / NAMES[0]).iterdir() if f.is_file()}
    said = ran(NAMES[0], "--quick", "--out", str(tmp_path))
    assert kept == {f: f.read_bytes() for f in (PAPERS / NAMES[0]).iterdir() if f.is_file()}
    assert "nan" not in said.replace("jetson-nano", "")
    rates, following, radios = (pl.read_csv(tmp_path / f"{n}.csv") for n in ("rates", "following", "radios"))
    ends = {"all in the cloud": "cloud_s", "all on the device": "device_s"}
    for row in rates.iter_rows(named=True):
        assert row["best_s"] <= min(row["cloud_s"], row["device_s"]) * (1 + 1e-5)
        if row["where"] in ends:
            assert row["best_s"] == pytest.approx(row[ends[row["where"]]], rel=1e-5)
    best = {key: group["best_s"] for key, group in rates.group_by("picture", "layers", maintain_order=True)}
    assert set(best) == {(8, 32), (32, 32), (8, 8)}
    assert (best[8, 8] <= best[8, 32]).all()
    assert (best[8, 32] <= best[32, 32]).all()
    for row in following.iter_rows(named=True):
        assert 1 - 1e-5 <= row["ends"] <= min(row["device_only"], row["cloud_only"])
        assert 1 - 1e-5 <= row["one_cut"] <= min(row["device_only"], row["cloud_only"])
    for row in radios.iter_rows(named=True):
        assert row["best_s"] <= min(row["cloud_s"], row["device_s"]) * (1 + 1e-5)
        assert row["best_j"] <= min(row["cloud_j"], row["device_j"]) * (1 + 1e-5)


def test_a_quick_dads_publishes_nothing(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    kept = {f: f.read_bytes() for f in (PAPERS / NAMES[1]).iterdir() if f.is_file()}
    said = ran(NAMES[1], "--quick", "--out", str(tmp_path))
    assert kept == {f: f.read_bytes() for f in (PAPERS / NAMES[1]).iterdir() if f.is_file()}
    assert "nan" not in said.replace("jetson-nano", "")
    rates = pl.read_csv(tmp_path / "rates.csv", schema_overrides={"link": pl.String})
    for row in rates.iter_rows(named=True):
        assert row["light_s"] <= row["chain_s"] * (1 + 1e-5)
        assert row["light_s"] <= min(row["device_s"], row["cloud_s"]) * (1 + 1e-5)
        assert row["heavy_bound_s"] <= row["heavy_stage_s"] * (1 + 1e-5)
        assert row["heavy_stage_s"] <= row["weights_stage_s"] * (1 + 1e-5)
        assert row["heavy_stage_s"] <= row["in_order_stage_s"] * (1 + 1.1e-3)
        assert (
            row["heavy_stage_s"] <= 3 * row["heavy_bound_s"] or row["in_order_stage_s"] > row["heavy_bound_s"]
        )
