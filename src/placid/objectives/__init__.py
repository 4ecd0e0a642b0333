"""Objectives: one number out of latency, error, energy and traffic, or several of them at once."""

from placid.objectives.dominance import nondominated
from placid.objectives.front import Front, Point
from placid.objectives.indicators import epsilon_indicator, hypervolume
from placid.objectives.quantiles import latency_quantile
from placid.objectives.simplex import grid_of, simplex_grid
from placid.objectives.ways import Ways
from placid.objectives.weighted import Weighted

__all__ = [
    "Front",
    "Point",
    "Ways",
    "Weighted",
    "epsilon_indicator",
    "grid_of",
    "hypervolume",
    "latency_quantile",
    "nondominated",
    "simplex_grid",
]
