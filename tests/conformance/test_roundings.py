"""Every rounding, in every mode, keeps what it promises; and the check itself finds roundings that do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from placid.placement.rounding import ROUNDINGS, Coupled, DepRound, Permanent
from placid.placement.rounding.base import Rounding
from placid.testing.roundings import check_rounding

EVERY = [
    *(rounding() for rounding in ROUNDINGS.values()),
    DepRound(mode="reserve"),
    Coupled(mode="reserve"),
    Coupled(mode="coin", order="line"),
    Coupled(mode="reserve", order="line", renewal=0.0),
    Permanent(renewal=0.0),
]


@pytest.mark.parametrize("rounding", EVERY, ids=str)
def test_conforms(rounding: Rounding) -> None:
    check_rounding(rounding)


@dataclass(frozen=True)
class Rounder(DepRound):
    """Places the larger half: exact budgets, wrong law."""

    name: ClassVar[str] = "rounder"

    def round(self, state: Any, *args: Any, **kwargs: Any) -> tuple[Any, np.ndarray]:
        y = args[3]
        super().round(state, *args, **kwargs)
        return state, y > 0.5


@dataclass(frozen=True)
class Independent(DepRound):
    """Independent coins: exact law, no budgets."""

    name: ClassVar[str] = "independent"

    def round(self, state: Any, *args: Any, **kwargs: Any) -> tuple[Any, np.ndarray]:
        y, rng = args[3], args[4]
        return state, rng.random(len(y)) < y


@dataclass(frozen=True)
class Unsteady(DepRound):
    """Says it is sticky and is not."""

    name: ClassVar[str] = "unsteady"

    @property
    def sticky(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Rounder(), "below its promise|exceeds a budget|above y"),
        (Independent(), "exceeds a budget"),
        (Unsteady(), "says it is sticky"),
    ],
    ids=str,
)
def test_the_check_finds_what_is_wrong(wrong: Rounding, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_rounding(wrong)
