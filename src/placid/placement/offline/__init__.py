"""Placements for a known demand, and upper bounds on what any placement can earn."""

from placid.placement.offline.averaged import Averaged
from placid.placement.offline.base import Solution, Solver, Status
from placid.placement.offline.ceiling import Prices, ceiling
from placid.placement.offline.greedy import Greedy
from placid.placement.offline.local_search import LocalSearch
from placid.placement.offline.lp import LinearProgram
from placid.placement.offline.milp import Milp

__all__ = [
    "SOLVERS",
    "Averaged",
    "Greedy",
    "LinearProgram",
    "LocalSearch",
    "Milp",
    "Prices",
    "Solution",
    "Solver",
    "Status",
    "ceiling",
]

#: name -> class; scenarios and the command line choose from here
SOLVERS: dict[str, type[Solver]] = {s.name: s for s in (Greedy, LocalSearch, LinearProgram, Milp, Averaged)}
