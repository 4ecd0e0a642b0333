"""INFIDA that is told what may come: optimistic mirror ascent (Rakhlin & Sridharan 2013; Mhaisen et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from placid.errors import UnknownNameError
from placid.placement.base import Feedback
from placid.placement.online.ascent import AscentState
from placid.placement.online.infida import AdaptiveInfida
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, supergradient

__all__ = ["OptimisticInfida"]

_PREDICTIONS = ("last", "workload")


@dataclass(frozen=True)
class OptimisticInfida(AdaptiveInfida):
    """After learning from a slot, takes a further step along the gradient that is predicted for the next.

    When to use it: with a real predictor. A wrong prediction costs little: the next step starts from before it.

    Attributes:
        prediction: ``"last"``, the gradient just seen again, or ``"workload"``, the gradient of the expected demand where
            the workload can tell it (then it knows more than the other policies do).
    """

    name: ClassVar[str] = "infida-optimistic"
    prediction: str = "last"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.prediction not in _PREDICTIONS:
            raise UnknownNameError("prediction", self.prediction, _PREDICTIONS)

    def _step(self, state: AscentState, problem: Problem, g: np.ndarray, feedback: Feedback) -> AscentState:
        learned = super()._step(replace(state, y=state.centre), problem, g, feedback)
        if not np.isfinite(learned.memory.rate):
            return learned
        hint = g
        if self.prediction == "workload" and feedback.forecast is not None:
            share = potential_share(problem, feedback.forecast)
            _, hint = supergradient(problem, feedback.forecast, share, learned.y)
        ahead = self._ascend(problem, learned.y, hint, learned.memory.rate)
        # the bound of plain ascent does not speak of the extrapolated point
        return replace(learned, y=ahead, centre=learned.y, bound=np.nan)
