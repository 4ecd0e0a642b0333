"""AdaHedge: whom to follow, of several whose gains are all seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

__all__ = ["Hedge"]


@dataclass(frozen=True)
class Hedge:
    """Weights over K advisers that need no range of the gains, no horizon and no rate.

    AdaHedge (de Rooij, van Erven, Grünwald and Koolen, JMLR 2014). With losses l (what an adviser gained less than the
    best), cumulative losses L and rate eta = ln K / mixability, weights are ``w ~ exp(-eta L)``; a round's *mixability gap*
    is ``w @ l + ln(w @ exp(-eta l)) / eta >= 0``, and `mixability` sums them. Following an adviser drawn from the weights
    loses in expectation, for any gains,

        sum_t w_t @ l_t - min_k L_k  <=  ln K / eta + mixability  =  2 mixability,

    read off at any time, and at most ``sqrt(V ln K) + O(S ln K)``, V the sum of squared ranges, S the largest.

    Attributes:
        loss: float64 [K].
        mixability: sum of the gaps.
        weight: float64 [K]; of the next round.
    """

    loss: np.ndarray
    mixability: float
    weight: np.ndarray

    @classmethod
    def start(cls, count: int) -> Hedge:
        """All alike."""
        return cls(np.zeros(count), 0.0, np.full(count, 1.0 / count))

    @property
    def bound(self) -> float:
        """What following may have lost against the best adviser so far, in expectation."""
        return 2.0 * self.mixability

    def learn(self, gain: np.ndarray) -> Hedge:
        """After a round in which the advisers gained `gain` (float64 [K])."""
        loss = gain.max() - gain
        rate = self._rate
        mean = float(self.weight @ loss)
        if math.isinf(rate):
            # the leaders share all weight; the mix is what the best of all had lost, afterwards less before
            mixed = float((self.loss + loss).min() - self.loss.min())
        else:
            mixed = -math.log(float(self.weight @ np.exp(-rate * loss))) / rate
        after = replace(self, loss=self.loss + loss, mixability=self.mixability + max(0.0, mean - mixed))
        return replace(after, weight=after._weights())

    @property
    def _rate(self) -> float:
        return math.log(len(self.loss)) / self.mixability if self.mixability > 0 else math.inf

    def _weights(self) -> np.ndarray:
        behind = self.loss - self.loss.min()
        if math.isinf(self._rate):
            raw = (behind <= 0).astype(np.float64)
        else:
            raw = np.exp(-self._rate * behind)
        return np.asarray(raw / raw.sum())

    def follow(self, followed: int, before: np.ndarray, rng: np.random.Generator) -> int:
        """Whom to follow now: drawn from `weight`, and the one followed so far as often as that allows.

        Args:
            followed: drawn from `before`, float64 [K], the weights of the last time.
        """
        if rng.random() * before[followed] < self.weight[followed]:
            return followed
        risen = np.maximum(self.weight - before, 0.0)
        return int(rng.choice(len(risen), p=risen / risen.sum()))
