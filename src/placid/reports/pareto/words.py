"""How objectives, and methods that found a point, are spoken of."""

from __future__ import annotations

from dataclasses import dataclass

from placid.reports.pareto.data import FrontData
from placid.reports.wording import pick_unit, quantity

__all__ = ["FOUND", "TOLD", "Told", "caption", "stated", "unit_of"]


@dataclass(frozen=True)
class Told:
    """How an objective is spoken of; `colour` after Okabe and Ito."""

    short: str
    best: str
    dimension: str
    colour: str


TOLD = {
    "latency_s": Told("latency", "fastest", "time", "#0072B2"),
    "error": Told("error", "most accurate", "plain", "#D55E00"),
    "energy_j": Told("energy", "least energy", "energy", "#009E73"),
    "traffic_byte_hops": Told("traffic", "least traffic", "plain", "#CC79A7"),
}
FOUND = {
    "milp": "MILP",
    "greedy": "greedy",
    "local-search": "local search",
    "re-served": "a placement found for other weights",
    "nsga-iii": "NSGA-III",
    "epsilon-constraint": "a limit on one objective, as a MILP",
    "routed": "another routing of an exact point's placement",
    "chosen": "a search for a wish",
    "lp-rounded": "rounding a linear program",
}


def stated(name: str, value: float) -> str:
    """`value` of a component with its unit."""
    if name == "traffic_byte_hops":
        size, unit = pick_unit(value, "size")
        return f"{value / size:.3g} {unit}·hop"
    return quantity(value, TOLD[name].dimension)


def caption(told: FrontData, i: int) -> str:
    """A point of the front in half a line."""
    return " · ".join(
        f"{TOLD[n].short} {stated(n, v)}" for n, v in zip(told.objectives, told.front.axes[i], strict=True)
    )


def unit_of(told: FrontData, name: str) -> tuple[float, str]:
    """What a whole column of a component is shown in: (size in SI, name)."""
    k = told.objectives.index(name)
    largest = float(told.front.axes[:, k].max())
    if name == "traffic_byte_hops":
        size, unit = pick_unit(largest, "size")
        return size, f"{unit}·hop"
    return pick_unit(largest, TOLD[name].dimension)
