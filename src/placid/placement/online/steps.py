"""Learning rates of mirror ascent, one a node, and the account from which the regret bound is read.

**The account.** A node moves its fractions y in a set Y, by ``y' = argmax_Y rate * g @ z - D(z, y)`` for a Bregman
divergence D (`placid.placement.projections`), g the part of the supergradient that belongs to it. For every z in Y,

    g @ (z - y) = g @ (z - y') + g @ (y' - y),
    rate * g @ (z - y') <= D(z, y) - D(z, y') - D(y', y)                  (optimality of y', three-point identity), so
    g @ (z - y) <= (D(z, y) - D(z, y')) / rate + cost,   cost = g @ (y' - y) - D(y', y) / rate  >= 0.

Nothing is estimated here: every cost can be computed after the step. Gains are concave and g is a supergradient, so
``gain(z) - gain(y) <= g @ (z - y)``, which is a sum over nodes. With rates that never rise (1 / rate_0 = 0) and D_t the
most that ``D(z, y_t)`` can be for any z, read off y_t, the differences are summed by parts, and for every horizon T

    sum_t gain_t(z) - gain_t(y_t)  <=  sum over nodes of  sum_t D_t (1 / rate_t - 1 / rate_{t-1}) + cost_t     (*)

is the bound that policies report: it holds for the requests that came, whatever they were.

**The rate.** Before a step, ``rate * c_t`` estimates its cost, with the curvature ``c_t = sum g^2 / 2`` in the Euclidean
geometry and ``sum y g^2 / (2 s)`` in the size-weighted entropy (the second-order term). After it, ``cost_t / rate_t`` is
what the curvature came to, which the projection often makes far smaller: near an optimum all fractional items gain alike
per byte, and a common factor is projected away. The self-tuned rate balances the two parts of (*):

    rate_t = min(rate_{t-1}, sqrt(D_t / (2 (c_t + S_{t-1})))),    S_t = sum_{tau <= t} cost_tau / rate_tau.

**Why (*) is then O(sqrt T)**, with D the largest D_t. While ``rate * g <= s`` for all items, ``cost_t <= 1.44 rate_t c_t``,
as ``exp(a) - 1 - a <= (e - 2) a^2`` for a <= 1 (in the Euclidean geometry always, with 1 for 1.44). From then on
``sum x_t / sqrt(x_1 + .. + x_t) <= 2 sqrt(sum x_t)`` makes the costs at most ``1.2 sqrt(2 D S_T)``, ``S_T <= 1.44 sum c_t``,
and ``D / rate_T <= sqrt(2 D (S_T + max c))``. Before, S is below ``D steepest^2 / 2`` (steepest: the largest g / s), for
more would have made the rate small enough; those slots cost as above, but for slots whose curvature came to more than
everything before: they double S, so there are logarithmically many, and no slot costs more than ``g @ (y' - y)``. Neither a
horizon nor any constant had to be known (after AdaHedge, de Rooij et al. 2014, and scale-free mirror descent, Orabona and
Pal 2018). Every node tunes its own rate: by the Cauchy-Schwarz inequality
``sum_v sqrt(D_v V_v) <= sqrt(sum D_v) sqrt(sum V_v)``, so this bound is never worse than with one rate for all, and no
node needs to know what others saw.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

__all__ = ["StepMemory", "book", "fixed_rate", "self_tuned_rate"]


@dataclass(frozen=True)
class StepMemory:
    """What the learning rates remember, float64 [V] each.

    Attributes:
        curvature: sum of ``cost / rate``.
        rate: the last rate, infinity before the first.
        spent: sum of the costs and of what falling rates cost, the right side of (*).
    """

    curvature: np.ndarray
    rate: np.ndarray
    spent: np.ndarray

    @classmethod
    def start(cls, nodes: int) -> StepMemory:
        """Nothing seen yet."""
        return cls(np.zeros(nodes), np.full(nodes, np.inf), np.zeros(nodes))

    @property
    def bound(self) -> float:
        """The right side of (*), summed over the nodes."""
        return float(self.spent.sum())


def self_tuned_rate(memory: StepMemory, diameter: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """The self-tuned rates, float64 [V], where `diameter` and the `curvature` of this step are above 0; else the last.

    Example:
        >>> from placid.placement.online.steps import StepMemory, self_tuned_rate
        >>> self_tuned_rate(StepMemory.start(1), np.array([8.0]), np.array([1.0])).tolist()
        [2.0]
    """
    active = (curvature > 0) & (diameter > 0)
    halves = np.divide(
        diameter, 2 * (memory.curvature + curvature), out=np.zeros_like(diameter), where=active
    )
    return np.where(active, np.minimum(memory.rate, np.sqrt(halves)), memory.rate)


def fixed_rate(
    memory: StepMemory, diameter: np.ndarray, curvature: np.ndarray, horizon: int, value: float
) -> np.ndarray:
    """`value`, or if that is 0 ``sqrt(D / (2 c horizon))``, c the first curvature that the node sees; then kept."""
    fresh = (curvature > 0) & (diameter > 0) & ~np.isfinite(memory.rate)
    halves = np.divide(diameter, 2 * curvature * horizon, out=np.zeros_like(diameter), where=fresh)
    return np.where(fresh, value if value > 0 else np.sqrt(halves), memory.rate)


def book(
    memory: StepMemory, rate: np.ndarray, diameter: np.ndarray, cost: np.ndarray, risen: np.ndarray
) -> StepMemory:
    """`memory` after a step, float64 [V] each.

    Args:
        rate: the rate of the step; infinity at nodes that have not moved yet.
        diameter: the most that the divergence of any z from the point before the step can be.
        cost: of the step.
        risen: by how much the divergence of any z may have risen otherwise (mixing).
    """
    moved = np.isfinite(rate)
    came_to = np.divide(np.maximum(cost, 0.0), rate, out=np.zeros_like(cost), where=moved)
    slower = 1.0 / rate - 1.0 / memory.rate
    spent = cost + risen / rate + np.where(slower > 0, diameter, 0.0) * slower
    return replace(
        memory,
        rate=rate,
        curvature=memory.curvature + came_to,
        spent=memory.spent + np.where(moved, spent, 0.0),
    )
