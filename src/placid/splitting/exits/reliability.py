"""How far scores of an exit can be relied on: does a high score mean a right answer, does it mean what it says?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from placid.errors import InputError

__all__ = [
    "RiskCoverage",
    "auroc",
    "calibration_error",
    "estimated_accuracy",
    "estimated_by_threshold",
    "risk_coverage",
]


@dataclass(frozen=True)
class RiskCoverage:
    """If only the surest are answered: how many, and how many of these are wrong.

    Attributes:
        coverage: float [points], rising to 1.
        risk: float [points], share of wrong answers among those covered.
        area: mean risk over all coverages (AURC, Geifman & El-Yaniv 2019), the lower the better.
        excess: `area` beyond what the best possible order of the same answers has.
    """

    coverage: np.ndarray
    risk: np.ndarray
    area: float
    excess: float


def risk_coverage(scores: np.ndarray, right: np.ndarray) -> RiskCoverage:
    """The curve of one exit. Inputs of the same score are covered together, their order counts as random.

    Args:
        scores: float [n], greater = surer.
        right: bool [n].
    """
    _check(scores, right)
    n = len(scores)
    wrong = (~right.astype(bool)).astype(np.float64)
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    ends = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True]) + 1
    errors = np.cumsum(wrong[order])[ends - 1]
    counts = np.arange(1, n + 1)
    # within a tie errors come evenly, on average
    area = float((np.interp(counts, np.r_[0, ends], np.r_[0.0, errors]) / counts).mean())
    total = wrong.sum()
    best = float((np.maximum(0.0, counts - (n - total)) / counts).mean())
    return RiskCoverage(ends / n, errors / ends, area, area - best)


def auroc(scores: np.ndarray, right: np.ndarray) -> float:
    """Probability that a right answer has a greater score than a wrong one, ties for a half; NaN if all are alike."""
    _check(scores, right)
    hits = right.astype(bool)
    positive = int(hits.sum())
    negative = len(hits) - positive
    if not positive or not negative:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[hits].sum() - positive * (positive + 1) / 2) / (positive * negative))


def calibration_error(
    scores: np.ndarray, right: np.ndarray, *, bins: int = 15, equal_mass: bool = True
) -> float:
    """Expected calibration error: mean over bins of |mean score - share right|, weighted by inputs (Naeini et al., 2015).

    Meant for scores that claim to be probabilities of being right: confidence and the learned rule, not entropy.

    Args:
        equal_mass: bins hold equally many inputs; otherwise they are equally wide, and near full confidence nearly
            all lie in one.
    """
    _check(scores, right)
    if bins < 1:
        raise InputError(f"at least one bin is needed, got {bins}")
    if equal_mass:
        parts = np.array_split(np.argsort(scores, kind="stable"), min(bins, len(scores)))
    else:
        which = np.clip((scores * bins).astype(int), 0, bins - 1)
        parts = [p for p in (np.flatnonzero(which == b) for b in range(bins)) if len(p)]
    return float(
        sum(abs(float(scores[p].mean()) - float(right[p].mean())) * len(p) for p in parts) / len(scores)
    )


def estimated_accuracy(scores: np.ndarray) -> float:
    """The accuracy on inputs without labels, if `scores` are calibrated: their mean (Cohen & Goldszmidt, 2004)."""
    return float(np.mean(scores))


def estimated_by_threshold(scores: np.ndarray, right: np.ndarray, new_scores: np.ndarray) -> float:
    """The accuracy on inputs without labels, also if they are of another kind: average thresholded confidence.

    The share of `new_scores` at or above that level under which lie as many of `scores` as are wrong (Garg et al., ICLR
    2022).

    Args:
        scores: float [n], with `right` bool [n]: calibration images.
        new_scores: float [m].
    """
    _check(scores, right)
    wrong = len(right) - int(right.astype(bool).sum())
    level = np.sort(scores)[wrong] if wrong < len(scores) else np.inf
    return float((new_scores >= level).mean())


def _check(scores: np.ndarray, right: np.ndarray) -> None:
    if scores.shape != right.shape or scores.ndim != 1 or not len(scores):
        raise InputError(
            f"scores {scores.shape} and right {right.shape} must be of the same inputs, at least one"
        )
