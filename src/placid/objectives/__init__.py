"""Objectives: one number out of latency, error, energy and traffic."""

from placid.objectives.weighted import Weighted

__all__ = ["Weighted"]
