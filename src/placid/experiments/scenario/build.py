"""From a valid scenario to the objects of a run; what does not fit together is told with file, line and field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from placid.catalog.models import Catalog
from placid.catalog.variants import zoo_folder
from placid.errors import InputError
from placid.experiments.scenario.limits import LimitsChoice, limits_told
from placid.experiments.scenario.load import Scenario
from placid.experiments.scenario.mistakes import Mistakes
from placid.experiments.scenario.network_build import BuiltNetwork, build_network
from placid.experiments.scenario.preferences import preferences_told
from placid.experiments.scenario.schema import Content, WorkloadChoice, read_content
from placid.network import changes_told
from placid.network.graph import Network
from placid.network.routing import route
from placid.objectives import Weighted
from placid.placement.base import Policy
from placid.placement.offline.base import Solver
from placid.problem.arrays import Problem
from placid.problem.compile import compile_problem
from placid.problem.limits import Terms
from placid.workload import RequestTypes, Workload
from placid.workload.trace_file import read_table

__all__ = ["Built", "build"]


_T = TypeVar("_T")


@dataclass(frozen=True)
class Built:
    """All that a run needs.

    Attributes:
        network: as in slot 0.
        timeline: (first slot, network from then on), the first at slot 0.
        preferences: (first slot, objective from then on), the first at slot 0.
        policies: (label, policy), labels unique.
        solvers: each gives one static placement in hindsight.
        windows: how often the prices behind the ceiling are renewed.
        declared: what the scenario says that neither topology nor catalog gives, in sentences.
        sources: where numbers come from, in sentences.
        variation: of service times, where rows tell what requests wait.
        limits: what a refusal costs, and budgets of the long run.
    """

    network: Network
    timeline: list[tuple[int, Network]]
    catalog: Catalog
    requests: RequestTypes
    workload: Workload
    preferences: tuple[tuple[int, Weighted], ...]
    policies: tuple[tuple[str, Policy], ...]
    solvers: tuple[Solver, ...]
    windows: int
    lp_time_limit_s: float
    slots: int
    slot_s: float
    seeds: tuple[int, ...]
    declared: tuple[str, ...]
    sources: tuple[str, ...]
    variation: float | None = None
    limits: LimitsChoice = field(default_factory=lambda: LimitsChoice(Terms(), ()))

    @property
    def weights(self) -> np.ndarray:
        """float64 [4], of the objective at slot 0."""
        return self.preferences[0][1].weights

    @property
    def objective(self) -> dict[str, float]:
        """The objective at slot 0, by name."""
        return asdict(self.preferences[0][1])

    @property
    def limited(self) -> bool:
        """Whether links, processors or budgets limit anything."""
        return (
            bool(self.limits.budgets)
            or any(e.rate_bytes_per_s < float("inf") for e in self.network.links)
            or any(n.processors < float("inf") for n in self.network.nodes)
        )

    def problems(self) -> tuple[tuple[int, Problem], ...]:
        """The problem of every stretch of the run, compiled: (first slot, problem), the first at slot 0."""
        firsts = sorted({first for first, _ in (*self.timeline, *self.preferences)})
        return tuple(
            (
                first,
                compile_problem(
                    _in_force(self.timeline, first),
                    self.catalog,
                    self.requests,
                    _in_force(self.preferences, first).weights,
                    self.slot_s,
                    [budget for _, budget in self.limits.budgets],
                    self.limits.terms,
                ),
            )
            for first in firsts
        )

    def changes(self) -> list[tuple[int, str]]:
        """(slot, what happens), of network and objective, in words and in order."""
        return sorted([*changes_told(self.timeline), *preferences_told(self.preferences)], key=lambda c: c[0])


def _in_force(timeline: Sequence[tuple[int, _T]], slot: int) -> _T:
    """What holds in `slot`, of (first slot, what holds from then on)."""
    return [what for first, what in timeline if first <= slot][-1]


def build(scenario: Scenario, extra_policies: Sequence[str] = ()) -> Built:
    """The objects that `scenario` describes.

    Args:
        extra_policies: further policies, by name or ``module:Class``, after those of the scenario.

    Raises:
        InputError: sections do not fit together, or a file that they name is wrong. Several come as a `ScenarioError`.
    """
    content = scenario.content
    if extra_policies:
        content = read_content(scenario.document, scenario.content.name, scenario.folder, extra_policies)
    mistakes = Mistakes(scenario.document)
    network = build_network(mistakes, content.network, scenario.folder, content.slots)
    catalog = _catalog(mistakes, content, scenario.folder)
    if network is None or catalog is None:
        mistakes.raise_if_any()
        raise AssertionError("a section that cannot be built has left a mistake")
    _check_fit(mistakes, content, network, catalog)
    requests = RequestTypes.grid(network.ingress, (t.name for t in catalog.tasks))
    workload = _workload(mistakes, content.workload, requests, network, content, scenario.folder)
    if workload is not None:
        with mistakes.at(content.workload.made.at):
            # a recording that is shorter than the run is told now, not after an hour
            workload.demand(content.slots - 1, content.seeds[0])
    mistakes.raise_if_any()
    assert workload is not None
    built = Built(
        network=network.timeline[0][1],
        timeline=network.timeline,
        catalog=catalog,
        requests=requests,
        workload=workload,
        preferences=content.preferences,
        policies=content.policies,
        solvers=content.solvers,
        windows=content.windows,
        lp_time_limit_s=content.time_limit_s,
        slots=content.slots,
        slot_s=content.slot_s,
        seeds=content.seeds,
        declared=(*network.declared, *limits_told(network.network, content.limits)),
        sources=(*network.sources, *_sources(catalog)),
        variation=content.variation,
        limits=content.limits,
    )
    if built.limited:
        # limits that carry nothing, and refusals that cost nothing, show only where models are laid on paths
        _check_limits(mistakes, built)
        mistakes.raise_if_any()
    return built


def _check_limits(mistakes: Mistakes, built: Built) -> None:
    try:
        built.problems()
    except InputError as error:
        mistakes.add_error(("limits",) if "'refusal'" in error.message else ("network",), error)


def _catalog(mistakes: Mistakes, content: Content, folder: Path) -> Catalog | None:
    made = content.catalog
    given: dict[str, Any] = {}
    if made.name == "file":
        path = next(p for p, field in made.fields.items() if field == "file")
        given[path] = folder / made.values[path]
    elif made.values.get("zoo"):
        given["zoo"] = zoo_folder(made.values["zoo"], folder)
    found = made.build(mistakes, **given)
    return found if isinstance(found, Catalog) else None


def _check_fit(mistakes: Mistakes, content: Content, network: BuiltNetwork, catalog: Catalog) -> None:
    """That somebody can run something: processors are known, repositories can serve every task, paths exist."""
    at = content.catalog.at
    for name in {n.processor for n in network.network.nodes} - set(catalog.processors):
        users = [n.name for n in network.network.nodes if n.processor == name]
        mistakes.add_unknown(network.where(users[0], "processor"), "processor", name, catalog.processors)
    serving = {n.processor for n in network.network.nodes if n.repository} & set(catalog.processors)
    for processor in sorted(serving):
        served = {m.task for m in catalog.models if processor in m.profiles}
        missing = [t.name for t in catalog.tasks if t.name not in served]
        if missing:
            mistakes.add(
                at,
                f"no model of the task '{missing[0]}' runs on '{processor}', the processor of a repository; give one a "
                "profile on it, or the repository another processor",
            )
    for first, stretch in network.timeline:
        if not any(n.repository and n.up for n in stretch.nodes):
            mistakes.add(
                ("changes",) if first else ("network",),
                f"no repository is up from slot {first} on, so nobody answers what the nodes do not hold; leave one up",
            )
            return
    content.limits.check_fit(mistakes, network.network, [t.name for t in catalog.tasks])
    routes = route(network.network)
    for name in network.ingress:
        if not len(routes.path(network.network.index[name])):
            mistakes.add(
                network.where(name, "ingress"),
                f"no path leads from '{name}' to a repository; link it, or take it out of 'ingress'",
            )
            return


def _workload(
    mistakes: Mistakes,
    choice: WorkloadChoice,
    requests: RequestTypes,
    network: BuiltNetwork,
    content: Content,
    folder: Path,
) -> Workload | None:
    made, given = choice.made, dict[str, Any]()
    if choice.base is not None:
        base = _workload(mistakes, choice.base, requests, network, content, folder)
        if base is None:
            return None
        given["base"] = base
    else:
        given["requests"] = requests
    given["slot_s"] = content.slot_s
    with mistakes.at(made.at, made.fields):
        if made.name == "azure-functions":
            minutes = content.slot_s / 60
            if minutes != int(minutes):
                raise InputError(
                    "the trace counts by the minute, so 'slot' must be whole minutes, such as '1 min'"
                )
            del given["requests"], given["slot_s"]
            given |= {
                "path": [folder / f for f in made.values["path"]],
                "ingress": requests.nodes,
                "tasks": requests.tasks,
                "slot_minutes": int(minutes),
            }
        elif made.name == "trace":
            given["path"] = folder / made.values["path"]
        elif made.name == "replay":
            del given["slot_s"]
            given["recorded"] = _recorded(folder / choice.files[0])
        elif made.name == "traffic-matrices":
            if choice.files:
                given["matrices"] = [_matrix(folder / f) for f in choice.files]
            else:
                given["matrices"] = network.matrix()
        if made.values.get("weights") == "traffic":
            sent = dict.fromkeys(requests.nodes, 0.0)
            for (source, _), value in network.matrix().items():
                if source in sent:
                    sent[source] += value
            given["weights"] = sent
        elif isinstance(made.values.get("weights"), Mapping):
            given["weights"] = _by_node(made.values["weights"], requests.nodes, network)
        elif network.stands_for and "weights" in made.fields and made.values.get("weights") is None:
            given["weights"] = {name: network.stands_for.get(name, 1) for name in requests.nodes}
        if network.stands_for and made.values.get("ranks") == "per ingress":
            raise InputError(
                "devices that stand 'together' ask for the same things, and 'ranks: per ingress' gives each node an order "
                "of its own; write 'ranks: shared', or 'together: false'"
            )
        found = made.make(**{**made.values, **given})
        assert isinstance(found, Workload)
        return found
    return None


def _by_node(weights: Mapping[str, float], nodes: Sequence[str], built: BuiltNetwork) -> dict[str, float]:
    """`weights` with the ingress nodes of a tier in the place of its name; a node's own weight counts before its tier's.

    A tier's weight is that of one device; a node that stands for several has so many times it.
    """
    network, many = built.network, built.stands_for
    found: dict[str, float] = {}
    for name, weight in weights.items():
        inside = [n for n in nodes if network.node(n).tier == name] if name not in network.index else []
        found |= {n: weight * many.get(n, 1) for n in inside if n not in weights} or {name: weight}
    return found


def _recorded(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as file:
            return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    except FileNotFoundError:
        raise InputError(
            f"there is no file {path}; a relative name is looked for beside the scenario"
        ) from None
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} is no array as numpy.save writes it: {error}") from None


def _matrix(path: Path) -> Mapping[tuple[str, str], float]:
    table = read_table(path)
    for column in ("source", "destination", "traffic"):
        if column not in table.columns:
            raise InputError(f"{path} has no column '{column}'; its columns are {', '.join(table.columns)}")
    matrix: dict[tuple[str, str], float] = {}
    for i, (source, destination, traffic) in enumerate(
        table.select("source", "destination", "traffic").iter_rows()
    ):
        try:
            value = float(traffic)
        except (TypeError, ValueError):
            raise InputError(f"{path}, row {i + 1}: 'traffic' must be a number, got {traffic!r}") from None
        pair = (str(source), str(destination))
        matrix[pair] = matrix.get(pair, 0.0) + value
    return matrix


def _sources(catalog: Catalog) -> tuple[str, ...]:
    """Where the numbers of a catalog come from."""
    profiles = dict.fromkeys(p.source for m in catalog.models for p in m.profiles.values() if p.source)
    return (*catalog.notes, *profiles)
