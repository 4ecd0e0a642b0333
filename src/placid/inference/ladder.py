"""What is fitted of a network with exits, for nodes that decide for themselves: temperatures, and what to expect above."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from placid.errors import InputError, UnknownNameError

__all__ = ["Ladder", "ladder_of", "read_ladders"]


@dataclass(frozen=True)
class Ladder:
    """One network with exits, from the lowest to the end.

    Attributes:
        temperatures: by which logits are divided, of every exit and of the end.
        knots: of every exit, calibrated confidences in rising order.
        penalties: what the node above may have to pay to go on, in units of accuracy, rising from 0.
        above: [exits][knots][penalties]; accuracy to expect further up, less the penalty of those that go on.
    """

    variant: str
    temperatures: tuple[float, ...]
    knots: tuple[tuple[float, ...], ...]
    penalties: tuple[float, ...]
    above: tuple[tuple[tuple[float, ...], ...], ...]

    def __post_init__(self) -> None:
        exits = len(self.temperatures) - 1
        if not (exits >= 1 and len(self.knots) == len(self.above) == exits and len(self.penalties) >= 2):
            raise InputError("needs knots and a table for every exit, and two penalties", where=self.variant)
        for knots, table in zip(self.knots, self.above, strict=True):
            if len(knots) < 2 or any(b <= a for a, b in pairwise(knots)):
                raise InputError("knots rise, and are two at least", where=self.variant)
            if len(table) != len(knots) or any(len(row) != len(self.penalties) for row in table):
                raise InputError("a table has a row a knot and a column a penalty", where=self.variant)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` reads it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Ladder:
        """Raises InputError if it is not what `as_dict` gives."""
        try:
            return cls(
                str(told["variant"]),
                tuple(float(t) for t in told["temperatures"]),
                tuple(tuple(float(k) for k in one) for one in told["knots"]),
                tuple(float(p) for p in told["penalties"]),
                tuple(tuple(tuple(float(a) for a in row) for row in table) for table in told["above"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"this is no ladder of exits: {error!r}") from None


def read_ladders(zoo: Path) -> dict[str, Ladder]:
    """Those that lie beside a zoo as ``offloading.json``, by variant.

    Raises:
        InputError: there are none, or they cannot be read.
    """
    file = zoo / "offloading.json"
    try:
        told = json.loads(file.read_text())
        return {one["variant"]: Ladder.from_dict(one) for one in told["ladders"]}
    except FileNotFoundError:
        raise InputError("this zoo has no fitted exits for offloading", where=str(file)) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"cannot be read ({error!r})", where=str(file)) from None


def ladder_of(zoo: Path, variant: str) -> Ladder:
    """The ladder of one variant.

    Raises:
        UnknownNameError: nothing was fitted for it.
    """
    found = read_ladders(zoo)
    if variant not in found:
        raise UnknownNameError("variant with fitted exits", variant, found, where=str(zoo))
    return found[variant]
