"""What a scenario file says, section by section, as typed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from placid.experiments.scenario.kinds import Choice, Listed, Number, Quantity, Text, Whole, described, either
from placid.experiments.scenario.limits import LimitsChoice, read_limits
from placid.experiments.scenario.mistakes import Mistakes
from placid.experiments.scenario.networks import NetworkChoice, read_network
from placid.experiments.scenario.preferences import read_preferences
from placid.experiments.scenario.reading import Made, read_section
from placid.experiments.scenario.settings import Section, model_of, settings_of
from placid.experiments.scenario.tables import catalogs, own_policy, policies, solvers, table_file, workloads
from placid.objectives import Weighted
from placid.placement.base import Policy
from placid.placement.offline.base import Solver
from placid.simulation.waiting import LAWS
from placid.yaml_lines import Document, Key

__all__ = ["Content", "Frame", "HindsightSection", "WorkloadChoice", "read_content"]


class Frame(Section):
    """The top of the file; the sections are read one by one, each with its own model."""

    name: Annotated[Any, either(Text(), None)] = Field(
        None, description="what the run and its page are called; the name of the file if left out."
    )
    description: Annotated[Any, either(Text(empty=True), None)] = Field(
        None, description="a few sentences that the page shows."
    )
    slots: Annotated[Any, Whole(1, 10_000_000)] = Field(
        ..., description="how many slots the run has (its horizon)."
    )
    slot_s: Annotated[Any, Quantity("time", above_zero=True)] = Field(
        60.0, alias="slot", description="length of a slot: how often placements can change."
    )
    seeds: Annotated[Any, either(Whole(1, 1000), Listed(Whole(0, 2**31 - 1), 1, 1000, True, False))] = Field(
        1, description="how many repetitions, seeded 0, 1, 2, ...; or the list of seeds itself."
    )
    network: Any = Field(..., description="nodes and links: see the section `network`.")
    catalog: Any = Field(..., description="tasks and models: see the section `catalog`.")
    workload: Any = Field(..., description="who asks for what, how often: see the section `workload`.")
    changes: Any = Field(
        (), description="what happens to the network in mid-run, a list: see the section `changes`."
    )
    objective: Any = Field(
        ..., description="what latency, error, energy and traffic are worth: see the section `objective`."
    )
    policies: Any = Field(
        ("portfolio",), description="the policies to play, a list: see the section `policies`."
    )
    limits: Any = Field(
        {},
        description="what a refusal costs, where links have hard rates or nodes share processors: see the section `limits`.",
    )
    budgets: Any = Field(
        (), description="what may be used in the long run, a list: see the section `budgets`."
    )
    waiting: Annotated[Any, either(Choice(tuple(LAWS), "law of service times"), Number(0), None)] = Field(
        None,
        description="tell what requests wait at busy copies, an approximation by slot: the law of service times, or their "
        "squared coefficient of variation. Left out: latencies are as if nobody met anybody.",
    )
    hindsight: Any = Field(
        {}, description="what is worked out once the requests are known: see the section `hindsight`."
    )


class HindsightSection(Section):
    """What is worked out once the requests are known."""

    solvers: Any = Field(
        ("greedy",),
        description="offline solvers whose static placement is played too: names, or `solver: name` with settings.",
    )
    windows: Annotated[Any, Whole(1, 100_000)] = Field(
        8,
        description="how often the prices behind every slot's ceiling are renewed; more is tighter and slower.",
    )
    time_limit_s: Annotated[Any, Quantity("time", above_zero=True)] = Field(
        20.0,
        alias="time_limit",
        description="what a linear program, and a solver that does not say otherwise, may take.",
    )


@dataclass(frozen=True)
class WorkloadChoice:
    """A workload as written.

    Attributes:
        files: tables that it reads, as written; empty for none.
        base: the workload it modulates.
    """

    made: Made
    files: tuple[str, ...] = ()
    base: WorkloadChoice | None = None


@dataclass(frozen=True)
class Content:
    """A scenario's sections, each valid by itself."""

    name: str
    description: str
    slots: int
    slot_s: float
    seeds: tuple[int, ...]
    network: NetworkChoice
    catalog: Made
    workload: WorkloadChoice
    objective: Weighted
    preferences: tuple[tuple[int, Weighted], ...]
    limits: LimitsChoice
    policies: tuple[tuple[str, Policy], ...]
    solvers: tuple[Solver, ...]
    windows: int
    time_limit_s: float
    variation: float | None


def read_content(
    document: Document, name: str, folder: Path | None, extra_policies: Sequence[str] = ()
) -> Content:
    """The sections of `document`.

    Args:
        name: of the scenario, if it does not say.
        folder: where modules with policies of a person's own are looked for, besides the current folder.
        extra_policies: further policies, by name or ``module:Class``.

    Raises:
        InputError: something is wrong; all of it is reported together.
    """
    mistakes = Mistakes(document)
    data = document.data
    frame = read_section(mistakes, (), data, Frame)
    network = read_network(mistakes, data.get("network"), data.get("changes")) if "network" in data else None
    catalog = _catalog(mistakes, data["catalog"]) if "catalog" in data else None
    workload = _workload(mistakes, ("workload",), data["workload"]) if "workload" in data else None
    objective = _objective(mistakes, data["objective"]) if "objective" in data else None
    limits = read_limits(mistakes, data.get("limits"), data.get("budgets") or ())
    slots = frame.slots if frame else data.get("slots")
    horizon = slots if isinstance(slots, int) and not isinstance(slots, bool) and slots > 0 else 1
    preferences = read_preferences(mistakes, data.get("changes"), objective or Weighted(), horizon)
    chosen = _policies(mistakes, data.get("policies", ["portfolio"]), extra_policies, horizon, folder)
    hindsight = read_section(mistakes, ("hindsight",), data.get("hindsight") or {}, HindsightSection)
    given = data.get("hindsight")
    named = given.get("solvers", ["greedy"]) if isinstance(given, Mapping) else ["greedy"]
    solving = _solvers(mistakes, named, hindsight.time_limit_s if hindsight else 20.0)
    mistakes.raise_if_any()
    assert frame is not None
    assert network is not None
    assert catalog is not None
    assert workload is not None
    assert objective is not None
    assert limits is not None
    assert hindsight is not None
    return Content(
        name=frame.name or name,
        description=frame.description or "",
        slots=frame.slots,
        slot_s=frame.slot_s,
        seeds=frame.seeds if isinstance(frame.seeds, tuple) else tuple(range(frame.seeds)),
        network=network,
        catalog=catalog,
        workload=workload,
        objective=objective,
        preferences=preferences,
        limits=limits,
        policies=chosen,
        solvers=solving,
        windows=hindsight.windows,
        time_limit_s=hindsight.time_limit_s,
        variation=LAWS.get(frame.waiting, frame.waiting),
    )


def _catalog(mistakes: Mistakes, data: object) -> Made | None:
    at: Key = ("catalog",)
    if isinstance(data, Mapping) and ("file" in data) == ("family" in data):
        how = "both 'family' and 'file'" if "file" in data else "neither 'family' nor 'file'"
        mistakes.add(at, f"has {how}; write exactly one of the two")
        return None
    if isinstance(data, Mapping) and "file" in data:
        entry = table_file()
        section = read_section(mistakes, at, data, entry.model)
        return None if section is None else Made.of("file", at, entry.make, section, entry.settings)
    found = catalogs().read(mistakes, at, data)
    return found[0] if found else None


def _workload(mistakes: Mistakes, at: Key, data: object) -> WorkloadChoice | None:
    if len(at) > 6:
        mistakes.add(at, "workloads are nested too deep; write a base that is no modulation")
        return None
    found = workloads().read(mistakes, at, data)
    base = None
    if (
        isinstance(data, Mapping)
        and "base" in data
        and (found is None or "base" in type(found[1]).model_fields)
    ):
        base = _workload(mistakes, (*at, "base"), data["base"])
        if base is None:
            return None
    if found is None:
        return None
    made, section = found
    written = getattr(section, "files", None) or getattr(section, "file", None) or ()
    return WorkloadChoice(made, (written,) if isinstance(written, str) else tuple(written), base)


def _objective(mistakes: Mistakes, data: object) -> Weighted | None:
    at: Key = ("objective",)
    settings = settings_of(Weighted)
    section = read_section(mistakes, at, data, objective_model())
    if section is None:
        return None
    weighted = Made.of("objective", at, Weighted, section, settings).build(mistakes)
    return weighted if isinstance(weighted, Weighted) else None


def objective_model() -> type[Section]:
    """The fields of `objective`."""
    return model_of("objective", (replace(s, kind=Number(0)) for s in settings_of(Weighted)))


def _policies(
    mistakes: Mistakes, data: object, extra: Sequence[str], slots: int, folder: Path | None
) -> tuple[tuple[str, Policy], ...]:
    given = data if isinstance(data, list) else [data]
    if not isinstance(data, list | str | Mapping):
        mistakes.add(("policies",), f"expected a list of policies, got {described(data)}", of_value=True)
        return ()
    if not given and not extra:
        mistakes.add(
            ("policies",), "is empty; name at least one policy, such as infida-adaptive", of_value=True
        )
    entries: list[tuple[Key, Any]] = [(("policies", i) if isinstance(data, list) else ("policies",), one)
                                      for i, one in enumerate(given)]  # fmt: skip
    entries += [(("--policy",), name) for name in extra]
    chosen: list[tuple[str, Policy]] = []
    lines: dict[str, Key] = {}
    for at, one in entries:
        found = _policy(mistakes, at, one, slots, folder)
        if found is None:
            continue
        label, _ = found
        if label in lines:
            first = mistakes.document.line(lines[label])
            mistakes.add(
                at,
                f"the label '{label}' is taken" + (f" by the policy in line {first}" if first else "")
                + "; give one of the two another 'label'",
            )  # fmt: skip
            continue
        lines[label] = at
        chosen.append(found)
    return tuple(chosen)


def _policy(
    mistakes: Mistakes, at: Key, data: object, slots: int, folder: Path | None
) -> tuple[str, Policy] | None:
    family = policies()
    name = data.get("policy") if isinstance(data, Mapping) else data
    if isinstance(name, str) and ":" in name:
        fields_given = data if isinstance(data, Mapping) else {"policy": name}
        with mistakes.at((*at, "policy") if isinstance(data, Mapping) else at):
            entry = own_policy(name, folder)
            found = family.read_entry(mistakes, at, fields_given, name, entry)
            name = str(getattr(entry.make, "name", "") or name.partition(":")[2])
            return _made_policy(mistakes, found, data, name, slots)
        return None
    return _made_policy(mistakes, family.read(mistakes, at, data), data, str(name), slots)


def _made_policy(
    mistakes: Mistakes, found: tuple[Made, Section] | None, data: object, name: str, slots: int
) -> tuple[str, Policy] | None:
    if found is None:
        return None
    made, section = found
    policy = _constructed(mistakes, made)
    if policy is None:
        return None
    if is_dataclass(policy) and any(f.name == "horizon" for f in fields(policy)) and policy.horizon is None:
        policy = replace(policy, horizon=slots)
    label = getattr(section, "label", None)
    if not label and isinstance(data, Mapping):
        settings = [
            f"{k}={described(v).strip(chr(39))}" for k, v in data.items() if k not in ("policy", "label")
        ]
        label = f"{name} ({', '.join(settings)})" if settings else name
    return label or name, policy


def _constructed(mistakes: Mistakes, made: Made) -> Policy | None:
    try:
        policy = made.build(mistakes)
    except Exception as error:
        if ":" not in made.name:
            raise  # one of ours: a bug, not a mistake of the person
        mistakes.add(made.at, f"the policy '{made.name}' cannot be made: {type(error).__name__}: {error}")
        return None
    return policy if isinstance(policy, Policy) else None


def _solvers(mistakes: Mistakes, data: object, time_limit_s: float) -> tuple[Solver, ...]:
    at: Key = ("hindsight", "solvers")
    if not isinstance(data, list | tuple | str | Mapping):
        mistakes.add(at, f"expected a list of solvers, got {described(data)}", of_value=True)
        return ()
    found: dict[str, Solver] = {}
    for i, one in enumerate(data if isinstance(data, list | tuple) else [data]):
        here: Key = (*at, i) if isinstance(data, list) else at
        chosen = solvers().read(mistakes, here, one)
        if chosen is None:
            continue
        made = chosen[0]
        if "time_limit_s" in made.fields and "time_limit_s" not in made.values:
            made = replace(made, values={**made.values, "time_limit_s": time_limit_s})
        if made.name in found:
            mistakes.add(here, f"the solver '{made.name}' stands twice in the list; delete one")
            continue
        solver = made.build(mistakes)
        if isinstance(solver, Solver):
            found[made.name] = solver
    return tuple(found.values())
