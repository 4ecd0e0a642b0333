"""Fitting what nodes need that decide for themselves (`placid.inference.ladder`), on calibration images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import isotonic_regression

from placid.errors import InputError
from placid.inference.ladder import Ladder
from placid.inference.offloading import expected_above
from placid.inference.scores import confidence
from placid.splitting.exits.fitting import best_temperature

__all__ = ["fit_ladder"]

#: in units of accuracy; going on for more than half a unit never pays in practice
_PENALTIES = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)


def fit_ladder(variant: str, logits: Sequence[np.ndarray], labels: np.ndarray, *, bins: int = 16) -> Ladder:
    """Temperatures by likelihood; then, from the end downwards, the mean accuracy above in bins of equally many images,
    made monotone. Where two levels lie above, the one between takes its own decision at each penalty, by its own table; of
    deeper ones all but the next count as one, at the price that the next tells.

    Args:
        logits: of every exit and of the end, float [n, classes].
        bins: of confidence.

    Raises:
        InputError: there is no exit, or there are too few images.
    """
    if len(logits) < 2 or len(labels) < 4 * bins:
        raise InputError(f"an exit, the end and {4 * bins} images are needed", where=variant)
    temperatures = [best_temperature(one, labels) for one in logits]
    sure = [confidence(one / t) for one, t in zip(logits, temperatures, strict=True)]
    right = [(one.argmax(1) == labels).astype(float) for one in logits]
    knots: list[tuple[float, ...]] = []
    tables: list[tuple[tuple[float, ...], ...]] = []
    for e in range(len(logits) - 2, -1, -1):
        groups = np.array_split(np.argsort(sure[e], kind="stable"), bins)
        mean = np.array([sure[e][g].mean() for g in groups])
        kept = np.r_[True, np.diff(mean) > 1e-9]
        columns = []
        for penalty in _PENALTIES:
            gets = right[e + 1].copy()
            if tables:  # the exit above decides too
                on = [
                    expected_above(knots[0], _PENALTIES, tables[0], c, 0.0) - penalty > c for c in sure[e + 1]
                ]
                gets = np.where(on, right[-1] - penalty, gets)
            column = np.array([gets[g].mean() for g in groups])
            columns.append(isotonic_regression(column).x[kept])
        knots.insert(0, tuple(float(f"{k:.7g}") for k in mean[kept]))
        # having more to pay is never better, whatever noise says
        tables.insert(
            0, tuple(tuple(round(float(v), 5) for v in row) for row in np.minimum.accumulate(columns).T)
        )
    return Ladder(variant, tuple(round(t, 5) for t in temperatures), tuple(knots), _PENALTIES, tuple(tables))
