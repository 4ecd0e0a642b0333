"""Roundings from fractions to placements, by name."""

from __future__ import annotations

from placid.placement.rounding.base import Rounding, reserved_budgets
from placid.placement.rounding.coupled import Coupled
from placid.placement.rounding.dependent import DepRound
from placid.placement.rounding.fill import fill
from placid.placement.rounding.permanent import Permanent

__all__ = ["ROUNDINGS", "Coupled", "DepRound", "Permanent", "Rounding", "fill", "reserved_budgets"]

#: name -> class
ROUNDINGS: dict[str, type[Rounding]] = {c.name: c for c in (DepRound, Coupled, Permanent)}
