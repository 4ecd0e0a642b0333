"""Hard limits, refusals and budgets in scenario files, and whole runs with them."""

# ruff: noqa: E501

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from placid.errors import InputError
from placid.experiments.run import run
from placid.experiments.scenario import Built, build, load_scenario
from placid.gym import PlacementEnv

LIMITED = """\
slots: 12
slot: 10 s
network:
  topology: sndlib/abilene
  memory: 256 MiB
  processor: rtx2070
  rate: 4 Mbit/s
  processors: 1
  cloud: {rtt: 40 ms, rate: 8 Mbit/s, processors: 4, processor: v100, gateways: [ATLAM5]}
  overrides:
    ATLAM5: {processors: 3}
catalog: {family: yolov4, tasks: 2, replicas: 1, processors: [rtx2070, v100]}
workload: {process: poisson, rate: 80 /s}
objective: {latency: 1, error: 0.1}
limits: {refusal: 2, rounds: 10, patience_slots: 20}
budgets:
  - {energy: 100 kJ, every: 1 h}
  - {bytes: 1 GB, every: 1 h, link: [ATLAM5, cloud]}
  - {energy: 3 kJ, every: 1 h, node: CHINng}
policies: [infida-adaptive, cloud-only]
hindsight: {solvers: [greedy, lp, milp], windows: 2, time_limit: 5 s}
"""


def written(*changes: tuple[str, str]) -> str:
    text = LIMITED
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def built(tmp_path: Path, *changes: tuple[str, str]) -> Built:
    file = tmp_path / "limited.yaml"
    file.write_text(written(*changes))
    return build(load_scenario(file))


def test_limits_reach_the_problem_in_si_units(tmp_path: Path) -> None:
    found = built(tmp_path)
    ((_, problem),) = found.problems()
    limits = problem.limits
    assert limits is not None
    most = dict(zip(limits.names, limits.most.tolist(), strict=True))
    links = [name for name in most if name.startswith("link")]
    assert len(links) == 2 * len(found.network.links)
    assert most["link ATLAM5-cloud from ATLAM5"] == 8e6 / 8 * 10
    assert most["link ATLAM5-ATLAng from ATLAng"] == 4e6 / 8 * 10
    assert most["processors of CHINng"] == 10
    assert most["processors of ATLAM5"] == 30
    assert most["processors of cloud"] == 40
    assert most["energy of all"] == pytest.approx(100e3 / 3600 * 10)
    assert most["bytes of ATLAM5-cloud"] == pytest.approx(1e9 / 3600 * 10)
    assert (limits.rounds, limits.patience_slots) == (10, 20)
    assert (limits.refusal_cost == 2).all()
    told = " ".join(found.declared)
    assert "Hard limits of links are declared: 16 of 16, 4 Mbit/s to 8 Mbit/s each way." in told
    assert "node 1 to 3" in told
    assert "bytes of ATLAM5-cloud" in told


def test_rates_can_be_given_link_by_link(tmp_path: Path) -> None:
    found = built(tmp_path, ("rate: 4 Mbit/s", "rate: {ATLAng-ATLAM5: 1 Mbit/s}"))
    rates = {frozenset((e.a, e.b)): e.rate_bytes_per_s for e in found.network.links}
    assert rates[frozenset(("ATLAng", "ATLAM5"))] == 125_000
    assert sum(r == float("inf") for r in rates.values()) == 14


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([("rate: 4 Mbit/s", "rate: 0 Mbit/s")], r"limited.yaml:7: network.rate: .*needs a rate above 0"),
        ([("rate: 4 Mbit/s", "rate: {A-B: 1 Mbit/s}")], r"limited.yaml:7: network.rate.A-B: unknown link 'A-B'"),
        ([("processors: 1\n", "processors: 0\n")], r"limited.yaml:8: network.processors: .*more than 0 processors"),
        ([("processors: 1\n", "processors: {moon: 1}\n")], r"limited.yaml:8: network.processors.moon: unknown tier 'moon'"),
        ([("refusal: 2", "refusal: 0.01")], r"limited.yaml:15: limits.refusal: .*must be above what the repository's answer costs"),
        ([("refusal: 2", "refusal: {sea: 1}")], r"limited.yaml:15: limits.refusal.sea: unknown task 'sea'"),
        ([("rounds: 10", "rounds: 1")], r"limited.yaml:15: limits.rounds: expected a whole number from 2 to 10,000"),
        ([("patience_slots", "patience")], r"limited.yaml:15: limits.patience: unknown field; did you mean 'patience_slots'"),
        ([("energy: 100 kJ, every", "every")], r"limited.yaml:17: budgets\[0\]: has neither 'energy' nor 'bytes'"),
        ([("energy: 100 kJ", "energy: 100 kJ, bytes: 1 GB")], r"limited.yaml:17: budgets\[0\]: has both"),
        ([("energy: 100 kJ", "energy: 100 GB")], r"limited.yaml:17: budgets\[0\].energy"),
        ([("[ATLAM5, cloud]}\n  - {energy: 3", "[ATLAM5, moon]}\n  - {energy: 3")], r"limited.yaml:18: budgets\[1\].link: unknown node 'moon'"),
        ([("[ATLAM5, cloud]}\n  - {energy: 3", "[CHINng, cloud]}\n  - {energy: 3")], r"limited.yaml:18: budgets\[1\].link: there is no link CHINng-cloud; 'CHINng' is linked to"),
        ([("node: CHINng", "node: moon")], r"limited.yaml:19: budgets\[2\].node: unknown node 'moon'"),
        ([(", node: CHINng", "")], r"limited.yaml:19: budgets\[2\]: the budget of energy of all stands twice"),
        ([("energy: 3 kJ", "bytes: 3 kB")], r"limited.yaml:19: budgets\[2\].*a node has a budget of energy"),
    ],
    ids=lambda value: "" if isinstance(value, list) else value[:40],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_line_and_field(
    tmp_path: Path, changes: list[tuple[str, str]], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        built(tmp_path, *changes)


def test_limits_that_carry_not_one_request_are_told_with_what_to_do(tmp_path: Path) -> None:
    says = r"limited.yaml:3: network: .*not even one request of task .* that enters at .* can be answered in a slot: .*link"
    with pytest.raises(InputError, match=says):
        built(tmp_path, ("rate: 4 Mbit/s", "rate: 1 bit/s"), ("processors: 1\n", "processors: 0.0001\n"))


def test_a_run_tells_of_refusals_and_loads_and_stays_under_its_bounds(tmp_path: Path) -> None:
    file = tmp_path / "limited.yaml"
    file.write_text(written(("rate: 80 /s", "rate: 200 /s")))
    folder = run(load_scenario(file), tmp_path / "out", report=True)
    rows = pl.read_parquet(folder / "rows.parquet")
    for column in (
        "refused",
        "link_load",
        "processor_load",
        "budget_energy_all",
        "budget_bytes_ATLAM5-cloud",
    ):
        assert rows[column].is_not_null().all()
    assert rows["link_load"].max() <= 1
    assert rows["processor_load"].max() <= 1
    cloud = rows.filter(pl.col("policy") == "cloud-only")
    assert cloud["refused"].sum() > 0
    learned = rows.filter(pl.col("policy") == "infida-adaptive")
    assert learned["refused"].sum() < cloud["refused"].sum()
    assert (rows["gain"] <= rows["ceiling"] + 1e-6 * rows["ceiling"].abs() + 1e-9).all()
    bounds = pl.read_parquet(folder / "bounds.parquet")
    played = bounds.filter(pl.col("value").is_not_null())
    assert len(played) == 3
    assert (played["value"] <= played["bound"] * (1 + 1e-9)).all()
    assert "not served" in (folder / "report.html").read_text()


def test_an_agent_of_its_own_plays_within_limits_too(tmp_path: Path) -> None:
    file = tmp_path / "limited.yaml"
    file.write_text(written(("rate: 80 /s", "rate: 200 /s")))
    env = PlacementEnv(load_scenario(file))
    env.reset(seed=0)
    _, _, _, _, info = env.step(env.action_space.sample() * 0)
    first = env._now
    assert first is not None
    env.step(env.action_space.sample() * 0)
    assert first.prices.now.any()
    assert info["gain"] == pytest.approx(0, abs=1e-6) or info["gain"] < 0
