"""Cascades counted by hand, thresholds against brute force, and the promise held against many calibration sets."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from drawn_answers import COSTS, answers

from placid.errors import InputError
from placid.splitting.exits import (
    Choice,
    ExitCosts,
    Score,
    answering,
    control_risk,
    frontier,
    greatest_accuracy,
    learn_then_test,
    least_operations,
    outcome_of,
    path_through,
    shared_path,
)


def seen(n: int, seed: int, exits: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    logits, labels = answers(n, seed, exits)
    scores = np.stack([Score("confidence")(own) for own in logits[:-1]])
    return logits, labels, scores, logits.argmax(2) == labels


def test_a_cascade_by_hand() -> None:
    labels = np.array([0, 0, 0, 0])
    logits = np.zeros((3, 4, 2))
    logits[0, :, 0] = [1, -1, 1, -1]  # the first exit is right, wrong, right, wrong
    logits[1, :, 0] = [-1, 1, 1, -1]
    logits[2, :, 0] = [1, 1, -1, 1]
    scores = np.array([[0.9, 0.8, 0.1, 0.2], [0.9, 0.9, 0.6, 0.5]])
    np.testing.assert_array_equal(answering(scores, (0.8, 0.6)), [0, 0, 1, 2])
    found = outcome_of(logits, labels, scores, (0.8, 0.6), COSTS)
    assert found.shares == (0.5, 0.25, 0.25)
    assert found.accuracies == (0.5, 1.0, 1.0)
    assert (found.accuracy, found.full_accuracy, found.lost, found.harmed) == (0.75, 0.75, 0.0, 0.25)
    assert found.multiply_adds == (45 + 45 + 79 + 109) / 4
    assert found.speedup == 100 / ((45 + 45 + 79 + 109) / 4)
    # an exit that is not used has no head to run
    never = outcome_of(logits, labels, scores, (math.inf, 0.6), COSTS)
    assert never.multiply_adds == (74 * 3 + 104) / 4
    assert math.isnan(never.accuracies[0])
    none = outcome_of(logits, labels, scores, (math.inf, math.inf), COSTS)
    assert (none.multiply_adds, none.speedup, none.accuracy) == (100, 1, 0.75)


def brute(scores: np.ndarray, right: np.ndarray, costs: ExitCosts) -> list[Choice]:
    """Every combination of thresholds there is."""
    n = right.shape[1]
    found = []
    for limits in itertools.product(*[[math.inf, *np.unique(row)] for row in scores]):
        at = answering(scores, limits)
        cost = costs.reaching(np.isfinite(limits))[at].sum()
        found.append(Choice(limits, right[at, np.arange(n)].sum() / n, cost / n))
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("exits", [2, 3])
def test_choices_are_as_good_as_the_best_of_all(seed: int, exits: int) -> None:
    _, _, scores, right = seen(60, seed, exits)
    costs = ExitCosts(COSTS.parts[:exits], COSTS.heads[: exits - 1])
    every = brute(scores, right, costs)
    for lose in (0.0, 0.05, 0.2):
        best = min(c.multiply_adds for c in every if c.accuracy >= right[-1].mean() - lose - 1e-9)
        found = least_operations(scores, right, costs, lose=lose)
        assert found.accuracy >= right[-1].mean() - lose - 1e-9
        assert found.multiply_adds == pytest.approx(best)
    for budget in (50, 70, 90):
        best = max(c.accuracy for c in every if c.multiply_adds <= budget)
        found = greatest_accuracy(scores, right, costs, multiply_adds=budget)
        assert found.multiply_adds <= budget + 1e-9
        assert found.accuracy == pytest.approx(best)


def test_a_choice_does_what_it_says_and_many_exits_are_searched_well() -> None:
    logits, labels, scores, right = seen(2000, 7, exits=6)
    costs = ExitCosts((20, 16, 16, 16, 16, 16), (3, 3, 3, 3, 3))
    found = least_operations(scores, right, costs, lose=0.01)
    told = outcome_of(logits, labels, scores, found.thresholds, costs)
    assert (told.accuracy, told.multiply_adds) == (
        pytest.approx(found.accuracy),
        pytest.approx(found.multiply_adds),
    )
    assert told.lost <= 0.01 + 1e-9
    # of many random thresholds none that loses as little is cheaper
    rng = np.random.default_rng(0)
    for _ in range(500):
        limits = np.array([rng.choice(row) for row in scores])
        limits[rng.random(5) < 0.4] = math.inf
        other = outcome_of(logits, labels, scores, limits, costs)
        assert other.lost > 0.01 or other.multiply_adds >= found.multiply_adds


def test_the_frontier_rises_and_is_not_dominated() -> None:
    _, _, scores, right = seen(400, 8)
    found = frontier(scores, right, COSTS)
    assert len(found) > 10
    pairs = [(c.multiply_adds, c.accuracy) for c in found]
    assert pairs == sorted(pairs)
    assert all(a[1] < b[1] for a, b in itertools.pairwise(pairs))


def test_costly_heads_are_left_out() -> None:
    _, _, scores, right = seen(500, 9)
    found = least_operations(scores, right, ExitCosts((40, 30, 30), (90, 90)), lose=0.02)
    assert found.thresholds == (math.inf, math.inf)


@pytest.mark.parametrize("alpha", [0.02, 0.05])
@pytest.mark.parametrize("kind", ["shared", "proposed"])
def test_the_risk_is_controlled_over_many_calibration_sets(alpha: float, kind: str) -> None:
    """E[harmed] <= alpha, and not by leaving everything to the last exit."""
    _, _, scores, right = seen(20_000, 10)
    path = shared_path(3)
    if kind == "proposed":
        _, _, other_scores, other_right = seen(400, 11)
        path = path_through(frontier(other_scores, other_right, COSTS))
    rng = np.random.default_rng(12)
    harmed, costs = [], []
    for _ in range(200):
        order = rng.permutation(right.shape[1])
        ours, new = order[:300], order[300:3300]
        found = control_risk(scores[:, ours], right[:, ours], path, alpha=alpha)
        at = answering(scores[:, new], found.thresholds)
        harmed.append((right[-1, new] & ~right[at, new]).mean())
        costs.append(COSTS.reaching()[at].mean())
    error = np.std(harmed) / math.sqrt(len(harmed))
    assert np.mean(harmed) <= alpha + 2 * error
    assert np.mean(harmed) >= 0.5 * alpha
    assert np.mean(costs) < COSTS.full


def test_choosing_without_a_promise_breaks_it() -> None:
    """The best thresholds of a small calibration set lose more on new images than they did there: why there is a promise."""
    _, _, scores, right = seen(20_000, 10)
    rng = np.random.default_rng(13)
    lost = []
    for _ in range(30):
        order = rng.permutation(right.shape[1])
        ours, new = order[:150], order[150:3150]
        found = least_operations(scores[:, ours], right[:, ours], COSTS, lose=0.02)
        at = answering(scores[:, new], found.thresholds)
        lost.append((right[-1, new].astype(int) - right[at, new]).mean())
    assert np.mean(lost) > 0.02 + 3 * np.std(lost) / math.sqrt(len(lost))


def test_learn_then_test_fails_no_more_often_than_it_says() -> None:
    _, _, scores, right = seen(20_000, 14)
    path, alpha, delta = shared_path(3), 0.05, 0.2
    truth = [
        (right[-1] & ~right[answering(scores, limits), np.arange(right.shape[1])]).mean() for limits in path
    ]
    rng = np.random.default_rng(15)
    failed, steps = [], []
    for _ in range(300):
        ours = rng.choice(right.shape[1], 300, replace=False)
        found = learn_then_test(scores[:, ours], right[:, ours], path, alpha=alpha, delta=delta)
        failed.append(truth[found.step] > alpha)
        steps.append(found.step)
    assert np.mean(failed) <= delta + 2 * math.sqrt(delta * (1 - delta) / 300)
    assert np.mean(steps) < len(path) - 20  # exits are used


def test_with_too_few_images_nothing_is_promised_and_no_exit_used() -> None:
    _, _, scores, right = seen(30, 16)
    found = control_risk(scores, right, shared_path(3), alpha=0.02)
    assert found.thresholds == (math.inf, math.inf)
    assert found.harmed == 0
    assert learn_then_test(scores, right, shared_path(3), alpha=0.0).thresholds == (math.inf, math.inf)


def test_mistakes_are_named() -> None:
    logits, labels, scores, right = seen(50, 17)
    with pytest.raises(InputError, match="cheapest takes 45"):
        greatest_accuracy(scores, right, COSTS, multiply_adds=40)
    with pytest.raises(InputError, match="more accurate than the last exit"):
        least_operations(scores, right, COSTS, lose=-1)
    with pytest.raises(InputError, match="do not fit together"):
        least_operations(scores, right, ExitCosts((1, 1), (1,)))
    with pytest.raises(InputError, match="not a number"):
        least_operations(np.full_like(scores, np.nan), right, COSTS)
    with pytest.raises(InputError, match="2 rows of scores do not fit 3"):
        answering(scores, (0.1, 0.2, 0.3))
    with pytest.raises(InputError, match="but 49 labels"):
        outcome_of(logits, labels[:49], scores, (0.5, 0.5), COSTS)
    with pytest.raises(InputError, match="one head fewer"):
        ExitCosts((1, 2), (3, 4))
    with pytest.raises(InputError, match="not fall along the path"):
        control_risk(scores, right, shared_path(3)[::-1], alpha=0.1)
    with pytest.raises(InputError, match="alpha is a share"):
        control_risk(scores, right, shared_path(3), alpha=2)
    with pytest.raises(InputError, match="delta"):
        learn_then_test(scores, right, shared_path(3), alpha=0.1, delta=0)
    with pytest.raises(InputError, match=r"is \[steps, 2\]"):
        control_risk(scores, right, shared_path(2), alpha=0.1)
