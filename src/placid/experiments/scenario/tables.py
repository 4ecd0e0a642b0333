"""What a scenario can name, by family: how each name is made, and which of its settings a person writes."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from placid.errors import InputError
from placid.experiments.scenario.kinds import Choice, Kind, Listed, Name, Number, PerName, Text, Whole, either
from placid.experiments.scenario.mistakes import Mistakes
from placid.experiments.scenario.reading import Made, read_section, unknown_field
from placid.experiments.scenario.settings import Section, Setting, model_of, settings_of
from placid.placement.base import Policy
from placid.yaml_lines import Key

__all__ = ["Entry", "Family", "catalogs", "own_policy", "policies", "solvers", "table_file", "workloads"]


@dataclass(frozen=True)
class Entry:
    """One name of a family: what makes it, and the settings that a scenario may give."""

    make: Callable[..., Any]
    settings: tuple[Setting, ...]
    model: type[Section]


@dataclass(frozen=True)
class Family:
    """The names that one field of a scenario chooses from.

    Attributes:
        kind: what they are, for messages ("policy").
        selector: the field that holds the name.
        entries: name -> entry.
    """

    kind: str
    selector: str
    entries: Mapping[str, Entry]

    def read(self, mistakes: Mistakes, at: Key, data: object) -> tuple[Made, Section] | None:
        """What is written at `at`: a mapping whose field `selector` names an entry, or the bare name."""
        fields = data if isinstance(data, Mapping) else {self.selector: data}
        here = (*at, self.selector) if isinstance(data, Mapping) else at
        name = fields.get(self.selector)
        if self.selector not in fields:
            message = f"the field '{self.selector}' is missing; it names one of: {', '.join(self.entries)}"
            near = unknown_field(next(iter(fields), ""), [self.selector])
            if "did you mean" in near:
                message = f"unknown field '{next(iter(fields))}'; did you mean '{self.selector}'?"
            mistakes.add(at, message)
            return None
        if not isinstance(name, str) or not name:
            mistakes.add(
                here, f"expected the name of a {self.kind}: {', '.join(self.entries)}", of_value=True
            )
            return None
        if name not in self.entries:
            mistakes.add_unknown(here, self.kind, name, self.entries)
            return None
        return self.read_entry(mistakes, at, fields, name, self.entries[name])

    def read_entry(
        self, mistakes: Mistakes, at: Key, fields: Mapping[str, Any], name: str, entry: Entry
    ) -> tuple[Made, Section] | None:
        """The settings of `entry` as written."""
        section = read_section(mistakes, at, fields, entry.model)
        return None if section is None else (Made.of(name, at, entry.make, section, entry.settings), section)


def _entry(
    make: Callable[..., Any],
    selector: str,
    name: str,
    *,
    without: frozenset[str] = frozenset(),
    kinds: Mapping[str, Kind] | None = None,
    rename: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Entry:
    """The entry of `make`, with what the scenario itself gives left out."""
    settings = []
    for s in settings_of(make):
        if s.parameter in without:
            continue
        description = _ABOUT_ONE.get((name, s.parameter)) or _ABOUT.get(s.parameter) or s.description
        kind = (kinds or {}).get(s.parameter) or s.kind
        if isinstance(kind, Name):
            kind = _words().get(s.parameter, kind)
        field = (rename or {}).get(s.parameter, s.field)
        settings.append(Setting(s.parameter, field, kind, s.required, s.default, description))
    chosen = (Annotated[Any, Choice((name,))], Field(..., description=f"`{name}`: {_first_sentence(make)}"))
    selecting = {selector: chosen} if selector else {}
    return Entry(make, tuple(settings), model_of(name, settings, selecting | dict(extra or {})))


@cache
def _words() -> Mapping[str, Kind]:
    """Parameters that choose from a few words."""
    from placid.placement.rounding import ROUNDINGS
    from placid.workload.adversaries import TURNS
    from placid.workload.flash_crowds import PLACES
    from placid.workload.popularity import RANKS

    return {
        "rounding": Choice(tuple(ROUNDINGS), "rounding"),
        "turn": Choice(TURNS),
        "place": Choice(PLACES),
        "ranks": Choice(RANKS),
    }


def _first_sentence(make: Callable[..., Any]) -> str:
    text = inspect.cleandoc(make.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    return text.split(". ")[0].rstrip(".") + "."


#: descriptions for a person who writes YAML, where those of the code speak to a person who writes Python
_ABOUT = {
    "weights": "how requests divide over the ingress nodes: by name of node or tier; `traffic`: as the traffic that each "
    "node sends in the matrix that the topology ships; left out: evenly.",
    "ranks": "`shared`: all ingress nodes agree on what is popular; `per ingress`: each has a random order of its own.",
    "ranks_seed": "what the orders of `per ingress` are drawn from; no other draw depends on it.",
    "repeat": "after the last slot start again with the first; otherwise a longer run is a mistake.",
    "known_ahead": "let policies that read forecasts see the recording itself: a yardstick, no forecast.",
    "peak_s": "time of day of the peak, after midnight; slot 0 starts at midnight. One for all, or by ingress node.",
    "functions": "how many functions to take; left out: as many as there are tasks.",
    "start_s": "the `time_s` at which slot 0 starts, for tables with times.",
    "horizon": "slots the rate is tuned for; left out: those of the scenario.",
    "rounding": "how fractions become placements; `placid list roundings` shows all.",
}
#: the same, for names that mean another thing elsewhere: (name in its table, parameter)
_ABOUT_ONE = {
    ("traffic-matrices", "exponent"): "of Zipf's law; 0 makes all tasks equally popular.",
    ("traffic-matrices", "every_slots"): "slots for which a matrix holds.",
    (
        "trace",
        "path",
    ): "`.csv`, `.csv.gz` or `.parquet`, with columns `slot` or `time_s`, `ingress`, `task`, perhaps `count`.",
    ("evader", "width"): "how many request types are asked for at a time.",
    ("column-ascent", "rounding"): "how plans are drawn; `placid list chain-roundings` shows both.",
    ("file", "path"): "the table, `.csv` or `.parquet`.",
}

_GIVEN = frozenset({"requests", "slot_s"})
_WEIGHTS = either(
    Choice(("traffic",), "weights"), PerName(Number(0), "ingress node"), Listed(Number(0)), None
)
_BASE = (
    Any,
    Field(..., alias="base", description="the workload to modulate: a section like `workload` itself."),
)


@cache
def workloads() -> Family:
    """Processes that make requests."""
    from placid.workload import WORKLOADS, from_azure_functions, read_trace

    entries = {}
    for name, make in WORKLOADS.items():
        if name == "trace":
            entries[name] = _entry(
                read_trace, "process", name, without=_GIVEN, kinds={"path": Text()}, rename={"path": "file"}
            )
            entries["azure-functions"] = _entry(
                from_azure_functions,
                "process",
                "azure-functions",
                without=frozenset({"ingress", "tasks", "slot_minutes"}),
                kinds={"path": Listed(Text(), least=1)},
                rename={"path": "files"},
            )
        elif name == "replay":
            file = (Annotated[Any, Text()], Field(..., alias="file", description="a `.npy` file, whole numbers "
                    "[slots, ingress nodes x tasks], tasks varying fastest."))  # fmt: skip
            entries[name] = _entry(make, "process", name, without=_GIVEN | {"recorded"}, extra={"file": file})
        elif name == "traffic-matrices":
            files = (Annotated[Any, either(Listed(Text(), least=1), None)],
                     Field(None, alias="files", description="CSV files with columns `source`, `destination`, "
                           "`traffic`, one per matrix; without it, the matrix that the topology ships."))  # fmt: skip
            entries[name] = _entry(
                make, "process", name, without=_GIVEN | {"matrices", "nodes"}, extra={"files": files}
            )
        else:
            nested = "base" in inspect.signature(make).parameters
            entries[name] = _entry(
                make,
                "process",
                name,
                without=_GIVEN | {"base"},
                kinds={"weights": _WEIGHTS},
                extra={"base": _BASE} if nested else None,
            )
    return Family("workload", "process", entries)


@cache
def catalogs() -> Family:
    """Families of models."""
    from placid.catalog import CATALOGS

    return Family(
        "catalog family",
        "family",
        {name: _entry(make, "family", name, kinds=_counts(make)) for name, make in CATALOGS.items()},
    )


def _counts(make: Callable[..., Any]) -> Mapping[str, Kind]:
    """Counts of models, kept to what a machine can hold."""
    most = {"tasks": 10_000, "replicas": 1000, "variants": 1000}
    whole = (s.parameter for s in settings_of(make) if isinstance(s.kind, Whole))
    return {name: Whole(0, most[name]) for name in whole if name in most}


@cache
def table_file() -> Entry:
    """A catalog from a profile table."""
    from placid.catalog import read_profiles

    path = next(iter(inspect.signature(read_profiles).parameters))
    return _entry(
        read_profiles, "", "file", kinds={path: Text(), **_counts(read_profiles)}, rename={path: "file"}
    )


@cache
def solvers() -> Family:
    """Offline solvers."""
    from placid.placement.offline import SOLVERS

    return Family("solver", "solver", {n: _entry(make, "solver", n) for n, make in SOLVERS.items()})


_LABEL = (
    Annotated[Any, either(Text(), None)],
    Field(None, alias="label", description="what tables and plots call it; unique."),
)


@cache
def policies() -> Family:
    """Online policies that placid ships."""
    from placid.placement.online import POLICIES

    return Family(
        "policy",
        "policy",
        {
            name: _entry(make, "policy", name, extra={"label": _LABEL})
            for name, make in POLICIES.items()
            # a placement is no text: `fixed` is for code
            if all(s.kind is not None for s in settings_of(make))
        },
    )


def own_policy(name: str, folder: Path | None) -> Entry:
    """The policy ``module:Class`` of a person's own, looked for in the current folder and in `folder`.

    Raises:
        InputError: it cannot be imported, or is no policy; the message says why.
    """
    module_name, _, class_name = name.partition(":")
    if not class_name.isidentifier() or not all(part.isidentifier() for part in module_name.split(".")):
        raise InputError(f"'{name}' is no policy; a policy of your own is written 'module:Class'")
    for place in filter(None, (os.getcwd(), str(folder.resolve()) if folder else None)):
        if place not in sys.path:
            # stays there: processes that play the policy have to find it too
            sys.path.append(place)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name == module_name.split(".")[0] or error.name == module_name:
            raise InputError(
                f"there is no module '{error.name}' for the policy '{name}': put {module_name.replace('.', '/')}.py into "
                "the folder in which you start placid"
            ) from None
        raise InputError(
            f"the module of the policy '{name}' needs '{error.name}', which is not installed"
        ) from error
    except Exception as error:  # a person's module can fail in any way
        raise InputError(
            f"the module of the policy '{name}' fails: {type(error).__name__}: {error}"
        ) from error
    found = getattr(module, class_name, None)
    if found is None:
        known = [
            n
            for n, c in vars(module).items()
            if inspect.isclass(c) and issubclass(c, Policy) and c is not Policy
        ]
        raise InputError(
            f"the module '{module_name}' has no '{class_name}'; its policies: {', '.join(known) or 'none'}"
        )
    if not inspect.isclass(found) or not issubclass(found, Policy):
        raise InputError(f"'{name}' is no subclass of placid.placement.base.Policy; derive the class from it")
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise InputError(f"'{name}' lacks {missing}; a policy needs start, place and learn")
    return _entry(found, "policy", name, extra={"label": _LABEL})
