"""From the answers of trained networks to rows: accuracy, shares, multiply-adds; everything chosen on calibration images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from trainings import Answers

from placid.errors import InputError
from placid.splitting.data import LabelledImages
from placid.splitting.exits import (
    RULES,
    ExitCosts,
    Outcome,
    auroc,
    calibration_error,
    control_risk,
    fit_score,
    frontier,
    greatest_accuracy,
    least_operations,
    outcome_of,
    path_through,
    risk_coverage,
)
from placid.splitting.exits.cascade import answering
from placid.splitting.exits.make import scored

__all__ = ["LOSSES", "Row", "rows_of"]

#: accuracy that may be lost on the calibration images, against the network without exits
LOSSES = (0.0, 0.002, 0.005, 0.01)
#: shares of images that the promise lets be harmed
ALPHAS = (0.005, 0.01)
#: shares of the operations allowed
BUDGETS = (0.5, 1 / 1.5, 0.75)


@dataclass(frozen=True)
class Row:
    """One way of training, one way of choosing thresholds, one seed, on the test images.

    Attributes:
        way: "joint" or "heads"; "baseline" and "longer" have no exits.
        target: what thresholds were chosen for, on the calibration images.
        accuracy_without: of the network without exits, as it was before ("baseline").
        shares: answered at each exit.
        speedup: multiply-adds of the network without exits over those with, heads counted.
    """

    network: str
    seed: int
    way: str
    rule: str
    target: str
    accuracy: float
    accuracy_without: float
    last_exit_accuracy: float
    shares: tuple[float, ...]
    exit_accuracies: tuple[float, ...]
    thresholds: tuple[float, ...]
    multiply_adds: float
    speedup: float
    harmed: float
    first_auroc: float
    first_area: float
    first_calibration_error: float

    def as_dict(self) -> dict[str, object]:
        """For JSON: infinities and what is not a number as null."""
        told = asdict(self)
        for key in ("exit_accuracies", "thresholds"):
            told[key] = [v if np.isfinite(v) else None for v in told[key]]
        return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in told.items()}


def rows_of(
    network: str,
    seed: int,
    answers: dict[str, Answers],
    data: LabelledImages,
    costs: ExitCosts,
    first_share: float,
) -> Iterator[Row]:
    """All rows of one seed.

    Args:
        answers: by way of training.
        first_share: of the images, that the paper answers at its first exit: one target is to do as much.
    """
    labels = (data.calibration.labels.astype(np.int64), data.test.labels.astype(np.int64))
    without = [
        float((a.argmax(2)[-1] == y).mean()) for a, y in zip(_both(answers["baseline"]), labels, strict=True)
    ]
    for way in ("baseline", "longer"):
        accuracy = float((answers[way].test.argmax(2)[-1] == labels[1]).mean())
        nothing = (float("nan"),) * 3
        yield Row(
            *(network, seed, way, "", "", accuracy, without[1], accuracy, (1.0,), (accuracy,), ()),
            *(costs.full, 1.0, 0.0, *nothing),
        )
    for way in ("joint", "heads"):
        chosen, tested = _both(answers[way])
        right = chosen.argmax(2) == labels[0]
        for rule in RULES:
            scores = [fit_score(rule, own, labels[0]) for own in chosen[:-1]]
            ours, theirs = scored(scores, chosen), scored(scores, tested)
            reliable = _reliability(theirs[0], tested[0].argmax(1) == labels[1])

            def row(target: str, thresholds: tuple[float, ...], found: Outcome, way: str = way, rule: str = rule,
                    reliable: tuple[float, float, float] = reliable) -> Row:  # fmt: skip
                return Row(
                    *(network, seed, way, rule, target, found.accuracy, without[1], found.full_accuracy),
                    *(found.shares, found.accuracies, thresholds, found.multiply_adds, found.speedup),
                    *(found.harmed, *reliable),
                )

            among = frontier(ours, right, costs)
            for lose in LOSSES:
                # against the network that is deployed now, not against what its last exit has become
                allowed = float(right[-1].mean()) - (without[0] - lose)
                try:
                    thresholds = least_operations(ours, right, costs, lose=allowed, among=among).thresholds
                except InputError:  # no thresholds reach it on the calibration images
                    continue
                yield row(
                    f"lose {lose:g}", thresholds, outcome_of(tested, labels[1], theirs, thresholds, costs)
                )
            for budget in BUDGETS:
                if budget * costs.full < costs.reaching()[0]:
                    continue
                thresholds = greatest_accuracy(
                    ours, right, costs, multiply_adds=budget * costs.full, among=among
                ).thresholds
                found = outcome_of(tested, labels[1], theirs, thresholds, costs)
                yield row(f"budget {budget:.3g}", thresholds, found)
            thresholds = _leaving(ours, right, first_share)
            found = outcome_of(tested, labels[1], theirs, thresholds, costs)
            yield row(f"first exit {first_share:g}", thresholds, found)
            for alpha, thresholds in _promised(rule, chosen, labels[0], costs):
                # the scores that were fitted on half of the images are the ones to use
                halves = _halves(len(labels[0]))
                own = scored(
                    [fit_score(rule, x[halves[0]], labels[0][halves[0]]) for x in chosen[:-1]], tested
                )
                found = outcome_of(tested, labels[1], own, thresholds, costs)
                yield row(f"risk {alpha:g}", thresholds, found)


def _both(answers: Answers) -> tuple[np.ndarray, np.ndarray]:
    return answers.calibration, answers.test


def _halves(n: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(0).permutation(n)
    return order[: n // 2], order[n // 2 :]


def _leaving(scores: np.ndarray, right: np.ndarray, share: float) -> tuple[float, ...]:
    """The first exit answers at least `share` of the calibration images; what remains goes to the exit that is best."""
    first = float(np.quantile(scores[0], 1 - share, method="lower"))
    best = (-1.0, (first,) + (np.inf,) * (len(scores) - 1))
    for levels in np.quantile(scores[1:], np.linspace(0, 1, 51), axis=1) if len(scores) > 1 else []:
        limits = (first, *levels.tolist())
        at = answering(scores, limits)
        best = max(best, (float(right[at, np.arange(len(at))].mean()), limits))
    return best[1]


def _promised(
    rule: str, logits: np.ndarray, labels: np.ndarray, costs: ExitCosts
) -> Iterator[tuple[float, tuple[float, ...]]]:
    """Thresholds with the promise: one half of the calibration images proposes, the other decides."""
    fitting, held = _halves(len(labels))
    scores = scored([fit_score(rule, own[fitting], labels[fitting]) for own in logits[:-1]], logits)
    right = logits.argmax(2) == labels
    path = path_through(frontier(scores[:, fitting], right[:, fitting], costs))
    for alpha in ALPHAS:
        yield alpha, control_risk(scores[:, held], right[:, held], path, alpha=alpha).thresholds


def _reliability(scores: np.ndarray, right: np.ndarray) -> tuple[float, float, float]:
    return auroc(scores, right), risk_coverage(scores, right).area, calibration_error(scores, right)
