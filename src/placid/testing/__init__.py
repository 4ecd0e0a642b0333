"""Conformance checks, one per family, and random small instances to hold your own methods against ours.

from placid.testing import check_policy, check_solver, random_problem
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from placid.testing.brute import brute_force
    from placid.testing.chain_roundings import check_chain_rounding
    from placid.testing.instances import random_demand, random_problem
    from placid.testing.policies import check_policy
    from placid.testing.projections import check_projection
    from placid.testing.roundings import check_rounding
    from placid.testing.run_folder import make_run_folder
    from placid.testing.solvers import check_solver

__all__ = [
    "brute_force",
    "check_chain_rounding",
    "check_policy",
    "check_projection",
    "check_rounding",
    "check_solver",
    "make_run_folder",
    "random_demand",
    "random_problem",
]

# loaded when first asked for: instances need neither the simulator nor the solvers
_LAZY = {
    "brute_force": "placid.testing.brute",
    "check_chain_rounding": "placid.testing.chain_roundings",
    "check_policy": "placid.testing.policies",
    "check_projection": "placid.testing.projections",
    "check_rounding": "placid.testing.roundings",
    "check_solver": "placid.testing.solvers",
    "make_run_folder": "placid.testing.run_folder",
    "random_demand": "placid.testing.instances",
    "random_problem": "placid.testing.instances",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'placid.testing' has no attribute '{name}'")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
