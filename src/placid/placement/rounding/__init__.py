"""Roundings from fractions to placements, by name."""

from __future__ import annotations

from placid.placement.rounding.base import Rounding, reserved_budgets
from placid.placement.rounding.dependent import DepRound

__all__ = ["ROUNDINGS", "DepRound", "Rounding", "reserved_budgets"]

#: name -> class
ROUNDINGS: dict[str, type[Rounding]] = {c.name: c for c in (DepRound,)}
