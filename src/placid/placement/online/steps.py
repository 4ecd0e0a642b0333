"""Learning rates for mirror ascent: fixed by a horizon, or tuned from what was seen so that no horizon is needed.

For weighted-entropy mirror ascent with gains g_t (supergradients), sizes s and rate eta, against any z in the polytope,

    sum_t g_t . (z - y_t)  <=  D(z, y_1) / eta  +  eta * sum_t sum_i s_i y_{t,i} (g_{t,i} / s_i)^2,

valid while eta * g_{t,i} / s_i <= 1 (standard analysis of entropic mirror ascent: exp(a) <= 1 + a + a^2 for a <= 1). The
self-tuned rate balances the two terms as they come, and never breaks the cap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["FixedRate", "SelfTunedRate", "StepMemory"]


@dataclass(frozen=True)
class StepMemory:
    """What a learning rate remembers: the sum of local norms, the largest gain per byte, the last rate and its bound."""

    norms: float = 0.0
    steepest: float = 0.0
    rate: float = float("inf")
    diameter_term: float = 0.0


@dataclass(frozen=True)
class SelfTunedRate:
    """eta_t = min(eta_{t-1}, sqrt(D / sum of norms), 1 / steepest): no horizon, no constant to choose.

    Example:
        >>> SelfTunedRate().rate(StepMemory(norms=4.0, steepest=0.1), 100.0)
        5.0
    """

    def rate(self, memory: StepMemory, diameter: float) -> float:
        """The rate after the norms in `memory`, for a polytope of Bregman diameter `diameter` (bytes)."""
        if memory.norms <= 0:
            return 0.0
        return float(min(memory.rate, np.sqrt(diameter / memory.norms), 1.0 / memory.steepest))


@dataclass(frozen=True)
class FixedRate:
    """The textbook rate sqrt(D / (V T)) for a known horizon T and the first norm V seen, or any number given.

    Attributes:
        horizon: slots; used when `value` is not given.
        value: the rate itself, in bytes per unit of gain.
    """

    horizon: int = 1000
    value: float = 0.0

    def rate(self, memory: StepMemory, diameter: float) -> float:
        """The rate; set once, from the first slot that has any gain, and then kept."""
        if self.value > 0:
            return self.value
        if memory.norms <= 0:
            return 0.0
        if np.isfinite(memory.rate):
            return memory.rate
        return float(min(np.sqrt(diameter / (memory.norms * self.horizon)), 1.0 / memory.steepest))
