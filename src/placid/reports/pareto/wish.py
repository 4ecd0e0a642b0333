"""The chosen point in words: what was wished for, what it comes to, and what could be had at best."""

from __future__ import annotations

from typing import Any

from placid.objectives.limits import stated_limit, stated_value
from placid.objectives.quantiles import quantile_share

__all__ = ["granted"]


def granted(choice: dict[str, Any]) -> str:
    """``choice.json`` in a few sentences."""
    limits = [stated_limit(n, m) for n, m in choice["limits"].items()]
    asked = f" with {' and '.join(limits)}" if limits else ""
    order = ", then ".join(_spoken(n) for n in choice["order"])
    comes = ", ".join(stated_value(n, v) for n, v in choice["values"].items())
    said = f"Chosen for the least {order}{asked}: it comes with {len(choice['placed'])} models placed {comes} a request."
    least = choice["least"]
    if least["at_least"] is not None:
        short = stated_value(choice["order"][0], least["at_least"]).replace(" to ", " below ", 1)
        said += f" However requests are routed, no placement within these limits brings {short}."
    if not choice["kept"]:
        missed = [
            stated_limit(n, m) for n, m in choice["limits"].items() if choice["values"][n] > m * (1 + 1e-6)
        ]
        what = (
            "requests routed at will could"
            if least["at_least"] is not None
            else "it is not known whether any could"
        )
        said += (
            f" It does NOT keep {' and '.join(missed)}: of the points found none keeps all limits under the serving rule; "
            f"{what}."
            " More --points, more --time-limit or --evolve may find one; otherwise loosen a limit."
        )
    return said


def _spoken(name: str) -> str:
    return f"{name.split('_')[1]} latency" if quantile_share(name) else name.split("_")[0]
