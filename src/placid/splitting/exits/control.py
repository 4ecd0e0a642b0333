"""Thresholds with a promise: what early answers cost in accuracy stays below a level, on images never seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from placid.errors import InputError
from placid.splitting.exits.cascade import answering

if TYPE_CHECKING:
    from placid.splitting.exits.thresholds import Choice

__all__ = ["Controlled", "control_risk", "learn_then_test", "path_through", "shared_path"]


@dataclass(frozen=True)
class Controlled:
    """Thresholds, and what is promised of them.

    Attributes:
        thresholds: one for each exit but the last.
        alpha: the level.
        delta: how often the promise may fail over calibration sets; None if it is of the mean over them.
        harmed: share of the calibration images that these thresholds harm.
        step: of the path.
    """

    thresholds: tuple[float, ...]
    alpha: float
    delta: float | None
    harmed: float
    step: int


def shared_path(exits: int, *, steps: int = 200) -> np.ndarray:
    """float64 [steps, exits - 1]: the same threshold for every exit, from 0 to 1 - 1e-6, then infinite.

    Steps are even in the logarithm of what is missing to 1: scores crowd there. It depends on no data.
    """
    levels = np.r_[0.0, 1 - np.geomspace(1, 1e-6, steps - 1)[1:], np.inf]
    return np.tile(levels[:, None], (1, exits - 1))


def path_through(choices: Sequence[Choice]) -> np.ndarray:
    """float64 [steps, exits - 1]: through a `frontier` from its cheapest end, thresholds raised where they would fall.

    The frontier must be of other images than those given to `control_risk`: split the calibration images.
    """
    rows = np.array([c.thresholds for c in sorted(choices, key=lambda c: c.multiply_adds)])
    never = np.full((1, rows.shape[1]), np.inf)
    return np.concatenate([np.maximum.accumulate(rows, axis=0), never])


def control_risk(scores: np.ndarray, right: np.ndarray, path: np.ndarray, *, alpha: float) -> Controlled:
    """The loosest thresholds on `path` for which a new image is harmed with probability at most `alpha`.

    An image is harmed if the last exit is right and the exit that answers is wrong; so the accuracy lost is at most
    `alpha` too, exits that mend errors being left out of account. Conformal risk control (Angelopoulos et al., ICLR 2024,
    eq. 4): the first step s with n / (n + 1) R(s) + 1 / (n + 1) <= alpha. The loss must not rise along the path;
    since an image can be answered rightly at one exit and wrongly at a later one, it counts as harmed at a step if it is
    at that or any stricter one. No assumption on the network, the scores or the images, but that calibration and new
    images come in random order: E[harmed] <= alpha, the mean being over calibration sets and new images.

    Args:
        scores: float [exits - 1, n]; if anything in them was fitted, then on other images.
        right: bool [exits, n].
        path: float [steps, exits - 1], none falling along the steps, the last infinite; chosen without these images.
        alpha: below 1 / (n + 1) nothing can be promised but to use no exit, and that comes back.

    Raises:
        InputError: the path is not as it should be, or `alpha` is not in [0, 1].
    """
    harmed = _harmed(scores, right, path, alpha)
    n = harmed.shape[1]
    # at this step or any stricter one
    envelope = np.logical_or.accumulate(harmed[::-1], axis=0)[::-1]
    bounds = (envelope.sum(1) + 1) / (n + 1)
    step = int(np.argmax(bounds <= alpha)) if (bounds <= alpha).any() else len(path) - 1
    return _controlled(path, step, alpha, None, harmed)


def learn_then_test(
    scores: np.ndarray, right: np.ndarray, path: np.ndarray, *, alpha: float, delta: float = 0.1
) -> Controlled:
    """The loosest thresholds on `path` that harm at most `alpha` of new images, but for a share `delta` of calibration sets.

    Stricter than `control_risk`: that promises a mean, this a single deployment. Learn then Test (Angelopoulos et al., 2021;
    for exits Jazbec et al., NeurIPS 2024) with fixed-sequence testing from the strictest step on: go on as long as
    the exact binomial p-value of "harms more than alpha" is at most `delta`.

    Args:
        scores, right, path, alpha: see `control_risk`.
    """
    if not 0 < delta < 1:
        raise InputError(f"delta lies between 0 and 1, got {delta}", where="exits")
    harmed = _harmed(scores, right, path, alpha)
    p_values = stats.binom.cdf(harmed.sum(1), harmed.shape[1], alpha)
    p_values[-1] = 0  # no exit in use harms nobody, whatever the images
    refused = np.flatnonzero(p_values > delta)
    step = int(refused[-1]) + 1 if len(refused) else 0
    return _controlled(path, step, alpha, delta, harmed)


def _harmed(scores: np.ndarray, right: np.ndarray, path: np.ndarray, alpha: float) -> np.ndarray:
    """bool [steps, n]."""
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha is a share of the images, got {alpha}", where="exits")
    if path.ndim != 2 or path.shape[1] != len(right) - 1 or not len(path):
        raise InputError(
            f"a path for {len(right)} exits is [steps, {len(right) - 1}], got {list(path.shape)}",
            where="exits",
        )
    if not np.isposinf(path[-1]).all() or (path[1:] < path[:-1]).any():
        raise InputError("thresholds must not fall along the path, and end infinite", where="exits")
    n = right.shape[1]
    wrong = right[-1] & ~right
    columns = np.arange(n)
    return np.stack([wrong[answering(scores, limits), columns] for limits in path])


def _controlled(
    path: np.ndarray, step: int, alpha: float, delta: float | None, harmed: np.ndarray
) -> Controlled:
    return Controlled(tuple(path[step].tolist()), alpha, delta, float(harmed[step].mean()), step)
