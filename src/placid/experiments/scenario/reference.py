"""The reference of the scenario file, written from the models that check it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

from placid.experiments.scenario.changes import change_model
from placid.experiments.scenario.kinds import Kind
from placid.experiments.scenario.limits import BudgetSection, LimitsSection
from placid.experiments.scenario.networks import (
    Override,
    cloud_model,
    devices_model,
    network_model,
    tiered_model,
)
from placid.experiments.scenario.preferences import preference_model
from placid.experiments.scenario.schema import Frame, HindsightSection, objective_model
from placid.experiments.scenario.settings import Section
from placid.experiments.scenario.tables import Family, catalogs, policies, solvers, table_file, workloads
from placid.network import CHANGES, NETWORKS
from placid.units import DIMENSIONS

__all__ = ["reference", "sections"]

_HEAD = """\
# Scenario reference

A scenario is one YAML file. `placid init` writes one to start from, `placid check FILE` says what is wrong with one, with
file, line and field, and `placid run FILE` runs it. Unknown fields are mistakes. Files that a scenario names are looked for
beside it.

Quantities carry their unit:

| kind | units |
| --- | --- |
"""

_YAML = """
Plain words are read as YAML 1.2 has it: `true` and `false` are the only flags, `no` and `12:30` are text.
"""


def sections() -> Mapping[str, tuple[str, type[Section]]]:
    """Title of every section of the reference -> what it is about, and the model behind it."""
    found: dict[str, tuple[str, type[Section]]] = {
        "The file": ("", Frame),
    }
    abouts = {
        "topology": "A published topology by its id, dressed with what no topology says.",
        "file": "A network in a file, dressed with what the file does not say.",
        "tiered": "Base stations, two levels of central offices, the data centre, the cloud.",
    }
    for source in NETWORKS:
        found[f"`network` with `{source}`"] = (abouts.get(source, ""), network_model(source))
    found["`network.tiered`"] = ("The numbers of the tiered network.", tiered_model())
    found["`network.cloud`"] = ("A repository outside the topology, joined to it at gateways.", cloud_model())
    found["`network.devices`"] = ("By the name of their kind, which is their tier.", devices_model())
    found["`network.overrides`"] = ("By node name.", Override)
    for name in CHANGES:
        becomes = re.sub(r"`[a-z_]+`", "`to`", _about(CHANGES[name]))
        found[f"`changes` with `{name}`"] = (becomes, change_model(name))
    found["`changes` with `prefer`"] = (
        "What counts becomes something else; policies keep what they learned.",
        preference_model(),
    )
    found |= _family("catalog", catalogs())
    table = table_file()
    found["`catalog` with `file`"] = (_about(table.make), table.model)
    found |= _family("workload", workloads())
    found["`objective`"] = (
        "What is made as small as possible, for all requests together. The unit is the second.",
        objective_model(),
    )
    found["`limits`"] = (
        "What a refusal costs, and how prices are found, where links have a `rate` or nodes `processors`.",
        LimitsSection,
    )
    found["`budgets`"] = (
        "What may be used in the long run, on average over the slots. Each has `energy` or `bytes`.",
        BudgetSection,
    )
    found |= _family("policies", policies())
    found["`hindsight`"] = ("What is worked out once the requests are known.", HindsightSection)
    found |= _family("hindsight.solvers", solvers())
    return found


def reference() -> str:
    """The reference as Markdown: every section, every field, what it takes, its default, what it is."""
    units = "\n".join(
        f"| {name} | {', '.join(f'`{u}`' for u in known)} |" for name, known in DIMENSIONS.items()
    )
    parts = [_HEAD + units + "\n" + _YAML]
    for title, (about, model) in sections().items():
        parts.append(f"## {title}\n")
        if about:
            parts.append(f"{about}\n")
        parts.append(_table(model))
    parts.append(
        "A policy of your own is named `module:Class` and takes the settings of its constructor, like those above.\n"
    )
    return "\n".join(parts)


def _family(field: str, family: Family) -> list[tuple[str, tuple[str, type[Section]]]]:
    return [
        (f"`{field}` with `{family.selector}: {name}`", (_about(entry.make), entry.model))
        for name, entry in family.entries.items()
    ]


def _about(make: Any) -> str:
    """The first paragraph of a docstring."""
    return inspect.cleandoc(make.__doc__ or "").split("\n\n")[0].replace("\n", " ").replace("``", "`")


def _table(model: type[Section]) -> str:
    rows = ["| field | takes | default | |", "| --- | --- | --- | --- |"]
    for name, field in model.model_fields.items():
        kind = next((m for m in field.metadata if isinstance(m, Kind)), None)
        takes = kind.shown if kind else "a section"
        default = "required" if field.is_required() else _default(field.default, kind)
        about = (field.description or "").strip().replace("``", "`")
        cells = [f"`{field.alias or name}`", takes, default, about[:1].upper() + about[1:]]
        rows.append("| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |")
    return "\n".join(rows) + "\n"


def _default(value: Any, kind: Kind | None) -> str:
    if value is None or value == () or value == {}:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(_default(v, kind) for v in value)
    dimension = _dimension(kind)
    if isinstance(value, int | float) and value == float("inf"):
        return "unlimited"
    if isinstance(value, int | float) and value and dimension:
        return _readable(value, dimension)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _readable(value: float, dimension: str) -> str:
    """`value` in the largest unit that makes it a short number."""
    units = [(f, u) for u, f in DIMENSIONS[dimension].items() if 1 <= value / f < 10_000] or [
        (f, u) for u, f in DIMENSIONS[dimension].items() if value / f < 10_000
    ]
    shown = [(len(f"{value / f:.6g}"), -f, i, f"{value / f:.6g} {u}") for i, (f, u) in enumerate(units)]
    return min(shown)[3] if shown else f"{value:g}"


def _dimension(kind: Kind | None) -> str:
    """The dimension of a quantity, wherever it stands in `kind`."""
    found = getattr(kind, "dimension", "")
    if found:
        return str(found)
    inner = [*getattr(kind, "kinds", ()), *filter(None, [getattr(kind, "each", None)])]
    return next((d for k in inner if (d := _dimension(k))), "")
