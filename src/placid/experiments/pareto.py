"""Several objectives of one scenario at once: the front, its table, its page."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from placid.errors import InputError
from placid.experiments.folder import RunFolder, fingerprint
from placid.experiments.network_file import network_as_json
from placid.experiments.pareto_wish import Wish
from placid.experiments.pool import Tell
from placid.experiments.provenance import provenance
from placid.experiments.run import slug
from placid.experiments.scenario import Built, Scenario, build, load_scenario
from placid.objectives import Front, Point, Ways, latency_quantile
from placid.objectives.front import axes_of
from placid.objectives.front_file import read_front, write_front
from placid.objectives.limits import NAMES, limits_of, objective_of
from placid.placement.offline.front import (
    Evolution,
    Flows,
    as_served,
    enclosed_front,
    exact_front,
    quick_solvers,
    relaxed_front,
    sweep,
)
from placid.placement.offline.front.enclosure import read_enclosure, write_enclosure
from placid.problem.arrays import COMPONENTS
from placid.problem.placement import bytes_used

__all__ = ["mean_demand", "objectives_named", "pareto"]

_WRITTEN = ("front.csv", "front.npz", "bound.csv", "exact.csv", "exact.json", "choice.json", "pareto.html")


def pareto(
    scenario: Scenario | str | os.PathLike[str] | dict[str, Any],
    out: str | os.PathLike[str] | None = None,
    *,
    objectives: Sequence[str] = ("latency", "error", "energy"),
    points: int = 66,
    time_limit_s: float = 2.0,
    evolve_s: float = 0.0,
    exact: bool = False,
    exact_s: float = 600.0,
    limits: Sequence[str] = (),
    order: Sequence[str] = (),
    slack: float = 0.0,
    fresh: bool = False,
    report: bool = True,
    tell: Tell = lambda title, step, steps: None,
) -> Path:
    """Work out the front of `scenario` into the folder `out` and return the folder. Interrupted, it goes on from there.

    The demand is the mean over the scenario's slots under its first seed; the network is the one of slot 0; the scenario's
    own weights are not used. Written are ``front.csv``, ``front.npz`` with the placements, ``pareto.html``; with two
    objectives also ``bound.csv``, what no placement can beat, and on request ``exact.csv``.

    Args:
        out: default ``runs/<name of the scenario>-pareto``.
        objectives: two to four of latency, error, energy, traffic.
        points: preferences to solve for, spread evenly; at most so many.
        time_limit_s: what the MILP may take for each preference, beside greedy and local search; 0 leaves it out.
        evolve_s: seconds of NSGA-III afterwards (extra ``pareto``).
        exact: with two or three objectives, also the exact front under the best routing; MILPs for every point.
        exact_s: what the exact front of three objectives may take; it is better, the longer.
        limits: such as "p95 latency < 80 ms and accuracy >= 0.9" (`placid.objectives.limits`). Of the points one is chosen
            that keeps them, into ``choice.json``.
        order: which comes first in choosing, as ("energy", "p95"); the objectives in their order if left out.
        slack: what each of `order` may give up for those after it, as a share of its least.
        fresh: delete what is in `out` and start again.
        report: write the page.
        tell: hears of progress: (what, steps done, steps in all).

    Raises:
        InputError: the scenario is wrong, or has no front; `limits` contradict each other, and then which and what could
            be had.
        RunError: `out` holds something else.
    """
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    names = objectives_named(objectives)
    if exact and len(names) > 3:
        raise InputError(
            "the exact front is worked out for two or three objectives; name fewer, or leave 'exact' out"
        )
    at_most, wanted = limits_of(limits), tuple(objective_of(name) for name in order)
    if len(set(wanted)) < len(wanted) or slack < 0:
        raise InputError("an order names each objective once, and a slack is at least 0")
    built = build(scenario)
    if built.limits.budgets:
        at, _ = built.limits.budgets[0]
        raise InputError(
            "a budget of the long run is part of no front; delete it, and bound the objective instead, as in "
            "--limit 'energy < 2 mJ'",
            where=f"{scenario.document.name}:{scenario.document.line(at)}: 'budgets'",
        )
    demand = mean_demand(built)
    folder = RunFolder(Path(out) if out is not None else Path("runs") / f"{slug(scenario.name)}-pareto")
    text = f"# the front of {', '.join(names)}; {time_limit_s:g} s for each preference\n{scenario.text}"
    folder.open(text, fresh=fresh)
    if fresh:
        for name in _WRITTEN:
            (folder.path / name).unlink(missing_ok=True)
    folder.write_json("meta.json", _meta(scenario, built, text, names, points, time_limit_s, evolve_s))
    folder.write_json("network.json", network_as_json(built.network))
    ways = Ways.of(built.network, built.catalog, built.requests, built.slot_s)
    work = _Work(folder, ways, demand, names, points, tell)
    for name in ("choice.json", "exact.json", "exact.csv"):
        (folder.path / name).unlink(missing_ok=True)
    wish = Wish.of(ways, demand, names, wanted, at_most, slack) if at_most or wanted else None
    if wish is not None:
        wish.ask(max(time_limit_s, 10.0))
    front = work.swept(time_limit_s)
    if len(names) == 2:
        front = front.joined(work.bound())
    if exact:
        front = front.joined(
            work.exact(max(time_limit_s, 10.0)) if len(names) == 2 else work.enclosed(exact_s)
        )
    front = front.efficient()
    if evolve_s > 0:
        front = work.evolved(front, evolve_s)
    if wish is not None:
        choice = wish.grant(front, lambda *steps: tell("choice", *steps))
        folder.write_json("choice.json", wish.told(choice))
        point = Front.of([choice.point], names, ways.frame.item_count)
        front = front.joined(point).efficient()
    write_front(folder.path / "front.npz", front, ways.frame)
    _table(ways, demand, front).write_csv(folder.path / "front.csv")
    if report:
        from placid.reports.pareto import write_pareto_page

        write_pareto_page(folder.path)
    return folder.path


def objectives_named(given: Sequence[str]) -> tuple[str, ...]:
    """The components that `given` names, in short (latency) or in full (latency_s).

    Raises:
        InputError: a name is unknown or stands twice, or there are fewer than two.
    """
    names = tuple(NAMES.get(name.strip(), name.strip()) for name in given)
    axes_of(names)
    if len(names) < 2:
        raise InputError("a front needs at least two objectives, such as latency,error")
    return names


def mean_demand(built: Built) -> np.ndarray:
    """float64 [R]: requests per slot by type, mean over the slots under the first seed.

    Raises:
        InputError: the requests answer to what is placed, so there is no demand without a policy.
    """
    if built.workload.adaptive:
        raise InputError(
            "an adversary asks for what is not placed, so there is no demand to plan for; choose another workload"
        )
    total = np.zeros(len(built.requests))
    for slot in range(built.slots):
        total += built.workload.demand(slot, built.seeds[0])
    return total / built.slots


@dataclass(frozen=True)
class _Work:
    """What is kept between interruptions: a file for each solved weight, one for whatever takes long as a whole."""

    folder: RunFolder
    ways: Ways
    demand: np.ndarray
    names: tuple[str, ...]
    points: int
    tell: Tell

    def swept(self, time_limit_s: float) -> Front:
        return sweep(
            self.ways, self.demand, self.names, points=self.points,
            solvers=quick_solvers(self.ways, time_limit_s), remember=self._remember,
            tell=lambda *steps: self.tell("preferences", *steps),
        )  # fmt: skip

    def bound(self) -> Front:
        """The relaxation's placements as they serve; its bound goes into a file."""
        file = self.folder.path / "bound.csv"

        def relax() -> Front:
            flows = Flows.of(self.ways, self.demand, self.names)
            relaxed = relaxed_front(flows, self.points, tell=lambda *steps: self.tell("bound", *steps))
            pl.DataFrame(relaxed.line, schema=list(self.names)).write_csv(file)
            return as_served(self.ways, self.demand, relaxed.front)

        return self._kept("bound", relax, str(self.points), again=not file.exists())

    def exact(self, time_limit_s: float) -> Front:
        """The placements of the exact front as they serve; the front itself goes into a file."""

        def solve() -> Front:
            flows = Flows.of(self.ways, self.demand, self.names)
            return exact_front(
                flows,
                self.points,
                time_limit_s=time_limit_s,
                tell=lambda *steps: self.tell("exact front", *steps),
            )

        found = self._kept("exact", solve, str(self.points))
        marks = {"supported": found.supported, "proven": found.proven}
        table = pl.DataFrame(found.points, schema=list(COMPONENTS)).select(self.names)
        table.with_columns(**{k: pl.Series(v) for k, v in marks.items()}).write_csv(
            self.folder.path / "exact.csv"
        )
        return as_served(self.ways, self.demand, found)

    def enclosed(self, time_s: float) -> Front:
        """The same of three objectives; `time_s` counts from where it went on."""
        file = self.folder.parts / "enclosed.npz"
        known = enclosed_front(
            Flows.of(self.ways, self.demand, self.names),
            10 * self.points,
            at_most_s=time_s,
            known=read_enclosure(file) if file.exists() else None,
            keep=lambda known: write_enclosure(file, known),
            tell=lambda *steps: self.tell("exact front", *steps),
        )
        found = known.front.efficient()
        table = pl.DataFrame(found.points, schema=list(COMPONENTS)).select(self.names)
        table.with_columns(proven=pl.Series(found.proven), found_by=pl.Series(found.found_by)).write_csv(
            self.folder.path / "exact.csv"
        )
        reached, reachable = known.reached, known.reachable
        self.folder.write_json(
            "exact.json",
            {
                "ideal": known.ideal.tolist(),
                "worst": known.worst.tolist(),
                "searches": known.looked,
                "hypervolume": reached,
                "hypervolume_at_most": reachable,
            },
        )
        return as_served(self.ways, self.demand, found)

    def evolved(self, seeds: Front, time_limit_s: float) -> Front:
        def evolve() -> Front:
            return Evolution(generations=10_000, time_limit_s=time_limit_s).improve(
                self.ways, self.demand, seeds, tell=lambda *steps: self.tell("generations", *steps)
            )

        return self._kept("evolved", evolve, seeds.points.tobytes(), f"{time_limit_s:g}")

    def _remember(self, weights: np.ndarray, solve: Callable[[], Point]) -> Point:
        def one() -> Front:
            return Front.of([solve()], self.names, self.ways.frame.item_count)

        front = self._kept("weights", one, weights.tobytes())
        return Point(
            front.points[0],
            front.weights[0],
            front.placed(0),
            front.found_by[0],
            bool(front.supported[0]),
            bool(front.proven[0]),
        )

    def _kept(self, what: str, make: Callable[[], Front], *key: bytes | str, again: bool = False) -> Front:
        """What `make` makes, from its file if it was made before; `again`: make it anyway."""
        told = b"/".join(k if isinstance(k, bytes) else k.encode() for k in key)
        file = self.folder.parts / f"{what}-{hashlib.sha256(told).hexdigest()[:16]}.npz"
        if file.exists() and not again:
            return read_front(file)
        made = make()
        write_front(file, made)
        return made


def _table(ways: Ways, demand: np.ndarray, front: Front) -> pl.DataFrame:
    """A row for each point: what a request costs, under which weights, what is placed."""
    rows = []
    for i in range(len(front)):
        placed = front.placed(i)
        rows.append(
            {"point": i + 1}
            | dict(zip(COMPONENTS, front.points[i].tolist(), strict=True))
            | {"latency_p95_s": latency_quantile(ways.priced(front.weights[i]), placed, demand)}
            | {f"weight_{n}": w for n, w in zip(NAMES, front.weights[i].tolist(), strict=True)}
            | {
                "found_by": front.found_by[i],
                "supported": bool(front.supported[i]),
                "proven": bool(front.proven[i]),
                "models_placed": int(placed.sum()),
                "bytes_placed": int(bytes_used(ways.frame, placed).sum()),
            }
        )
    return pl.DataFrame(rows)


def _meta(
    scenario: Scenario,
    built: Built,
    text: str,
    names: tuple[str, ...],
    points: int,
    time_limit_s: float,
    evolve_s: float,
) -> dict[str, Any]:
    return (
        {"name": scenario.name, "description": scenario.description, "fingerprint": fingerprint(text)}
        | provenance()
        | {
            "objectives": list(names),
            "points": points,
            "time_limit_s": time_limit_s,
            "evolve_s": evolve_s,
            "slots": built.slots,
            "slot_s": built.slot_s,
            "seed": built.seeds[0],
            "tiers": list(built.network.tiers),
            "changes": len(built.timeline) - 1,
            "declared": list(built.declared),
            "sources": list(built.sources),
        }
    )
