"""The BranchyNet study on drawn answers: every row is what it says, and the tables hold what the rows do."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from drawn_answers import COSTS, answers

from placid.errors import InputError
from placid.reports.studies import BEGIN, END, with_results
from placid.splitting.data import DATASETS, Images, LabelledImages

HERE = Path(__file__).resolve().parents[3] / "papers" / "teerapittayanon-2016-branchynet"


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """The study's modules, and nothing of them left behind: other studies have modules of the same names."""
    monkeypatch.syspath_prepend(str(HERE))
    names = ("evaluations", "tables", "trainings")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    import evaluations  # type: ignore[import-not-found]
    import tables  # type: ignore[import-not-found]
    import trainings  # type: ignore[import-not-found]

    yield evaluations, tables, trainings
    for name in names:
        sys.modules.pop(name, None)


def test_rows_and_tables(study) -> None:  # type: ignore[no-untyped-def]
    evaluations, tables, trainings = study
    chosen, chosen_labels = answers(800, 1)
    tested, labels = answers(600, 2)
    blank = np.zeros((0, 32, 32, 3), np.uint8)
    data = LabelledImages(
        DATASETS["cifar10"],
        Images(blank, np.zeros(0, np.uint8)),
        Images(np.zeros((800, 1, 1, 1), np.uint8), chosen_labels.astype(np.uint8)),
        Images(np.zeros((600, 1, 1, 1), np.uint8), labels.astype(np.uint8)),
    )
    both = trainings.Answers(chosen, tested)
    plain = trainings.Answers(chosen[-1:], tested[-1:])
    told = {"baseline": plain, "longer": plain, "joint": both, "heads": both}
    rows = [r.as_dict() for r in evaluations.rows_of("alexnet", 0, told, data, COSTS, 0.6)]
    full = (tested[-1].argmax(1) == labels).mean()
    assert all(r["accuracy_without"] == pytest.approx(full) for r in rows)
    for r in rows:
        if r["target"]:
            found = 100 / r["multiply_adds"]
            assert r["speedup"] == pytest.approx(found)
            assert sum(r["shares"]) == pytest.approx(1)
        if r["target"] == "budget 0.75":
            assert r["multiply_adds"] < 80
        if r["target"] == "first exit 0.6":
            assert r["shares"][0] == pytest.approx(0.6, abs=0.06)
        if r["target"].startswith("risk"):
            assert r["harmed"] < 0.03
    assert {r["target"] for r in rows} >= {
        "",
        "lose 0",
        "lose 0.01",
        "first exit 0.6",
        "risk 0.01",
        "budget 0.667",
    }
    found = {
        "alexnet": {"rows": rows, "latency_s": {"whole": 1e-3, "segments": [4e-4, 4e-4, 4e-4]}},
    }
    again = json.loads(json.dumps(found, allow_nan=False))  # the file is JSON for everybody
    text = tables.results(again)
    assert "| accuracy with exits | 79.19 |" in text
    assert "nan" not in text
    written = with_results((HERE / "README.md").read_text(), text)
    assert text in written
    assert written.count(BEGIN) == written.count(END) == 1
    assert with_results(written, text) == written


def test_the_paper_s_row_is_answered_by_a_target_that_was_reached(study) -> None:  # type: ignore[no-untyped-def]
    _, tables, _ = study
    row = {"way": "joint", "rule": "confidence", "target": "lose 0", "accuracy": 0.78, "accuracy_without": 0.79,
           "shares": [0.6, 0.4], "speedup": 1.2,
           "first_calibration_error": 0.1, "first_auroc": 0.9, "first_area": 0.1}  # fmt: skip
    plain = row | {"rule": "", "target": "", "shares": [1.0], "speedup": 1.0}
    always = [plain | {"way": w} for w in ("baseline", "longer")]
    always += [row | {"way": w, "rule": r, "target": "first exit 0.656"} for w in ("joint", "heads")
               for r in ("entropy", "confidence", "learned")]  # fmt: skip

    def text(*targets: str) -> str:
        rows = [*always, *(row | {"target": t} for t in targets)]
        latency = {"whole": 1e-3, "segments": [4e-4, 4e-4]}
        return str(tables.results({"alexnet": {"rows": rows, "latency_s": latency}}))

    assert "joint, confidence, target: budget 0.667 |" in text("budget 0.667", "lose 0.01")
    assert "joint, confidence, target: lose 0.01 |" in text("lose 0.01")
    with pytest.raises(InputError, match="reached by all seeds"):
        text()


@pytest.mark.parametrize("results", [f for f in (HERE / "results.json",) if f.exists()])
def test_the_readme_shows_the_results(study, results: Path) -> None:  # type: ignore[no-untyped-def]
    """Without results there is nothing to hold it against."""
    _, tables, _ = study
    readme = (HERE / "README.md").read_text()
    assert with_results(readme, tables.results(json.loads(results.read_text()))) == readme
