"""From the tables of a run to numbers, plots and one page. Reads run folders; never runs anything.

Loaded when first asked for, so that importing this room costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from placid.reports.figures import write_figures
    from placid.reports.page import write_report
    from placid.reports.run_data import RunData, read_run
    from placid.reports.tables import compare, per_seed, summary
    from placid.reports.terminal import comparison_table, summary_table
    from placid.reports.verdicts import verdict

__all__ = [
    "RunData",
    "compare",
    "comparison_table",
    "per_seed",
    "read_run",
    "summary",
    "summary_table",
    "verdict",
    "write_figures",
    "write_report",
]

_LAZY = {
    "RunData": "run_data",
    "compare": "tables",
    "comparison_table": "terminal",
    "per_seed": "tables",
    "read_run": "run_data",
    "summary": "tables",
    "summary_table": "terminal",
    "verdict": "verdicts",
    "write_figures": "figures",
    "write_report": "page",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'placid.reports' has no attribute '{name}'")
    return getattr(import_module(f"placid.reports.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
