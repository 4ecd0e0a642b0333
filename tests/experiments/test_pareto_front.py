"""`placid pareto` as a person meets it: what it writes, how it goes on, what it says when something is wrong."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from placid.cli.app import app
from placid.errors import InputError, RunError
from placid.experiments.pareto import mean_demand, objectives_named, pareto
from placid.experiments.scenario import build, load_scenario
from placid.objectives import Ways
from placid.objectives.front_file import read_front
from placid.placement.offline.front.sweep import mean_vector
from placid.problem.placement import check_feasible

SMALL: dict[str, Any] = {
    "name": "small front",
    "slots": 6,
    "network": {
        "tiered": {
            "base_stations": 2,
            "memory": {"base-station": "300 MB", "central-office": "600 MB"},
            "processor": "rtx2070",
        }
    },
    "catalog": {"family": "yolov4", "tasks": 2, "replicas": 1, "processors": ["rtx2070"]},
    "workload": {"process": "poisson", "rate": "60 /s"},
    "objective": {"latency": 1},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pareto(SMALL, tmp_path_factory.mktemp("front") / "three", points=10, time_limit_s=1.0)


def test_the_table_is_what_the_placements_come_to(made: Path) -> None:
    table, front = pl.read_csv(made / "front.csv"), read_front(made / "front.npz")
    assert table.height == len(front) > 3
    assert table["latency_s"].is_sorted()
    built = build(load_scenario(SMALL))
    ways = Ways.of(built.network, built.catalog, built.requests, built.slot_s)
    demand = mean_demand(built)
    assert demand.sum() == pytest.approx(np.mean([built.workload.demand(s, 0).sum() for s in range(6)]))
    for i in range(len(front)):
        check_feasible(ways.frame, front.placed(i))
        vector = mean_vector(ways, demand, front.weights[i], front.placed(i))
        assert np.allclose(vector, table.row(i)[1:5], rtol=1e-9)
    assert (table["latency_p95_s"] >= 0).all()
    with np.load(made / "front.npz") as names:
        assert len(names["item_node"]) == front.items == ways.frame.item_count
        assert names["model_names"].tolist() == list(ways.frame.model_names)


def test_interrupted_it_goes_on_and_ends_at_the_same(made: Path, tmp_path: Path) -> None:
    def stop(title: str, step: int, steps: int) -> None:
        if step == 5:
            raise KeyboardInterrupt

    settings: dict[str, Any] = {"points": 10, "time_limit_s": 1.0, "report": False}
    with pytest.raises(KeyboardInterrupt):
        pareto(SMALL, tmp_path / "cut", tell=stop, **settings)
    parts = {p: p.stat().st_mtime_ns for p in (tmp_path / "cut" / "parts").glob("*.npz")}
    assert len(parts) == 5
    assert not (tmp_path / "cut" / "front.csv").exists()
    pareto(SMALL, tmp_path / "cut", **settings)
    assert all(p.stat().st_mtime_ns == before for p, before in parts.items())
    assert_frame_equal(pl.read_csv(tmp_path / "cut/front.csv"), pl.read_csv(made / "front.csv"))
    # more points of the same front: those that are there are kept
    pareto(SMALL, tmp_path / "cut", **settings | {"points": 15})
    assert all(p.stat().st_mtime_ns == before for p, before in parts.items())


def test_another_front_does_not_overwrite_this_one(made: Path) -> None:
    with pytest.raises(RunError, match="another"):
        pareto(SMALL, made, objectives=("latency", "energy"), points=4)
    with pytest.raises(RunError, match="another"):
        pareto(SMALL | {"slots": 7}, made, points=4)


def test_two_objectives_come_with_a_bound_and_the_truth(tmp_path: Path) -> None:
    out = pareto(
        SMALL, tmp_path / "two", objectives=("latency", "error"), points=5, time_limit_s=1.0, exact=True
    )
    names = ["latency_s", "error"]
    bound, exact, found = (
        pl.read_csv(out / f"{n}.csv").select(names).to_numpy() for n in ("bound", "exact", "front")
    )
    assert pl.read_csv(out / "exact.csv")["proven"].all()
    span = np.ptp(bound, axis=0)
    for point in (*exact, *found):
        for p, q in pairwise(bound):  # a falling, convex line: everything is above all of its pieces
            way, there = (q - p) / span, (point - p) / span
            assert way[0] * there[1] - way[1] * there[0] >= -1e-5
    page = (out / "pareto.html").read_text()
    assert "no placement lies below" in page
    fresh = pareto(SMALL, out, points=3, time_limit_s=0.0, fresh=True, report=False)
    assert not (fresh / "bound.csv").exists()
    assert not (fresh / "pareto.html").exists()


def test_evolution_adds_to_the_front(made: Path, tmp_path: Path) -> None:
    pytest.importorskip("pymoo")
    out = pareto(SMALL, tmp_path / "more", points=10, time_limit_s=1.0, evolve_s=1.0, report=False)
    before, after = read_front(made / "front.npz"), read_front(out / "front.npz")
    worst = 1.1 * before.points.max(axis=0) + 1e-9
    assert after.hypervolume(worst) >= before.hypervolume(worst) - 1e-5


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(SMALL))
    done = CliRunner().invoke(app, ["pareto", "small.yaml", "--points", "6", "--time-limit", "0"])
    assert done.exit_code == 0, done.output
    assert "small-front-pareto/pareto.html" in done.output
    assert "none of them is beaten" in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("latency",), "at least two"),
        (("latency", "speed"), "unknown objective 'speed'"),
        (("latency", "latency_s"), "each once"),
    ],
)
def test_objectives_are_checked(given: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        objectives_named(given)


def test_what_has_no_front_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no demand to plan for"):
        pareto(SMALL | {"workload": {"process": "evader", "rate": "60 /s"}}, tmp_path / "no")
    with pytest.raises(InputError, match="two or three objectives"):
        pareto(SMALL, tmp_path / "no", objectives=("latency", "error", "energy", "traffic"), exact=True)
    with pytest.raises(InputError, match="no limit"):
        pareto(SMALL, tmp_path / "no", limits=["fast"])
    with pytest.raises(InputError, match="each objective once"):
        pareto(SMALL, tmp_path / "no", order=["energy", "energy_j"])
    assert not (tmp_path / "no").exists()


def test_budgets_are_not_left_out_in_silence(tmp_path: Path) -> None:
    file = tmp_path / "budget.yaml"
    file.write_text(
        yaml.safe_dump(SMALL | {"budgets": [{"energy": "5 kJ", "every": "1 d"}]}, sort_keys=False)
    )
    with pytest.raises(InputError, match=r"budget\.yaml:\d+: 'budgets'.*part of no front") as told:
        pareto(file, tmp_path / "front")
    line = int(str(told.value).split("budget.yaml:")[1].split(":")[0])
    assert "5 kJ" in "".join(file.read_text().splitlines()[line - 1 : line + 1])
    assert not (tmp_path / "front").exists()


def test_three_objectives_have_an_exact_front_that_goes_on(tmp_path: Path) -> None:
    def stop(title: str, step: int, steps: int) -> None:
        if title == "exact front" and step == 3:
            raise KeyboardInterrupt

    settings: dict[str, Any] = {"points": 2, "time_limit_s": 0.0, "exact": True}
    with pytest.raises(KeyboardInterrupt):
        pareto(SMALL, tmp_path / "three", tell=stop, **settings)
    out = pareto(SMALL, tmp_path / "three", **settings)
    told = json.loads((out / "exact.json").read_text())
    assert 0 < told["hypervolume"] <= told["hypervolume_at_most"] <= 1
    exact = pl.read_csv(out / "exact.csv")
    # nothing found under the serving rule is better than what is out of reach
    front = read_front(out / "front.npz")
    assert (front.axes.min(axis=0) >= np.array(told["ideal"]) * (1 - 1e-6)).all()
    assert exact["latency_s"].min() == pytest.approx(told["ideal"][0], rel=1e-5)
    page = (out / "pareto.html").read_text()
    assert "In exact.csv are points" in page
    assert "infinitely many points" in page


def test_a_wish_is_granted_or_refused_with_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(SMALL))
    command = ["pareto", "small.yaml", "--points", "6", "--time-limit", "0", "--order", "energy,p95"]
    done = CliRunner().invoke(app, [*command, "--limit", "p95 latency < 60 ms and accuracy >= 0.6"])
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "Chosen for the least energy, then p95 latency with p95 latency at most 60 ms" in said
    choice = json.loads((tmp_path / "runs/small-front-pareto/choice.json").read_text())
    assert choice["kept"]
    assert choice["latency_p95_s"] <= 0.06 * (1 + 2e-6)
    assert choice["error"] <= 0.4 * (1 + 2e-6)
    assert choice["least"]["at_least"] <= choice["energy_j"] * (1 + 1e-5)
    assert {"node", "model"} == set(choice["placed"][0])
    assert "Chosen for the least energy" in (tmp_path / "runs/small-front-pareto/pareto.html").read_text()
    with pytest.raises(InputError, match=r"contradict each other: p95 latency .* and error"):
        pareto(
            "small.yaml", points=6, time_limit_s=0.0, report=False,
            limits=["p95 < 10 ms", "accuracy >= 0.68", "energy < 1 kJ"],
        )  # fmt: skip
    # without a wish the last choice does not stay
    pareto("small.yaml", points=6, time_limit_s=0.0, report=False)
    assert not (tmp_path / "runs/small-front-pareto/choice.json").exists()
