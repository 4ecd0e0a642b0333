"""Systems written by hand: stations, steps and options one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from placid.errors import InputError
from placid.simulation.events.system import (
    EXPONENTIAL,
    FIXED,
    GIVEN,
    OPTION,
    STATION,
    STEP,
    UNLIMITED,
    System,
)

__all__ = ["Draft"]


class Draft:
    """A system in the making. Steps are added last first, since each names what comes after it.

    Example:
        >>> draft = Draft()
        >>> desk = draft.station("desk", servers=2, law="exponential")
        >>> draft.option(0, draft.step(desk, work_s=0.3))
        >>> draft.system().type_count
        1
    """

    def __init__(self, places: Sequence[str] = ("here",)) -> None:
        self._places = tuple(places)
        self._names: list[str] = []
        self._stations: list[tuple[float, ...]] = []
        self._factors: list[float] = []
        self._steps: list[tuple[float, ...]] = []
        self._options: list[tuple[int, ...]] = []
        self._types: list[int] = []
        self._gates: list[int] = []

    def station(
        self,
        name: str,
        *,
        servers: int | None = 1,
        limit: int | None = None,
        batch: int = 1,
        batch_wait_s: float = 0.0,
        fixed_s: float = 0.0,
        pause_s: float = 0.0,
        law: str | Sequence[float] = "fixed",
    ) -> int:
        """Add a station and return its number. What the numbers mean: `placid.simulation.events.system.STATION`.

        Args:
            servers, limit: None for no limit.
            law: ``"fixed"``, ``"exponential"``, or the factors to draw from.

        Raises:
            InputError: an unknown law.
        """
        if isinstance(law, str) and law not in ("fixed", "exponential"):
            raise InputError(f"a law is 'fixed', 'exponential' or a list of factors, got '{law}'", where=name)
        code = GIVEN if not isinstance(law, str) else EXPONENTIAL if law == "exponential" else FIXED
        factors = [] if isinstance(law, str) else [float(f) for f in law]
        self._names.append(name)
        self._stations.append(
            (
                UNLIMITED if servers is None else servers,
                UNLIMITED if limit is None else limit,
                batch,
                batch_wait_s,
                fixed_s,
                pause_s,
                code,
                len(self._factors),
                len(factors),
            )
        )
        self._factors += factors
        return len(self._names) - 1

    def step(
        self,
        station: int = -1,
        *,
        delay_s: float = 0.0,
        work_s: float = 0.0,
        leave: float = 0.0,
        on: int = -1,
        out: int = -1,
        place: int = 0,
    ) -> int:
        """Add a step and return its number. What the numbers mean: `placid.simulation.events.system.STEP`."""
        self._steps.append((station, delay_s, work_s, leave, on, out, place))
        return len(self._steps) - 1

    def go_on(self, step: int, on: int) -> None:
        """Let `on` come after `step`, whatever came after it: how a loop is made."""
        self._steps[step] = (*self._steps[step][:4], on, *self._steps[step][5:])

    def option(self, kind: int, first: int, gates: Sequence[int] = (), label: int = -1) -> None:
        """Give type `kind` an option, less preferred than those it has.

        Args:
            first: the step with which it begins, -1 if it takes none.
            gates: stations of which none may be full.
        """
        self._options.append((first, len(self._gates), len(gates), label))
        self._types.append(kind)
        self._gates += gates

    def system(self, types: int | None = None) -> System:
        """What was drafted.

        Args:
            types: how many there are; None: as many as have options.

        Raises:
            InputError: it does not fit together.
        """
        kind = np.array(self._types, np.int64)
        counts = np.bincount(kind, minlength=types or 0)
        return System(
            np.array(self._stations, STATION),
            np.array(self._factors, np.float64),
            np.array(self._steps, STEP),
            np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
            np.array(self._options, OPTION)[np.argsort(kind, kind="stable")],
            np.array(self._gates, np.int64),
            tuple(self._names),
            self._places,
        )
