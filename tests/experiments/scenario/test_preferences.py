"""`changes` with `prefer`: what counts becomes something else in mid-run, and policies keep what they learned."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from placid.errors import InputError
from placid.experiments.run import run
from placid.experiments.scenario import Built, build, load_scenario
from placid.placement.base import Policy
from placid.placement.online.column_ascent import ColumnAscent
from placid.placement.online.infida import AdaptiveInfida
from placid.placement.online.portfolio import Portfolio
from placid.simulation.slots import Episode, SlotRecord, play
from placid.workload import Replay

SCENARIO: dict[str, Any] = {
    "slots": 30,
    "network": {
        "tiered": {
            "base_stations": 3,
            "memory": {"base-station": "300 MB", "central-office": "600 MB", "regional-office": "1 GB"},
            "processor": "rtx2070",
        }
    },
    "catalog": {"family": "yolov4", "tasks": 3, "replicas": 1, "processors": ["rtx2070"]},
    "workload": {"process": "poisson", "rate": "60 /s"},
    "objective": {"latency": 1, "error": 0.02},
    "changes": [{"slot": 20, "prefer": {"error": 0.03}}],
}
PLANS = SCENARIO | {
    "network": {
        "tiered": {
            "base_stations": 2,
            "memory": dict.fromkeys(("base-station", "central-office", "regional-office", "data-centre"), "4 MB"),
            "processor": {"base-station": "phone", "central-office": "x86-server", "regional-office": "x86-server",
                          "data-centre": "t4", "cloud": "a100"},
        }
    },
    "catalog": {"family": "measured", "tasks": 2, "plans": True,
                "variants": ["local-*", "remote-raw", "bottlefit-*", "split-*"],
                "processors": ["phone", "x86-server", "t4", "a100"]},
    "changes": [{"slot": 20, "prefer": {"error": 0.5, "energy": 0.1}}],
}  # fmt: skip


def built(scenario: dict[str, Any], **more: Any) -> Built:
    return build(load_scenario(copy.deepcopy(scenario | more)))


def played(scenario: Built, policy: Policy) -> list[SlotRecord]:
    episode = Episode(scenario.problems(), scenario.workload, policy, 0, scenario.slots)
    return [record for record, _ in play(episode)]


@pytest.mark.parametrize(
    ("scenario", "policy"),
    [(SCENARIO, AdaptiveInfida()), (SCENARIO, Portfolio()), (PLANS, Portfolio()), (PLANS, ColumnAscent())],
    ids=["models-infida", "models-portfolio", "plans-portfolio", "plans-ascent"],
)
def test_gains_are_of_what_counts_in_the_slot(scenario: dict[str, Any], policy: Policy) -> None:
    changing, steady = built(scenario), built(scenario, changes=[])
    with_it, without = played(changing, policy), played(steady, policy)
    assert [r.outcome.gain for r in with_it[:20]] == [r.outcome.gain for r in without[:20]]
    (_, before), (first, after) = changing.problems()
    assert first == 20
    assert before.item_count == after.item_count
    weights = changing.preferences[1][1].weights
    for slot in range(20, 30):
        demand = changing.workload.demand(slot, 0, None)
        cost = weights @ with_it[slot].outcome.vector
        assert with_it[slot].outcome.gain == pytest.approx(demand @ after.repository_cost - cost, rel=1e-6)
    assert (after.repository_cost != before.repository_cost).any()


def test_what_was_learned_is_kept() -> None:
    changing = built(SCENARIO)
    kept = played(changing, AdaptiveInfida())[20:25]
    (_, _), (_, after) = changing.problems()
    anew = AdaptiveInfida()
    demand = [changing.workload.demand(s, 0, None) for s in range(20, 25)]
    replayed = Replay(changing.requests, np.array(demand))
    fresh = [record for record, _ in play(Episode(((0, after),), replayed, anew, 0, 5))]
    # its fractions, before anything fills what they leave free
    assert kept[0].relaxed_gain > 1.02 * fresh[0].relaxed_gain
    assert sum(r.outcome.gain for r in kept) > sum(r.outcome.gain for r in fresh)


def test_a_run_tells_the_change_and_resumes_over_it(tmp_path: Path) -> None:
    scenario = SCENARIO | {"policies": ["infida-adaptive"], "seeds": 1}
    folder = run(copy.deepcopy(scenario), tmp_path / "whole")
    meta = (folder / "meta.json").read_text()
    assert "error counts 0.03, was 0.02" in meta


def test_the_network_may_change_too() -> None:
    changes = [
        {"slot": 10, "fail": "bs-0"},
        {"slot": 20, "prefer": {"latency": 2}},
        {"slot": 20, "recover": "bs-0"},
    ]
    both = built(SCENARIO, changes=changes)
    assert [first for first, _ in both.problems()] == [0, 10, 20]
    assert both.changes() == [(10, "bs-0 fails"), (20, "bs-0 is back"), (20, "latency counts 2, was 1")]
    np.testing.assert_allclose(both.problems()[2][1].repository_cost, built(
        SCENARIO, objective={"latency": 2, "error": 0.02}, changes=[]
    ).problems()[0][1].repository_cost)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"slot": 30, "prefer": {"error": 1}}, "the run ends before: its last slot is 29, got 30"),
        ({"slot": 3, "prefer": {}}, "says not what counts from then on"),
        ({"slot": 3, "prefer": {"eror": 1}}, "did you mean 'error'"),
        ({"slot": 3, "prefer": {"error": -1}}, "error"),
        ({"slot": 3, "prefer": {"error": 0, "latency": 0}}, "at least one weight must be above 0"),
        ({"slot": 3, "prefer": {"error": 1}, "fail": "bs-0"}, "stands beside 'fail'"),
        ({"prefer": {"error": 1}}, "slot"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(yaml.safe_dump(SCENARIO | {"changes": [change]}, sort_keys=False))
    with pytest.raises(InputError, match=said) as told:
        build(load_scenario(file))
    assert "scenario.yaml:" in str(told.value)
