"""Flash crowds on any workload that knows its mean: a task bursts, then is forgotten."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from placid.randomness import stream
from placid.workload.base import Workload
from placid.workload.process import PoissonProcess, check_base, mean_of
from placid.workload.requests import RequestTypes
from placid.workload.settings import check_choice, check_number, check_positive

__all__ = ["PLACES", "FlashCrowds"]

#: where a crowd gathers
PLACES = ("ingress", "everywhere")
#: a crowd is over when this share of it is left
_FORGOTTEN = 1e-3


@dataclass(frozen=True)
class FlashCrowds(PoissonProcess):
    """Bursts on top of `base`: at random times one task is suddenly asked for, and the interest decays
    exponentially.

    Crowds start as a Poisson process of `crowds_per_s`, from slot 0 on. One that started k slots ago adds to
    the mean of its task ``height * exp(-k * slot_s / decay_s)`` times all that `base` expects at that ingress
    in the slot, until less than a thousandth of it is left. Which task, and where, is uniform.

    Attributes:
        base: the workload to modulate; it must know its mean.
        crowds_per_s: how often a crowd starts; the default is four a day.
        height: size of a fresh crowd, as a share of the ingress's usual requests: 1 doubles them.
        decay_s: time after which 1/e of a crowd is left.
        place: ``"ingress"``: each crowd at one node (its request type is uniform over all types);
            ``"everywhere"``: at all ingress nodes that ask for the task.
        slot_s: length of a slot.

    Raises:
        InputError: `base` does not know its mean, or a setting is out of range.
    """

    name: ClassVar[str] = "flash-crowds"

    base: Workload
    crowds_per_s: float = 4 / 86_400
    height: float = 1.0
    decay_s: float = 1800.0
    place: str = "ingress"
    slot_s: float = 60.0

    def __post_init__(self) -> None:
        check_base(self.name, self.base)
        check_number(self.name, "crowds_per_s", self.crowds_per_s, 0)
        check_number(self.name, "height", self.height, 0)
        check_positive(self.name, "decay_s", self.decay_s)
        check_choice(self.name, "place", self.place, PLACES)
        check_positive(self.name, "slot_s", self.slot_s)

    @property
    def requests(self) -> RequestTypes:
        """Those of `base`."""
        return self.base.requests

    @cached_property
    def left(self) -> np.ndarray:
        """What is left of a crowd k slots after it started, float64 [L]; 0 from slot L on."""
        length = max(1, math.ceil(-math.log(_FORGOTTEN) * self.decay_s / self.slot_s))
        return np.exp(-np.arange(length) * self.slot_s / self.decay_s)

    def crowd(self, slot: int, seed: int) -> np.ndarray:
        """What crowds add to each type in `slot`, as a share of its ingress's usual requests; [R]."""
        targets = len(self.requests) if self.place == "ingress" else len(self.requests.tasks)
        size = np.zeros(targets)
        for age, left in enumerate(self.left[: slot + 1]):
            # not the stream that draws the counts: a crowd is the same in all slots that it lives through
            rng = stream(seed, "demand", "crowds", slot - age)
            started = rng.integers(targets, size=rng.poisson(self.crowds_per_s * self.slot_s))
            np.add.at(size, started, self.height * left)
        return size if self.place == "ingress" else size[self.requests.task_of]

    def expected(self, slot: int) -> np.ndarray:
        """Expected demand of `slot` over all seeds, crowds included; float64 [R]."""
        usual = self.base.expected(slot)
        assert usual is not None, "check_base has seen to it"
        targets = len(self.requests) if self.place == "ingress" else len(self.requests.tasks)
        crowds = self.crowds_per_s * self.slot_s * float(self.left[: slot + 1].sum()) / targets
        return usual + crowds * self.height * self._at_ingress(usual)

    def mean(self, slot: int, seed: int) -> np.ndarray:
        """The Poisson means of `slot` under `seed`, with the crowds that are there; float64 [R]."""
        usual = self.base.expected(slot)
        assert usual is not None, "check_base has seen to it"
        return mean_of(self.base, slot, seed) + self.crowd(slot, seed) * self._at_ingress(usual)

    def _at_ingress(self, usual: np.ndarray) -> np.ndarray:
        """All that is usually asked at each type's ingress, float64 [R]."""
        return np.bincount(self.requests.node_of, weights=usual)[self.requests.node_of]
