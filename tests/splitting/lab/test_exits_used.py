"""What exits of a variant answer, for its manifest: by hand, and where one answers everything."""

from __future__ import annotations

import numpy as np
import pytest

from placid.splitting.exits import ExitCosts, Score
from placid.splitting.lab.exits_used import exits_used
from placid.splitting.lab.outcome import Leaving, Outcome

COSTS = ExitCosts((10, 10, 10), (1, 1))
LABELS = np.array([0, 0, 1, 1])


def outcome() -> Outcome:
    """Three exits over four images of two classes: the first is sure of images 0 and 2, and wrong about 1 and 2."""
    first = np.array([[4.0, 0], [0, 0.5], [4, 0], [0, 1]])
    second = np.array([[5.0, 0], [1, 0], [0, 1], [0, 5]])
    last = np.array([[9.0, 0], [9, 0], [0, 9], [0, 9]])
    return Outcome(np.stack([first, second, last]).astype(np.float32), np.zeros((2, 4), np.int64))


def used(first: float, second: float) -> tuple[list[tuple[float, float]], list[list[list[float]]]]:
    scores = (Score("confidence"), Score("confidence"))
    exits, about = exits_used(outcome(), LABELS, Leaving(scores, (first, second)), COSTS)
    assert about["accuracy_without_exits"] == 1.0
    return [(e.share, e.accuracy) for e in exits], about["risk_coverage"]


def test_shares_accuracies_and_curves_of_a_case_done_by_hand() -> None:
    exits, curves = used(0.9, 0.9)
    assert exits == [(0.5, 0.5), (0.25, 1.0)]
    # surest first: images 0 and 2 are equally sure and half wrong, then 3 (right), then 1 (wrong)
    assert curves[0] == [[0.5, 0.5], [0.75, pytest.approx(1 / 3, abs=1e-4)], [1.0, 0.5]]
    # images 1 and 3 reach the second exit, which is right about both
    assert curves[1] == [[0.5, 0.0], [1.0, 0.0]]


def test_an_exit_that_nothing_reaches_answers_nothing_and_has_no_curve() -> None:
    exits, curves = used(0.0, 0.9)
    assert exits == [(1.0, 0.5), (0.0, 0.0)]
    assert [len(c) for c in curves] == [3, 0]
