"""INFIDA: online mirror ascent on the concave gain with the size-weighted entropy (Si Salem et al., ToN 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from placid.errors import InputError
from placid.placement.online.ascent import Ascent, AscentState
from placid.placement.online.space import Space, least_by_node, sum_by_node
from placid.placement.online.steps import StepMemory, fixed_rate, self_tuned_rate
from placid.placement.projections import Entropy
from placid.placement.projections.base import Projection
from placid.problem.arrays import Problem

__all__ = ["AdaptiveInfida", "EntropicAscent", "Infida", "entropic_curvature", "entropic_diameter"]


def entropic_diameter(space: Space, y: np.ndarray) -> np.ndarray:
    """The most that the size-weighted entropy's divergence of any z from `y` can be, float64 [V]; 0 where all fits."""
    # It is enough to look at z that fill the budget, as gains never fall with y. For them
    # sum s (z log(z / y) - z + y) <= sum s z log(1 / y) <= b log(1 / least y).
    least = least_by_node(space.node_ptr, y, space.allowed)
    return -space.budget * np.log(least, out=np.zeros_like(least), where=space.tight)


def entropic_curvature(space: Space, y: np.ndarray, g: np.ndarray) -> np.ndarray:
    """About what a step along `g` from `y` can cost, over the rate, float64 [V]: the second-order term."""
    return 0.5 * sum_by_node(space.node_ptr, y * g * g / space.size)


@dataclass(frozen=True)
class EntropicAscent(Ascent):
    """Mirror ascent with the size-weighted entropy: y <- projection of y * exp(rate * g / size)."""

    geometry: ClassVar[Projection] = Entropy()

    def _diameter(self, space: Space, y: np.ndarray) -> np.ndarray:
        return entropic_diameter(space, y)

    def _curvature(self, space: Space, y: np.ndarray, g: np.ndarray) -> np.ndarray:
        return entropic_curvature(space, y, g)

    def _changed(self, state: AscentState, problem: Problem) -> np.ndarray:
        # a fraction of 0 would stay 0 whatever is gained; only items that were of no use before have it
        space = self.space(problem)
        newly = (least_by_node(space.node_ptr, state.y, space.allowed) == 0.0) & (space.budget > 0)
        return super()._changed(state, problem) | newly


@dataclass(frozen=True)
class Infida(EntropicAscent):
    """INFIDA as published: a fixed learning rate for a known horizon, dependent rounding drawn anew at each refresh.

    When to use it: to compare with the paper. `AdaptiveInfida` needs no horizon.
    Cost: O(K + N) a slot. Guarantee: (1 - 1/e)-regret of O(sqrt T) against the best static placement; see `Ascent`.

    Differs from the paper: budgets are hard. Dependent rounding leaves one model per node undecided, which rounded up
    exceeds the memory by up to one model; see `placid.placement.rounding.dependent` for what is done instead.
    Differs from the paper: the capacity that a model offers to each request type is its share by demand
    (`placid.problem.gain`); the paper leaves the division to the node's scheduler.
    Differs from the paper: a rate that is not given is derived, node by node, from the first slot in which the node
    could gain, where the paper's analysis uses worst-case constants (which would hardly move in realistic runs).

    Attributes:
        horizon: slots the rate is tuned for; None takes the scenario's, or 1,000 where there is none.
        rate: the learning rate itself, bytes per unit of gain; 0 derives it from the horizon and the first slot.
    """

    name: ClassVar[str] = "infida"
    horizon: int | None = None
    rate: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.horizon is not None and self.horizon < 1:
            raise InputError(f"horizon must be at least 1 slot, got {self.horizon}")
        if not self.rate >= 0:
            raise InputError(f"rate must not be negative, got {self.rate}")

    def _rates(self, memory: StepMemory, diameter: np.ndarray, curvature: np.ndarray) -> np.ndarray:
        return fixed_rate(memory, diameter, curvature, self.horizon or 1000, self.rate)


@dataclass(frozen=True)
class AdaptiveInfida(EntropicAscent):
    """INFIDA that needs no horizon and moves little: self-tuned rates, a share of uniform, coupled rounding, fill.

    Cost: O(K + N) a slot. Guarantee: as `Infida`, for every horizon at once.

    With rates that change, the divergence from y has to stay bounded, and a fraction near 0 would be forgotten for good.
    So after every step the part a of the uniform placement u is mixed in. For any z, as D is convex in its second
    argument, ``D(z, (1 - a) y + a u) <= D(z, y) + a D(z, u)``: that is what the mixing costs; and as now
    ``y >= a u``, the divergence is never above ``D(z, u) + b log(1 / a)``.

    Attributes:
        share: the part of the uniform placement mixed in after every step; falls as 1/slots from the slot where that is
            less, so that the bound stays O(sqrt T log T).
    """

    name: ClassVar[str] = "infida-adaptive"
    rounding: str = "coupled"
    fill: bool = True
    coordinate: bool = True
    share: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.share < 1:
            raise InputError(f"share must lie between 0 and 1, got {self.share}")

    def _rates(self, memory: StepMemory, diameter: np.ndarray, curvature: np.ndarray) -> np.ndarray:
        return self_tuned_rate(memory, diameter, curvature)

    def _mixed(self, space: Space, y: np.ndarray, learned: int) -> tuple[np.ndarray, np.ndarray]:
        part = min(self.share, 1.0 / (learned + 1))
        centre = space.uniform()
        return np.minimum(1.0, (1.0 - part) * y + part * centre), part * self._diameter(space, centre)
