"""What the exits of a variant answer, and how well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from placid.catalog.variants import Exit
from placid.splitting.exits import outcome_of, risk_coverage
from placid.splitting.exits.make import scored

if TYPE_CHECKING:
    from placid.splitting.exits import ExitCosts
    from placid.splitting.lab.outcome import Leaving, Outcome

__all__ = ["exits_used"]

_CURVE_POINTS = 60


def exits_used(
    outcome: Outcome, labels: np.ndarray, leaving: Leaving, costs: ExitCosts
) -> tuple[tuple[Exit, ...], dict[str, Any]]:
    """Of exits in use, what each answers and how well; for the manifest their scores, and risk by coverage.

    The curve of an exit is over the images that reach it; it is empty if none does.

    Args:
        labels: int [n], of the images of `outcome`.
        leaving: a score and a threshold for each exit but the last.
    """
    values = scored(leaving.scores, outcome.logits)
    found = outcome_of(outcome.logits, labels, values, leaving.thresholds, costs)
    each = zip(leaving.scores, leaving.thresholds, found.shares, found.accuracies, strict=False)
    exits = tuple(
        Exit(i, s.rule, float(t), float(share), float(np.nan_to_num(accuracy)))
        for i, (s, t, share, accuracy) in enumerate(each)
    )
    curves: list[list[list[float]]] = []
    reached = np.ones(len(labels), bool)
    for i, threshold in enumerate(leaving.thresholds):
        curves.append(_curve(values[i][reached], (outcome.logits[i].argmax(1) == labels)[reached]))
        reached &= values[i] < threshold
    return exits, {
        "scores": [s.as_dict() for s in leaving.scores],
        "risk_coverage": curves,
        "accuracy_without_exits": float(found.full_accuracy),
    }


def _curve(scores: np.ndarray, right: np.ndarray) -> list[list[float]]:
    if not len(scores):
        return []
    curve = risk_coverage(scores, right)
    at = np.unique(np.linspace(0, len(curve.coverage) - 1, _CURVE_POINTS).round().astype(int))
    return [[round(float(curve.coverage[k]), 4), round(float(curve.risk[k]), 5)] for k in at]
