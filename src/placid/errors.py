"""Every error that placid raises on purpose. Catch `PlacidError` to catch them all."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "InfeasiblePlacementError",
    "InputError",
    "PlacidError",
    "RunError",
    "SolverError",
    "UnknownNameError",
]


class PlacidError(Exception):
    """The base of every error that placid raises on purpose."""


class InputError(PlacidError):
    """Something a person wrote is wrong: a file, a field, a unit, a topology.

    The message says what is wrong and what would be right; `where` says in which file, line and field, as far as known.
    """

    def __init__(self, message: str, *, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.where = where


class UnknownNameError(InputError):
    """A name that placid does not know; the message lists the names it knows and the nearest one."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: str = "") -> None:
        names = sorted(known)
        near = get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        shown = ", ".join(names[:30]) + (f", … ({len(names)} in all)" if len(names) > 30 else "")
        super().__init__(
            f"unknown {kind} '{name}'{hint} Known: {shown}".replace("' Known", "'. Known"), where=where
        )
        self.name = name
        self.known = names


class InfeasiblePlacementError(PlacidError):
    """A policy or solver returned a placement that exceeds a node's memory: always a bug of that policy."""


class SolverError(PlacidError):
    """An offline solver could not give what it promises (no feasible point, a broken model, no licence to prune)."""


class RunError(PlacidError):
    """A run folder is missing, half-written, or belongs to another scenario."""
