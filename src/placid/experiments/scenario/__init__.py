"""Scenarios: one YAML file says what is run; a mistake in it is told with file, line, field and what would be right."""

from __future__ import annotations

from placid.experiments.scenario.build import Built, build
from placid.experiments.scenario.load import Scenario, load_scenario
from placid.experiments.scenario.mistakes import ScenarioError
from placid.experiments.scenario.reference import reference
from placid.experiments.scenario.starter import starter_yaml

__all__ = ["Built", "Scenario", "ScenarioError", "build", "load_scenario", "reference", "starter_yaml"]
