"""Several objectives at once: exact fronts of two and three, sweeps of weights, evolution, and wishes with limits."""

from placid.placement.offline.front.chosen import Choice, choose
from placid.placement.offline.front.enclosure import Enclosure, enclosed_front
from placid.placement.offline.front.epsilon import Relaxed, exact_front, relaxed_front
from placid.placement.offline.front.evolution import Evolution
from placid.placement.offline.front.flows import LOADING, Flows, NothingFound, Routed
from placid.placement.offline.front.lowest import Contradiction, contradiction, lowest
from placid.placement.offline.front.sweep import as_served, quick_solvers, re_served, solve_at, sweep
from placid.placement.offline.front.wishes import least, lexicographic

__all__ = [
    "LOADING",
    "Choice",
    "Contradiction",
    "Enclosure",
    "Evolution",
    "Flows",
    "NothingFound",
    "Relaxed",
    "Routed",
    "as_served",
    "choose",
    "contradiction",
    "enclosed_front",
    "exact_front",
    "least",
    "lexicographic",
    "lowest",
    "quick_solvers",
    "re_served",
    "relaxed_front",
    "solve_at",
    "sweep",
]
