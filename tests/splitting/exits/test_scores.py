"""Scores of exits: what they are, that fitting improves them, and what reliability measures say of known cases."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from drawn_answers import answers

from placid.errors import InputError, UnknownNameError
from placid.splitting.exits import (
    RULES,
    Score,
    auroc,
    calibration_error,
    estimated_accuracy,
    estimated_by_threshold,
    fit_score,
    risk_coverage,
)
from placid.splitting.exits.fitting import best_temperature


def test_entropy_and_confidence_at_the_ends() -> None:
    logits = np.array([[0.0, 0, 0, 0], [50, 0, 0, 0], [5, 5, -50, -50]])
    np.testing.assert_allclose(Score("entropy")(logits), [0, 1, 0.5], atol=1e-6)
    np.testing.assert_allclose(Score("confidence")(logits), [0.25, 1, 0.5], atol=1e-6)
    # BranchyNet's T in nats
    p = np.array([0.7, 0.2, 0.1])
    nats = -(p * np.log(p)).sum()
    assert Score("entropy")(np.log(p)[None])[0] == pytest.approx(1 - nats / math.log(3))


def test_the_temperature_that_was_taken_out_is_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 4))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (p.cumsum(1) > rng.random((len(p), 1))).argmax(1)
    assert best_temperature(3 * logits, labels) == pytest.approx(3, rel=0.05)
    calibrated = fit_score("confidence", 3 * logits, labels)(3 * logits)
    right = logits.argmax(1) == labels
    assert (
        calibration_error(calibrated, right)
        < 0.02
        < 0.1
        < calibration_error(Score("confidence")(3 * logits), right)
    )
    # Cohen & Goldszmidt: calibrated, their mean is the accuracy
    assert estimated_accuracy(calibrated) == pytest.approx(right.mean(), abs=0.01)


def test_the_learned_rule_knows_what_confidence_cannot() -> None:
    """Two classes that the exit mixes up while sure of itself."""
    logits, labels = answers(6000, seed=1)
    own = logits[0].copy()
    swapped = (labels < 2) & (np.random.default_rng(2).random(len(labels)) < 0.5)
    told = labels.copy()
    told[swapped] = 1 - told[swapped]
    fitted = fit_score("learned", own[:3000], told[:3000])
    right = own.argmax(1)[3000:] == told[3000:]
    learned = fitted(own[3000:])
    assert auroc(learned, right) > auroc(Score("confidence")(own[3000:]), right) + 0.05
    assert calibration_error(learned, right) < 0.05
    assert learned.min() >= 0
    assert learned.max() <= 1
    again = Score(**json.loads(json.dumps(fitted.as_dict())))
    np.testing.assert_array_equal(again(own[3000:]), learned)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_the_greater_the_surer(rule: str) -> None:
    logits, labels = answers(2000, seed=3)
    score = fit_score(rule, logits[0], labels)
    assert auroc(score(logits[0]), logits[0].argmax(1) == labels) > 0.75
    # an exit that is always right, or never, can be fitted too
    for told in (logits[0].argmax(1), (logits[0].argmax(1) + 1) % 5):
        assert np.isfinite(fit_score(rule, logits[0], told)(logits[0])).all()


def test_risk_coverage_of_a_case_done_by_hand() -> None:
    scores, right = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False])
    curve = risk_coverage(scores, right)
    np.testing.assert_allclose(curve.coverage, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(curve.risk, [0, 1 / 2, 1 / 3, 1 / 2])
    assert curve.area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)
    assert curve.excess == pytest.approx(curve.area - (0 + 0 + 1 / 3 + 1 / 2) / 4)
    tied = risk_coverage(np.ones(4), right)  # no order at all: the risk is that of all
    assert (tied.coverage.tolist(), tied.risk.tolist(), tied.area) == ([1], [0.5], 0.5)
    assert risk_coverage(right.astype(float), right).excess == pytest.approx(0)


def test_auroc_is_the_share_of_pairs_in_order() -> None:
    rng = np.random.default_rng(4)
    scores, right = rng.integers(0, 6, 60).astype(float), rng.random(60) < 0.6
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[right] for b in scores[~right]]
    assert auroc(scores, right) == pytest.approx(np.mean(pairs))
    assert math.isnan(auroc(scores, np.ones(60, bool)))


def test_calibration_error_by_hand() -> None:
    scores, right = np.array([0.05, 0.15, 0.95, 0.85]), np.array([False, False, True, False])
    for equal_mass in (True, False):
        assert calibration_error(scores, right, bins=2, equal_mass=equal_mass) == pytest.approx(
            0.1 * 0.5 + 0.4 * 0.5
        )


def test_accuracy_without_labels_under_a_shift() -> None:
    """Harder images than those of calibration: the threshold sees it."""
    logits, labels = answers(8000, seed=5)
    own, right = Score("confidence")(logits[0]), logits[0].argmax(1) == labels
    assert estimated_by_threshold(own, right, own) == pytest.approx(right.mean(), abs=1e-3)
    harder, new_labels = answers(8000, seed=6, harder=2.0)
    truth = (harder[0].argmax(1) == new_labels).mean()
    assert truth < right.mean() - 0.05
    guess = estimated_by_threshold(own, right, Score("confidence")(harder[0]))
    assert abs(guess - truth) < 0.4 * abs(right.mean() - truth)


def test_mistakes_are_named() -> None:
    logits, labels = answers(10, seed=0)
    with pytest.raises(UnknownNameError, match="exit rule 'entropie'; did you mean 'entropy'"):
        fit_score("entropie", logits[0], labels)
    with pytest.raises(UnknownNameError, match="exit rule"):
        Score("doubt")
    with pytest.raises(InputError, match="use fit_score"):
        Score("learned")
    with pytest.raises(InputError, match="above 0"):
        Score("entropy", 0.0)
    with pytest.raises(InputError, match="10 rows of logits but 9 labels"):
        fit_score("learned", logits[0], labels[:9])
    with pytest.raises(InputError, match="same inputs"):
        risk_coverage(np.ones(3), np.ones(4, bool))


def test_the_margin_asks_about_the_two_most_likely_alone() -> None:
    logits = np.log(np.array([[0.45, 0.45, 0.1], [0.6, 0.2, 0.2], [0.6, 0.39, 0.01]]))
    np.testing.assert_allclose(Score("margin")(logits), [0.5, 0.75, 0.6 / 0.99], atol=1e-9)
    # confidence calls the last two alike
    np.testing.assert_allclose(np.diff(Score("confidence")(logits))[1], 0, atol=1e-9)
