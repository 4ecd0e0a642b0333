"""Who answers: the first exit that is sure enough, by thresholds on entropy that were chosen on calibration images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from placid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Outcome", "choose_thresholds", "normalised_entropy", "outcome"]


def normalised_entropy(logits: np.ndarray) -> np.ndarray:
    """How unsure an answer is, 0 to 1: -sum p log p / log C over the classes, the last axis (the paper's measure)."""
    shifted = np.asarray(logits, np.float64) - np.max(logits, -1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(-1, keepdims=True))
    log_p = shifted - log_sum
    entropy: np.ndarray = -(np.exp(log_p) * log_p).sum(-1) / np.log(logits.shape[-1])
    return entropy


@dataclass(frozen=True)
class Outcome:
    """How a cascade did.

    Attributes:
        exit_accuracy: of each exit if it answered every image.
        accuracy: of the cascade.
        shares: of the images that each exit answers.
    """

    exit_accuracy: tuple[float, ...]
    accuracy: float
    shares: tuple[float, ...]


def outcome(logits: np.ndarray, labels: np.ndarray, thresholds: Sequence[float]) -> Outcome:
    """What exits with these answers and thresholds do: an image leaves where its entropy is below the exit's threshold.

    Args:
        logits: float [exits, n, classes].
        labels: whole numbers [n].
        thresholds: one for each exit but the last, which answers what is left.

    Raises:
        InputError: the numbers do not fit together.
    """
    if logits.ndim != 3 or logits.shape[1] != len(labels) or len(thresholds) != len(logits) - 1:
        raise InputError(
            f"logits {logits.shape}, {len(labels)} labels and {len(thresholds)} thresholds do not fit together"
        )
    right = logits.argmax(-1) == labels
    taken = _answering(normalised_entropy(logits[:-1]), thresholds)
    return Outcome(
        tuple(float(r.mean()) for r in right),
        float(right[taken, np.arange(len(labels))].mean()),
        tuple(float((taken == e).mean()) for e in range(len(logits))),
    )


def choose_thresholds(logits: np.ndarray, labels: np.ndarray, *, lose: float = 0.0) -> tuple[float, ...]:
    """Exit after exit the highest threshold at which the cascade is at most `lose` less accurate than the last exit alone.

    The images given are calibration images, never those of the report. An exit that may answer nothing gets 0.

    Args:
        logits, labels: as in `outcome`.
        lose: share of the images.
    """
    right = logits.argmax(-1) == labels
    entropy = normalised_entropy(logits[:-1])
    least = right[-1].sum() - np.floor(lose * len(labels) + 1e-9)
    open_ = np.ones(len(labels), bool)
    won = 0
    thresholds = []
    for unsure, here in zip(entropy, right, strict=False):
        order = np.flatnonzero(open_)[np.argsort(unsure[open_], kind="stable")]
        # right answers of the whole cascade if the k surest leave here and the last exit answers the others
        gained = np.concatenate([[0], np.cumsum(here[order].astype(int) - right[-1][order])])
        total = won + right[-1][open_].sum() + gained
        sorted_ = unsure[order]
        # images of equal entropy leave together: a threshold parts only those that differ
        parts = np.concatenate([[True], sorted_[1:] > sorted_[:-1], [True]])[: len(order) + 1]
        k = int(np.flatnonzero(parts & (total >= least))[-1])
        threshold = 0.0 if k == 0 else float(np.nextafter(sorted_[k - 1], np.inf))
        if 0 < k < len(order):
            threshold = float((sorted_[k - 1] + sorted_[k]) / 2)
        thresholds.append(threshold)
        leaves = open_ & (unsure < threshold)
        won += int(here[leaves].sum())
        open_ &= ~leaves
    return tuple(thresholds)


def _answering(entropy: np.ndarray, thresholds: Sequence[float]) -> np.ndarray:
    """int [n]: which exit answers each image."""
    sure = entropy < np.asarray(thresholds, np.float64)[:, None]
    last = np.ones((1, entropy.shape[1]), bool)
    taken: np.ndarray = np.concatenate([sure, last]).argmax(0)
    return taken
