"""What requests pass through, as flat tables: stations with queues, steps from one to the next, the options of each type.

A *station* is a queue, first come first served, before a number of equal servers. A *step* is a way that takes time and
then, at its end, one service at a station, or none. After a step a request leaves at an exit with some probability, or
goes on. An *option* is a first step; a type has several, cheapest first. Nothing here knows of models: `compile_system`
makes a system of a placement, and `Draft` one by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placid.errors import InputError

__all__ = ["EXPONENTIAL", "FIXED", "GIVEN", "OPTION", "STATION", "STEP", "UNLIMITED", "System"]

#: as many as there may be
UNLIMITED = int(np.iinfo(np.int64).max)
#: laws of service times: as it is; times an exponential factor of mean 1; times a factor drawn from a list
FIXED, EXPONENTIAL, GIVEN = 0, 1, 2

#: a service of n requests takes ``(fixed_s + sum of their work_s) * factor``, then the server rests for ``pause_s``
STATION = np.dtype(
    [
        ("servers", np.int64),  # `UNLIMITED` where nobody ever waits
        (
            "limit",
            np.int64,
        ),  # an option is closed while a gate has all servers held and so many requests waiting
        ("batch", np.int64),  # the most requests that one service takes
        (
            "batch_wait_s",
            np.float64,
        ),  # how long a free server waits for a batch, from when its first request came
        ("fixed_s", np.float64),  # what a service takes however many requests it has
        ("pause_s", np.float64),  # the answer does not wait for it
        ("law", np.int64),  # how the factor is drawn
        ("factor", np.int64),  # the first in `System.factors`, and how many, each as likely as the next
        ("factor_count", np.int64),
    ]
)

STEP = np.dtype(
    [
        ("station", np.int64),  # -1 if there is nothing to wait for
        ("delay_s", np.float64),  # the way there
        ("work_s", np.float64),  # what the request takes of a server
        ("leave", np.float64),  # share of requests that leave at the exit after the step
        ("on", np.int64),  # the next step of those that go on, -1 if that is all
        ("out", np.int64),  # likewise of those that leave
        ("place", np.int64),  # where it is, if it may be the last before the answer; -1 for ways
    ]
)

OPTION = np.dtype(
    [
        ("first", np.int64),  # the step with which it begins, -1 if it takes none
        ("gate", np.int64),  # the first in `System.gates`, and how many: stations of which none may be full
        ("gate_count", np.int64),
        ("label", np.int64),  # what it is to whoever made it
    ]
)


@dataclass(frozen=True)
class System:
    """S stations, Q steps, and the O options of R types, fitting each other; checked when made.

    Attributes:
        stations: `STATION` [S]; `factors` float64, what some of them draw from.
        steps: `STEP` [Q].
        option_ptr: int64 [R + 1]; options of type r are ``option_ptr[r]:option_ptr[r + 1]``, the one to be preferred first.
        options: `OPTION` [O]; `gates` int64.

    Raises:
        InputError: a number is out of range, or requests could go round for ever.
    """

    stations: np.ndarray
    factors: np.ndarray
    steps: np.ndarray
    option_ptr: np.ndarray
    options: np.ndarray
    gates: np.ndarray
    station_names: tuple[str, ...]
    place_names: tuple[str, ...]

    def __post_init__(self) -> None:
        self._check_stations()
        self._check_steps()
        first, gates, ptr = self.options["first"], self.gates, self.option_ptr
        _need(
            ptr[0] == 0 and ptr[-1] == len(first) and bool((np.diff(ptr) >= 0).all()),
            "option_ptr rises from 0 to the number of options",
        )
        for table, what, drawn_from in (
            (self.options, "gate", gates),
            (self.stations, "factor", self.factors),
        ):
            begin, count = table[what], table[f"{what}_count"]
            _need(
                ((begin >= 0) & (count >= 0) & (begin + count <= len(drawn_from))).all(),
                f"a {what} lies outside",
            )
        _need(
            ((first >= -1) & (first < len(self.steps))).all(),
            "an option begins with a step that there is not",
        )
        _need(((gates >= 0) & (gates < len(self.stations))).all(), "a gate is no station")

    @property
    def type_count(self) -> int:
        """R, how many types of requests there are."""
        return len(self.option_ptr) - 1

    def _check_stations(self) -> None:
        _need(len(self.stations) == len(self.station_names), "every station needs a name")
        for what, least in (
            ("servers", 1),
            ("limit", 0),
            ("batch", 1),
            ("batch_wait_s", 0),
            ("fixed_s", 0),
            ("pause_s", 0),
        ):
            values = self.stations[what]
            _need(
                (np.isfinite(values) & (values >= least)).all(), f"a station needs a finite {what} >= {least}"
            )
        _need((np.isfinite(self.factors) & (self.factors >= 0)).all(), "a factor is finite and at least 0")
        drawn = self.stations[self.stations["law"] == GIVEN]
        _need((drawn["factor_count"] > 0).all(), "a list to draw factors from is empty")

    def _check_steps(self) -> None:
        q = self.steps
        for what, names in (("station", self.station_names), ("place", self.place_names)):
            _need(
                ((q[what] >= -1) & (q[what] < len(names))).all(), f"a step is at a {what} that there is not"
            )
        for what in ("delay_s", "work_s"):
            _need((np.isfinite(q[what]) & (q[what] >= 0)).all(), f"a step needs a finite {what} >= 0")
        _need(((q["leave"] >= 0) & (q["leave"] <= 1)).all(), "the share that leaves lies between 0 and 1")
        for after in ("on", "out"):
            _need(((q[after] >= -1) & (q[after] < len(q))).all(), "after a step comes one that there is not")
        ends = np.zeros(len(q) + 1, bool)  # the last stands for -1, the end
        ends[-1] = True
        while True:
            further = ends[:-1] | ((q["leave"] < 1) & ends[q["on"]]) | ((q["leave"] > 0) & ends[q["out"]])
            if (further == ends[:-1]).all():
                break
            ends[:-1] = further
        _need(bool(ends.all()), "some steps lead round for ever: no exit on the way has a chance")


def _need(met: bool | np.bool_, message: str) -> None:
    if not met:
        raise InputError(message, where="system")
