"""`placid up --offload`: what nodes are told then, from the scenario's own objective."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from placid.errors import InputError, UnknownNameError
from placid.experiments.live import live_of
from placid.experiments.scenario import build, load_scenario

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "live.yaml"


def test_nodes_get_the_ladder_and_what_an_error_costs() -> None:
    built = build(load_scenario(SCENARIO))
    specs = live_of(built, offload="exits-stage1-stage2-joint").specs.values()
    assert {s.offload.value_s for s in specs if s.offload} == {
        built.objective["error"] / built.objective["latency"]
    }
    assert all(s.offload and s.offload.ladder.variant == "exits-stage1-stage2-joint" for s in specs)
    assert all(s.offload is None for s in live_of(built).specs.values())


def test_what_cannot_be_offloaded_is_refused() -> None:
    built = build(load_scenario(SCENARIO))
    with pytest.raises(UnknownNameError, match="teacher"):
        live_of(built, offload="teacher")
    content = yaml.safe_load(SCENARIO.read_text())
    content["network"]["file"] = str(SCENARIO.with_name("live.json"))
    content["objective"] = {"latency": 0, "error": 1}
    with pytest.raises(InputError, match="'latency' above 0"):
        live_of(build(load_scenario(content)), offload="exits-stage1-stage2-joint")
