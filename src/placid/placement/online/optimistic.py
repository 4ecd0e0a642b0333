"""INFIDA that is told what may come: optimistic mirror ascent (Rakhlin & Sridharan 2013; Mhaisen et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from placid.errors import UnknownNameError
from placid.placement.online.ascent import AscentState
from placid.placement.online.infida import AdaptiveInfida
from placid.placement.online.space import sum_by_node
from placid.placement.online.steps import book
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, supergradient

__all__ = ["OptimisticInfida", "OptimisticState"]

_PREDICTIONS = ("last", "workload")


@dataclass(frozen=True, kw_only=True)
class OptimisticState(AscentState):
    """`y` is where the prediction led from `centre`; `centre` is where the gradients that came have led.

    Attributes:
        centre: float64 [N].
        hint: float64 [N]; the prediction that led from `centre` to `y`.
        hint_rate: float64 [V]; at which rate.
    """

    centre: np.ndarray
    hint: np.ndarray
    hint_rate: np.ndarray


@dataclass(frozen=True)
class OptimisticInfida(AdaptiveInfida):
    """After learning from a slot, takes a further step along the gradient that is predicted for the next.

    When to use it: with a real predictor. A wrong prediction costs little: the next step starts from before it.

    The account of `placid.placement.online.steps` holds with another cost. With c the centre, m the hint and r the rate
    of the step to ``y = argmax r m @ z - D(z, c)``, g what came and ``c' = argmax rate g @ z - D(z, c)``, ``rate <= r``:

        g @ (z - y) = g @ (z - c') + m @ (c' - y) + (g - m) @ (c' - y), and by optimality of c' and of y
        rate * g @ (z - c') <= D(z, c) - D(z, c') - D(c', c),    r * m @ (c' - y) <= D(c', c) - D(c', y) - D(y, c), so
        cost = (g - m) @ (c' - y) - (D(c', y) + D(y, c)) / r + D(c', c) (1 / r - 1 / rate),

    which is below 0 when the prediction is right: the better the hints, the longer the steps.

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

    def start(self, problem: Problem, rng: np.random.Generator) -> OptimisticState:
        plain = super().start(problem, rng)
        return OptimisticState(
            **vars(plain),
            centre=plain.y,
            hint=np.zeros(problem.item_count),
            hint_rate=np.full(problem.node_count, np.inf),
        )

    def _step(
        self, state: AscentState, problem: Problem, g: np.ndarray, forecast: np.ndarray | None
    ) -> OptimisticState:
        assert isinstance(state, OptimisticState)
        space = self.space(problem)
        y, centre = state.y, state.centre

        def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            return sum_by_node(space.node_ptr, self.geometry.divergence(a, b, space.size))

        diameter = self._diameter(space, centre)
        rate = self._rates(state.steps, diameter, self._curvature(space, y, g - state.hint))
        ahead = self._ascend(space, centre, g, rate)
        cost = sum_by_node(space.node_ptr, (g - state.hint) * (ahead - y))
        cost -= (distance(ahead, y) + distance(y, centre)) / state.hint_rate
        cost += distance(ahead, centre) * (1.0 / state.hint_rate - 1.0 / rate)
        ahead, risen = self._mixed(space, ahead, state.learned)
        hint = g
        if self.prediction == "workload" and forecast is not None:
            _, hint = supergradient(problem, forecast, potential_share(problem, forecast), ahead)
        return replace(
            state,
            y=self._ascend(space, ahead, hint, rate),
            centre=ahead,
            hint=np.where(np.isfinite(rate)[problem.item_node], hint, 0.0),
            hint_rate=rate,
            steps=book(state.steps, rate, diameter, cost, risen),
        )

    def _fit(self, state: AscentState, problem: Problem, changed: np.ndarray) -> OptimisticState:
        assert isinstance(state, OptimisticState)
        fitted = super()._fit(state, problem, changed)
        assert isinstance(fitted, OptimisticState)
        return replace(
            fitted,
            centre=self._refitted(state, problem, changed, state.centre),
            hint=np.where(changed[problem.item_node], 0.0, state.hint),
            hint_rate=np.where(changed, np.inf, state.hint_rate),
        )
