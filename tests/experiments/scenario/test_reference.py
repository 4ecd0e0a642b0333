"""The reference names every field, and says something of each."""

from __future__ import annotations

import re

from placid.catalog import CATALOGS
from placid.experiments.scenario import reference
from placid.experiments.scenario.reference import sections
from placid.network import CHANGES, NETWORKS
from placid.placement.offline import SOLVERS
from placid.placement.online import POLICIES
from placid.units import DIMENSIONS
from placid.workload import WORKLOADS


def test_every_field_of_every_section_is_listed_and_described() -> None:
    text = reference()
    for title, (_, model) in sections().items():
        part = text.split(f"## {title}\n")[1].split("\n## ")[0]
        for name, field in model.model_fields.items():
            row = next((r for r in part.splitlines() if r.startswith(f"| `{field.alias or name}` |")), None)
            assert row is not None, f"{title}: {name}"
            cells = [c.strip() for c in re.split(r"(?<!\\)\|", row)[1:-1]]
            assert len(cells) == 4, row
            assert cells[1], row
            assert len(cells[3]) > 4, f"{title}: {name} has no description"


def test_every_name_is_listed() -> None:
    text = reference()
    for family, names in (
        ("catalog", CATALOGS),
        ("workload", WORKLOADS),
        ("policies", set(POLICIES) - {"fixed"}),
        ("hindsight.solvers", SOLVERS),
    ):
        for name in names:
            assert re.search(rf"## `{family}` with `\w+: {name}`", text), name
    for name in (*NETWORKS, *CHANGES):
        assert f"with `{name}`" in text
    for dimension in DIMENSIONS:
        assert f"| {dimension} |" in text


def test_units_are_shown_in_defaults() -> None:
    text = reference()
    assert "| `slot` | a time such as '40 ms' | 1 min |" in text
    assert "| 6 ms, 6 ms, 15 ms, 40 ms |" in text
