"""Placements for a known demand, and upper bounds on what any placement can earn."""

from placid.placement.offline.base import Solution, Solver, Status
from placid.placement.offline.ceiling import Prices, ceiling
from placid.placement.offline.greedy import Greedy

__all__ = ["SOLVERS", "Greedy", "Prices", "Solution", "Solver", "Status", "ceiling"]

#: name -> class; scenarios and the command line choose from here
SOLVERS: dict[str, type[Solver]] = {Greedy.name: Greedy}
