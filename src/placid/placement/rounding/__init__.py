"""Roundings from fractions to placements, by name: of items (`ROUNDINGS`), and of columns of plans (`CHAIN_ROUNDINGS`)."""

from __future__ import annotations

from placid.placement.rounding.base import Rounding, reserved_budgets
from placid.placement.rounding.chains import ChainRounding
from placid.placement.rounding.coupled import Coupled
from placid.placement.rounding.dependent import DepRound
from placid.placement.rounding.fill import fill
from placid.placement.rounding.permanent import Permanent
from placid.placement.rounding.shared import SharedDraws
from placid.placement.rounding.top_down import TopDown

__all__ = [
    "CHAIN_ROUNDINGS",
    "ROUNDINGS",
    "ChainRounding",
    "Coupled",
    "DepRound",
    "Permanent",
    "Rounding",
    "SharedDraws",
    "TopDown",
    "fill",
    "reserved_budgets",
]

#: name -> class
ROUNDINGS: dict[str, type[Rounding]] = {c.name: c for c in (DepRound, Coupled, Permanent)}
#: name -> class, for columns of plans over several nodes
CHAIN_ROUNDINGS: dict[str, type[ChainRounding]] = {c.name: c for c in (TopDown, SharedDraws)}
