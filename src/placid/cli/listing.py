"""What scenarios can name, by family: the tables of the rooms below, with the first sentence of each docstring."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from rich.table import Table

from placid.errors import UnknownNameError

__all__ = ["FAMILIES", "show"]


def _table(module: str, name: str) -> Callable[[], Mapping[str, str]]:
    def names() -> Mapping[str, str]:
        found: Mapping[str, Any] = getattr(import_module(module), name)
        return {key: _first_sentence(value) for key, value in found.items()}

    return names


def _topologies() -> Mapping[str, str]:
    from placid.network import topology_names

    return dict.fromkeys(topology_names(), "")


#: family -> what gives its names, each with one sentence
FAMILIES: dict[str, Callable[[], Mapping[str, str]]] = {
    "policies": _table("placid.placement.online", "POLICIES"),
    "solvers": _table("placid.placement.offline", "SOLVERS"),
    "roundings": _table("placid.placement.rounding", "ROUNDINGS"),
    "chain-roundings": _table("placid.placement.rounding", "CHAIN_ROUNDINGS"),
    "projections": _table("placid.placement.projections", "PROJECTIONS"),
    "workloads": _table("placid.workload", "WORKLOADS"),
    "catalogs": _table("placid.catalog", "CATALOGS"),
    "networks": _table("placid.network", "NETWORKS"),
    "topologies": _topologies,
}


def show(family: str, contains: str = "") -> Table:
    """A table of the names of `family` that contain `contains`.

    Raises:
        UnknownNameError: there is no such family.
    """
    if family not in FAMILIES:
        raise UnknownNameError("family", family, FAMILIES)
    names = {name: about for name, about in FAMILIES[family]().items() if contains.lower() in name.lower()}
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, about in names.items():
        table.add_row(name, about)
    return table


def _first_sentence(thing: Any) -> str:
    text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return text.split(". ")[0].rstrip(".")
