"""The study: its rows, kept and taken up again, and the tables, files and figures made from them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from torch import nn
from typer.testing import CliRunner

from placid.cli.splits import splits_app
from placid.errors import InputError, PlacidError, RunError, UnknownNameError
from placid.reports.adaptation import (
    adaptation_markdown,
    adaptation_summary,
    adaptation_table,
    read_adaptation,
    severity_table,
)
from placid.reports.adaptation_charts import adaptation_charts, write_adaptation_figures
from placid.splitting.adaptation.adapt import Effort
from placid.splitting.adaptation.choose import rate_for
from placid.splitting.adaptation.corruptions import CORRUPTIONS
from placid.splitting.adaptation.energy import DEVICE_CLASSES
from placid.splitting.adaptation.methods import METHODS
from placid.splitting.adaptation.mixes import NodeSpec
from placid.splitting.adaptation.rows import Row, records
from placid.splitting.adaptation.study import Study, adaptation_study, quick
from placid.splitting.data import DATASETS, LabelledImages
from placid.splitting.lab.spec import Lab
from placid.splitting.lab.train import weights_file
from placid.splitting.nets import network_named
from placid.splitting.training.checkpoint import save_weights

LAB = Lab.model_validate(
    {
        "data": "cifar10",
        "crop": 0,
        "teacher": {"name": "adapted_network:fresh", "optimiser": "adam", "peak_rate": 0.01},
        "variants": [{"technique": "remote", "pictures": ["raw"]}],
    }
)
STUDY = Study(
    nodes=(NodeSpec("dim", "dominant:3", "contrast", 5), NodeSpec("plain", "even", "noise", 0)),
    labels=(0, 20, 500),
    seeds=(0, 1),
    unlabelled=30,
    test=60,
    judged=20,
    tried=(10,),
    severities=True,
    effort=Effort(pictures=300, fewest_epochs=1, most_epochs=3, batch=50, rank=2, prior=10),
)


class Interrupted(Exception):
    pass


def told_until(rows: int) -> Callable[[str, str], None]:
    left = [rows]

    def told(what: str, line: str) -> None:
        if not what.startswith("choice"):
            left[0] -= 1
        if left[0] < 0:
            raise Interrupted

    return told


def lasting(rows: list[Row]) -> list[Row]:
    return [replace(row, seconds=0.0) for row in rows]


@pytest.fixture(scope="module")
def found(
    labelled_data: LabelledImages, trained_network: nn.Module, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Row]]:
    folder = tmp_path_factory.mktemp("study")
    return folder, adaptation_study(LAB, trained_network, labelled_data, folder, STUDY)


@pytest.fixture
def frame(found: tuple[Path, list[Row]]) -> pl.DataFrame:
    return pl.DataFrame(records(found[1], 1e-9))


def test_every_case_has_its_row(found: tuple[Path, list[Row]]) -> None:
    rows = [row for row in found[1] if row.part == "nodes"]
    cases = {(row.method, row.labels) for row in rows}
    learned = {(name, n) for name in ("head", "tail", "adapters", "full") for n in (20, 500)}
    assert cases == {("none", 0), ("scratch", 500), *(("normalisation", n) for n in (0, 20, 500)), *learned}
    assert len(rows) == len(cases) * 4
    assert {(row.node, row.seed) for row in rows} == {("dim", 0), ("dim", 1), ("plain", 0), ("plain", 1)}
    survey = [row for row in found[1] if row.part == "severities"]
    assert len(survey) == 21 * 2
    for row in rows:
        assert row.test_pictures == 60
        assert (row.update_bytes == 0) == (row.method == "none") == (row.multiply_adds == 0)
        assert (row.epochs == 0) == (row.labels == 0)
        assert (row.rate > 0) == (row.labels > 0 and row.method != "scratch")
        pictures = row.labels + (0 if row.method in ("none", "head") else 30)
        assert row.pictures_bytes == pictures * 16 * 16 * 3 + row.labels


def test_without_adaptation_all_seeds_hold_the_same_network(found: tuple[Path, list[Row]]) -> None:
    plain = [row for row in found[1] if row.method == "none"]
    assert len({row.original_accuracy for row in plain}) == 1


def test_adaptation_helps_and_labels_help_more(frame: pl.DataFrame) -> None:
    summary = adaptation_summary(frame)
    gains = {(r["method"], r["labels"]): r["gain"] for r in summary.to_dicts()}
    assert gains["none", 0] == 0
    assert gains["full", 500] > 0.1
    assert gains["full", 500] >= gains["full", 20]


def test_an_interrupted_study_goes_on_to_the_same_rows(
    found: tuple[Path, list[Row]], labelled_data: LabelledImages, trained_network: nn.Module, tmp_path: Path
) -> None:
    part = replace(
        STUDY, seeds=(1,), methods=("none", "normalisation", "adapters", "scratch"), severities=False
    )
    for rows in (3, 5):
        with pytest.raises(Interrupted):
            adaptation_study(LAB, trained_network, labelled_data, tmp_path, part, told_until(rows))
    file = tmp_path / "rows.jsonl"
    kept = file.read_text()
    assert len(kept.splitlines()) == 10  # each time the row is kept before it is told of
    file.write_text(kept[:-40])  # a line cut short
    again = adaptation_study(LAB, trained_network, labelled_data, tmp_path, part)
    known = {row.key: row for row in found[1]}
    assert lasting(again) == lasting([known[row.key] for row in again])
    assert len(again) == 14
    lines = file.read_text().splitlines()
    assert len(lines) == len(again)
    assert all(json.loads(line) for line in lines)
    # all is there: nothing is done any more
    assert adaptation_study(LAB, trained_network, labelled_data, tmp_path, part, told_until(0)) == again


def test_rows_do_not_hang_on_what_else_is_asked(
    found: tuple[Path, list[Row]], labelled_data: LabelledImages, trained_network: nn.Module, tmp_path: Path
) -> None:
    part = replace(STUDY, nodes=STUDY.nodes[1:], methods=("tail",), seeds=(1,), severities=False)
    rows = adaptation_study(LAB, trained_network, labelled_data, tmp_path, part)
    same = [r for r in found[1] if (r.node, r.method, r.seed) == ("plain", "tail", 1)]
    assert lasting(rows) == lasting(same)


def test_folders_of_another_study_are_refused(
    found: tuple[Path, list[Row]], labelled_data: LabelledImages, trained_network: nn.Module, tmp_path: Path
) -> None:
    folder = found[0]
    with pytest.raises(RunError, match=r"another study \(other: effort, test\)"):
        adaptation_study(
            LAB, trained_network, labelled_data, folder, replace(STUDY, test=50, effort=Effort())
        )
    other = network_named("adapted_network:fresh", {}, 0)
    with pytest.raises(RunError, match=r"another study \(other: network\)"):
        adaptation_study(LAB, other, labelled_data, folder, STUDY)
    for name in ("study.json", "rates.json"):
        (tmp_path / name).write_text((folder / name).read_text())
    (tmp_path / "rows.jsonl").write_text("{broken\n" + (folder / "rows.jsonl").read_text())
    with pytest.raises(RunError, match=r"rows\.jsonl, line 1: is no row"):
        adaptation_study(LAB, trained_network, labelled_data, tmp_path, STUDY)


def test_rates_are_chosen_where_no_test_picture_is(
    found: tuple[Path, list[Row]], labelled_data: LabelledImages, trained_network: nn.Module, tmp_path: Path
) -> None:
    rates = json.loads((found[0] / "rates.json").read_text())
    assert set(rates) == {name for name, way in METHODS.items() if way.rates}
    for name, chosen in rates.items():
        assert set(chosen) == {"10"}
        assert set(chosen.values()) <= set(METHODS[name].rates)
    # other test labels, the same choice: they play no part in it
    blank = replace(labelled_data.test, labels=labelled_data.test.labels[::-1].copy())
    few = replace(STUDY, methods=("head",), labels=(20,), severities=False, seeds=(0,))
    adaptation_study(LAB, trained_network, replace(labelled_data, test=blank), tmp_path, few)
    assert json.loads((tmp_path / "rates.json").read_text())["head"] == rates["head"]


def test_rates_for_other_counts() -> None:
    chosen = {10: 0.1, 100: 0.2}
    assert [rate_for(chosen, n) for n in (5, 10, 99, 100, 1000)] == [0.1, 0.1, 0.1, 0.2, 0.2]
    assert rate_for({}, 10) == 0


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"methods": ("fulll",)}, UnknownNameError, "unknown way to adapt 'fulll'; did you mean 'full'"),
        ({"labels": ()}, InputError, "'labels' names at least one"),
        ({"seeds": (1, 1)}, InputError, "'seeds' names at least one, and none twice"),
        ({"labels": (-1,)}, InputError, "labels at least 0"),
        ({"test": 0}, InputError, "at least 1"),
    ],
)
def test_studies_that_cannot_be(wrong: dict[str, object], error: type[PlacidError], message: str) -> None:
    with pytest.raises(error, match=message):
        replace(STUDY, **wrong)  # type: ignore[arg-type]


def test_ways_without_enough_labels(
    labelled_data: LabelledImages, trained_network: nn.Module, tmp_path: Path
) -> None:
    few = replace(STUDY, methods=("scratch",), labels=(0, 20))
    with pytest.raises(InputError, match="no way of scratch can do with 20 labels"):
        adaptation_study(LAB, trained_network, labelled_data, tmp_path, few)


def test_quick_is_little_of_it() -> None:
    little = quick(Study())
    assert little.labels == (0, 10, 50)
    assert len(little.nodes) == 2
    assert not little.severities
    assert quick(replace(Study(), labels=(100,))).labels == (100,)


ROWS = {
    "part": ["nodes"] * 6,
    "node": ["a", "b", "a", "b", "a", "b"],
    "mix": "even",
    "corruption": "noise",
    "severity": 3,
    "seed": 0,
    "method": ["none"] * 2 + ["head"] * 4,
    "labels": [0, 0, 10, 10, 1000, 1000],
    "accuracy": [0.4, 0.8, 0.5, 0.9, 0.7, 0.9],
    "original_accuracy": 0.9,
    "update_bytes": [0, 0, 3000, 3000, 3000, 3000],
    "pictures_bytes": [0, 0, 30730, 30730, 3073000, 3073000],
    "multiply_adds": [0, 0, 10**9, 10**9, 10**11, 10**11],
    "energy_j": [0.0, 0.0, 0.5, 0.5, 50.0, 50.0],
    "seconds": [0.0, 0.0, 0.25, 0.25, 2.0, 2.0],
}


def test_tables_say_what_rows_do() -> None:
    told = pl.DataFrame(ROWS)
    rows = {(r["method"], r["labels"]): r for r in adaptation_summary(told).to_dicts()}
    first, more = rows["head", 10], rows["head", 1000]
    assert first["accuracy"] == pytest.approx(0.7)
    # of two values 0.4 apart Student's t gives 12.706 x 0.2; gained is the same on both
    assert first["accuracy_high"] - first["accuracy"] == pytest.approx(12.706 * 0.2, rel=1e-3)
    assert first["gain"] == pytest.approx(0.1)
    assert first["gain_high"] - first["gain_low"] == pytest.approx(0, abs=1e-9)
    assert more["gain"] == pytest.approx(0.2)
    text = adaptation_markdown(told)
    assert "| `head` | 10 | 70.0 ± 254.1 | +10.0 ± 0.0 | 90.0 | 3 kB | 30.7 kB | 500 mJ | 250 ms |" in text
    assert "| a | even, noise 3 | 40.0 | 70.0 |" in text
    assert "severity" not in text
    shown = str(adaptation_table(told))
    assert "+10.0 ± 0.0" in shown
    assert severity_table(told) is None
    alone = adaptation_markdown(told.filter(pl.col("node") == "a", pl.col("method") == "head"))
    assert "one node and seed: no intervals" in alone
    assert "| `head` | 10 | 50.0 | – |" in alone


def test_tables_and_figures_of_a_study(frame: pl.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "adaptation.csv"
    frame.write_csv(file)
    again = read_adaptation(file)
    assert adaptation_markdown(again) == adaptation_markdown(frame)
    text = adaptation_markdown(frame)
    assert "2 nodes, 2 seeds" in text
    survey = frame.filter(
        pl.col("part") == "severities", pl.col("corruption") == "contrast", pl.col("method") == "none"
    )
    clean = frame.filter(pl.col("node") == "clean", pl.col("method") == "none")["accuracy"][0]
    cells = " | ".join(f"{100 * v:.1f}" for v in [clean, *survey["accuracy"]])
    assert f"| contrast | as it is | {cells} |" in text
    assert "as it is" in str(severity_table(frame))
    specs = adaptation_charts(frame)
    drawn = specs["accuracy-labels"]["datasets"]["ways"]
    assert len(drawn) == len(adaptation_summary(frame))
    for written in write_adaptation_figures(frame, tmp_path / "figures"):
        svg = written.read_text()
        assert svg.startswith("<svg")
        assert "<title>" in svg
        assert "scratch" in svg


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_adaptation(tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="has no column part, node"):
        read_adaptation(tmp_path / "other.csv")


def test_the_page_speaks_of_every_name() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "adaptation.md").read_text()
    for name in (*METHODS, *CORRUPTIONS, *DEVICE_CLASSES):
        assert f"`{name}`" in page, name


def test_tables_need_no_torch() -> None:
    script = "import sys, placid.reports.adaptation_charts; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.usefixtures("small_cifar")
def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, "cifar10", replace(DATASETS["cifar10"], classes=("a", "b", "c", "d")))
    lab, nodes = tmp_path / "lab.yaml", tmp_path / "nodes.yaml"
    settings = {"width": 4, "classes": 4}
    lab.write_text(
        f"data: cifar10\nteacher: {{name: resnet9, settings: {json.dumps(settings)}}}\n"
        "variants: [{technique: remote, pictures: [raw]}]\n"
    )
    nodes.write_text("nodes: [{name: porch, mix: even, corruption: blur, severity: 4}]\n")
    out = tmp_path / "out"
    command = [
        "adapt",
        str(lab),
        "--trained",
        str(tmp_path),
        "--out",
        str(out),
        "--nodes",
        str(nodes),
        "--quick",
    ]
    runner = CliRunner()
    missing = runner.invoke(splits_app, command)
    assert isinstance(missing.exception, InputError)
    assert "placid splits train" in str(missing.exception)
    assert not out.exists()
    save_weights(weights_file(tmp_path, "teacher", 0), network_named("resnet9", settings, 0), {})
    short = [*command, "--labels", "0", "--only", "none", "--only", "normalisation"]
    done = runner.invoke(splits_app, short, env={"COLUMNS": "150"}, catch_exceptions=False)
    assert "normalisation" in done.stdout
    assert len(read_adaptation(out / "adaptation.csv")) == 2
    again = runner.invoke(splits_app, [*short, "--markdown"], catch_exceptions=False)
    assert (out / "adaptation.md").read_text() in again.stdout
    for wrong, message in (
        (["--labels", "1,x"], "--labels: is written as whole numbers"),
        (["--device", "phone"], "unknown device class 'phone'"),
        (["--only", "heads"], "did you mean 'head'"),
        (["--nodes", str(tmp_path / "no.yaml")], "no.yaml"),
    ):
        failed = runner.invoke(splits_app, [*command, *wrong])
        assert isinstance(failed.exception, PlacidError), wrong
        assert message in str(failed.exception)
