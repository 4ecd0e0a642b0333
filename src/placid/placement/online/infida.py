"""INFIDA: online mirror ascent on the concave gain with the size-weighted entropy (Si Salem et al., ToN 2024)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from placid.errors import InputError
from placid.placement.base import Feedback
from placid.placement.online.ascent import Ascent, AscentState, uniform
from placid.placement.online.steps import FixedRate, SelfTunedRate
from placid.placement.projections import Entropy
from placid.placement.projections.base import Projection
from placid.problem.arrays import Problem

__all__ = ["AdaptiveInfida", "EntropicAscent", "Infida"]


@dataclass(frozen=True)
class EntropicAscent(Ascent):
    """Mirror ascent with the weighted entropy: y <- projection of y * exp(rate * g / size).

    Guarantee, deterministic, for every z in the polytope and whatever the requests:
    ``sum gain_t(z) - sum gain_t(y_t) <= regret_bound``; with a rounding that keeps marginals the placements then earn at
    least (1 - 1/e) of the best static placement's gain, less the bound, in expectation.
    """

    geometry: ClassVar[Projection] = Entropy()

    def _rate(self, state: AscentState, diameter: float) -> float:
        raise NotImplementedError

    def _share(self, learned: int) -> float:
        """How much of the uniform placement is mixed in after the step."""
        return 0.0

    def _step(self, state: AscentState, problem: Problem, g: np.ndarray, feedback: Feedback) -> AscentState:
        budget = self._budget(problem)
        per_byte = g / problem.item_size
        # a divergence from the uniform placement, in bytes: sum over nodes of b log(S / b), S the size of all items
        total = np.bincount(problem.item_node, weights=problem.item_size * problem.placeable, minlength=len(budget))
        tight = (budget > 0) & (total > budget)
        centre_diameter = float((budget[tight] * np.log(total[tight] / budget[tight])).sum())
        share = self._share(state.learned)
        spread = float(budget[tight].sum()) * (np.log(1 / share) if share > 0 else 0.0)
        diameter = centre_diameter + spread
        norm = float((state.y * g * per_byte).sum())
        memory = replace(
            state.memory,
            norms=state.memory.norms + norm,
            steepest=max(state.memory.steepest, float(per_byte.max(initial=0.0))),
        )
        rate = self._rate(replace(state, memory=memory), diameter)
        if rate <= 0:
            return replace(state, memory=memory)
        y = self._ascend(problem, state.y, g, rate)
        if share > 0:
            y = (1 - share) * y + share * uniform(problem, budget)
        # bound = diameter / rate + sum of rate * norm + what mixing cost; the first term is renewed, not summed
        spent = state.bound - (state.memory.diameter_term if np.isfinite(state.memory.rate) else 0.0)
        spent += rate * norm + share * centre_diameter / rate
        term = diameter / rate
        return replace(
            state, y=y, centre=y, memory=replace(memory, rate=rate, diameter_term=term), bound=spent + term
        )


@dataclass(frozen=True)
class Infida(EntropicAscent):
    """INFIDA as published: a fixed learning rate for a known horizon, dependent rounding drawn anew at each refresh.

    When to use it: to compare with the paper. The default policy, `AdaptiveInfida`, needs no horizon.
    Cost: O(K + N) a slot. Guarantee: (1 - 1/e)-regret of O(sqrt T) against the best static placement.

    Differs from the paper: budgets are hard. Dependent rounding leaves one model per node undecided, which rounded up
    exceeds the memory by up to one model; see `placid.placement.rounding.dependent` for what is done instead.

    Attributes:
        horizon: slots the rate is tuned for; None takes the scenario's.
        rate: the learning rate itself, bytes per unit of gain; 0 derives it from the horizon and the first slot.
    """

    name: ClassVar[str] = "infida"
    horizon: int | None = None
    rate: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.horizon is not None and self.horizon < 1:
            raise InputError(f"horizon must be at least 1 slot, got {self.horizon}")
        if self.rate < 0:
            raise InputError(f"rate must not be negative, got {self.rate}")

    def _rate(self, state: AscentState, diameter: float) -> float:
        return FixedRate(self.horizon or 1000, self.rate).rate(state.memory, diameter)


@dataclass(frozen=True)
class AdaptiveInfida(EntropicAscent):
    """INFIDA that needs no horizon and moves little: self-tuned rate, a share of uniform, coupled rounding, fill.

    The default policy. Cost: O(K + N) a slot. Guarantee: as `Infida`, for every horizon at once.

    Attributes:
        share: the part of the uniform placement mixed in after every step, so that nothing is forgotten for good;
            falls as 1/slots from the slot where that is less.
    """

    name: ClassVar[str] = "infida-adaptive"
    rounding: str = "coupled"
    fill: bool = True
    share: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.share < 1:
            raise InputError(f"share must lie in [0, 1), got {self.share}")

    def _share(self, learned: int) -> float:
        return min(self.share, 1.0 / (learned + 1))

    def _rate(self, state: AscentState, diameter: float) -> float:
        return SelfTunedRate().rate(state.memory, diameter)
