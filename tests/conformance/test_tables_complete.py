"""Every concrete class of a family stands in its table, under its own name, so that nothing escapes the checks."""

from __future__ import annotations

import inspect
import pkgutil
from abc import ABC
from importlib import import_module

import pytest

import placid
from placid.placement.base import Policy
from placid.placement.offline import SOLVERS
from placid.placement.offline.base import Solver
from placid.placement.online import POLICIES
from placid.placement.projections import PROJECTIONS
from placid.placement.projections.base import Projection
from placid.placement.rounding import CHAIN_ROUNDINGS, ROUNDINGS, ChainRounding
from placid.placement.rounding.base import Rounding
from placid.workload import WORKLOADS
from placid.workload.base import Workload

FAMILIES: list[tuple[type, dict[str, type]]] = [
    (Policy, POLICIES),
    (Projection, PROJECTIONS),
    (Rounding, ROUNDINGS),
    (ChainRounding, CHAIN_ROUNDINGS),
    (Solver, SOLVERS),
    (Workload, WORKLOADS),
]


def concrete(family: type) -> set[type]:
    """Every class of the package that derives from `family` and leaves nothing abstract."""
    found: set[type] = set()
    for module in pkgutil.walk_packages(placid.__path__, "placid."):
        if not module.name.startswith(("placid.placement.", "placid.workload.")):
            continue
        for value in vars(import_module(module.name)).values():
            if inspect.isclass(value) and issubclass(value, family) and not inspect.isabstract(value):
                found.add(value)
    return found


@pytest.mark.parametrize(("family", "table"), FAMILIES, ids=lambda value: getattr(value, "__name__", ""))
def test_every_concrete_class_is_in_its_table(family: type, table: dict[str, type]) -> None:
    assert issubclass(family, ABC)
    assert concrete(family) == set(table.values())
    assert all(name == cls.name for name, cls in table.items())  # type: ignore[attr-defined]


@pytest.mark.parametrize(("family", "table"), FAMILIES, ids=lambda value: getattr(value, "__name__", ""))
def test_every_class_says_in_a_sentence_what_it_is(family: type, table: dict[str, type]) -> None:
    for cls in table.values():
        first = (cls.__doc__ or "").split("\n")[0]
        assert len(first) > 20, f"{cls.__name__} has no docstring of its own"
        assert not first.startswith(f"{cls.__name__}("), f"{cls.__name__} has no docstring of its own"
