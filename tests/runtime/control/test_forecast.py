"""Forecasts: expected over its outcomes a way costs what the problem says its option does."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from placid.catalog.variants import read_zoo
from placid.experiments.scenario import build, load_scenario
from placid.runtime.control.forecast import Expected, Forecast
from placid.runtime.control.ways import Ways

SCENARIOS = Path(__file__).parents[3] / "scenarios"


def test_ways_cost_in_expectation_what_their_options_do() -> None:
    built = build(load_scenario(SCENARIOS / "split-plans.yaml"))
    problem = built.problems()[0][1]
    ways = Ways(problem, built.catalog)
    forecast = Forecast(
        built.network, read_zoo(built.catalog.zoo), {t.name: t.response_bytes for t in built.catalog.tasks}
    )
    rng = np.random.default_rng(0)
    several = exits = 0
    for o in rng.choice(problem.option_count, 400, replace=False):
        r = problem.option_type[o]
        node, task = problem.node_names[problem.type_ingress[r]], problem.task_names[problem.type_task[r]]
        placed = np.zeros(problem.item_count, bool)
        needs = problem.needs
        placed[needs.item[needs.ptr[o] : needs.ptr[o + 1]]] = True
        demand = np.zeros(problem.type_count)
        demand[r] = 1e-3  # nothing is full
        way = ways.of(placed, demand)[node][task][0]
        outcomes = forecast.outcomes(way, node, task)
        assert sum(one.probability for one in outcomes) == pytest.approx(1)
        latency_s = sum(one.probability * one.latency_s for one in outcomes)
        if any(a.node == b.node and not (a.item and b.item) for a, b in pairwise(way.stages)):
            # the model codes what a fixed part gives even if it stays on its node; nodes do not
            assert latency_s <= problem.option_vector[o, 0]
            continue
        assert latency_s == pytest.approx(problem.option_vector[o, 0], rel=1e-5)
        traffic = sum(one.probability * sum(up + down for up, down in one.links.values()) for one in outcomes)
        assert traffic == pytest.approx(problem.option_vector[o, 3], rel=1e-5, abs=1e-3)
        assert 1 - forecast.accuracy(way) == pytest.approx(problem.option_vector[o, 1], rel=1e-5)
        several += len({s.node for s in way.stages}) > 1
        exits += len(outcomes) > 1
    assert several > 50
    assert exits > 50


def test_quantiles_are_of_the_mixture() -> None:
    built = build(load_scenario(SCENARIOS / "split-plans.yaml"))
    problem = built.problems()[0][1]
    ways = Ways(problem, built.catalog)
    forecast = Forecast(
        built.network, read_zoo(built.catalog.zoo), {t.name: t.response_bytes for t in built.catalog.tasks}
    )
    none = ways.of(np.zeros(problem.item_count, bool), np.ones(problem.type_count))
    expected = Expected()
    for name, count in (("phone-1", 90.0), ("lora-1", 10.0)):
        (way,) = none[name]["task-01"]
        expected.add(count, forecast.outcomes(way, name, "task-01"), forecast.accuracy(way))
    phone, lora = (
        forecast.outcomes(none[n]["task-01"][0], n, "task-01")[0].latency_s for n in ("phone-1", "lora-1")
    )
    assert phone < lora
    assert (expected.quantile_s(0.5), expected.quantile_s(0.95)) == (phone, lora)
    assert expected.mean_latency_s == pytest.approx(0.9 * phone + 0.1 * lora)
    assert expected.nodes == pytest.approx({"cloud": 100.0})
