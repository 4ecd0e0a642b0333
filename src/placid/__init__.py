"""placid: PLACement of Inference in Delivery networks.

Decides which AI models run on which nodes of a device-edge-cloud network, proves how good the decision is, and shows it.

    import placid

    scenario = placid.load_scenario("scenarios/split-metro.yaml")
    folder = placid.run(scenario, "runs/demo")
    print(placid.summary(folder))

Everything else is imported from its room: `placid.network`, `placid.catalog`, `placid.workload`, `placid.problem`,
`placid.placement`, `placid.simulation`, `placid.reports`, `placid.experiments`, `placid.testing`, `placid.gym`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from placid.version import __version__

if TYPE_CHECKING:
    from placid.experiments.run import run
    from placid.experiments.scenario import load_scenario
    from placid.reports import summary_table as summary
    from placid.reports import write_report

__all__ = ["__version__", "load_scenario", "run", "summary", "write_report"]

# loaded when first asked for, so that `import placid` stays fast
_LAZY = {
    "load_scenario": ("placid.experiments.scenario", "load_scenario"),
    "run": ("placid.experiments.run", "run"),
    "summary": ("placid.reports", "summary_table"),
    "write_report": ("placid.reports", "write_report"),
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'placid' has no attribute '{name}'")
    module, attribute = _LAZY[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
