"""Fronts of latency, error and energy: how long the exact and the approximate one take, and how much of it the latter has.

Hypervolumes are shares of the box from the least of each objective to the most that it comes to where another is least. The
exact front has infinitely many points: what the points found dominate is below it, what is proven out of reach bounds it
from above. Approximate fronts are judged as they serve, exact ones with every request routed as serves best.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import yaml

from benchmarks.table import Row
from placid.experiments.pareto import mean_demand
from placid.experiments.scenario import build, load_scenario
from placid.objectives import Front, Ways, grid_of, hypervolume, nondominated
from placid.placement.offline.front import Enclosure, Evolution, Flows, enclosed_front, quick_solvers, sweep
from placid.placement.offline.front.sweep import mean_vector
from placid.problem.serving import serve
from placid.testing.brute import full_placements
from placid.testing.instances import random_demand, random_setting

__all__ = ["run"]

SCENARIOS = Path(__file__).parents[1] / "scenarios"
THREE = ("latency_s", "error", "energy_j")
#: what a front may take
MOST_S = 600.0


def run(quick: bool) -> Iterator[Row]:
    """On `scenarios/front-ten-nodes.yaml`, on random small instances, on `scenarios/front-300-nodes.yaml`."""
    yield from _both(*_ways("front-ten-nodes", base_stations=1 if quick else 5), quick)
    yield _small(quick)
    yield from _large(*_ways("front-300-nodes", base_stations=6 if quick else 210), quick)


def _ways(name: str, base_stations: int) -> tuple[Ways, np.ndarray, int]:
    document: dict[str, Any] = yaml.safe_load((SCENARIOS / f"{name}.yaml").read_text())
    document["network"]["tiered"]["base_stations"] = base_stations
    built = build(load_scenario(document))
    ways = Ways.of(built.network, built.catalog, built.requests, built.slot_s)
    return ways, mean_demand(built), len(built.network.nodes)


def _both(ways: Ways, demand: np.ndarray, nodes: int, quick: bool) -> Iterator[Row]:
    flows, clock = Flows.of(ways, demand, THREE), _Clock()
    known = enclosed_front(flows, 4 if quick else 400, enough=0.97)
    yield Row(
        f"exact front of {nodes} nodes, {len(ways):,} ways, {known.looked} searches: {len(known.front):,} points, "
        f"{known.reached:.4f} of the box, at least {known.reached / known.reachable:.1%} of all that can be",
        str(clock),
        bar="under 10 min",
        met=clock.processor_s < MOST_S,
    )
    clock = _Clock()
    front = _approximate(ways, demand, 10 if quick else 66, 5 if quick else 200, milp_s=2.0)
    took, ratio = str(clock), _volume(front, known) / known.reached
    yield Row(
        f"approximate front of the same, {len(front):,} points: hypervolume against the points of the exact one (against "
        f"what is proven out of reach {_volume(front, known) / known.reachable:.1%}); in {took}",
        f"{ratio:.1%}",
        bar="at least 98 %",
        met=None if quick else ratio >= 0.98,
    )


def _small(quick: bool) -> Row:
    ratios, clock, seed = [], _Clock(), 0
    while len(ratios) < (1 if quick else 3):
        seed += 1
        rng = np.random.default_rng([7, seed])
        ways = Ways.of(*random_setting(rng, nodes=4, models=4))
        demand = random_demand(rng, ways.frame).astype(np.float64)
        everything = ways.chosen(np.arange(len(ways)), np.ones(len(ways)))
        try:
            placements = list(full_placements(everything, 40))
        except ValueError:
            continue
        if len(placements) < 8 or demand.sum() < 10:
            continue
        truth = _every_one(ways, demand, placements, 40 if quick else 300)
        front = _approximate(ways, demand, 10 if quick else 66, 5 if quick else 60, milp_s=2.0)
        low, high = truth.min(axis=0), truth.max(axis=0)
        of = [
            hypervolume((p - low) / np.maximum(high - low, 1e-12), np.full(3, 1.01))
            for p in (front.axes, truth)
        ]
        ratios.append(of[0] / of[1])
    return Row(
        f"approximate fronts of {len(ratios)} random instances of 4 nodes, hypervolume against every placement served under "
        f"300 weights each: the least of {', '.join(f'{r:.1%}' for r in ratios)}; in {clock}",
        f"{min(ratios):.1%}",
        bar="at least 98 %",
        met=None if quick else min(ratios) >= 0.98,
    )


def _every_one(ways: Ways, demand: np.ndarray, placements: list[np.ndarray], weights: int) -> np.ndarray:
    """float64 [P, 3]: the points that no other beats among all placements under evenly spread weights, as they serve."""
    scale = mean_vector(ways, demand, np.ones(4), np.zeros(ways.frame.item_count, bool))[:3]
    found = []
    for share in grid_of(3, weights):
        w = np.append(np.maximum(share, 1e-3) / np.where(scale > 0, scale, 1.0), 0.0)
        problem = ways.priced(w)
        for placed in placements:
            outcome = serve(problem, placed, demand)
            found.append(outcome.vector[:3] / outcome.served)
    points = np.unique(np.array(found), axis=0)
    return points[nondominated(points)]


def _large(ways: Ways, demand: np.ndarray, nodes: int, quick: bool) -> Iterator[Row]:
    clock = _Clock()
    swept = sweep(ways, demand, THREE, points=10 if quick else 66).efficient()
    swept_s = clock.processor_s
    front = Evolution(generations=2 if quick else 20, time_limit_s=MOST_S).improve(ways, demand, swept)
    worst = swept.points.max(axis=0) * 1.01
    volume = [f.hypervolume(worst) for f in (swept, front)]
    yield Row(
        f"approximate front of {nodes} nodes, {len(ways):,} ways: {len(swept)} points by 66 preferences in {swept_s:.0f} s, "
        f"{len(front):,} after 20 generations; hypervolume {volume[0]:.4f}, then {volume[1]:.4f}",
        str(clock),
        bar="under 10 min",
        met=clock.processor_s < MOST_S,
    )


def _approximate(ways: Ways, demand: np.ndarray, points: int, generations: int, milp_s: float) -> Front:
    swept = sweep(ways, demand, THREE, points=points, solvers=quick_solvers(ways, milp_s)).efficient()
    return Evolution(generations=generations, time_limit_s=MOST_S).improve(ways, demand, swept)


def _volume(front: Front, known: Enclosure) -> float:
    """The hypervolume of `front` in the box of the exact front."""
    return hypervolume((front.axes - known.ideal) / known.span, np.ones(len(THREE)))


class _Clock:
    """Time since it was made: of this process, whose solvers have one thread, and on the wall."""

    def __init__(self) -> None:
        self._processor_s, self._wall_s = process_time(), perf_counter()

    @property
    def processor_s(self) -> float:
        return process_time() - self._processor_s

    def __str__(self) -> str:
        return f"{self.processor_s:.0f} s of processor time ({perf_counter() - self._wall_s:.0f} s elapsed)"
