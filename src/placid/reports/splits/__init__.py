"""The comparison of splitting techniques: table, winner maps and one page, from a zoo's manifest alone."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from placid.reports.splits.costs import Cost
    from placid.reports.splits.page import write_comparison
    from placid.reports.splits.story import Comparison, compare_splits
    from placid.reports.splits.tables import splits_csv, splits_table
    from placid.reports.splits.verdicts import findings, headline
    from placid.reports.splits.winners import Setting, energy_winners, latency_winners

__all__ = [
    "Comparison",
    "Cost",
    "Setting",
    "compare_splits",
    "energy_winners",
    "findings",
    "headline",
    "latency_winners",
    "splits_csv",
    "splits_table",
    "write_comparison",
]

_LAZY = {
    "Comparison": "story",
    "Cost": "costs",
    "Setting": "winners",
    "compare_splits": "story",
    "energy_winners": "winners",
    "findings": "verdicts",
    "headline": "verdicts",
    "latency_winners": "winners",
    "splits_csv": "tables",
    "splits_table": "tables",
    "write_comparison": "page",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'placid.reports.splits' has no attribute '{name}'")
    return getattr(import_module(f"placid.reports.splits.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
