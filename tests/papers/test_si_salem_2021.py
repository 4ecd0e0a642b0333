"""The INFIDA study at tiny size: every part gives finite numbers, every claim is evaluated, collecting is right."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import polars as pl
import pytest

from placid.reports.studies import BEGIN, END, with_results

HERE = Path(__file__).resolve().parents[2] / "papers" / "si-salem-2021-infida"
sys.path.insert(0, str(HERE))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def said(out: Path) -> str:
    kept = (HERE / "README.md").read_bytes()
    done = subprocess.run(
        [sys.executable, str(HERE / "study.py"), "--quick", "--out", str(out)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (HERE / "README.md").read_bytes() == kept  # a quick run publishes nothing
    return done.stdout


def test_every_claim_is_evaluated(said: str) -> None:
    claims = tomllib.loads((HERE / "expected.toml").read_text())["claim"]
    for claim in claims:
        assert claim["words"] in said
    assert "not run" not in said
    assert "nan" not in said


def test_every_part_gives_finite_rows(said: str, out: Path) -> None:
    from settings import PARTS  # type: ignore[import-not-found]

    table = pl.read_csv(out / "results.csv", schema_overrides={"setting": pl.String})
    assert set(table["part"]) == set(PARTS)
    assert table.select(pl.col("mean", "low", "high").is_finite().all()).row(0) == (True, True, True)
    assert set(table["n"]) == {2}
    local = table.filter((pl.col("part") == "hindsight") & (pl.col("quantity") == "gain"))
    assert "hindsight-local-search" in set(local["policy"])
    assert (out / "results.md").read_text().count("| small |") == said.count("| small ")
    for name in ("popularity", "alpha", "refresh", "rate"):
        assert (out / "figures" / f"{name}.svg").stat().st_size > 0


def test_popularity_slides_in_a_quick_run_too(said: str, out: Path) -> None:
    gains = pl.read_csv(out / "results.csv", schema_overrides={"setting": pl.String}).filter(
        (pl.col("part") == "popularity")
        & (pl.col("policy") == "hindsight-greedy")
        & (pl.col("quantity") == "gain")
    )
    fixed, sliding = (gains.filter(pl.col("setting") == s)["mean"].item() for s in ("fixed", "sliding"))
    assert sliding < fixed


def test_gain_over_time_agrees_with_the_rows(said: str, out: Path) -> None:
    from timecourse import gain_late, gain_over_time  # type: ignore[import-not-found]

    folder = out / "popularity-small-sliding"
    mine = pl.read_parquet(folder / "rows.parquet").filter(pl.col("policy") == "infida")
    late = mine.filter((pl.col("seed") == 1) & (pl.col("slot") >= 8))  # the last 4 of 12
    found = gain_late(folder).filter((pl.col("policy") == "infida") & (pl.col("seed") == 1))
    assert found["gain_late"].item() == pytest.approx(sum(late["gain"]) / sum(late["requests"]))
    first = mine.filter(pl.col("slot") <= 2)
    by_seed = [
        sum(one["gain"]) / sum(one["requests"]) for one in (first.filter(pl.col("seed") == s) for s in (0, 1))
    ]
    course = gain_over_time(folder).filter((pl.col("policy") == "infida") & (pl.col("slot") == 2))
    assert course["gain"].item() == pytest.approx(sum(by_seed) / 2)
    assert course["n"].item() == 2


def test_a_claim_is_judged_by_its_interval(tmp_path: Path) -> None:
    from claims import judge  # type: ignore[import-not-found]

    expected = tmp_path / "expected.toml"
    expected.write_text(
        '[[claim]]\nwords = "a beats b"\npart = "p"\nquantity = "gain"\nleft = "s / a"\nright = "s / b"\nat_least = 1.0\n'
    )

    def verdict(gains: list[float]) -> str:
        rows = [("p", "t", "s", "a", i, g) for i, g in enumerate(gains)]
        rows += [("p", "t", "s", "b", i, 2.0) for i in range(len(gains))]
        frame = pl.DataFrame(
            rows, schema=["part", "topology", "setting", "policy", "seed", "gain"], orient="row"
        )
        (judged,) = judge(frame, expected)
        return str(judged.verdict)

    assert verdict([2.2, 2.21, 2.19]) == "holds"
    assert verdict([1.8, 1.81, 1.79]) == "does not hold"
    assert verdict([2.2, 1.8, 2.1]) == "cannot be told"


def test_means_and_intervals_by_hand() -> None:
    from study import QUANTITIES, summarised  # type: ignore[import-not-found]

    frame = pl.DataFrame(
        {"part": "p", "topology": "t", "setting": "s", "policy": "a", "seed": [0, 1]}
        | {q: [1.0, 3.0] for q in QUANTITIES}
    )
    row = summarised(frame).row(0, named=True)
    # Student's t with one degree of freedom: 12.706 x the standard error of 1
    assert row["mean"] == 2.0
    assert row["high"] == pytest.approx(2 + 12.706, abs=0.01)
    assert row["n"] == 2


def test_the_section_between_the_markers_is_replaced_and_nothing_else() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert with_results(text, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    readme = (HERE / "README.md").read_text()
    assert readme.count(BEGIN) == readme.count(END) == 1
