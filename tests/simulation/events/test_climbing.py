"""Requests that climb a tree: latencies by hand, queues, a link that turns slow and back, the rule beside the truth."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from placid.errors import InputError
from placid.inference.ladder import Ladder
from placid.simulation.events.climbing import Climbed, Deciding, Tree, climb

#: an exit that is right as often as it says, an end that is always right
LADDER = Ladder("two", (1.0, 1.0), ((0.0, 1.0),), (0.0, 1.0), (((1.0, 0.0), (1.0, 0.0)),))
UP = Deciding("thresholds", 1.0, (2.0,))
TREE = Tree(
    *(np.array([1, -1]), np.array([1, 1]), np.array([0.01, 0.02]), np.array([0.004, 0.0]), np.empty(0)),
    *(np.array([[1e5, 1.0]]), np.array([1000.0, 0.0]), 100.0),
)


def played(deciding: Deciding, time_s: np.ndarray, tree: Tree = TREE, sure: float = 0.5) -> Climbed:
    n = len(time_s)
    return climb(tree, LADDER, deciding, time_s, np.zeros(n, int), np.array([[sure] * n, [1.0] * n]))


def test_latencies_by_hand() -> None:
    time_s = np.array([0.0, 0.001])
    # device 10 ms, 1000 B at 100 kB/s 10 ms, 20 ms above, round trip 4 ms, the answer's 100 B 1 ms
    first = 0.01 + 0.01 + 0.02 + 0.004 + 0.001
    assert played(UP, time_s).latency_s == pytest.approx([first, first + 0.02 - 0.001])
    stays = played(Deciding("thresholds", 1.0, (0.0,)), time_s)
    assert stays.latency_s == pytest.approx([0.01, 0.019])
    assert stays.level.tolist() == [0, 0]


def test_a_slow_link_is_left_alone_and_its_recovery_is_noticed() -> None:
    tree = replace(TREE, change_s=np.array([20.0, 40.0]), rate=np.array([[1e5, 1.0], [1e3, 1.0], [1e5, 1.0]]))
    time_s = np.arange(0, 80, 0.05)
    share = {}
    for every_s in (1.0, inf):
        told = played(Deciding("dynamic", 0.2, probe_every_s=every_s), time_s, tree)
        share[every_s] = [told.level[(time_s >= a) & (time_s < a + 20)].mean() for a in (0, 20, 40, 60)]
    assert share[1.0][0] == 1.0
    assert share[1.0][1] < 0.2
    assert share[1.0][3] > 0.95
    assert share[inf][3] < 0.05  # who never asks never notices


def test_the_oracle_is_at_least_as_good_as_never_or_always() -> None:
    time_s = np.sort(np.random.default_rng(1).uniform(0, 20, 900))  # 45 a second, 50 can be answered above
    good = {}
    for name, deciding in {
        "oracle": Deciding("oracle", 0.2),
        "always": UP,
        "never": Deciding("thresholds", 0.2, (0.0,)),
    }.items():
        told = played(deciding, time_s)
        good[name] = (0.2 * np.where(told.level == 1, 1.0, 0.5) - told.latency_s).mean()
    assert good["oracle"] >= max(good["always"], good["never"])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="2 levels needs a network of 1 exits"):
        climb(TREE, LADDER, UP, np.zeros(1), np.zeros(1, int), np.zeros((3, 1)))
    with pytest.raises(InputError, match="threshold for each"):
        played(Deciding("thresholds", 1.0), np.zeros(1))
    with pytest.raises(InputError, match="nodes decide by"):
        Deciding("whim", 1.0)
