"""The rhythm of the day on any workload that knows its mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from placid.workload.base import Workload
from placid.workload.process import PoissonProcess, check_base, mean_of
from placid.workload.requests import RequestTypes
from placid.workload.settings import check_number, check_positive, per_ingress

__all__ = ["Diurnal"]


@dataclass(frozen=True)
class Diurnal(PoissonProcess):
    """A sinusoidal day: the mean of `base` times ``1 + amplitude * cos(2 pi (t - peak_s) / day_s)``, drawn
    Poisson.

    The factor is its exact average over the slot, so a slot of any length, up to a whole day, has the right
    mean; over a day a constant `base` keeps its mean. Give every ingress its own peak to have time zones.

    Attributes:
        base: the workload to modulate; it must know its mean.
        amplitude: in [0, 1]; 1 lets the night fall silent.
        peak_s: time of day of the peak, seconds after midnight; slot 0 starts at midnight. One number for
            all, or one per ingress: node name -> seconds, or seconds in the order of ``requests.nodes``.
        day_s: length of the day.
        slot_s: length of a slot.

    Raises:
        InputError: `base` does not know its mean, or a setting is out of range.
    """

    name: ClassVar[str] = "diurnal"

    base: Workload
    amplitude: float = 0.5
    peak_s: float | Mapping[str, float] | tuple[float, ...] = 72_000.0
    day_s: float = 86_400.0
    slot_s: float = 60.0

    def __post_init__(self) -> None:
        check_base(self.name, self.base)
        check_number(self.name, "amplitude", self.amplitude, 0, 1)
        check_positive(self.name, "day_s", self.day_s)
        check_positive(self.name, "slot_s", self.slot_s)
        peaks = self.peak_s
        if isinstance(peaks, int | float):
            peaks = (peaks,) * len(self.requests.nodes)
        object.__setattr__(self, "peak_s", per_ingress(self.name, "peak_s", peaks, self.requests))

    @property
    def requests(self) -> RequestTypes:
        """Those of `base`."""
        return self.base.requests

    def factor(self, slot: int) -> np.ndarray:
        """What the day makes of each ingress node in `slot`: float64 [I], in the order of
        ``requests.nodes``."""
        middle = (slot + 0.5) * self.slot_s
        turn = 2 * np.pi * (middle - np.asarray(self.peak_s, np.float64)) / self.day_s
        # the average of a cosine over an interval is the cosine at its middle times a sinc of its width
        swing = self.amplitude * np.sinc(self.slot_s / self.day_s) * np.cos(turn)
        return np.asarray(np.maximum(1.0 + swing, 0.0))

    def expected(self, slot: int) -> np.ndarray:
        """Expected demand of `slot`, float64 [R]."""
        mean = self.base.expected(slot)
        assert mean is not None, "check_base has seen to it"
        return self.factor(slot)[self.requests.node_of] * mean

    def mean(self, slot: int, seed: int) -> np.ndarray:
        """The Poisson means of `slot` under `seed`, float64 [R]."""
        return self.factor(slot)[self.requests.node_of] * mean_of(self.base, slot, seed)
